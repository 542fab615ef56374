"""The store of a machine that learns the time late, and the watch over its clock."""

from __future__ import annotations

import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.clock import Clock
from edge.reading import Report, TimeSource
from edge.timekeeping import Timekeeper
from hub.bus import Bus
from hub.clockwatch import ClockWatch
from hub.domain.events import ClockChanged
from hub.domain.room import Status
from hub.live import LATE_TIES, Change
from hub.store.query import ReadingItem, StoreError
from hub.store.restamp import Boot
from hub.store.store import Store
from tests.store.making import T0_MS, catch_up, everything, feed, report, room

TRUE_S = T0_MS / 1000
DAY_S = 86_400.0
NEAR_MS = 3  # three times rounded to a millisecond


class Pi(Timekeeper):
    """A machine without a clock chip: after a start its wall clock is wrong until it is set."""

    def __init__(self) -> None:
        super().__init__("synced")
        self.true_s = TRUE_S
        self.wrong_s = 0.0
        self._up_since_s = TRUE_S - 30.0
        self._boot = 0
        self.is_synced = True

    def wall(self) -> float:
        return self.true_s + self.wrong_s

    def is_set(self) -> bool:
        return self.is_synced

    def boot_id(self) -> str:
        return f"boot-{self._boot}"

    def uptime_s(self) -> float:
        return self.true_s - self._up_since_s

    def reboot(self, wrong_s: float) -> None:
        self._boot += 1
        self._up_since_s = self.true_s
        self.true_s += 20.0
        self.wrong_s, self.is_synced = wrong_s, False

    def learn(self) -> None:
        self.wrong_s, self.is_synced = 0.0, True


class Hub:
    """The store, the clock and its watch, as ``hub/run.py`` joins them."""

    def __init__(self, folder: Path, pi: Pi) -> None:
        self.folder, self.pi = folder, pi
        self.told: list[ClockChanged] = []
        self.store: Store

    async def start(self) -> None:
        self.clock = Clock(true_time=self.pi.wall, monotonic=self.pi.uptime_s)
        self.store = await Store.open(self.folder, self.clock)
        bus = Bus()
        bus.subscribe(ClockChanged, self.told.append)
        self.watch = ClockWatch(self.clock, self.pi, self.store.times, bus)

    async def settle(self) -> None:
        """Commit, and move what is to be moved."""
        await catch_up(self.store)
        while self.store.times.has_rows_to_move():
            await self.store.times.move_rows()

    def say(self, value: int, source: TimeSource = TimeSource.HUB) -> None:
        if source is TimeSource.HUB and not self.clock.is_trusted:
            source = TimeSource.UNSYNCED
        feed(self.store, report("light", self.clock.now_ms(), source, illuminance=value))

    def wait(self, seconds: float) -> None:
        self.pi.true_s += seconds

    async def items(self) -> list[ReadingItem]:
        return await everything(self.store)


async def a_hub(folder: Path, wrong_s: float | None = None) -> Hub:
    pi = Pi()
    if wrong_s is not None:
        pi.reboot(wrong_s)
    hub = Hub(folder, pi)
    await hub.start()
    return hub


