"""The store: what changed, kept for good, and the way back after a restart.

    append > group > (one transaction) > settle receipts

Event loop: groups are filled, timed and settled here. Writer's thread: one transaction a group.
Reader threads: questions. Four rules decide when a group is committed, whichever comes first:

1. an event (a door, a person, a room's status) waits at most a second of the clock;
2. telemetry waits at most a minute;
3. half of the broker's window waits for its receipts, or nothing more would arrive;
4. the group is large.

When the disk fails, nothing is forgotten: groups wait in memory, in order, and are tried again
for ever, at most 5 s apart. Receipts beyond half the broker's window are then settled unsaved,
oldest first, so that a hub with a full disk still shows live rooms; that is the price: what it
acknowledged and could not write is lost if it also loses power. Beyond ``MAX_WAITING`` changes the
oldest are dropped, and counted. If the database cannot be written at start, the hub starts all the
same, with what it can read. A damaged or foreign database, or no folder at all, stops the start.
"""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import sqlite3
import time
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from edge.clock import Clock
from edge.reading import Receipt
from hub.domain.room import RoomState
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep, StorageState
from hub.live import Change
from hub.store.checkpoint import ROOM, Memory, recall, room_key, save
from hub.store.commits import Commits
from hub.store.group import FAR_MS, Group
from hub.store.history import Wanted, read_page, read_room_rows, room_steps
from hub.store.packing import RoomRow
from hub.store.query import (
    MAX_LIMIT,
    Hour,
    ReadingsPage,
    ReadingsQuery,
    StoreBusyError,
    StoreError,
    read_cursor,
    write_cursor,
)
from hub.store.reader import DEADLINE_S, Question, Reader, hour_rows, open_readonly
from hub.store.rollup import HourRow, merge
from hub.store.writer import Loaded, Writer, explain_damage, is_damage, load

log = logging.getLogger(__name__)

MAX_QUESTIONS = 64
DATABASE = "linli.db"

Answer = TypeVar("Answer")


