"""A room's past over HTTP: how it is cut, paged and refused, also where clocks change."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from hub.domain.room import Status
from hub.domain.views import RoomStep
from tests.api.test_history import Asked, Views, asking
from tests.store.making import T0_MS

HISTORY = "rooms/gym/history"
MINUTE, HOUR = 60_000, 3_600_000
DAY = 24 * HOUR


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def kept(monkeypatch: pytest.MonkeyPatch, *steps: RoomStep) -> None:
    """What the store has of the room, cut to the time that is asked for."""

    async def read(_: Views, name: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        return [
            RoomStep(max(s.from_ms, from_ms), min(s.to_ms, to_ms), s.status, s.people)
            for s in steps
            if s.from_ms < to_ms and s.to_ms > from_ms
        ]

    monkeypatch.setattr(Views, "steps", read)


def at(asked: Asked, text: str) -> None:
    """The time that it is."""
    asked.time.ms = ms(text) - T0_MS


@pytest.mark.parametrize(
    ("step", "count", "first"),
    [
        ("minute", 60, {"free": 1}),
        ("hour", 1, {"free": 0.5, "in_use": 0.5}),
        ("day", 1, {"free": 0.5, "in_use": 0.5}),
    ],
)
async def test_a_step_shares_out_the_same_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, count: int, first: dict[str, float]
) -> None:
    begin = ms("2026-05-01T10:00Z")
    kept(
        monkeypatch,
        RoomStep(begin, begin + HOUR // 2, Status.FREE, 0),
        RoomStep(begin + HOUR // 2, begin + HOUR, Status.IN_USE, 8),
    )
    async with asking(tmp_path) as asked:
        at(asked, "2026-05-02T00:00Z")
        span = {"from": "2026-05-01T10:00:00Z", "to": "2026-05-01T11:00:00Z"}
        items = await asked.items(HISTORY, step=step, **span)
        raw = await asked.items(HISTORY, **span)
    assert len(items) == count
    assert (items[0]["share"], items[0]["covered"]) == (first, 1)
    assert {"status"}.isdisjoint(items[0])
    assert [(item["status"], item["people_mean"]) for item in raw] == [("free", 0), ("in_use", 8)]
    assert {"share"}.isdisjoint(raw[0])


async def test_pages_follow_each_other_and_the_last_one_has_no_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ms("2026-05-01T10:00Z")
    words = (Status.FREE, Status.IN_USE)
    kept(
        monkeypatch,
        *(
            RoomStep(begin + n * MINUTE, begin + (n + 1) * MINUTE, words[n % 2], None)
            for n in range(7)
        ),
    )
    async with asking(tmp_path) as asked:
        at(asked, "2026-05-02T00:00Z")
        for step in ("raw", "minute"):
            span = {"from": "2026-05-01T10:00:00Z", "to": "2026-05-01T10:07:00Z", "step": step}
            whole = await asked.get(HISTORY, **span)
            assert (len(whole["items"]), whole["next"]) == (7, None)
            first = await asked.get(HISTORY, limit=3, **span)
            second = await asked.get(HISTORY, limit=3, **span, cursor=first["next"])
            last = await asked.get(HISTORY, limit=3, **span, cursor=second["next"])
            assert [len(page["items"]) for page in (first, second, last)] == [3, 3, 1], step
            assert first["items"] + second["items"] + last["items"] == whole["items"], step
            assert last["next"] is None
            exact = await asked.get(HISTORY, limit=7, **span)
            assert (len(exact["items"]), exact["next"]) == (7, None), step


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"from": "yesterday"}, ("from", "2026")),
        ({"to": "2026-05-01T10:00:00"}, ("to", "zone")),
        ({"from": "2026-05-02T00:00:00Z", "to": "2026-05-01T00:00:00Z"}, ("from",)),
        ({"step": "week"}, ("step", "hour")),
        ({"limit": 0}, ("limit",)),
        ({"limit": 10_001}, ("limit",)),
        ({"limit": "many"}, ("limit",)),
        ({"cursor": "2026-05-01"}, ("cursor", "next")),
    ],
)
async def test_what_cannot_be_used_is_named_and_what_to_write_instead(
    tmp_path: Path, params: dict[str, str | int], words: tuple[str, ...]
) -> None:
    async with asking(tmp_path) as asked:
        said = set()
        for language in ("en", "zh-CN", "zh-TW"):
            asked_for = {"lang": language, **params}
            response = await asked.client.get(f"/api/v1/{HISTORY}", params=asked_for)
            assert response.status_code == 422
            assert response.headers["content-type"] == "application/problem+json"
            problem = response.json()
            assert problem["type"].startswith("urn:linli:problem:")
            said.add(problem["detail"])
            if language == "en":
                assert [word for word in words if word not in problem["detail"]] == []
        assert len(said) == 3


@pytest.mark.parametrize(
    ("span", "lengths"),
    [
        (("2026-03-28T00:00:00+01:00", "2026-03-31T00:00:00+02:00"), [24, 23, 24]),
        (("2026-10-24T00:00:00+02:00", "2026-10-27T00:00:00+01:00"), [24, 25, 24]),
    ],
)
async def test_a_day_is_one_of_the_centres_clocks_also_where_they_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, span: tuple[str, str], lengths: list[int]
) -> None:
    """In use from noon to one on the wall each day: the hour is of 23, 24 or 25."""
    begin, end = map(ms, span)
    edges = [begin + sum(lengths[:n]) * HOUR for n in range(4)]
    noons = [after - 12 * HOUR for after in edges[1:]]  # clocks change at night, before noon
    steps: list[RoomStep] = []
    for midnight, noon, after in zip(edges[:-1], noons, edges[1:], strict=True):
        steps.append(RoomStep(midnight, noon, Status.FREE, 0))
        steps.append(RoomStep(noon, noon + HOUR, Status.IN_USE, 5))
        steps.append(RoomStep(noon + HOUR, after, Status.FREE, 0))
    kept(monkeypatch, *steps)
    async with asking(tmp_path, "Europe/Berlin") as asked:
        at(asked, "2026-12-01T00:00Z")
        days = await asked.items(HISTORY, **{"from": span[0], "to": span[1]}, step="day", limit=2)
    assert [(ms(day["from"]), ms(day["to"])) for day in days] == list(pairwise(edges))
    assert [day["share"]["in_use"] for day in days] == [round(1 / n, 6) for n in lengths]
    assert {day["covered"] for day in days} == {1}
    assert edges[-1] == end


async def test_what_is_still_to_come_is_no_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin = ms("2026-05-01T00:00+08:00")
    kept(monkeypatch, RoomStep(begin, begin + DAY, Status.FREE, None))
    async with asking(tmp_path) as asked:
        at(asked, "2026-05-01T06:00+08:00")
        span = {"from": "2026-05-01T00:00:00+08:00", "to": "2026-05-03T00:00:00+08:00"}
        (today,) = await asked.items(HISTORY, step="day", **span)
    assert (ms(today["to"]) - begin, today["covered"]) == (6 * HOUR, 1)