class Story:
    """Words, pauses, restarts, crashes, reboots into the past, moments of truth, in any order."""

    def __init__(self, hub: Hub, chance: random.Random) -> None:
        self.hub, self.pi, self._chance = hub, hub.pi, chance
        self.said: list[tuple[float, str]] = []  # the true time of each word, and its boot
        self.lost = set[int]()  # words that were not on the disk yet when it crashed
        self.right = set[str]()  # boots that learned the time

    async def go_on(self) -> None:
        acts = (self.say, self.pause, self.hub.settle, self.restart, self.learn, self.reboot)
        await self._chance.choices((*acts, self.crash), (60, 25, 8, 3, 3, 2, 3))[0]()

    async def say(self) -> None:
        self.hub.say(len(self.said))
        self.said.append((self.pi.true_s, self.pi.boot_id()))

    async def pause(self) -> None:
        self.hub.wait(self._chance.choice((0.0, 0.001, 0.4, 7.0, 70.0, 4000.0)))

    async def restart(self, folder: Path | None = None) -> None:
        await self.hub.store.close()
        self.hub.folder = folder or self.hub.folder
        self.hub.wait(1)
        await self.hub.start()

    async def crash(self) -> None:
        """Go on with what is on the disk now, perhaps in the moment of truth."""
        await catch_up(self.hub.store)
        if self._chance.random() < 0.5:
            await self.learn()  # which is not on the disk yet: the loop has not turned
        folder = self.hub.folder.with_name(f"crash{len(self.said)}-{self.pi.true_s:.3f}")
        shutil.copytree(self.hub.folder, folder)
        await self.restart(folder)
        there = {int(item.value or 0) for item in await self.hub.items()}
        self.lost = set(range(len(self.said))) - there

    async def learn(self) -> None:
        self.pi.learn()
        self.hub.watch.look()
        self.right.add(self.pi.boot_id())

    async def reboot(self) -> None:
        await self.hub.store.close()
        self.pi.reboot(-self._chance.uniform(1, 400) * DAY_S)
        await self.hub.start()


@pytest.mark.parametrize("seed", range(12))
async def test_whatever_happens_every_time_that_can_be_right_is_right_once(
    tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)
    hub = await a_hub(tmp_path / "data", -chance.uniform(1, 400) * DAY_S)
    story = Story(hub, chance)
    for _ in range(120):
        await story.go_on()
    await hub.settle()
    items = await hub.items()
    await story.restart()
    again = await hub.items()
    await hub.store.close()

    fields = [(item.value, item.observed_ms, item.received_ms) for item in items]
    assert [(item.value, item.observed_ms, item.received_ms) for item in again] == fields
    values = [int(item.value or 0) for item in items]
    assert sorted(values) == sorted(set(range(len(story.said))) - story.lost)
    for value, item in zip(values, items, strict=True):
        true_s, boot = story.said[value]
        if boot in story.right:
            assert abs(item.observed_ms - true_s * 1000) <= NEAR_MS
    for boot in {boot for _, boot in story.said}:
        of_boot = [value for value in values if story.said[value][1] == boot]
        assert of_boot == sorted(of_boot)


async def test_a_boot_begins_after_all_that_is_known(tmp_path: Path) -> None:
    hub = await a_hub(tmp_path)
    hub.say(1)
    known_ms = hub.clock.now_ms()
    await hub.store.close()
    hub.pi.reboot(-400 * DAY_S)
    await hub.start()
    assert not hub.clock.is_trusted
    assert known_ms < hub.clock.now_ms() < known_ms + 1000
    hub.say(2)
    hub.wait(1)
    hub.say(3)
    assert [item.value for item in await hub.items()] == [1, 2, 3]
    await hub.store.close()


