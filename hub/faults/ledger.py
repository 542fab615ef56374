"""Kept before told: what is different is written within a second, and only then published.

    put > waits half a second for company > one transaction > the bus

A disk that fails does not stop the service: after some seconds it is told all the same, which the
log says, and written as soon as the disk takes it.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Protocol, TypeVar

from hub.bus import Bus
from hub.domain.events import AlertChanged, FaultChanged
from hub.domain.fault import Alert, Fault
from hub.faults import rows
from hub.store.query import StoreError
from hub.store.reader import Question

log = logging.getLogger(__name__)

TOGETHER_S = 0.4
RETRY_S = 1.0
LATE_S = 5.0  # a disk may be busy that long
LAST_S = 2.0
UNWRITABLE = (sqlite3.Error, OSError, StoreError)

T = TypeVar("T")


class Store(Protocol):
    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...


class Ledger:
    """Belongs to the event loop. What waits to be written is one row a fault or alert."""

    def __init__(self, store: Store, bus: Bus) -> None:
        self._store = store
        self._bus = bus
        self._faults: dict[int, Fault] = {}
        self._alerts: dict[int, Alert] = {}
        self._events: deque[FaultChanged | AlertChanged] = deque()
        self._arrived = asyncio.Event()
        self._failing_since: float | None = None
        self.told_unkept = 0

    def put(self, event: FaultChanged | AlertChanged) -> None:
        if isinstance(event, FaultChanged):
            self._faults[event.fault.id] = event.fault
        else:
            self._alerts[event.alert.id] = event.alert
        self._events.append(event)
        self._arrived.set()

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
                log.warning("%d changes of faults were not written", len(self._events))

    async def write(self) -> bool:
        """Everything that waits, in one transaction; then tell it."""
        self._arrived.clear()
        if not self._faults and not self._alerts:
            return True
        faults, alerts, count = dict(self._faults), dict(self._alerts), len(self._events)
        keep = partial(rows.keep, faults=faults.values(), alerts=alerts.values())
        try:
            await self._store.work("faults", keep)
        except UNWRITABLE as error:
            self._arrived.set()
            self._failed(error, count)
            return False
        self._failing_since = None
        _drop(self._faults, faults)
        _drop(self._alerts, alerts)
        self._tell(count)
        return True

    def _failed(self, error: Exception, count: int) -> None:
        now = asyncio.get_running_loop().time()
        if self._failing_since is None:
            self._failing_since = now
            log.warning("Faults and alerts wait for the disk: %s", error)
        if now - self._failing_since >= LATE_S and count:
            self.told_unkept += count
            log.warning("The disk takes nothing; %d changes are told without being kept", count)
            self._tell(count)

    def _tell(self, count: int) -> None:
        for _ in range(count):
            self._bus.publish(self._events.popleft())


def _drop(waiting: dict[int, T], written: dict[int, T]) -> None:
    """What was not changed again meanwhile."""
    for number, thing in written.items():
        if waiting.get(number) is thing:
            del waiting[number]
