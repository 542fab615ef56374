"""Late readings and set-back clocks correct the hours they touch; every other hour stays."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change, LiveState
from hub.store import mending
from hub.store.mending import Mending, Times
from hub.store.rollup import HOUR_MS, HourRow, merge
from hub.store.shelf import Step
from tests.store.hours_told import compare_hours
from tests.store.making import EVER, T0_MS, Time, catch_up, feed, opened, report

MINUTE = 60_000
KEY = SeriesKey("d", "temperature")
QUEUED = TimeSource.QUEUED


class Memory:
    """A store that keeps every step, and answers as the store's ``steps`` does."""

    def __init__(self) -> None:
        self.live = LiveState()
        self.changes: list[Change] = []
        self.asked = 0
        self.meanwhile: Callable[[], object] = int

    def say(self, minute: float, value: int, source: TimeSource = TimeSource.HUB) -> None:
        at = T0_MS + round(minute * MINUTE)
        self.changes += self.live.apply(report("d", at, source, temperature=value))

    async def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Step]:
        self.asked += 1
        series = self.live.series[key]
        here = [c for c in self.changes if c.number == series.number]
        known = [c for c in here if not c.is_late]
        ends = [c.previous_until_ms for c in known[1:]]
        steps = [Step(c, e) for c, e in zip(known, [*ends, self.live.held_ms(series)], strict=True)]
        steps += [Step(c, c.observed_ms) for c in here if c.is_late]
        self.meanwhile()
        steps.sort(key=lambda s: (s.change.observed_ms, s.change.tie))
        sure = [step for step in steps if not step.change.is_late]
        before = [step for step in sure if step.change.observed_ms < from_ms]
        behind = [step for step in sure if step.change.observed_ms >= to_ms]
        inside = [step for step in steps if from_ms <= step.change.observed_ms < to_ms]
        return [*before[-1:], *inside, *behind[:1]]

    async def mended(self, minute: float) -> list[HourRow]:
        """The hours as they are known then, once what is late has been worked in."""
        now = T0_MS + round(minute * MINUTE)
        self.live.cover_all()
        self.live.rollups.finish_before(now)
        await self.live.mending.run(self.live, self.steps, Times(now))
        return self.hours()

    def hours(self) -> list[HourRow]:
        number = self.live.series[KEY].number
        rows = merge(row for row in self.live.rollups.finished if row.number == number)
        return [msgspec.structs.replace(row, replaces=False) for row in rows if row.covered_ms]


async def test_a_late_reading_corrects_the_hour_it_belongs_to() -> None:
    memory = Memory()
    for minute in range(0, 130, 5):
        memory.say(minute, 20)
    memory.say(32, 90, QUEUED)
    memory.say(33, 3, QUEUED)
    first, second = await memory.mended(125)
    assert (first.low, first.high, first.mean, first.covered_ms) == (3, 90, 20, HOUR_MS)
    assert (second.low, second.high) == (20, 20)
    assert (memory.live.mending.count, memory.live.mending.mended) == (0, 1)