async def test_ages_rooms_and_hours_are_right_when_the_time_is_known(tmp_path: Path) -> None:
    hub = await a_hub(tmp_path, -400 * DAY_S)
    begun_ms = round(hub.pi.true_s * 1000)
    hub.store.append_room(room("gym", Status.FREE))
    for minute in range(150):
        hub.say(minute // 10)
        hub.wait(60)
        await catch_up(hub.store)
    hub.store.append_room(room("gym", Status.IN_USE))
    hub.pi.learn()
    hub.watch.look()
    now_ms = hub.clock.now_ms()
    assert abs(now_ms - hub.pi.true_s * 1000) <= NEAR_MS
    (series,) = hub.store.live.series.values()
    assert abs(series.until_ms - (now_ms - 60_000)) <= NEAR_MS
    assert abs(hub.store.live.heard["light"] - (now_ms - 60_000)) <= NEAR_MS
    await hub.settle()
    hub.wait(1)
    steps = await hub.store.room_steps("gym", begun_ms - 10_000, now_ms + 1000)
    assert [step.status for step in steps] == [Status.FREE, Status.IN_USE]
    assert abs(steps[0].from_ms - begun_ms) <= NEAR_MS
    hub.wait(3 * 3600)
    hub.say(99)
    await catch_up(hub.store)
    await hub.store.mend()
    found = await hub.store.hours(series.key, 0, 2**45)
    hours = [hour for hour in found if hour.covered_ms]
    assert sum(hour.covered_ms for hour in hours) == pytest.approx(149 * 60_000, abs=NEAR_MS * 20)
    assert hours[0].from_ms == begun_ms - begun_ms % 3_600_000
    await hub.store.close()


@pytest.mark.parametrize(("moved_s", "is_told"), [(-3600.0, True), (2.5, True), (-1.5, False)])
@pytest.mark.parametrize("is_trusted", [True, False])
async def test_a_jump_of_more_than_two_seconds_is_told(
    tmp_path: Path, moved_s: float, is_told: bool, is_trusted: bool
) -> None:
    hub = await a_hub(tmp_path, None if is_trusted else -DAY_S)
    hub.wait(10)
    before_ms = hub.clock.now_ms()
    hub.pi.wrong_s += moved_s
    hub.watch.look()
    hub.watch.look()
    now_ms = before_ms + round(moved_s * 1000) if is_trusted else before_ms
    event = ClockChanged(round(moved_s * 1000), is_trusted, now_ms)
    assert hub.told == ([event] if is_told else [])
    await hub.store.close()


async def test_trust_is_told_once_with_the_shift_and_where_it_begins(tmp_path: Path) -> None:
    hub = await a_hub(tmp_path, -DAY_S)
    base_ms = hub.clock.now_ms()
    hub.wait(5)
    hub.watch.look()
    assert hub.told == []
    hub.pi.learn()
    hub.watch.look()
    hub.pi.is_synced = False  # the network is lost for a day: that costs a second
    hub.wait(DAY_S)
    hub.watch.look()
    (event,) = hub.told
    assert (event.is_trusted, event.moved_from_ms) == (True, base_ms)
    assert event.shift_ms == pytest.approx(DAY_S * 1000, abs=NEAR_MS)
    assert hub.clock.is_trusted
    await hub.store.close()


@pytest.mark.parametrize("is_clean", [True, False])
async def test_set_back_no_two_changes_have_the_same_identity_restart_or_not(
    tmp_path: Path, is_clean: bool
) -> None:
    hub = await a_hub(tmp_path / "data")
    changes: list[Change] = []
    for value in range(40):
        now_ms = hub.clock.now_ms()
        changes += feed(hub.store, report("light", now_ms, illuminance=value), urgent=True)
        hub.wait(1)
        if value == 19:
            hub.pi.wrong_s -= 20.0  # the very same milliseconds come again
        if value == 29:
            await catch_up(hub.store)
            shutil.copytree(hub.folder, tmp_path / "crash")
            await hub.store.close()
            hub.folder = hub.folder if is_clean else tmp_path / "crash"
            await hub.start()
    assert len({(c.number, c.observed_ms, c.tie) for c in changes}) == 40
    assert all(c.tie >= LATE_TIES for c in changes[20:])
    assert [item.value for item in await hub.items() if item.tie < LATE_TIES] == list(range(20))
    again = [item.value for item in await hub.items() if item.tie >= LATE_TIES]
    assert again == list(range(20, 40))
    await hub.store.close()


async def test_a_queued_word_with_a_time_of_its_own_keeps_it(tmp_path: Path) -> None:
    hub = await a_hub(tmp_path, -400 * DAY_S)
    own_ms = hub.clock.now_ms() - 5_000
    hub.wait(10)
    now_ms = hub.clock.now_ms()
    message: Report = report("light", own_ms, TimeSource.QUEUED, now_ms, illuminance=7)
    feed(hub.store, message)
    hub.pi.learn()
    hub.watch.look()
    await hub.settle()
    (item,) = await hub.items()
    assert item.observed_ms == own_ms
    assert item.received_ms == pytest.approx(hub.pi.true_s * 1000, abs=NEAR_MS)
    await hub.store.close()


class FailingDisk:
    """A store that cannot move rows for a while."""

    def __init__(self, failures: int) -> None:
        self.failures, self.moved = failures, 0

    def newest_ms(self) -> int:
        return 0

    def boot(self, boot_id: str) -> Boot | None:
        return None

    def begin_boot(self, boot_id: str, base_ms: int, monotonic_ms: int) -> None: ...

    def restamp(self, boot_id: str, shift_ms: int) -> None: ...

    def has_rows_to_move(self) -> bool:
        return self.moved == 0

    async def move_rows(self) -> None:
        self.failures -= 1
        if self.failures >= 0:
            raise (sqlite3.OperationalError, OSError, StoreError)[self.failures % 3]("full")
        self.moved += 1


async def test_a_disk_that_fails_is_told_once_and_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pi, disk = Pi(), FailingDisk(3)
    watch = ClockWatch(Clock(true_time=pi.wall, monotonic=pi.uptime_s), pi, disk, Bus())
    moved = [await watch.move_rows() for _ in range(5)]
    assert moved == [False, False, False, True, False]
    assert [r.levelname for r in caplog.records if "cannot be moved" in r.message] == ["WARNING"]


async def test_the_rooms_are_right_from_the_first_moment_of_a_start_in_between(
    tmp_path: Path,
) -> None:
    """The time was known, and the hub ended before any row was moved."""
    hub = await a_hub(tmp_path, -400 * DAY_S)
    begun_ms = round(hub.pi.true_s * 1000)
    hub.store.append_room(room("gym", Status.FREE))
    hub.wait(600)
    hub.store.append_room(room("gym", Status.IN_USE))
    hub.wait(600)
    await catch_up(hub.store)
    hub.pi.learn()
    hub.watch.look()
    await hub.store.close()
    await hub.start()
    assert hub.store.times.has_rows_to_move()
    for _ in range(2):
        steps = await hub.store.room_steps("gym", begun_ms - 1000, begun_ms + 9_000_000)
        assert [step.status for step in steps] == [Status.FREE, Status.IN_USE]
        spans = [(step.from_ms - begun_ms, step.to_ms - begun_ms) for step in steps]
        for span, true in zip(spans, [(0, 600_000), (600_000, 1_200_000)], strict=True):
            assert span == pytest.approx(true, abs=NEAR_MS)
        await hub.settle()
    await hub.store.close()


async def test_a_room_of_which_nothing_was_said_since_the_stop_ends_at_the_true_stop(
    tmp_path: Path,
) -> None:
    hub = await a_hub(tmp_path, -400 * DAY_S)
    begun_ms = round(hub.pi.true_s * 1000)
    hub.store.append_room(room("gym", Status.FREE))
    hub.wait(600)
    await hub.store.close()
    hub.wait(300)
    await hub.start()
    hub.pi.learn()
    hub.watch.look()
    assert hub.store.stopped_ms == pytest.approx(begun_ms + 600_000, abs=NEAR_MS)
    (free,) = await hub.store.room_steps("gym", begun_ms - 1000, begun_ms + 9_000_000)
    assert free.to_ms == pytest.approx(begun_ms + 600_000, abs=NEAR_MS)
    hub.store.append_room(room("gym", Status.IN_USE))
    hub.wait(60)
    free, used = await hub.store.room_steps("gym", begun_ms - 1000, begun_ms + 9_000_000)
    assert free.to_ms == pytest.approx(begun_ms + 600_000, abs=NEAR_MS)
    assert used.from_ms == pytest.approx(begun_ms + 900_000, abs=NEAR_MS)
    await hub.settle()
    await hub.store.close()
