"""Every status a server can answer, over real HTTP, from a server that does what the test says."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hub.mirror import rules
from hub.mirror.service import State
from hub.store.outbox import MirrorCursor
from tests.mirror.making import (
    NOON_MS,
    TOKEN,
    change,
    room_point,
)
from tests.mirror.scripted import Reply, ScriptedServer
from tests.mirror.trial import Trial, put


async def test_everything_arrives_and_only_then_the_cursor_moves(
    server: ScriptedServer, trial: Trial
) -> None:
    wanted = trial.history(5_000)

    await trial.steps()

    assert server.values() == wanted
    assert trial.source.cursor == MirrorCursor(500)
    assert trial.mirror.points == 5_000
    assert server.queries[0] == {"org": ["centre"], "bucket": ["linli"], "precision": ["ns"]}
    assert {header["Content-Encoding"] for header in server.headers} == {"gzip"}


async def test_rooms_and_gaps_are_sent_with_the_changes(
    server: ScriptedServer, trial: Trial
) -> None:
    gap = change(at_ms=NOON_MS, gap_from_ms=NOON_MS - 1_000)
    trial.source.commits = [((gap,), (room_point(),))]

    await trial.steps()

    assert {point.measurement for point in server.points.values()} == {"gap", "room", "temperature"}


async def test_a_commit_of_rooms_alone_is_sent_too(server: ScriptedServer, trial: Trial) -> None:
    trial.source.commits = [((), (room_point(),))]

    await trial.steps()

    assert [point.measurement for point in server.points.values()] == ["room"]


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
async def test_a_server_that_is_busy_or_broken_is_asked_again_and_nothing_is_lost(
    server: ScriptedServer, trial: Trial, status: int
) -> None:
    wanted = trial.history(50)
    server.script = [Reply(status), Reply(status), Reply(status)]

    waits = [await trial.mirror.step() for _ in range(3)]

    assert trial.mirror.state is State.WAITING
    assert trial.source.cursor == MirrorCursor(0)
    assert 0.5 <= waits[0] <= 1 <= waits[1] <= 2 <= waits[2] <= 4
    await trial.steps()
    assert server.values() == wanted
    assert trial.mirror.trouble is None


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("90", 90, 90), ("soon", 0.5, 1), ("99999999", 3_600, 3_600), ("-5", 0.5, 1)],
)
async def test_retry_after_is_honoured_and_bounded(
    server: ScriptedServer, trial: Trial, header: str, low: float, high: float
) -> None:
    trial.history(10)
    server.script = [Reply(429, {"Retry-After": header})]

    assert low <= await trial.mirror.step() <= high


async def test_retry_after_may_be_a_date(server: ScriptedServer, trial: Trial) -> None:
    trial.history(10)
    date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 100))
    server.script = [Reply(503, {"Retry-After": date})]

    assert 60 < await trial.mirror.step() <= 101


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (401, "unauthorized"),
        (403, "forbidden"),
        (404, "not_found"),
        (405, "unexpected"),
        (200, "unexpected"),  # a captive portal: nothing of ours was stored
        (301, "unexpected"),
    ],
)
async def test_what_somebody_must_mend_is_an_alarm_that_waits_and_keeps_everything(
    server: ScriptedServer, trial: Trial, status: int, code: str
) -> None:
    wanted = trial.history(30)
    server.script = [Reply(status, {"Location": "http://127.0.0.1:1/"}, b"no")] * 3

    waits = [await trial.mirror.step() for _ in range(3)]

    assert trial.mirror.state is State.ALARM
    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == f"mirror.{code}"
    assert waits == [rules.ALARM_S] * 3
    assert (trial.source.cursor, trial.source.rejected) == (MirrorCursor(0), [])
    await trial.steps()
    assert server.values() == wanted


async def test_a_new_token_is_read_without_a_restart(
    server: ScriptedServer, trial: Trial, token_file: Path
) -> None:
    wanted = trial.history(10)
    put(token_file, "the-old-one")
    await trial.steps(State.ALARM)

    put(token_file, TOKEN)
    await trial.steps()

    assert server.values() == wanted


@pytest.mark.parametrize("content", [None, "", "two\nlines", "ключ"])
async def test_a_token_file_that_cannot_be_used_is_an_alarm_that_names_it(
    trial: Trial, token_file: Path, content: str | None
) -> None:
    trial.history(10)
    put(token_file, content)

    await trial.steps(State.ALARM)

    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.token_file"
    assert str(token_file) in str(trial.mirror.trouble.params["detail"])