async def test_a_backlog_fills_the_gap_it_was_missing_in() -> None:
    memory = Memory()
    for minute in (0, 5, 10, 180, 185, 245):
        memory.say(minute, 20)
    assert [row.covered_ms // MINUTE for row in await memory.mended(250)] == [10, 5]
    for minute in range(15, 180, 5):
        memory.say(minute, 30, QUEUED)
    hours = await memory.mended(250)
    assert [row.covered_ms // MINUTE for row in hours] == [60, 60, 60, 5]
    assert [row.mean for row in hours] == [pytest.approx((15 * 20 + 45 * 30) / 60), 30, 30, 20]


async def test_an_hour_that_a_late_reading_reaches_into_is_found_whole() -> None:
    memory = Memory()
    memory.say(0, 20)
    memory.say(61, 21)
    memory.say(110, 22)
    memory.say(115, 23)
    memory.say(119, 24)
    memory.say(55, 20, QUEUED)
    hours = await memory.mended(250)
    assert [row.covered_ms // MINUTE for row in hours] == [5, 10]
    assert hours[1].high == 23


async def test_a_queued_reading_behind_what_was_counted_by_another_channel() -> None:
    """It ends a step that was counted further, because its device had spoken since."""
    memory = Memory()
    memory.say(50, 20)
    memory.live.apply(report("d", T0_MS + 59 * MINUTE, humidity=40))
    memory.live.apply(report("d", T0_MS + 65 * MINUTE, humidity=41))
    memory.live.cover_all()
    memory.say(55, 30, QUEUED)
    memory.say(66, 30)
    first, second = await memory.mended(250)
    assert (first.covered_ms, first.mean) == (10 * MINUTE, 25)
    assert (second.covered_ms, second.mean) == (6 * MINUTE, 30)


async def test_a_queued_reading_within_a_silence_ends_what_was_counted_before_it() -> None:
    memory = Memory()
    memory.say(50, 20)
    memory.live.apply(report("d", T0_MS + 58 * MINUTE, humidity=40))
    memory.live.apply(report("d", T0_MS + 90 * MINUTE, humidity=40))  # after a silence
    memory.say(55, 30, QUEUED)
    memory.say(91, 30)
    memory.say(95, 30)
    hours = await memory.mended(250)
    assert [row.covered_ms // MINUTE for row in hours] == [5, 4]


async def test_an_hour_waits_until_nothing_can_be_added_to_it() -> None:
    memory = Memory()
    memory.live.silent_after["d"] = 25 * HOUR_MS
    memory.say(0, 20)
    memory.say(10, 20)
    memory.say(5, 25, QUEUED)
    (hour,) = await memory.mended(70)  # the device speaks rarely: the hour is not over for it
    assert (hour.covered_ms, hour.high) == (10 * MINUTE, 20)
    assert memory.asked == 0
    memory.say(90, 20)
    first, second = await memory.mended(130)
    assert (first.covered_ms, first.high) == (HOUR_MS, 25)
    assert second.covered_ms == 30 * MINUTE


async def test_a_device_that_fell_silent_does_not_keep_its_hour_waiting() -> None:
    memory = Memory()
    memory.say(0, 20)
    memory.say(5, 20)
    memory.say(3, 25, QUEUED)
    assert [row.high for row in await memory.mended(100)] == [25]


async def test_a_clock_that_was_set_back_fills_no_hour_twice() -> None:
    memory = Memory()
    for minute in range(0, 116, 5):
        memory.say(minute, minute % 2)
    for minute in range(20, 190, 5):  # set back by more than an hour
        memory.say(minute, 3 + minute % 2)
    memory.live.cover_all()
    memory.live.rollups.finish_before(T0_MS + 3 * HOUR_MS)
    assert memory.hours()[0].covered_ms > HOUR_MS, "the running sums alone cannot know"
    assert [row.covered_ms for row in await memory.mended(190)] == [HOUR_MS] * 3


async def test_what_comes_while_an_hour_is_mended_is_not_lost() -> None:
    memory = Memory()
    for minute in range(0, 130, 5):
        memory.say(minute, 20)
    memory.say(32, 40, QUEUED)

    def later() -> None:
        memory.meanwhile = int
        memory.say(33, 60, QUEUED)

    memory.meanwhile = later
    assert (await memory.mended(125))[0].high == 20
    assert (await memory.mended(125))[0].high == 60


async def test_a_clock_that_is_set_back_into_a_silence_prolongs_nothing() -> None:
    memory = Memory()

    def speak(minute: float, **values: Value) -> None:
        at = T0_MS + round(minute * MINUTE)
        memory.changes += memory.live.apply(report("d", at, TimeSource.HUB, None, **values))

    speak(0, temperature=20, co2=400)
    speak(120, co2=400)  # the device was silent, and the temperature says nothing any more
    for minute in range(-10, 60, 5):  # set back by more than two hours
        speak(minute, co2=400)
    assert memory.live.held_ms(memory.live.series[KEY]) == T0_MS
    speak(60, temperature=20)
    speak(65, temperature=20)
    number = memory.live.series[KEY].number
    begun = [(c.observed_ms - T0_MS) // MINUTE for c in memory.changes if c.number == number]
    assert begun == [0, 60], "what it says next is a new step, with a gap before it"
    (hour,) = await memory.mended(400)
    assert (hour.hour_ms, hour.covered_ms) == (T0_MS + HOUR_MS, 5 * MINUTE)


async def test_a_step_that_begins_in_the_past_is_what_an_older_late_reading_holds_to() -> None:
    memory = Memory()
    memory.say(76, 20)
    memory.say(55, 21, QUEUED)  # nobody knows how long that held
    assert await memory.mended(200) == []
    memory.say(64, 22, TimeSource.DEVICE)  # to here, it turns out
    hours = {hour.hour_ms: hour.covered_ms for hour in await memory.mended(400)}
    assert hours[T0_MS] == 5 * MINUTE


async def test_the_dirty_hours_survive_in_a_checkpoint() -> None:
    memory = Memory()
    for minute in range(0, 130, 5):
        memory.say(minute, 20)
    memory.say(32, 40, QUEUED)
    saved = msgspec.msgpack.encode(memory.live.mending.saved())
    memory.live.mending = Mending()
    memory.live.mending.restore(msgspec.msgpack.decode(saved, type=list[tuple[int, list[int]]]))
    assert (await memory.mended(125))[0].high == 40


async def test_hours_whose_steps_are_gone_stay_and_are_counted() -> None:
    memory = Memory()
    for minute in range(0, 130, 5):
        memory.say(minute, 20)
    memory.say(32, 40, QUEUED)
    now = T0_MS + 125 * MINUTE
    await memory.live.mending.run(memory.live, memory.steps, Times(now, T0_MS + HOUR_MS))
    assert all(row.high == 20 for row in memory.hours())
    assert (memory.live.mending.given_up, memory.live.mending.count) == (1, 0)


def test_more_dirty_hours_than_can_be_held_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mending, "MAX_DIRTY", 3)
    found = Mending()
    for hour in (0, 1, 1, 2, 3, 4):
        found.mark(7, hour * HOUR_MS, hour * HOUR_MS)
    assert (found.count, found.given_up) == (3, 2)
    assert found.saved() == [(7, [0, 1, 2])]


def test_a_clock_that_came_from_another_age_does_not_mark_every_hour_since() -> None:
    found = Mending()
    found.mark(7, 0, 10_000 * HOUR_MS)
    assert found.count == 24 * 31
    assert found.given_up == 10_001 - 24 * 31


async def test_a_crash_loses_no_correction(tmp_path: Path) -> None:
    """Late readings before the last checkpoint, and after it; then the hub is gone."""
    time = Time()
    store = await opened(tmp_path / "before", time)
    for minute in range(0, 181, 5):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=20))
        if minute == 150:
            feed(store, report("d", T0_MS + 7 * MINUTE, QUEUED, temperature=60))
        await catch_up(store)
    feed(store, report("d", T0_MS + 67 * MINUTE, QUEUED, temperature=70))
    time.ms += 2 * MINUTE
    await catch_up(store)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    await store.close()

    store = await opened(tmp_path / "after", time)
    assert [hour.high for hour in (await store.hours(KEY, T0_MS, EVER))[:3]] == [20, 20, 20]
    await store.mend()
    found = await store.hours(KEY, T0_MS, EVER)
    assert [(h.high, h.covered_ms) for h in found[:3]] == [
        (60, HOUR_MS),
        (70, HOUR_MS),
        (20, HOUR_MS),
    ]
    await store.close()
    store = await opened(tmp_path / "after", time)
    assert await store.hours(KEY, T0_MS, EVER) == found
    assert store.live.mending.count == 0
    await store.close()


async def test_a_late_reading_says_after_a_crash_how_far_its_step_had_come(tmp_path: Path) -> None:
    """It was late because the step was confirmed behind it; the crash forgot that, not the reading.

    Taken for one in a gap it would hold to the next reading, in hours that are settled by then.
    """
    time = Time()
    store = await opened(tmp_path / "before", time)
    for minute in (*range(0, 176, 5), 178):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=20))
        await catch_up(store)
    feed(store, report("d", T0_MS + 177 * MINUTE, QUEUED, temperature=60), urgent=True)
    time.ms += MINUTE
    await catch_up(store)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    await store.close()

    time.ms = 181 * MINUTE
    store = await opened(tmp_path / "after", time)
    series = store.live.series[KEY]
    assert T0_MS + 177 * MINUTE < series.until_ms <= T0_MS + 178 * MINUTE
    await store.mend()
    for minute in range(182, 400, 5):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=20))
        await catch_up(store)
    await store.mend()
    await compare_hours(store, series, await store.steps(KEY, T0_MS, EVER), time.now)
    await store.close()


