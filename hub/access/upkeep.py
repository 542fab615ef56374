"""What access does by itself as long as the hub lives.

each second     read accounts again if a command changed them
ten minutes     write who was seen when, which sessions ended, which screens go on
a clock is set  sessions last so long, whatever the clock says: they move along
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from edge.clock import Clock
from hub.access import records
from hub.access.directory import Directory
from hub.access.rules import DAY_MS, MINUTE_MS
from hub.bus import Bus
from hub.domain.access import Caller
from hub.domain.events import ClockChanged
from hub.store.query import StoreError

log = logging.getLogger(__name__)

LOOK_S = 1.0
SAVE_S = 600.0
SEEN_STEP_MS = {Caller.PERSON: 10 * MINUTE_MS, Caller.TOKEN: DAY_MS, Caller.SCREEN: DAY_MS}
"""How much later something must have been seen for the card to be written."""
UNWRITABLE = (sqlite3.Error, OSError, StoreError)

T = TypeVar("T")


class Worker(Protocol):
    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...


class Upkeep:
    """Belongs to the event loop."""

    def __init__(self, directory: Directory, store: Worker, clock: Clock, bus: Bus) -> None:
        self._directory = directory
        self._store = store
        self._now_ms = clock.now_ms
        self.renewed: dict[bytes, int] = {}
        """Screens, and until when they are good now."""
        self._jumps: list[ClockChanged] = []
        self._is_set = asyncio.Event()
        bus.subscribe(ClockChanged, self._clock_changed)

    async def run(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        save_at = loop.time() + SAVE_S
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await self._is_set.wait()
            await self.follow_clock()
            await self._directory.look()
            if loop.time() >= save_at:
                save_at = loop.time() + SAVE_S
                await self.save()

    async def save(self) -> None:
        """What changed by enough to be worth the card."""
        now_ms, found = self._now_ms(), self._directory.credentials()
        late = [c for c in found if c.seen_ms - c.saved_ms >= SEEN_STEP_MS[c.principal.caller]]
        people = [(c.seen_ms, c.hash) for c in late if c.principal.caller is Caller.PERSON]
        others = [(c.seen_ms, c.hash) for c in late if c.principal.caller is not Caller.PERSON]
        ended = [
            c.hash for c in found if c.principal.caller is Caller.PERSON and not c.is_live(now_ms)
        ]
        renewed = dict(self.renewed)
        if not (late or ended or renewed):
            return

        def save(db: sqlite3.Connection) -> None:
            records.saw(db, people, others, ended)
            for hashed, until_ms in renewed.items():
                records.renew(db, hashed, until_ms)

        try:
            await self._store.work("access", save)
        except UNWRITABLE as error:
            log.warning("Who was seen when could not be written: %s", error)
            return
        for hashed in renewed:
            self.renewed.pop(hashed, None)
        await self._directory.reload()

    def _clock_changed(self, event: ClockChanged) -> None:
        """Sessions last so long, whatever the clock says; what a held clock stamped moves too."""
        if event.is_trusted:
            self._directory.move(event.shift_ms, event.moved_from_ms)
            self._jumps.append(event)
            self._is_set.set()

    async def follow_clock(self) -> None:
        """The same on disk; a disk that fails is asked again with the next look."""
        self._is_set.clear()
        waiting = tuple(self._jumps)
        if not waiting:
            return

        def move(db: sqlite3.Connection) -> None:
            for event in waiting:
                records.move(db, event.shift_ms, event.moved_from_ms)

        try:
            await self._store.work("access", move)
        except UNWRITABLE as error:
            log.warning("Sessions could not be moved to the time that is now: %s", error)
            return
        del self._jumps[: len(waiting)]
        await self._directory.reload()
