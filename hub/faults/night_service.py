"""Watches nights in the running hub, keeps each one, and tells of the last."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from functools import partial

import msgspec

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.centre import Centre
from hub.domain.events import ClockChanged, CounterZeroed, Heard
from hub.domain.fault import FaultKind
from hub.domain.opening import Schedule
from hub.domain.views import FaultsView
from hub.faults.consequence import BLINDING
from hub.faults.night import Night, NightCheck
from hub.ledger import UNWRITABLE, Store
from hub.store.reader import Question

log = logging.getLogger(__name__)

LOOK_EVERY_MS = 30_000
SHORTEST_S = 0.5  # of a demo's clock that races
DOUBTED = BLINDING | {FaultKind.SENSORS_DISAGREE, FaultKind.DUPLICATE}
"""What a device with one of these says proves nothing."""

KEEP = (
    "INSERT INTO nights (day, made_ms, body) VALUES (?, ?, ?)"
    " ON CONFLICT (day) DO UPDATE SET made_ms = excluded.made_ms, body = excluded.body"
)
FORGET = "DELETE FROM nights WHERE day NOT IN (SELECT day FROM nights ORDER BY day DESC LIMIT 400)"
LATEST = "SELECT body FROM nights ORDER BY day DESC LIMIT ?"

_encode = msgspec.json.Encoder().encode
_night = msgspec.json.Decoder(Night).decode


class NightService:
    """``last`` is the newest night; None until there was one."""

    def __init__(
        self,
        centre: Centre,
        clock: Clock,
        bus: Bus,
        store: Store,
        schedule: Schedule,
        faults: FaultsView,
    ) -> None:
        self.centre = centre
        self.last: Night | None = None
        self._clock, self._store, self._faults = clock, store, faults
        self._unkept: list[Night] = []
        now_ms = clock.now_ms()
        check = NightCheck(
            centre, schedule.slot, self._is_well, bus.publish, self._unkept.append, now_ms
        )
        self._check = check
        bus.subscribe(Heard, check.hear)
        bus.subscribe(CounterZeroed, check.zeroed)
        bus.subscribe(ClockChanged, self._on_clock)

    async def nights(self, limit: int) -> list[Night]:
        """The newest first.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        return await self._store.ask(partial(_latest, limit=limit))

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            self.look()
            await self.keep()
            await asyncio.sleep(max(self._clock.real_seconds(LOOK_EVERY_MS), SHORTEST_S))

    def look(self) -> None:
        """Is it night, or morning?"""
        self._check.advance(self._clock.now_ms())

    async def keep(self) -> None:
        """Have what was found kept; what the disk does not take waits for the next look."""
        try:
            while self._unkept:
                night = self._unkept[0]
                self.last = night
                await self._store.work("nights", partial(_keep, night=night))
                del self._unkept[0]
            if self.last is None:
                self.last = next(iter(await self.nights(1)), None)
        except UNWRITABLE as error:
            log.warning("What the night showed waits for the disk: %s", error)

    def _is_well(self, device: str) -> bool:
        return not any(fault.kind in DOUBTED for fault in self._faults.of_device(device))

    def _on_clock(self, event: ClockChanged) -> None:
        if event.is_trusted:
            self._check.begin(self._clock.now_ms())


def _keep(db: sqlite3.Connection, night: Night) -> None:
    db.execute(KEEP, (night.day, night.until_ms, _encode(night).decode()))
    db.execute(FORGET)


def _latest(question: Question, limit: int) -> list[Night]:
    return [_night(body) for (body,) in question.all_rows(LATEST, (limit,))]
