"""A store and a plain list beside it, pushed through anything that may happen, at random.

Reports of every kind, clocks that are set, restarts, crashes, a disk that fails before, within and
behind a commit, sealing and correcting at any moment, a mirror that is slow, forgets and is
rewound. After each step some question is asked, and the list knows the answer.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from device_drivers.contract import Quality, Value
from edge.reading import Reading, Report, TimeSource
from hub.domain.room import Status
from hub.domain.series import Series, SeriesKey
from hub.live import Change
from hub.store.packing import RoomRow
from hub.store.query import ReadingItem, ReadingsQuery
from hub.store.rollup import HOUR_MS
from hub.store.roomlog import room_steps
from hub.store.shelf import Step
from hub.store.store import DATABASE, Store
from tests.store.hours_told import compare_hours
from tests.store.making import EVER, T0_MS, Time, catch_up, opened, room
from tests.store.plug import Plug, small
from tests.store.told import item_of, name, names, plain

MINUTE, HOUR, DAY = 60_000, HOUR_MS, 24 * HOUR_MS
DEVICES = 40
CHANNELS = ("temperature", "mode", "contact")
VALUES: tuple[Value, ...] = (
    20.5, 21, 21.0, -3, 0, 1, 2**53 + 1, 2**63, -(2**80), 1e300, 0.1, "heat", "cool", "é\n", None,
)  # fmt: skip
ROOMS = ("gym", "hall")
MIRROR = "mirror"
WISH = "UPDATE mirrors SET rewind_ms = min(ifnull(rewind_ms, ?), ?)"


class History:
    """The store under test and what it must know."""

    def __init__(self, folder: Path, seed: int, patch: pytest.MonkeyPatch) -> None:
        small(patch)
        self.chance = random.Random(seed)
        self.plug = Plug(patch, random.Random(seed + 1))
        self.time = Time()
        self.changes: list[Change] = []
        self.rows: list[RoomRow] = []
        self.sent: set[tuple[int, int, int]] = set()
        self.is_straight = seed % 2 == 0  # clocks are right, and nothing crashes
        self.done: Counter[str] = Counter()
        self._folder = folder
        self._place = 0
        self._patch = patch
        self.store: Store
        self.actions: dict[Callable[[], Awaitable[None]], int] = {
            self.speak: 40,
            self.wait: 10,
            self.enter: 4,
            self.look: 4,
            self.page: 6,
            self.hours: 2,
            self.steps: 3,
            self.rooms: 1,
            self.mirror: 4,
            self.rewind: 1,
            self.silence: 1,
            self.set_clock: 1,
            self.fail: 1,
            self.restart: 1,
            self.crash: 1,
        }

    async def open(self) -> None:
        self.store = await opened(self._folder / str(self._place), self.time)
        self.store.live.silent_after.update({f"d{n}": 20 * MINUTE for n in range(DEVICES)})
        self.store.mirrors.mirror_cursor(MIRROR)
        keep = self.store._commits.append_room

        def noted(row: RoomRow) -> None:
            self.rows.append(row)
            keep(row)

        self._patch.setattr(self.store._commits, "append_room", noted)

    async def run(self, turns: int) -> None:
        """Open, do so many things, and look at everything in the end."""
        await self.open()
        if self.is_straight:
            for wrong in (self.set_clock, self.crash):
                del self.actions[wrong]
        actions, odds = list(self.actions), list(self.actions.values())
        for _ in range(turns):
            action = self.chance.choices(actions, odds)[0]
            self.done[action.__name__] += 1
            await action()
        self.plug.odds = 0.0
        await self.everything()
        await self.look()
        await self.everything()
        await self.restart()
        await self.everything()
        await self.store.close()

    async def everything(self) -> None:
        await self.settled()
        assert await self.read(ReadingsQuery(-EVER, EVER, limit=500)) == self.expected()
        for place in ROOMS:
            await self._room(place, T0_MS - DAY, EVER)
        for series in list(self.store.live.series.values()):
            await self._hours(series.key)
        waiting = [change for group in self.store._commits.groups() for change in group.changes]
        committed = names(self.changes) - names(waiting)
        while await self._send():
            pass
        assert committed <= self.sent

    # --- what happens ----------------------------------------------------------------------------

    async def speak(self) -> None:
        """A device reports; sometimes a burst of them in one millisecond."""
        chance = self.chance
        for _ in range(chance.choice((1, 1, 1, 5, 30))):
            self.time.ms += chance.choice((0, 1, 1_000, 20_000))
            self._report(f"d{chance.randrange(DEVICES)}")
        await asyncio.sleep(0)

    def _report(self, device: str) -> None:
        chance, now, ago = self.chance, self.time.now, 0
        source = chance.choices(
            (TimeSource.HUB, TimeSource.DEVICE, TimeSource.QUEUED, TimeSource.RETAINED),
            (30, 4, 3, 1),
        )[0]
        if source is not TimeSource.HUB:
            ago = chance.choice((0, 1, 5_000, 30 * MINUTE, 7 * HOUR, 3 * DAY))
        if source is TimeSource.DEVICE and self.is_straight:
            ago = min(ago, 5_000)
        readings = tuple(
            self._reading(device, channel, now - ago, now, source)
            for channel in CHANNELS
            if chance.random() < 0.6
        )
        is_live = source in (TimeSource.HUB, TimeSource.DEVICE)
        self._take(Report(device, readings, now, is_live), chance.random() < 0.1)

    def _reading(
        self, device: str, channel: str, at_ms: int, now_ms: int, source: TimeSource
    ) -> Reading:
        chance = self.chance
        value: Value = chance.choice(VALUES) if chance.random() < 0.4 else chance.randrange(3)
        quality = Quality.BAD if value is None else chance.choices(list(Quality), (8, 1, 1))[0]
        reason = "" if quality is Quality.GOOD else chance.choice(("low", "stuck"))
        part = chance.choice(("", "", "", "b"))
        unit = chance.choice(("Cel", "Cel", "1"))
        return Reading(device, channel, part, value, unit, quality, reason, at_ms, now_ms, source)

    def _take(self, report: Report, urgent: bool) -> None:
        changes = self.store.live.apply(report)
        self.changes += changes
        if changes:
            self.store.append(changes, None, urgent)

    async def enter(self) -> None:
        """A room changes."""
        status = self.chance.choice((Status.FREE, Status.IN_USE, Status.UNKNOWN))
        self.store.append_room(room(self.chance.choice(ROOMS), status, self.chance.randrange(2)))

    async def wait(self) -> None:
        self.time.ms += self.chance.choice((1_000, MINUTE, 10 * MINUTE, HOUR))
        self.store.look()
        await asyncio.sleep(0)

    async def silence(self) -> None:
        self.time.ms += self.chance.choice((2 * HOUR, DAY, 4 * DAY))
        await self.settled()

    async def set_clock(self) -> None:
        """Back by minutes or hours, or ahead for a moment that leaves its mark."""
        kind = self.chance.randrange(3)
        if kind == 0:
            self.time.ms -= self.chance.choice((MINUTE, 3 * HOUR))
        elif kind == 1:
            self.time.ms += 5 * HOUR
        else:
            self.time.ms += 30 * DAY
            await self.speak()
            await self.settled()
            self.time.ms -= 30 * DAY
        await self.settled()

    async def fail(self) -> None:
        self.plug.odds = 0.0 if self.plug.odds else 0.3

    async def look(self) -> None:
        """The upkeep, with everything else going on meanwhile."""
        task = asyncio.create_task(self._look())
        while not task.done():
            await self.chance.choice((self.speak, self.page, self.mirror, self.wait))()
        await task

    async def _look(self) -> None:
        try:
            await self.store.upkeep.look()
        except (sqlite3.Error, OSError):
            assert self.plug.pulled

    async def restart(self) -> None:
        self.plug.odds = 0.0
        await self.settled()
        await self.store.close()
        self.time.ms += self.chance.choice((0, 1, MINUTE, 3 * HOUR))
        await self.open()

    async def crash(self) -> None:
        """The folder as it is this moment is what is left."""
        while self.store._commits._is_writing:  # noqa: ASYNC110 - no event marks it
            await asyncio.sleep(0)
        lost = self.store._commits.groups()
        place, self._place = self._folder / str(self._place), self._place + 1
        shutil.copytree(place, self._folder / str(self._place))
        gone = names(change for group in lost for change in group.changes)
        self.changes = [c for c in self.changes if name(c) not in gone]
        rows = [row for group in lost for row in group.rooms]
        self.rows = [row for row in self.rows if not any(row is other for other in rows)]
        self.plug.odds = 0.0
        await self.store.close()
        shutil.rmtree(place)
        await self.open()

    async def settled(self) -> None:
        """Nothing waits that is due."""
        odds, self.plug.odds = self.plug.odds, 0.0
        await catch_up(self.store)
        self.plug.odds = odds

    # --- the mirror ------------------------------------------------------------------------------

    async def mirror(self) -> None:
        for _ in range(self.chance.randrange(4)):
            await self._send()

    async def _send(self) -> bool:
        mirrors = self.store.mirrors
        try:
            await mirrors.mirror_rewound(MIRROR)
        except sqlite3.Error:
            assert self.plug.pulled
        cursor = mirrors.mirror_cursor(MIRROR)
        batch = await mirrors.outbox(cursor, self.chance.choice((1, 40, 400)))
        if self.chance.random() < 0.2:
            return True  # the answer was lost, or the question
        self.sent |= names(batch.changes)
        if mirrors.mirror_cursor(MIRROR) == cursor:
            mirrors.mirror_reached(MIRROR, batch.cursor)
        return batch.cursor != cursor

    async def rewind(self) -> None:
        """As the command line does it; what was sent before is forgotten."""
        await self.settled()
        file = self._folder / str(self._place) / DATABASE
        at_ms = self.time.now - self.chance.choice((HOUR, 10 * HOUR, 100 * DAY))
        db = sqlite3.connect(file)
        try:
            with db:
                found = db.execute(WISH, (at_ms, at_ms)).rowcount
        finally:
            db.close()
        if found:
            keep = names(c for c in self.changes if c.observed_ms < at_ms)
            self.sent &= keep

    # --- what is asked ---------------------------------------------------------------------------

    async def page(self) -> None:
        """A page or all of them, while things may go on between."""
        chance, now = self.chance, self.time.now
        from_ms = chance.choice((-EVER, now - DAY, now - HOUR, now - 5 * HOUR))
        to_ms = chance.choice((EVER, now, now - 30 * MINUTE, now - 4 * HOUR))
        device = chance.choice((None, f"d{chance.randrange(DEVICES)}"))
        channel = chance.choice((None, None, *CHANNELS))
        quality = chance.choice((None, None, Quality.BAD))
        query = ReadingsQuery(
            from_ms, to_ms, device, channel, quality, chance.choice((1, 7, 100, 1000))
        )
        if self.chance.random() < 0.5:
            await self.settled()
            assert await self.read(query, most=5) == self.expected(query)[: 5 * query.limit]

    async def read(self, query: ReadingsQuery, most: int = 10**6) -> list[ReadingItem]:
        items: list[ReadingItem] = []
        for _ in range(most):
            page = await self.store.readings(query)
            assert len(page.items) <= query.limit
            items += page.items
            if page.next is None:
                break
            query = msgspec.structs.replace(query, cursor=page.next)
        return items

    def expected(self, query: ReadingsQuery | None = None) -> list[ReadingItem]:
        """What is to be found, in order."""
        query = query or ReadingsQuery(-EVER, EVER)
        items = [
            item_of(change, end)
            for change, end in self.told()
            if query.from_ms <= change.observed_ms < query.to_ms
            and query.device in (None, change.key.device)
            and query.channel in (None, change.key.channel)
            and query.quality in (None, change.quality)
        ]
        return sorted(items, key=lambda item: (item.observed_ms, item.tie, item.number))

    def told(self) -> Iterator[tuple[Change, int]]:
        """Each change, and until when it held: what came after it says so."""
        ends: dict[int, int | None] = {
            s.number: self.store.live.held_ms(s) for s in self.store.live.series.values()
        }
        for change in reversed(self.changes):
            if change.is_late:
                yield change, change.observed_ms
                continue
            end = ends[change.number]
            yield change, change.observed_ms if end is None else end
            ends[change.number] = change.previous_until_ms

    def _steps(self, number: int) -> list[Step]:
        steps = [Step(change, end) for change, end in self.told() if change.number == number]
        return sorted(steps, key=lambda step: (step.change.observed_ms, step.change.tie))

    async def steps(self) -> None:
        """One series between two times, with its neighbours."""
        await self.settled()
        series = self._some_series()
        if series is None:
            return
        from_ms = self.time.now - self.chance.choice((HOUR, 5 * HOUR, 2 * DAY))
        to_ms = from_ms + self.chance.choice((1, HOUR, DAY))
        known = self._steps(series.number)
        before = [s for s in known if s.change.observed_ms < from_ms and not s.change.is_late]
        behind = [s for s in known if s.change.observed_ms >= to_ms and not s.change.is_late]
        inside = [s for s in known if from_ms <= s.change.observed_ms < to_ms]
        expected = [*before[-1:], *inside, *behind[:1]]
        found = await self.store.steps(series.key, from_ms, to_ms)
        assert [plain(step) for step in found] == [plain(step) for step in expected]

    async def hours(self) -> None:
        await self.settled()
        series = self._some_series()
        if series is not None:
            await self._hours(series.key)

    async def _hours(self, key: SeriesKey) -> None:
        """What runs along, what was written and what was corrected, against the steps."""
        series = self.store.live.series[key]
        await compare_hours(self.store, series, self._steps(series.number), self.time.now)

    def _some_series(self) -> Series | None:
        return self.chance.choice([None, *self.store.live.series.values()])

    async def rooms(self) -> None:
        await self.settled()
        now = self.time.now
        from_ms = now - self.chance.choice((HOUR, DAY))
        await self._room(self.chance.choice(ROOMS), from_ms, from_ms + 3 * HOUR)

    async def _room(self, name: str, from_ms: int, to_ms: int) -> None:
        number = self.store._room_numbers.get(name)
        if number is None:
            return
        rows = [row for row in self.rows if row.number == number]
        until = self.store._rooms.until_ms(number, self.store._clock.now_ms())
        if not self.is_straight:
            from_ms, to_ms = -EVER, EVER
        expected = room_steps(rows, until, from_ms, to_ms)
        assert await self.store.room_steps(name, from_ms, to_ms) == expected
