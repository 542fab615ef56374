"""Sums of a channel from stored hours and from steps: both say the same, also in cut hours."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.series import SeriesKey
from hub.live import Change, LiveState
from hub.store.query import Hour
from hub.store.rollup import HOUR_MS, HourRow, merge
from hub.store.shelf import Step
from hub.store.spans import Window
from hub.store.windows import Wanted, by_hours, by_steps, cut_hours
from tests.store.making import T0_MS, report

MINUTE = 60_000
KEY = SeriesKey("d", "temperature")
WANTED = Wanted(KEY, 10 * MINUTE)


class Kept:
    """A store of one series."""

    def __init__(self, stream: Sequence[tuple[int, int]]) -> None:
        live, changes, at = LiveState(), list[Change](), T0_MS
        for pause, value in stream:
            at += pause
            changes += live.apply(report("d", at, temperature=value))
        self.now_ms = at
        ends = [c.previous_until_ms for c in changes[1:]]
        self._steps = [
            Step(c, e)
            for c, e in zip(changes, [*ends, live.held_ms(live.series[KEY])], strict=True)
        ]
        live.cover_all()
        live.rollups.finish_before(at + HOUR_MS)
        self._hours = [
            Hour(KEY, r.hour_ms, r.covered_ms, r.mean, r.low, r.high, r.shares)
            for r in merge(live.rollups.finished)
        ]
        self.asked = 0

    async def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Hour]:
        return [hour for hour in self._hours if from_ms <= hour.from_ms < to_ms]

    async def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Step]:
        self.asked += 1
        times = [step.change.observed_ms for step in self._steps]
        first = max((at for at, ms in enumerate(times) if ms < from_ms), default=0)
        last = min((at for at, ms in enumerate(times) if ms >= to_ms), default=len(times))
        return self._steps[first : last + 1]


def windows(*minutes: float) -> list[Window]:
    edges = [T0_MS + round(minute * MINUTE) for minute in minutes]
    return [Window(a, b) for a, b in pairwise(edges)]


async def test_whole_hours_need_no_steps_nor_do_even_ones_and_the_running_one() -> None:
    kept = Kept([(5 * MINUTE, 20)] * 30 + [(5 * MINUTE, 30)] * 5)
    now = kept.now_ms
    found = await by_hours(kept, WANTED, windows(60, 90, 120, 175), now)
    assert kept.asked == 0
    assert [row.covered_ms // MINUTE for row in found] == [30, 30, 55]
    assert [row.high for row in found] == [20, 20, 30]


async def test_an_hour_in_which_something_happened_is_cut_by_its_steps() -> None:
    kept = Kept([(5 * MINUTE, 20 + at) for at in range(30)])
    first, second = await by_hours(kept, WANTED, windows(30, 90, 150), kept.now_ms)
    assert kept.asked == 2
    assert (first.low, first.high, first.covered_ms) == (25, 36, 60 * MINUTE)
    assert (second.low, second.high) == (37, 48)


async def test_a_day_of_half_hours_is_as_exact_as_its_minutes() -> None:
    kept = Kept([(7 * MINUTE, at % 5) for at in range(400)])
    day = windows(30, 30 + 24 * 60)
    (whole,) = await by_hours(kept, WANTED, day, kept.now_ms)
    (exact,) = await by_steps(kept, WANTED, day)
    assert whole.covered_ms == exact.covered_ms == 24 * 60 * MINUTE
    assert whole.mean == pytest.approx(exact.mean)


async def test_nothing_asked_is_nothing_read() -> None:
    kept = Kept([(0, 1)])
    assert await by_hours(kept, WANTED, [], 0) == await by_steps(kept, WANTED, []) == []
    assert kept.asked == 0


def test_words_that_stood_all_hour_are_even() -> None:
    row = HourRow(0, T0_MS, HOUR_MS, None, None, None, {"heat": HOUR_MS})
    mixed = HourRow(0, T0_MS, HOUR_MS, None, None, None, {"heat": HOUR_MS - 1, "cool": 1})
    assert cut_hours(windows(0, 30), {T0_MS: row}, T0_MS + HOUR_MS) == frozenset()
    assert cut_hours(windows(0, 30), {T0_MS: mixed}, T0_MS + HOUR_MS) == {T0_MS}


streams = st.lists(
    st.tuples(st.integers(1, 9 * MINUTE) | st.integers(1, 90 * MINUTE), st.integers(0, 3)),
    min_size=1,
    max_size=40,
)


@given(streams, st.sets(st.integers(0, 600), min_size=2, max_size=8))
async def test_hours_and_steps_agree_on_any_windows(
    stream: list[tuple[int, int]], cuts: set[int]
) -> None:
    kept = Kept(stream)
    edges = [
        Window(begin, min(end, kept.now_ms))
        for begin, end in windows(*sorted(cuts))
        if begin < kept.now_ms
    ]
    from_hours = await by_hours(kept, WANTED, edges, kept.now_ms)
    from_steps = await by_steps(kept, WANTED, edges)
    for a, b in zip(from_hours, from_steps, strict=True):
        assert a.covered_ms == b.covered_ms
        assert a.mean == pytest.approx(b.mean)
        assert (a.low, a.high) == (b.low, b.high)
