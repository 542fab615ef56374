"""Watches the machine's time: when it is trusted, and when somebody sets it.

    start     trusted?  yes: follow it;  no: count on from what the store last knew (Clock.hold)
    trusted   the clock jumps to true time, the store moves what was said before, all others hear
    set       by more than 2 s: all others hear; nothing that is kept changes

Trust is not taken back: a network that is lost for a day costs a second.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from typing import Protocol

from edge.clock import Clock
from edge.timekeeping import Timekeeper
from hub.bus import Bus
from hub.domain.events import ClockChanged
from hub.store.query import StoreError
from hub.store.restamp import Boot

EVERY_S = 0.5
JUMP_S = 2.0  # less is a clock that is slewed, or a busy machine

log = logging.getLogger(__name__)


class Keeping(Protocol):
    """What the store does for the clock. All but ``move_rows`` return at once and never raise."""

    def newest_ms(self) -> int:
        """The latest time that is kept; 0 for an empty store."""

    def boot(self, boot_id: str) -> Boot | None:
        """What was kept of a boot of this machine, before this start."""

    def begin_boot(self, boot_id: str, base_ms: int, monotonic_ms: int) -> None:
        """Mark all that comes from now on: its times are not true yet."""

    def restamp(self, boot_id: str, shift_ms: int) -> None:
        """The marked times are wrong by the shift: move them in memory, and plan it on disk."""

    def has_rows_to_move(self) -> bool:
        """Is there something to do for ``move_rows``, now?"""

    async def move_rows(self) -> None:
        """Move some rows on disk, in one short transaction.

        Raises:
            StoreError, sqlite3.Error, OSError: nothing of it was done.
        """


class ClockWatch:
    def __init__(self, clock: Clock, keeper: Timekeeper, keeping: Keeping, bus: Bus) -> None:
        """Decides at once whether the clock is held: nothing may be stamped before."""
        self._clock = clock
        self._keeper = keeper
        self._keeping = keeping
        self._bus = bus
        self._shift_s = clock.shift_s()
        self._boot_id = keeper.boot_id()
        self._base_ms = 0
        self._is_told = False
        self._begin()

    def _begin(self) -> None:
        boot = self._keeping.boot(self._boot_id)
        if boot is not None and boot.shift_ms is not None:
            return  # it was trusted in this boot already
        if boot is not None:  # the hub was started again; the same count goes on
            self._hold(boot.base_ms, boot.monotonic_ms)
            if self._keeper.is_set():
                self._trust()
        elif not self._keeper.is_set():
            base_ms = max(self._clock.now_ms(), self._keeping.newest_ms() + 1)
            monotonic_ms = int(self._keeper.uptime_s() * 1000)
            self._keeping.begin_boot(self._boot_id, base_ms, monotonic_ms)
            self._hold(base_ms, monotonic_ms)

    def _hold(self, base_ms: int, monotonic_ms: int) -> None:
        self._base_ms = base_ms
        self._clock.hold(base_ms, monotonic_ms, self._keeper.uptime_s)
        log.warning(
            "The time of this machine is not trusted yet. Readings are kept in order, marked as"
            " unsynced, and moved to their time once it is known (see clock.trust, linli doctor)"
        )

    async def run(self) -> None:
        """Look twice a second, until cancelled."""
        while True:
            self.look()
            if not await self.move_rows():
                await asyncio.sleep(EVERY_S)

    async def move_rows(self) -> bool:
        """Move some rows if any are left; a disk that fails is tried again at the next look."""
        if not self._keeping.has_rows_to_move():
            return False
        try:
            await self._keeping.move_rows()
        except (sqlite3.Error, OSError, StoreError) as error:
            log.log(
                logging.DEBUG if self._is_told else logging.WARNING,
                "Readings cannot be moved to their time yet (%s); it is tried again",
                error,
            )
            self._is_told = True
            return False
        return True

    def look(self) -> None:
        """Tell what happened to the time since the last look."""
        shift_s = self._clock.shift_s()
        moved_s, self._shift_s = shift_s - self._shift_s, shift_s
        if not self._clock.is_trusted and self._keeper.is_set():
            self._trust()
        elif abs(moved_s) > JUMP_S:
            if self._clock.is_trusted:
                log.warning("The clock was set by %+.0f s; all rooms need new evidence", moved_s)
            else:
                log.warning("The clock was set by %+.0f s; it is still not trusted", moved_s)
            self._publish(round(moved_s * 1000), None)

    def _trust(self) -> None:
        shift_ms = self._clock.trust()
        self._shift_s = self._clock.shift_s()
        log.warning("The time is trusted now; readings move by %+.0f s", shift_ms / 1000)
        self._keeping.restamp(self._boot_id, shift_ms)
        self._publish(shift_ms, self._base_ms)

    def _publish(self, shift_ms: int, moved_from_ms: int | None) -> None:
        clock = self._clock
        self._bus.publish(ClockChanged(shift_ms, clock.is_trusted, clock.now_ms(), moved_from_ms))
