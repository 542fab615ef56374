"""Shares of a room's time, and its stretches page by page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.room import Status
from hub.domain.views import RoomStep
from hub.rooms.history import MONTH_MS, Usages, shared_out, stretches, trimmed
from hub.store.spans import Window

HOUR = 3_600_000
FREE, IN_USE, UNKNOWN = Status.FREE, Status.IN_USE, Status.UNKNOWN


class Kept:
    """A store of one room: cuts its stretches to the time that was asked for."""

    def __init__(self, steps: Sequence[RoomStep]) -> None:
        self.all = steps
        self.asked: list[Window] = []

    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        self.asked.append(Window(from_ms, to_ms))
        return [
            RoomStep(max(s.from_ms, from_ms), min(s.to_ms, to_ms), s.status, s.people)
            for s in self.all
            if s.from_ms < to_ms and s.to_ms > from_ms
        ]


def test_shares_are_of_the_covered_time_and_a_gap_stays_empty() -> None:
    usages = Usages([Window(0, 100), Window(100, 200), Window(200, 300)])
    usages.add([RoomStep(0, 20, FREE), RoomStep(20, 50, IN_USE, 4), RoomStep(50, 120, IN_USE, 1)])
    first, second, third = usages.found
    assert first.shares() == {"free": 0.2, "in_use": 0.8}
    assert first.people_mean() == pytest.approx((30 * 4 + 50) / 80, abs=1e-6)
    assert (second.covered_ms, second.shares(), second.people_mean()) == (20, {"in_use": 1}, 1)
    assert (third.covered_ms, third.shares(), third.people_mean()) == (0, {}, None)


def test_where_the_clock_was_set_back_the_newer_stretch_wins() -> None:
    steps = [RoomStep(0, 50, FREE), RoomStep(50, 100, IN_USE), RoomStep(30, 80, UNKNOWN)]
    assert trimmed(steps) == [RoomStep(0, 30, FREE), RoomStep(30, 80, UNKNOWN)]


async def test_a_stretch_that_lasts_for_months_is_one() -> None:
    kept = Kept([RoomStep(5, 9 * MONTH_MS, FREE), RoomStep(9 * MONTH_MS, 10 * MONTH_MS, IN_USE)])
    page = await stretches(kept, "gym", Window(0, 20 * MONTH_MS), 10)
    assert (page.steps, page.next_ms) == (list(kept.all), None)
    assert len(kept.asked) > 4


async def test_a_year_is_read_in_parts_and_a_page_reads_no_more_than_it_needs() -> None:
    year = [
        RoomStep(at, at + HOUR // 2, status)
        for at, status in zip(
            range(0, 12 * MONTH_MS, HOUR // 2), [FREE, IN_USE] * 9000, strict=False
        )
    ]
    kept = Kept(year)
    page = await stretches(kept, "gym", Window(0, 12 * MONTH_MS), 1000)
    assert page.steps == year[:1000]
    assert page.next_ms == year[1000].from_ms
    assert kept.asked == [Window(0, MONTH_MS)]
    usages = await shared_out(kept, "gym", [Window(0, 12 * MONTH_MS)])
    assert usages[0].shares() == {"free": 0.5, "in_use": 0.5}


durations = st.tuples(
    st.integers(0, 20 * MONTH_MS // 10) | st.integers(0, 1000),
    st.integers(1, MONTH_MS) | st.integers(1, 1000),
    st.sampled_from(Status),
    st.none() | st.integers(0, 9),
)


@given(st.lists(durations, max_size=15), st.integers(1, 4))
async def test_pages_hold_every_stretch_once(
    parts: list[tuple[int, int, Status, int | None]], limit: int
) -> None:
    at, steps = 0, []
    for pause, length, status, people in parts:
        at += pause + 1
        steps.append(RoomStep(at, at + length, status, people))
        at += length
    kept, found, begin = Kept(steps), [], 0
    while True:
        page = await stretches(kept, "gym", Window(begin, at + 1), limit)
        found += page.steps
        assert len(page.steps) <= limit
        if page.next_ms is None:
            break
        begin = page.next_ms
    assert found == steps


@given(
    st.lists(st.tuples(st.integers(0, 500), st.integers(1, 300), st.sampled_from(Status))),
    st.lists(st.integers(0, 900), min_size=2, max_size=9, unique=True),
)
def test_no_moment_counts_twice_and_parts_add_up(
    parts: list[tuple[int, int, Status]], cuts: list[int]
) -> None:
    steps = trimmed(RoomStep(at, at + length, status) for at, length, status in parts)
    assert all(a.to_ms <= b.from_ms for a, b in pairwise(steps))
    edges = sorted(cuts)
    windows = [Window(a, b) for a, b in pairwise(edges)]
    usages, whole = Usages(windows), Usages([Window(edges[0], edges[-1])])
    usages.add(steps)
    whole.add(steps)
    for usage, window in zip(usages.found, windows, strict=True):
        assert usage.covered_ms <= window.to_ms - window.from_ms
    assert sum(usage.covered_ms for usage in usages.found) == whole.found[0].covered_ms
