"""The audit record: each change that a person made, kept for two years.

Decided (bus)  >  waits in memory  >  one transaction within a second  >  table ``audit``
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from edge.clock import Clock
from hub.access import records
from hub.access.records import Entry
from hub.access.rules import DAY_MS
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.store.query import StoreError
from hub.store.reader import Question

log = logging.getLogger(__name__)

KEEP_MS = 2 * 365 * DAY_MS
MOST_ROWS = 500_000
MOST_WAITING = 10_000
TOGETHER_S = 0.5
RETRY_S = 5.0
CLEAN_S = 24 * 3600.0
LAST_S = 2.0
UNWRITABLE = (sqlite3.Error, OSError, StoreError)

T = TypeVar("T")


class Keeper(Protocol):
    """What the record needs of the store."""

    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...


class Audit:
    """Belongs to the event loop."""

    def __init__(self, bus: Bus, store: Keeper, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._now_ms = clock.now_ms
        self._waiting: deque[Decided] = deque()
        self._arrived = asyncio.Event()
        self.lost = 0
        bus.subscribe(Decided, self._take)

    def _take(self, decided: Decided) -> None:
        """While the disk is full the newest are kept: the oldest are likely written elsewhere."""
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(decided)
        self._arrived.set()

    async def run(self) -> None:
        """Write what comes, until cancelled; then what still waits, if the disk takes it soon."""
        clean_at = 0.0
        loop = asyncio.get_running_loop()
        try:
            while True:
                if loop.time() >= clean_at:
                    clean_at = loop.time() + CLEAN_S
                    await self._clean()
                await self._arrived.wait()
                await asyncio.sleep(TOGETHER_S)
                if not await self._write():
                    await asyncio.sleep(RETRY_S)
        finally:
            try:
                async with asyncio.timeout(LAST_S):
                    await self._write()
            except TimeoutError:
                log.warning("%d lines of the audit record were not written", len(self._waiting))

    async def _write(self) -> bool:
        self._arrived.clear()
        batch = tuple(self._waiting)
        if not batch:
            return True
        try:
            await self._store.work("audit", lambda db: records.record(db, batch))
        except UNWRITABLE as error:
            log.warning("%d lines of the audit record wait for the disk: %s", len(batch), error)
            self._arrived.set()
            return False
        for decided in batch:
            if self._waiting and self._waiting[0] is decided:
                self._waiting.popleft()
        return True

    async def _clean(self) -> None:
        if not self._clock.is_trusted:
            return
        before_ms = self._now_ms() - KEEP_MS
        try:
            await self._store.work(
                "audit", lambda db: records.forget_before(db, before_ms, MOST_ROWS)
            )
        except UNWRITABLE as error:
            log.info("The audit record was not cleaned (%s); tried again tomorrow", error)

    async def entries(self, before_id: int | None, limit: int) -> list[Entry]:
        """The newest first, what waits for the disk apart.

        Raises:
            QueryTooSlowError, StoreBusyError
        """

        def read(question: Question) -> list[Entry]:
            if question.db is None:
                return []
            return records.entries(question.db, before_id, limit)

        return await self._store.ask(read)