class Store:
    """Made by ``open``; every method belongs to the event loop."""

    def __init__(
        self, path: Path, clock: Clock, inflight: int, writer: Writer, loaded: Loaded
    ) -> None:
        memory = _recall(path, loaded)
        self.live = memory.live
        self.on_storage: Callable[[StorageState], None] | None = None
        """Called once when writing fails, and once when it works again."""
        self._clock = clock
        self._commits = Commits(clock, inflight, writer, loaded.last_id, self._add_checkpoint)
        self._commits.on_storage = self._tell
        self._task: asyncio.Task[None] | None = None
        self._reader = Reader(path)
        self._reading = ThreadPoolExecutor(2, "store-reader")
        self._questions = 0
        self._rooms = memory.rooms
        self._room_numbers = {k.part: n for n, k in memory.keys.items() if k.channel == ROOM}
        self._unsaid = set(memory.rooms)  # rooms of which nothing was said since this start
        self._alive_ms = loaded.alive_ms
        self._lock = -1
        self._deliveries = loaded.deliveries

    @classmethod
    async def open(cls, path: Path, clock: Clock, inflight: int = 20) -> Store:
        """Open or make the database in a folder, and restore the live state from it.

        Raises:
            StoreError: the folder cannot be made or is another hub's, or the database is damaged,
                from a newer Linli or not ours. A full or read-only disk is no error: ``state()``
                says it fails.
        """
        file = path / DATABASE
        writer = Writer(file)
        loop = asyncio.get_running_loop()
        with ThreadPoolExecutor(1, "store-open") as worker:
            lock = await loop.run_in_executor(worker, _take_folder, path)
            try:
                opening = loop.run_in_executor(worker, _open, writer, file, clock.now_ms())
                loaded, failure = await opening
                store = cls(file, clock, inflight, writer, loaded)
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
        return self._alive_ms or None

    def append(self, changes: Sequence[Change], receipt: Receipt | None, urgent: bool) -> None:
        """Keep changes; the receipt is settled once they are committed. Never raises."""
        self._commits.append(changes, receipt, urgent)

    def append_room(self, step: RoomState) -> None:
        """Keep a room's status if it differs from what was said of the room since this start."""
        now = self._clock.now_ms()
        people = None if step.people is None else step.people.estimate
        number = self._room_number(step.room)
        running = self._rooms.get(number)
        previous = None if running is None else now
        if number in self._unsaid:
            previous = min(self._alive_ms, now)
            self._unsaid.discard(number)
        elif running is not None and (running.status, running.people) == (step.status, people):
            return
        row = RoomRow(number, now, step.status.value, people, previous)
        self._rooms[number] = row
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
        await self._commits.close(self._task)
        self._reading.shutdown(wait=True)
        self._reader.close()
        os.close(self._lock)

    async def readings(self, query: ReadingsQuery) -> ReadingsPage:
        """One page of changes in order of time, committed or not.

        Raises:
            BadCursorError, QueryTooSlowError, StoreBusyError
        """
        after = (-FAR_MS, 0) if query.cursor is None else read_cursor(query.cursor)
        limit = max(1, min(query.limit, MAX_LIMIT))
        numbers = self._numbers(query.device, query.channel)
        if numbers is not None and not numbers:
            return ReadingsPage((), None)
        wanted = Wanted(query.from_ms, query.to_ms, numbers, query.quality, limit, after)
        pending = [change for group in self._commits.groups() for change in group.changes]
        coverage = {s.number: (s.intake, s.until_ms) for s in self.live.series.values()}
        keys = {s.number: s.key for s in self.live.series.values()}
        ask = partial(read_page, wanted=wanted, keys=keys)
        items, is_more = await self._ask(ask, pending, coverage)
        cursor = write_cursor(items[-1].observed_ms, items[-1].intake) if is_more else None
        return ReadingsPage(tuple(items), cursor)

    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> list[RoomStep]:
        """The statuses of a room in a time; what no step covers, nobody watched."""
        number = self._room_numbers.get(room)
        if number is None:
            return []
        until = self._alive_ms if number in self._unsaid else self._clock.now_ms()
        pending = [row for group in self._commits.groups() for row in group.rooms]
        ask = partial(read_room_rows, number=number, pending=pending, from_ms=from_ms, to_ms=to_ms)
        rows = await self._ask(ask, [], {})
        return room_steps(rows, until, from_ms, to_ms)

    async def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> list[Hour]:
        """The hours of a series that begin in this time; the running one as far as it is known."""
        series = self.live.series.get(key)
        if series is None:
            return []
        rollups, number = self.live.rollups, series.number
        rollups.cover(number, self.live.spoke_ms(key.device))
        waiting = [row for group in self._commits.groups() for row in group.hours]
        running = rollups.running(number)
        fresh = [*waiting, *rollups.finished, *([running] if running is not None else [])]
        fresh = [r for r in fresh if r.number == number and from_ms <= r.hour_ms < to_ms]
        ask = partial(hour_rows, number=number, from_ms=from_ms, to_ms=to_ms)
        rows = await self._ask(ask, [], {})
        return [_hour(key, row) for row in merge([*rows, *fresh])]

    def _numbers(self, device: str | None, channel: str | None) -> frozenset[int] | None:
        if device is None and channel is None:
            return None
        series = self.live.by_device.get(device, []) if device else self.live.series.values()
        return frozenset(s.number for s in series if channel is None or s.key.channel == channel)

    async def _ask(
        self,
        ask: Callable[[Question], Answer],
        pending: Sequence[Change],
        coverage: dict[int, tuple[int, int]],
    ) -> Answer:
        if self._questions >= MAX_QUESTIONS:
            raise StoreBusyError(f"{MAX_QUESTIONS} questions wait already")
        self._questions += 1
        upto, deadline = self._commits.committed, time.monotonic() + DEADLINE_S

        def answer() -> Answer:
            return ask(Question(self._reader.connection(), upto, pending, coverage, deadline))

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._reading, answer)
        finally:
            self._questions -= 1

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
        group.checkpoint = save(live, self._rooms.values())

    def _tell(self, state: StorageState) -> None:
        if state.failing_since_ms is None:
            self._reader.renew()
        if self.on_storage is not None:
            self.on_storage(state)


def _complain(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.critical("The store has stopped committing; restart the hub", exc_info=error)


def _take_folder(path: Path) -> int:
    """Make the folder and lock it: two hubs would take each other's commits for their own."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(
            f"The folder {path} cannot be made ({error.strerror}). Nothing was started."
            " Name another one in storage.path, or give Linli the right to write there."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreError(
            f"Another hub uses the folder {path}. Nothing was started."
            " Stop it, or name another folder in storage.path."
        ) from error
    except OSError as error:
        log.info("%s cannot be locked (%s); see that no other hub uses it", path, error.strerror)
    return lock


def _open(writer: Writer, file: Path, now_ms: int) -> tuple[Loaded, Exception | None]:
    """Open for writing and read what is there; a disk that cannot be written is no obstacle."""
    failure: Exception | None = None
    try:
        writer.open(now_ms)
    except (sqlite3.Error, OSError) as error:
        failure = error
    return _load(file), failure


def _load(path: Path) -> Loaded:
    try:
        db = open_readonly(path)
        if db is None:
            return Loaded()
        try:
            empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            return Loaded() if empty else load(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        if is_damage(error):
            raise explain_damage(path, error) from error
        raise StoreError(
            f"The database {path.name} can be neither written nor read ({error})."
            " Nothing was started. Make the disk writable once, or restore a backup."
        ) from error


def _hour(key: SeriesKey, row: HourRow) -> Hour:
    return Hour(key, row.hour_ms, row.covered_ms, row.mean, row.low, row.high, row.shares)


def _recall(path: Path, loaded: Loaded) -> Memory:
    """The live state, or a sentence: rows that contradict each other are damage too."""
    try:
        return recall(loaded.keys, loaded.checkpoint, loaded.log)
    except (LookupError, ValueError, msgspec.DecodeError, zlib.error) as error:
        raise explain_damage(path, error) from error
