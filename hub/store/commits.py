"""When what is written: groups, their timers, their receipts, and a disk that fails.

    append > open group > seal > backlog > (one transaction, in the writer's thread) > settle

Everything here but the transaction itself runs on the event loop. See store.py for the rules.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from edge.clock import Clock
from edge.reading import Receipt
from hub.domain.mark import Mark
from hub.domain.series import SeriesKey
from hub.domain.views import StorageState
from hub.live import Change
from hub.store.group import FAR_MS, Group
from hub.store.packing import RoomRow
from hub.store.query import StoreError
from hub.store.restamp import Boot
from hub.store.rollup import HOUR_MS
from hub.store.writer import Writer

log = logging.getLogger(__name__)

EVENT_MS = 800  # decision 5 says a second, and an fsync on a tired card takes its part of it
TELEMETRY_MS = 58_000
PULSE_MS = 600_000
CHECKPOINT_CHANGES = 70_000  # a busy hub replays no more than this at its next start
MAX_GROUP = 5_000  # changes in a transaction: some 20 ms of packing
MAX_WAITING = 200_000  # changes in memory while the disk is away: about 60 MB
BACKOFF_S = (0.25, 5.0)
T = TypeVar("T")
LOOK_S = 1.0  # how long the timer sleeps at most: the clock's speed may change meanwhile
CLOSE_S = 8.0


class Commits:
    """``add_checkpoint`` puts the live state into a group; ``on_storage`` hears of failures."""

    def __init__(
        self,
        clock: Clock,
        inflight: int,
        writer: Writer,
        last_id: int,
        checkpoint_id: int,
        add_checkpoint: Callable[[Group, int], None],
        add_pulse: Callable[[Group], None],
    ) -> None:
        self.committed = last_id
        self.checkpointed = checkpoint_id
        self.confirmed = 0
        self.written = 0  # transactions since the start
        self.on_storage: Callable[[StorageState], None] | None = None
        self.boot: Boot | None = None
        self.orphans: dict[int, SeriesKey] = {}  # rooms, and series of changes that were dropped
        self._clock = clock
        self._half = max(inflight // 2, 1)
        self._writer = writer
        self._thread = ThreadPoolExecutor(1, "store-writer")
        self._add_checkpoint = add_checkpoint
        self._add_pulse = add_pulse
        self._open = Group(last_id + 1)
        self._backlog: deque[Group] = deque()
        self._is_writing = False
        self._receipts = 0  # from a broker, not settled
        self._waiting = 0  # changes and room steps, not committed
        self._since_checkpoint = 0
        self._checkpoint_ms = self._pulse_ms = clock.now_ms()
        self._failing_since_ms: int | None = None
        self._lost = 0
        self._retry_at = 0.0
        self._backoff_s = BACKOFF_S[0]
        self._wake = asyncio.Event()
        self._is_closing = False

    def append(self, changes: Sequence[Change], receipt: Receipt | None, urgent: bool) -> None:
        group = self._open
        group.changes.extend(changes)
        self._waiting += len(changes)
        if receipt is not None:
            group.receipts.append(receipt)
            if receipt.delivery is not None:
                self._receipts += 1
        self._expect(group, EVENT_MS if urgent else TELEMETRY_MS)
        if len(group.receipts) >= self._half:
            group.due_ms = -FAR_MS
            self._wake.set()
        self._bound(group)

    @property
    def next_id(self) -> int:
        """The commit in which what is appended now will be."""
        return self._open.id

    @property
    def open_group(self) -> Group:
        """What is appended now goes in here."""
        return self._open

    def checkpoint_now(self) -> None:
        """Put the live state into the open group, and commit it as soon as may be."""
        self._checkpoint()
        self._open.due_ms = -FAR_MS
        self._seal()
        self._wake.set()

    async def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> T:
        """One transaction of somebody else's in the writer's thread, between two commits.

        Raises:
            StoreError, sqlite3.Error, OSError: nothing of it was done.
        """
        loop, now_ms = asyncio.get_running_loop(), self._clock.now_ms()
        work = partial(self._writer.work, purpose, now_ms, operate)
        return await loop.run_in_executor(self._thread, work)

    def append_room(self, row: RoomRow) -> None:
        self._open.rooms.append(row)
        self._waiting += 1
        self._expect(self._open, EVENT_MS)
        self._bound(self._open)

    def append_mark(self, mark: Mark) -> None:
        self._open.marks.append(mark)
        self._waiting += 1
        self._expect(self._open, TELEMETRY_MS)
        self._bound(self._open)

    def groups(self) -> list[Group]:
        """What is not committed yet, in order."""
        return [*self._backlog, self._open]

    def state(self) -> StorageState:
        return StorageState(self._failing_since_ms, self._waiting, self._lost)

    def look(self) -> None:
        """The clock jumped: look at the timers now."""
        self._wake.set()

    def is_due(self) -> bool:
        """A transaction runs, or should."""
        now = asyncio.get_running_loop().time()
        return self._is_writing or self._delay_s(now) <= 0

    def _expect(self, group: Group, within_ms: int) -> None:
        due = self._clock.now_ms() + within_ms
        if due < group.due_ms:
            group.due_ms = due
            self._wake.set()

    def _bound(self, group: Group) -> None:
        if group.size >= MAX_GROUP:
            self._seal()
            self._wake.set()
        if self._failing_since_ms is not None:
            self._relieve()

    async def run(self) -> None:
        """Commit what is due, until ``close``."""
        loop = asyncio.get_running_loop()
        while not self._is_closing:
            self._wake.clear()
            delay = self._delay_s(loop.time())
            if delay > 0:
                await _first(self._wake, min(delay, LOOK_S))
                continue
            if self._failing_since_ms is None:
                self._checkpoint_if_due()
                self._seal()
            elif not self._backlog:  # nothing to try the disk with
                self._checkpoint()
                self._seal()
            await self._write_backlog()

    async def flush(self) -> None:
        """Commit what there is, with a checkpoint; used at the stop."""
        self._checkpoint()
        self._seal()
        await self._write_backlog()

    async def close(self, task: asyncio.Task[None] | None) -> None:
        """End ``run`` and commit everything; at most ``CLOSE_S``."""
        self._is_closing = True
        self._wake.set()
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(CLOSE_S):
                if task is not None:
                    await task
                await self.flush()
                await loop.run_in_executor(self._thread, self._writer.close)
        except TimeoutError:
            log.warning("The disk did not take the last changes within %s s", CLOSE_S)
        if self._waiting:
            log.warning("%d changes could not be written before the stop", self._waiting)
        self._thread.shutdown(wait=False)

    def _delay_s(self, loop_s: float) -> float:
        if self._failing_since_ms is not None:
            return self._retry_at - loop_s
        if self._backlog:
            return 0.0
        now = self._clock.now_ms()
        if self._open.due_ms != FAR_MS:  # a clock that was set back must not make it wait
            self._open.due_ms = min(self._open.due_ms, now + TELEMETRY_MS)
        self._pulse_ms = min(self._pulse_ms, now)
        due = min(self._open.due_ms, self._pulse_ms + PULSE_MS)
        return self._clock.real_seconds(due - now)

    def _checkpoint_if_due(self) -> None:
        """A checkpoint with the first pulse of each hour, so that finished hours are kept soon."""
        now_ms = self._clock.now_ms()
        is_due = now_ms >= self._pulse_ms + PULSE_MS
        is_next_hour = now_ms // HOUR_MS != self._checkpoint_ms // HOUR_MS
        if (is_due and is_next_hour) or self._since_checkpoint >= CHECKPOINT_CHANGES:
            self._checkpoint()
        elif is_due:
            self._pulse_ms = now_ms
            self._add_pulse(self._open)

    def _checkpoint(self) -> None:
        self._checkpoint_ms = self._pulse_ms = self._clock.now_ms()
        self._since_checkpoint = 0
        self._add_checkpoint(self._open, self._checkpoint_ms)

    def _seal(self) -> None:
        group = self._open
        if group.is_empty:
            return
        self._since_checkpoint += len(group.changes)
        group.extra_keys, group.boot = dict(self.orphans), self.boot
        group.seal(self._clock.now_ms(), self.confirmed)
        self._backlog.append(group)
        self._open = Group(group.id + 1)
        self._drop_beyond_bound()

    async def _write_backlog(self) -> None:
        loop = asyncio.get_running_loop()
        while self._backlog:
            group = self._backlog[0]
            self._is_writing = True
            try:
                await loop.run_in_executor(self._thread, self._writer.commit, group)
            except (sqlite3.Error, OSError, StoreError) as error:
                self._retry_at = loop.time() + self._backoff_s
                self._backoff_s = min(self._backoff_s * 2, BACKOFF_S[1])
                self.failed(error)
                return
            except Exception:
                # A group that cannot even be packed would block all others for ever.
                log.exception("%d changes cannot be stored and are lost", len(group.changes))
                self._lost += len(group.changes)
                group.checkpoint = None  # what came before it must stay in the log
            finally:
                self._is_writing = False
            self._done(group)

    def _done(self, group: Group) -> None:
        self._backlog.popleft()
        self.committed = group.id
        self.written += 1
        if group.checkpoint is not None:
            self.checkpointed = group.id
        self._waiting -= group.size
        if self._failing_since_ms is not None:
            self._failing_since_ms = None
            self._backoff_s = BACKOFF_S[0]
            log.info("The history is written again; %d changes were lost", self._lost)
            self._tell()
        for receipt in group.receipts:
            if receipt.delivery is not None:
                self._receipts -= 1
            receipt.settle(group.id)

    def failed(self, error: Exception) -> None:
        """Say it once, and keep the broker's window open."""
        if self._failing_since_ms is not None:
            return
        self._failing_since_ms = self._clock.now_ms()
        log.warning(
            "The history cannot be written (%s). Rooms stay live; changes wait in memory."
            " Free space on the disk, or make it writable.",
            error,
        )
        self._tell()
        self._relieve()

    def _tell(self) -> None:
        if self.on_storage is not None:
            self.on_storage(self.state())

    def _relieve(self) -> None:
        """Settle the oldest receipts unsaved, so that a broker's window does not close."""
        for group in self.groups():
            if self._receipts <= self._half:
                return
            kept: list[Receipt] = []
            for receipt in group.receipts:
                if receipt.delivery is None or self._receipts <= self._half:
                    kept.append(receipt)  # a device must not erase what we do not have
                else:
                    self._receipts -= 1
                    receipt.settle(0)
            group.receipts = kept

    def _drop_beyond_bound(self) -> None:
        while self._waiting > MAX_WAITING and len(self._backlog) > 1:
            at = 1 if self._is_writing else 0
            group = self._backlog[at]
            del self._backlog[at]
            self.orphans.update((change.number, change.key) for change in group.changes)
            self._lost += group.size
            self._waiting -= group.size
            for receipt in group.receipts:
                if receipt.delivery is not None:
                    self._receipts -= 1
                    receipt.settle(0)


async def _first(event: asyncio.Event, within_s: float) -> None:
    try:
        async with asyncio.timeout(within_s):
            await event.wait()
    except TimeoutError:
        return
