from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub import texts
from hub.domain.room import Text
from hub.mirror.rules import (
    BACKOFF_S,
    RETRY_AFTER_S,
    Answer,
    BadLine,
    Delivery,
    Meaning,
    meaning,
    trouble,
    wait_s,
)

STATUSES = [
    (204, Meaning.STORED),
    (200, Meaning.SETUP),  # a captive portal
    (202, Meaning.SETUP),
    (201, Meaning.BAD_LINE),  # InfluxDB 3: some of them
    (400, Meaning.BAD_LINE),
    (422, Meaning.BAD_LINE),
    (413, Meaning.TOO_LARGE),
    (301, Meaning.SETUP),
    (401, Meaning.SETUP),
    (403, Meaning.SETUP),
    (404, Meaning.SETUP),
    (405, Meaning.SETUP),
    (408, Meaning.LATER),
    (425, Meaning.LATER),
    (429, Meaning.LATER),
    (500, Meaning.LATER),
    (502, Meaning.LATER),
    (503, Meaning.LATER),
    (504, Meaning.LATER),
    (599, Meaning.LATER),
    (0, Meaning.LATER),
]
CODES = [
    "token_file",
    "ca_file",
    "tls",
    "refuses_all",
    "unreachable",
    "timeout",
    "broken",
    "store",
    "failed",
]


@pytest.mark.parametrize(("status", "meant"), STATUSES)
def test_what_each_status_means(status: int, meant: Meaning) -> None:
    assert meaning(Answer(status)) is meant


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_trouble_has_words_in_every_language(language: str) -> None:
    answers = [Answer(status) for status, meant in STATUSES if meant in ("later", "setup")]
    for answer in [*answers, *(Answer(0, "why", code=code) for code in CODES)]:
        found = trouble(answer)
        said = texts.render(Text(found.code, found.params), language)
        assert said != found.code
        assert "{" not in said


def test_waiting_grows_to_five_minutes_and_is_never_the_same_for_all() -> None:
    waits = [[wait_s(Answer(503), failures) for _ in range(20)] for failures in range(1, 40)]

    assert all(BACKOFF_S[0] / 2 <= wait <= BACKOFF_S[0] for wait in waits[0])
    assert all(BACKOFF_S[1] / 2 <= wait <= BACKOFF_S[1] for wait in waits[-1])
    assert len(set(waits[5])) > 1


def test_retry_after_is_honoured_and_bounded() -> None:
    assert wait_s(Answer(429, retry_after_s=77), 1) == 77
    assert wait_s(Answer(503, retry_after_s=1e9), 1) == RETRY_AFTER_S
    assert wait_s(Answer(503, retry_after_s=0), 1) >= BACKOFF_S[0] / 2


@given(st.integers(1, 300), st.integers(1, 100), st.sets(st.integers(0, 299)), st.data())
def test_bisecting_finds_exactly_the_bad_lines(
    count: int, most: int, bad: set[int], data: st.DataObject
) -> None:
    lines = [f"line{at}" for at in range(count)]
    wrong = {lines[at] for at in bad if at < count}
    delivery, requests = Delivery(lines, most), 0
    stored: list[str] = []
    aside: list[BadLine] = []
    while not delivery.is_done:
        piece = list(delivery.piece())
        requests += 1
        if not wrong & set(piece):
            assert delivery.stored() == len(piece)
            stored += piece
        elif delivery.is_one():
            aside += delivery.refused(Answer(400, "no"))
            delivery.pass_over()
        else:
            delivery.halve()

    assert stored == [line for line in lines if line not in wrong]
    assert [item.line for item in aside] == [line for line in lines if line in wrong]
    assert requests <= -(-count // most) + 2 * len(wrong) * (most.bit_length() + 1)


@given(st.integers(1, 300), st.integers(1, 299))
def test_a_server_with_a_small_limit_gets_small_pieces(count: int, limit: int) -> None:
    lines = [str(at) for at in range(count)]
    delivery, refused = Delivery(lines, 200), 0
    stored: list[str] = []
    while not delivery.is_done:
        piece = delivery.piece()
        if len(piece) > limit:
            delivery.smaller()
            refused += 1
        else:
            stored += piece
            delivery.stored()

    assert stored == lines
    assert delivery.most <= 200
    assert refused <= 8


def test_a_server_that_says_it_dropped_all_is_not_asked_line_by_line() -> None:
    delivery = Delivery(["a", "b", "c"])

    some = Answer(422, "partial write: points beyond retention policy dropped=2")
    every = Answer(422, "partial write: points beyond retention policy dropped=3")
    assert not delivery.all_dropped(some)
    assert delivery.all_dropped(every)
    assert [item.line for item in delivery.refused(every)] == ["a", "b", "c"]
