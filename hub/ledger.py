"""Kept before told: what is different is written within a second, and only then published.

    put > waits half a second for company > one transaction > the bus

Who decides something waits until it is kept (``kept``), and hears of a disk that does not take it.
Such a disk does not stop the service: after some seconds what happens is told all the same, which
the log says, and written as soon as the disk takes it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Hashable
from functools import partial
from typing import Any, Generic, Protocol, TypeVar

from hub.bus import Bus
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text
from hub.store.query import StoreError
from hub.store.reader import Question

log = logging.getLogger(__name__)

TOGETHER_S = 0.4
RETRY_S = 1.0
LATE_S = 5.0  # a disk may be busy that long
LAST_S = 2.0
UNWRITABLE = (sqlite3.Error, OSError, StoreError)

Thing = TypeVar("Thing", bound=Hashable)
T = TypeVar("T")


class Store(Protocol):
    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...


class Ledger(Generic[Thing]):
    """Belongs to the event loop. What waits to be written is one row a thing; ``keep`` writes the
    rows it is handed, in a transaction of the store."""

    def __init__(
        self,
        store: Store,
        bus: Bus,
        purpose: str,
        keep: Callable[[sqlite3.Connection, Collection[Thing]], None],
    ) -> None:
        self._store = store
        self._bus = bus
        self._purpose = purpose
        self._keep = keep
        self._waiting: dict[tuple[type, int], Thing] = {}
        self._events: deque[object] = deque()
        self._arrived = asyncio.Event()
        self._writing = asyncio.Lock()  # two at once would tell twice
        self._failing_since: float | None = None

    def put(self, number: int, thing: Thing, *events: object) -> None:
        """``number`` is its own among things of its type; ``events`` are told once it is kept."""
        self._waiting[type(thing), number] = thing
        self._events += events
        self._arrived.set()

    def waiting(self, kind: type[T]) -> list[T]:
        """What the disk does not have yet."""
        return [thing for (one, _), thing in self._waiting.items() if isinstance(thing, kind)]

    async def run(self) -> None:
        """Until cancelled; then what still waits, if the disk takes it soon."""
        try:
            while True:
                await self._arrived.wait()
                await asyncio.sleep(TOGETHER_S)
                if not await self.write():
                    await asyncio.sleep(RETRY_S)
        finally:
            try:
                async with asyncio.timeout(LAST_S):
                    await self.write()
            except TimeoutError:
                log.warning("%d changes of %s were not written", len(self._waiting), self._purpose)

    async def kept(self) -> None:
        """Wait until all that was put is on disk.

        Raises:
            RefusedDecisionError: the disk does not take it now. It counts all the same, and is
                written later; a power cut before would undo it.
        """
        if not await self.write():
            raise RefusedDecisionError(Text("not_kept_yet"), 503)

    async def write(self) -> bool:
        """Everything that waits, in one transaction; then tell it."""
        async with self._writing:
            return await self._write()

    async def _write(self) -> bool:
        self._arrived.clear()
        if not self._waiting:
            return True
        things, count = dict(self._waiting), len(self._events)
        try:
            await self._store.work(self._purpose, partial(self._keep_all, things))
        except UNWRITABLE as error:
            self._arrived.set()
            self._failed(error, count)
            return False
        self._failing_since = None
        for key, thing in things.items():
            if self._waiting.get(key) is thing:  # not changed again meanwhile
                del self._waiting[key]
        self._tell(count)
        return True

    def _keep_all(self, things: dict[Any, Thing], db: sqlite3.Connection) -> None:
        self._keep(db, things.values())

    def _failed(self, error: Exception, count: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._failing_since is None:
            self._failing_since = now
            log.warning("Changes of %s wait for the disk: %s", self._purpose, error)
        if now - self._failing_since >= LATE_S and count:
            log.warning("The disk takes nothing; %d changes are told without being kept", count)
            self._tell(count)

    def _tell(self, count: int) -> None:
        for _ in range(count):
            self._bus.publish(self._events.popleft())
