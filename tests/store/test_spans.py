"""From steps to covered time: what holds how long, what a late reading adds, nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change, LiveState
from hub.store.rollup import HOUR_MS, merge
from hub.store.shelf import Step
from hub.store.spans import FAR_MS, Span, Window, gaps, spans, sums
from tests.store.making import T0_MS, report

MINUTE = 60_000
SILENT = 10 * MINUTE
KEY = SeriesKey("d", "temperature")


def step(
    minute: float,
    until: float,
    value: Value,
    previous: float | None = None,
    *,
    after_gap: bool = False,
    late: bool = False,
    quality: Quality = Quality.GOOD,
) -> Step:
    at, before = round(minute * MINUTE), None if previous is None else round(previous * MINUTE)
    change = Change(
        1, KEY, value, "1", quality, "", at, at, TimeSource.HUB, 0, before, late, after_gap
    )
    return Step(change, round(until * MINUTE))


def late(minute: float, value: Value, quality: Quality = Quality.GOOD) -> Step:
    return step(minute, minute, value, late=True, quality=quality)


def known(
    steps: Sequence[Step], begin: float = 0, end: float = 60
) -> list[tuple[float, float, Value]]:
    ordered = sorted(steps, key=lambda s: s.change.observed_ms)
    found = spans(ordered, round(begin * MINUTE), round(end * MINUTE), SILENT)
    joined: list[tuple[float, float, Value]] = []
    for span in found:
        begin, stop = span.from_ms / MINUTE, span.to_ms / MINUTE
        if joined and joined[-1][1:] == (begin, span.value) and begin < stop:
            begin = joined.pop()[0]
        joined.append((begin, stop, span.value))
    return joined


def test_a_step_holds_to_the_next_and_the_running_one_as_far_as_it_was_confirmed() -> None:
    assert known([step(0, 5, 20), step(7, 12, 21, 5)]) == [(0, 7, 20), (7, 12, 21)]


def test_a_window_cuts_what_runs_into_it_and_out_of_it() -> None:
    steps = [step(0, 5, 20), step(70, 90, 21, 5)]
    assert known(steps, 10, 60) == [(10, 60, 20)]


def test_a_step_before_a_silence_ends_where_it_was_confirmed() -> None:
    steps = [step(0, 5, 20), step(30, 32, 20, 5, after_gap=True)]
    assert known(steps) == [(0, 5, 20), (30, 32, 20)]


def test_what_is_not_good_holds_its_time_and_does_not_count() -> None:
    bad = step(7, 12, 99, 5, quality=Quality.BAD)
    assert known([step(0, 5, 20), bad, step(13, 15, 21, 12)]) == [(0, 7, 20), (13, 15, 21)]


def test_a_clock_that_was_set_back_lets_no_moment_count_twice() -> None:
    steps = [
        step(0, 20, 1),
        step(50, 55, 2, 20),  # then the clock is set back by 40 minutes
        step(15, 25, 3, 55),
        step(30, 70, 4, 25),
        step(80, 80, 5, 70),
    ]
    assert known(steps, 0, 80) == [
        (0, 15, 1),
        (15, 30, 3),
        (30, 50, 4),
        (50, 55, 2),
        (55, 80, 4),
    ]


def test_a_late_reading_in_covered_time_moves_the_bounds_and_takes_no_time() -> None:
    steps = [step(0, 30, 20), late(10, 35)]
    assert known(steps) == [(0, 10, 20), (10, 10, 35), (10, 30, 20)]
    (row,) = sums(1, spans(steps, 0, HOUR_MS, SILENT), [Window(0, HOUR_MS)])
    assert (row.covered_ms, row.mean, row.low, row.high) == (30 * MINUTE, 20, 20, 35)


def test_a_late_reading_in_a_gap_holds_to_the_next_and_is_reached_by_the_one_before() -> None:
    steps = [step(0, 5, 20), late(12, 21), late(20, 22), step(28, 29, 23, 5, after_gap=True)]
    assert known(steps) == [(0, 12, 20), (12, 20, 21), (20, 28, 22), (28, 29, 23)]


def test_a_late_reading_far_from_others_holds_nothing() -> None:
    steps = [step(0, 5, 20), late(25, 21), step(45, 46, 23, 5, after_gap=True)]
    assert known(steps) == [(0, 5, 20), (45, 46, 23)]


def test_a_step_that_was_said_once_is_lengthened_by_a_late_reading() -> None:
    steps = [step(0, 0, 20), late(6, 21), step(30, 30, 23, 0, after_gap=True)]
    assert known(steps) == [(0, 6, 20)]


def test_a_late_reading_that_is_not_good_holds_its_time_too() -> None:
    steps = [step(0, 5, 20), late(12, None, Quality.BAD), step(20, 21, 23, 5, after_gap=True)]
    assert known(steps) == [(0, 12, 20), (20, 21, 23)]


def test_only_what_no_step_covers_is_a_gap() -> None:
    steps = [step(0, 5, 20), late(12, 21), step(20, 21, 23, 5, after_gap=True)]
    assert gaps(steps) == [
        Window(-FAR_MS, 0),
        Window(5 * MINUTE, 20 * MINUTE),
        Window(21 * MINUTE, FAR_MS),
    ]


def test_words_are_summed_by_share_and_numbers_by_time() -> None:
    found = [Span(0, 10, "heat"), Span(10, 40, "cool"), Span(40, 60, 5)]
    first, second = sums(1, found, [Window(0, 20), Window(20, 80)])
    assert (first.shares, first.mean, first.covered_ms) == ({"heat": 10, "cool": 10}, None, 20)
    assert (second.shares, second.mean, second.covered_ms) == ({"cool": 20}, 5, 40)


minutes = st.floats(0, 240).map(lambda m: round(m, 2))
anything = st.lists(
    st.builds(
        step,
        minutes,
        minutes,
        st.integers(0, 9) | st.sampled_from(["on", "off"]),
        st.none() | minutes,
        after_gap=st.booleans(),
        late=st.booleans(),
        quality=st.sampled_from(Quality),
    ),
    max_size=12,
)


@given(anything, minutes, minutes, st.integers(0, 60 * MINUTE))
def test_nothing_overlaps_whatever_the_steps_say(
    steps: list[Step], begin: float, end: float, silent: int
) -> None:
    first, last = sorted((round(begin * MINUTE), round(end * MINUTE)))
    ordered = sorted(steps, key=lambda s: s.change.observed_ms)
    found = spans(ordered, first, last, silent)

    assert all(first <= s.from_ms <= s.to_ms <= last for s in found)
    assert all(a.to_ms <= b.from_ms for a, b in pairwise(found))
    window = Window(first, max(last, first + 1))
    (row,) = sums(1, found, [window])
    assert row.covered_ms <= window.to_ms - window.from_ms


@given(anything, st.lists(st.integers(0, 240), min_size=2, max_size=8, unique=True))
def test_the_parts_of_a_time_add_up_to_the_whole(steps: list[Step], cuts: list[int]) -> None:
    ordered = sorted(steps, key=lambda s: s.change.observed_ms)
    edges = [cut * MINUTE for cut in sorted(cuts)]
    found = spans(ordered, edges[0], edges[-1], SILENT)
    (whole,) = sums(1, found, [Window(edges[0], edges[-1])])
    parts = sums(1, found, [Window(a, b) for a, b in pairwise(edges)])

    assert sum(part.covered_ms for part in parts) == whole.covered_ms
    lows = [part.low for part in parts if part.low is not None]
    assert min(lows, default=None) == whole.low
    for word in ("on", "off"):
        assert sum(part.shares.get(word, 0) for part in parts) == whole.shares.get(word, 0)


pauses = st.integers(1, 8 * MINUTE) | st.integers(1, 100 * MINUTE) | st.just(0)
said = st.lists(st.tuples(pauses, st.integers(0, 3), st.booleans()), min_size=1, max_size=30)


@given(said)
def test_hours_from_steps_equal_the_hours_that_were_summed_up(
    stream: list[tuple[int, int, bool]],
) -> None:
    """Also for a channel that speaks rarely, and whose device goes on about other things."""
    live = LiveState()
    changes: list[Change] = []
    at = T0_MS
    for pause, value, is_other in stream:
        at += pause
        said = report("d", at, humidity=value) if is_other else report("d", at, temperature=value)
        changes += live.apply(said)
    live.cover_all()
    live.rollups.finish_before(at + 2 * HOUR_MS)
    for series in live.series.values():
        mine = [change for change in changes if change.number == series.number]
        ends = [change.previous_until_ms for change in mine[1:]]
        steps = [Step(c, end) for c, end in zip(mine, [*ends, live.held_ms(series)], strict=True)]
        found = spans(steps, T0_MS, at + HOUR_MS, SILENT)
        rolled = merge(row for row in live.rollups.finished if row.number == series.number)
        hours = [Window(row.hour_ms, row.hour_ms + HOUR_MS) for row in rolled]
        for row, again in zip(rolled, sums(series.number, found, hours), strict=True):
            assert again.mean == pytest.approx(row.mean)
            assert (again.covered_ms, again.low, again.high) == (row.covered_ms, row.low, row.high)
        assert sum(row.covered_ms for row in rolled) == sum(s.to_ms - s.from_ms for s in found)
