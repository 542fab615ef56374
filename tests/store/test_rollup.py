"""Hours carry what was covered; a restart and a silence leave holes, and nothing counts twice."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import LiveState
from hub.store.rollup import HOUR_MS, Rollups, merge
from tests.store.making import EVER, T0_MS, Time, catch_up, feed, opened, report

MINUTE = 60_000
KEY = SeriesKey("d", "temperature")


async def test_an_hour_is_the_time_weighted_mean_of_its_steps(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    for minute in range(0, 121, 5):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=20 if minute < 45 else 28, mode="heat"))
        await catch_up(store)
    for _ in range(2):
        first, second = (await store.hours(KEY, T0_MS, EVER))[:2]
        assert (first.from_ms, first.covered_ms) == (T0_MS, HOUR_MS)
        assert first.mean == pytest.approx((45 * 20 + 15 * 28) / 60)
        assert (first.low, first.high) == (20, 28)
        assert (second.covered_ms, second.mean) == (HOUR_MS, 28)
        (words, _) = (await store.hours(SeriesKey("d", "mode"), T0_MS, EVER))[:2]
        assert (words.shares, words.mean) == ({"heat": HOUR_MS}, None)
        await store.close()
        store = await opened(tmp_path, time)
    await store.close()


async def test_a_restart_and_a_silence_are_not_covered(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    for minute in (0, 5, 10):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=20))
    await store.close()  # 10 minutes are covered
    time.ms = 20 * MINUTE
    store = await opened(tmp_path, time)
    for minute in (20, 25, 45, 50):  # silent from 25 to 45, more than its 10 minutes
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=30))
    (hour,) = await store.hours(KEY, T0_MS, EVER)
    assert hour.covered_ms == 20 * MINUTE
    assert hour.mean == pytest.approx(25)
    time.ms = 130 * MINUTE
    await catch_up(store)
    await store.close()
    store = await opened(tmp_path, time)
    assert await store.hours(KEY, T0_MS, EVER) == [hour]
    await store.close()


def test_what_the_broker_remembers_runs_on_when_its_device_speaks_of_before() -> None:
    """Its clock is behind by a second; no silence lies between the two."""
    live = LiveState()
    live.apply(report("d", T0_MS + 5_000, TimeSource.RETAINED, temperature=20))
    live.apply(report("d", T0_MS + 4_000, TimeSource.DEVICE, T0_MS + 5_000, humidity=40))
    (change,) = live.apply(report("d", T0_MS + 65_000, temperature=21))
    assert not change.after_gap
    (hour,) = live.rollups.fresh(change.number)
    assert (hour.covered_ms, hour.mean) == (60_000, 20)


@given(st.lists(st.tuples(st.integers(1, 2 * HOUR_MS), st.integers(0, 9)), min_size=2, max_size=20))
def test_the_hours_add_up_to_the_whole(steps: list[tuple[int, int]]) -> None:
    rollups, at, weighted = Rollups(), 0, 0
    for at_step, (duration, value) in enumerate(steps):
        rollups.turn(1, at, value)
        if at_step % 2:
            rollups.cover(1, at + duration // 2)
        at += duration
        weighted += duration * value
    rollups.pause(1, at)
    rollups.finish_before(at + HOUR_MS)

    hours = merge(rollups.finished)
    assert sum(hour.covered_ms for hour in hours) == at
    assert all(hour.covered_ms <= HOUR_MS for hour in hours)
    assert sum(hour.covered_ms * (hour.mean or 0) for hour in hours) == pytest.approx(weighted)
