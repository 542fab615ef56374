"""The store: what changed, kept for good, and the way back after a restart.

    append > group > (one transaction) > settle receipts

Event loop: groups are filled, timed and settled here. Writer's thread: one transaction a group.
Reader threads: questions. Four rules decide when a group is committed, whichever comes first:

1. an event (a door, a person, a room's status) waits at most a second of the clock;
2. telemetry waits at most a minute;
3. half of the broker's window waits for its receipts, or nothing more would arrive;
4. the group is large.

Older history is sealed, corrected and deleted by ``upkeep``, between commits.

When the disk fails, nothing is forgotten: groups wait in memory, in order, and are tried again
for ever, at most 5 s apart. Receipts beyond half the broker's window are then settled unsaved,
oldest first, so that a hub with a full disk still shows live rooms; that is the price: what it
acknowledged and could not write is lost if it also loses power. Beyond ``MAX_WAITING`` changes the
oldest are dropped, and counted. If the database cannot be written at start, the hub starts all the
same, with what it can read. Broken pages, a foreign database, or no folder at all stop the start.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from edge.clock import Clock
from edge.reading import Receipt
from hub.domain.room import RoomState
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep, StorageState
from hub.live import Change
from hub.store.checkpoint import ROOM, pulse, room_key, save
from hub.store.commits import Commits
from hub.store.damage import COUNTED, Damage
from hub.store.group import FAR_MS, Group
from hub.store.history import Wanted, read_page, read_steps, read_whole_steps
from hub.store.hours import hour_of, read_hours
from hub.store.loading import Loaded
from hub.store.mending import Times
from hub.store.mirrors import Mirrors
from hub.store.opening import open_database, recalled, take_folder
from hub.store.outbox import MirrorCursor
from hub.store.past import Past
from hub.store.query import (
    MAX_LIMIT,
    Hour,
    ReadingsPage,
    ReadingsQuery,
    StoreBusyError,
    read_cursor,
)
from hub.store.reader import DEADLINE_S, NOTHING, Question, Reader, Running, Unwritten
from hub.store.retention import Keep, kept_since
from hub.store.rollup import merge
from hub.store.roomlog import RoomLog, read_rows, room_steps
from hub.store.shelf import Step
from hub.store.timeshift import TimeShift
from hub.store.upkeep import Upkeep
from hub.store.wear import Wear
from hub.store.writer import Writer

log = logging.getLogger(__name__)

MAX_QUESTIONS = 64
UPKEEP_S = 600.0  # a job may read this long; it lets others run in between
DATABASE = "linli.db"

Answer = TypeVar("Answer")


class Store:
    """Made by ``open``; every method belongs to the event loop."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        inflight: int,
        writer: Writer,
        wear: Wear,
        loaded: Loaded,
        keep: Keep,
    ) -> None:
        memory = recalled(path, loaded)
        self.live = memory.live
        self.wear = wear
        wear.load(loaded.wear)
        self.damaged = loaded.damaged  # and what questions cannot read; for the upkeep
        self.on_storage: Callable[[StorageState], None] | None = None
        """Called once when writing fails, and once when it works again."""
        self._clock = clock
        saving = (self._add_checkpoint, self._add_pulse)
        ids = (loaded.last_id, loaded.checkpoint_id)
        self._commits = Commits(clock, inflight, writer, *ids, *saving)
        self._commits.on_storage = self._tell
        self._task: asyncio.Task[None] | None = None
        self._reader = Reader(path)
        self._reading = ThreadPoolExecutor(2, "store-reader")
        self._questions = 0
        self._ending = threading.Event()
        self._rooms = RoomLog(memory.rooms, loaded.rooms, loaded.alive_ms)
        self._room_numbers = {k.part: n for n, k in memory.keys.items() if k.channel == ROOM}
        self._lock = -1
        self._deliveries = loaded.deliveries
        self.mirrors = Mirrors(self, clock, loaded.cursors)
        self.past = Past(self, self._commits)
        self.times = TimeShift(
            clock, self.live, self._rooms, self._commits, loaded.boots, loaded.alive_ms
        )
        self.upkeep = Upkeep(self, keep, clock)

    @classmethod
    async def open(
        cls, path: Path, clock: Clock, inflight: int = 20, keep: Keep | None = None
    ) -> Store:
        """Open or make the database in a folder, and restore the live state from it.

        Raises:
            StoreError: the folder cannot be made or is another hub's, or the database is damaged,
                from a newer Linli or not ours. A full or read-only disk is no error: ``state()``
                says it fails.
        """
        file, wear = path / DATABASE, Wear(clock.now_ms)
        writer = Writer(file, wear)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "store-open") as worker:
            lock = await loop.run_in_executor(worker, take_folder, path)
            try:
                opening = loop.run_in_executor(worker, open_database, writer, file, clock.now_ms())
                loaded, failure = await opening
                store = cls(file, clock, inflight, writer, wear, loaded, keep or Keep())
            except BaseException:
                os.close(lock)
                raise
        store._lock = lock
        if failure is not None:
            store._commits.failed(failure)
        store._task = asyncio.create_task(store._commits.run(), name="store")
        store._task.add_done_callback(_complain)
        return store

    @property
    def commits(self) -> int:
        """Transactions since the start."""
        return self._commits.written

    @property
    def stopped_ms(self) -> int | None:
        """Until when the hub certainly ran before this start; None at its first."""
        return self.times.alive_ms or None

    def append(self, changes: Sequence[Change], receipt: Receipt | None, urgent: bool) -> None:
        """Keep changes; the receipt is settled once they are committed. Never raises."""
        self._commits.append(changes, receipt, urgent)

    def append_room(self, step: RoomState) -> None:
        """Keep a room's status if it differs from what was said of the room since this start."""
        number = self._room_number(step.room)
        row = self._rooms.next_row(number, step, self._clock.now_ms())
        if row is not None:
            self._rooms.add(self._commits.next_id, row)
            self._commits.append_room(row)

    def confirmed(self, commit: int) -> None:
        """The broker has every acknowledgement up to this commit; forget their deliveries."""
        commits = self._commits
        commits.confirmed = max(commits.confirmed, min(commit, commits.committed))

    def known_deliveries(self) -> dict[int, bytes]:
        """What was committed before this start, and perhaps never acknowledged: mid to digest."""
        return dict(self._deliveries)

    def state(self) -> StorageState:
        return self._commits.state()

    def look(self) -> None:
        """The clock jumped: commit at once what is due by now."""
        self._commits.look()

    def is_due(self) -> bool:
        """A commit runs, or is due by the clock."""
        return self._commits.is_due()

    async def close(self) -> None:
        """Commit everything, coverage included, and settle; ends within seconds."""
        self._ending.set()
        await self._commits.close(self._task)
        self._reading.shutdown(wait=True)
        self.upkeep.close()
        self._reader.close()
        os.close(self._lock)

    # --- history ---------------------------------------------------------------------------------

    async def readings(self, query: ReadingsQuery) -> ReadingsPage:
        """One page of changes in order of time, committed or not.

        Raises:
            BadCursorError, QueryTooSlowError, StoreBusyError
        """
        after = (-FAR_MS, 0, 0) if query.cursor is None else read_cursor(query.cursor)
        limit = max(1, min(query.limit, MAX_LIMIT))
        numbers = self._numbers(query.device, query.channel)
        if numbers is not None and not numbers:
            return ReadingsPage((), None)
        wanted = Wanted(query.from_ms, query.to_ms, numbers, query.quality, limit, after)
        keys = {s.number: s.key for s in self.live.series.values()}
        ask = partial(read_page, wanted=wanted, keys=keys)
        return await self.ask(ask, unwritten=self.unwritten(numbers))

    async def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> list[Step]:
        """The steps of one series that begin in a time, and the ones before and behind them.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        return await self._steps(read_steps, key, from_ms, to_ms)

    async def _steps(
        self, read: Callable[..., list[Step]], key: SeriesKey, from_ms: int, to_ms: int
    ) -> list[Step]:
        series = self.live.series.get(key)
        if series is None:
            return []
        number = series.number
        ask = partial(read, key=key, number=number, from_ms=from_ms, to_ms=to_ms)
        return await self.ask(ask, unwritten=self.unwritten(frozenset((number,))))

    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> list[RoomStep]:
        """The statuses of a room in a time; what no step covers, nobody watched."""
        number = self._room_numbers.get(room)
        if number is None:
            return []
        until = self._rooms.until_ms(number, self._clock.now_ms())
        hot = self._rooms.hot(number)
        ask = partial(read_rows, number=number, hot=hot, from_ms=from_ms, to_ms=to_ms)
        return room_steps(await self.ask(ask), until, from_ms, to_ms)

    async def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> list[Hour]:
        """The hours of a series that begin in this time; the running one as far as it is known."""
        series = self.live.series.get(key)
        if series is None:
            return []
        rollups, number = self.live.rollups, series.number
        ask = partial(read_hours, number=number, from_ms=from_ms, to_ms=to_ms)
        while True:
            rollups.cover(number, self.live.held_ms(series))
            waiting = [row for group in self._commits.groups() for row in group.hours]
            fresh, known = [*waiting, *rollups.fresh(number)], self._commits.checkpointed
            checkpoint, rows = await self.ask(ask)
            if checkpoint <= known:
                break  # or what is fresh was written meanwhile, and would count twice
        fresh = [r for r in fresh if r.number == number and from_ms <= r.hour_ms < to_ms]
        return [hour_of(key, row) for row in merge([*rows, *fresh]) if row.covered_ms]

    # --- for the upkeep --------------------------------------------------------------------------

    def may_seal_before(self) -> int:
        """A replay after a crash needs what came after the last checkpoint."""
        checkpointed, final = self._commits.checkpointed + 1, self.final_before()
        return checkpointed if final is None else min(checkpointed, final)

    def final_before(self) -> int | None:
        """Commits from here on have times that may still move; None: all are final."""
        return self.times.final_before()

    def sealed(self, upto: int) -> None:
        """Commits up to there are in chapters now."""
        self._rooms.forget(upto)

    def cursors(self) -> list[MirrorCursor]:
        """Of the mirrors of this run."""
        return self.mirrors.of_this_run()

    def count_anew(self, damage: Damage) -> None:
        """Hours that cannot be read must be computed from their readings."""
        if damage.kind in COUNTED:
            self.live.count_anew(damage.numbers, damage.first_ms, damage.last_ms)

    async def mend(self) -> None:
        """Compute hours anew that late readings touched, or a clock that was set."""
        mending = self.live.mending
        if mending.count and not self.times.is_moving():
            kept_since_ms = await self.ask(kept_since)
            times = Times(self._clock.now_ms(), kept_since_ms)
            await mending.run(self.live, partial(self._steps, read_whole_steps), times)

    async def work(self, purpose: str, operate: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """One transaction between two commits.

        Raises:
            StoreError, sqlite3.Error, OSError: nothing of it was done.
        """
        return await self._commits.work(purpose, operate)

    async def ask(
        self,
        ask: Callable[[Question], Answer],
        pool: ThreadPoolExecutor | None = None,
        unwritten: Unwritten = NOTHING,
    ) -> Answer:
        """Answer a question in a worker thread, from what is committed and what is handed in.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        if self._questions >= MAX_QUESTIONS:
            raise StoreBusyError(f"{MAX_QUESTIONS} questions wait already")
        self._questions += 1
        upto = self._commits.committed
        deadline = time.monotonic() + (DEADLINE_S if pool is None else UPKEEP_S)

        def answer() -> Answer:
            connection = self._reader.connection()
            with Question(connection, upto, *unwritten, deadline, self._ending) as question:
                try:
                    return ask(question)
                finally:
                    self.damaged |= question.damaged

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(pool or self._reading, answer)
        finally:
            self._questions -= 1

    def unwritten(self, numbers: frozenset[int] | None) -> Unwritten:
        """What only the memory knows of some series; None: of all."""
        live = self.live
        return Unwritten(
            [
                change
                for group in self._commits.groups()
                for change in group.changes
                if numbers is None or change.number in numbers
            ],
            {
                s.number: Running(s.observed_ms, s.tie, live.held_ms(s))
                for s in live.series.values()
                if numbers is None or s.number in numbers
            },
        )

    def _numbers(self, device: str | None, channel: str | None) -> frozenset[int] | None:
        if device is None and channel is None:
            return None
        series = self.live.by_device.get(device, []) if device else self.live.series.values()
        return frozenset(s.number for s in series if channel is None or s.key.channel == channel)

    def keys(self) -> dict[int, SeriesKey]:
        """Of every series and room."""
        keys = {series.number: series.key for series in self.live.series.values()}
        keys.update((number, room_key(room)) for room, number in self._room_numbers.items())
        return keys

    def _room_number(self, room: str) -> int:
        number = self._room_numbers.get(room)
        if number is None:
            number = self._room_numbers[room] = self.live.next_number
            self.live.next_number += 1
            self._commits.orphans[number] = room_key(room)
        return number

    def _add_checkpoint(self, group: Group, now_ms: int) -> None:
        live = self.live
        live.cover_all()
        live.rollups.finish_before(now_ms)
        group.hours, live.rollups.finished = live.rollups.finished, []
        self._add_counts(group)
        group.checkpoint = save(live, self._rooms.running.values())

    def _add_pulse(self, group: Group) -> None:
        self._add_counts(group)
        group.pulse = pulse(self.live)

    def _add_counts(self, group: Group) -> None:
        # the cursors themselves: what is true when it is written, also after a rewind meanwhile
        group.mirrors, group.wear = self.mirrors.cursors, self.wear.rows()

    def _tell(self, state: StorageState) -> None:
        if state.failing_since_ms is None:
            self._reader.renew()
        if self.on_storage is not None:
            self.on_storage(state)


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("The store has stopped committing; restart the hub", exc_info=error)