async def test_a_channel_that_speaks_rarely_is_known_up_to_a_restart(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    feed(store, report("d", time.now, temperature=20))
    for minute in range(0, 41, 5):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, humidity=40))
    await store.close()
    time.ms = 50 * MINUTE
    store = await opened(tmp_path, time)
    feed(store, report("d", time.now, temperature=20))
    steps = await store.steps(KEY, T0_MS, EVER)
    assert [step.until_ms for step in steps] == [T0_MS + 40 * MINUTE, time.now]
    (hour,) = await store.hours(KEY, T0_MS, EVER)
    assert hour.covered_ms == 40 * MINUTE
    await store.close()


readings = st.lists(
    st.tuples(st.integers(1, 9 * MINUTE), st.integers(0, 3)), min_size=3, max_size=60
)


@given(readings, st.data())
async def test_a_stream_that_comes_out_of_order_ends_as_one_in_order(
    stream: list[tuple[int, int]], data: st.DataObject
) -> None:
    """A stretch of it was queued for longer than the device may be silent, and came shuffled."""
    times, at = [], 0
    for pause, value in stream:
        at += pause
        times.append((at / MINUTE, value))
    first = data.draw(st.integers(1, len(times) - 2))
    last = data.draw(st.integers(first, len(times) - 2))
    has_gap = times[last + 1][0] - times[first - 1][0] > 10
    queued = data.draw(st.permutations(times[first : last + 1])) if has_gap else []
    straight, shuffled = Memory(), Memory()
    for minute, value in times:
        straight.say(minute, value)
    for minute, value in times[:first] if queued else times:
        shuffled.say(minute, value)
    for minute, value in times[last + 1 :] if queued else ():
        shuffled.say(minute, value)
    for minute, value in queued:
        shuffled.say(minute, value, QUEUED)

    end = at / MINUTE + 120
    expected, found = await straight.mended(end), await shuffled.mended(end)
    assert [row.hour_ms for row in found] == [row.hour_ms for row in expected]
    for a, b in zip(found, expected, strict=True):
        assert (a.covered_ms, a.low, a.high) == (b.covered_ms, b.low, b.high)
        assert a.mean == pytest.approx(b.mean)


@given(readings, st.sets(st.integers(0, 59)))
async def test_hours_that_are_mended_without_need_stay_the_same(
    stream: list[tuple[int, int]], dirty: set[int]
) -> None:
    memory, at = Memory(), 0
    for pause, value in stream:
        at += 4 * pause
        memory.say(at / MINUTE, value)
    before = await memory.mended(at / MINUTE + 120)
    assert memory.asked == 0
    for hour in dirty:
        memory.live.mending.mark(
            memory.live.series[KEY].number, T0_MS + hour * HOUR_MS, T0_MS + hour * HOUR_MS
        )
    after = await memory.mended(at / MINUTE + 120)
    for a, b in zip(after, before, strict=True):
        assert (a.hour_ms, a.covered_ms, a.low, a.high) == (b.hour_ms, b.covered_ms, b.low, b.high)
        assert a.mean == pytest.approx(b.mean)
    assert all(a.hour_ms < b.hour_ms for a, b in pairwise(after))
