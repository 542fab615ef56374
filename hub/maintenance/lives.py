"""What happened to each device, recorded: by the hub at its start, by people on a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, time
from functools import partial
from zoneinfo import ZoneInfo

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.centre import Centre, Placement
from hub.domain.device import DeviceState
from hub.domain.errors import RefusedDecisionError, UnknownDeviceError
from hub.domain.events import DeviceReplaced
from hub.domain.room import Text
from hub.domain.typed import one_line
from hub.domain.views import FaultsView
from hub.ledger import Ledger, Store
from hub.maintenance import life, rows
from hub.maintenance.life import Battery, Due, Entry, Rhythm, What
from hub.maintenance.rows import Kept, Recalled
from hub.maintenance.rules import MAX_NOTE, fits


class LivesService:
    """``rhythms``: devices that are calibrated, and how often."""

    def __init__(
        self,
        place: Centre,
        clock: Clock,
        bus: Bus,
        store: Store,
        ledger: Ledger[Kept],
        faults: FaultsView,
        rhythms: Mapping[str, Rhythm],
        before: Recalled = rows.NOTHING,
    ) -> None:
        self.centre = place
        self.rhythms = rhythms
        self._clock, self._bus, self._store, self._ledger = clock, bus, store, ledger
        self._faults = faults
        self._zone = ZoneInfo(place.timezone)
        self._next = before.last_entry + 1
        self._rooms = {device.id: _places(device.places.values()) for device in place.devices}
        self._calibrated: dict[str, datetime] = {}
        last: dict[str, str] = {}
        for entry in before.latest:
            if entry.what in (What.PLACED, What.MOVED):
                last[entry.device] = entry.room
            elif entry.what is What.CALIBRATED:
                self._calibrated[entry.device] = self._local(entry.at_ms)
        for entry in life.placed(self._rooms, last, self._next, clock.now_ms()):
            self._put(entry)

    async def of(self, device: str) -> Sequence[Entry]:
        """All that is recorded of one, the newest first.

        Raises:
            UnknownDeviceError, QueryTooSlowError, StoreBusyError
        """
        if device not in self._rooms:
            raise UnknownDeviceError(device)
        kept = await self._store.ask(partial(rows.life_of, device=device))
        known = {entry.id: entry for entry in kept}
        known |= {e.id: e for e in self._ledger.waiting(Entry) if e.device == device}
        return sorted(known.values(), key=lambda entry: (-entry.at_ms, -entry.id))

    def record(self, device: str, what: What, at_ms: int, note: str, who: str) -> Entry:
        """Something was done to it.

        Raises:
            UnknownDeviceError
            RefusedDecisionError: it is nothing that people record, or it lies ahead.
        """
        if device not in self._rooms:
            raise UnknownDeviceError(device)
        now_ms = self._clock.now_ms()
        if what not in life.BY_PEOPLE:
            raise RefusedDecisionError(Text("life.what"))
        fits(at_ms)
        if at_ms > now_ms:
            raise RefusedDecisionError(Text("life.ahead"))
        words = one_line(note)[:MAX_NOTE]
        entry = Entry(self._next, device, at_ms, what, self._rooms[device], who, words)
        self._put(entry)
        if what is What.CALIBRATED:
            day = self._local(at_ms)
            self._calibrated[device] = max(day, self._calibrated.get(device, day))
        if what is What.REPLACED:
            self._bus.publish(DeviceReplaced(device, now_ms))
        self._bus.publish(Decided(now_ms, who, f"device.{what}", device))
        return entry

    async def kept(self) -> None:
        """Raises RefusedDecisionError: the disk does not take yet what was recorded."""
        await self._ledger.kept()

    def noon_ms(self, day: str) -> int:
        """A day that was typed, as its noon; today as now.

        Raises:
            RefusedDecisionError: it is no day.
        """
        now = self._local(self._clock.now_ms())
        try:
            typed = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).date()
        except ValueError as error:
            raise RefusedDecisionError(Text("life.day")) from error
        if typed == now.date():
            return self._clock.now_ms()
        return round(datetime.combine(typed, time(12), self._zone).timestamp() * 1000)

    def due(self) -> list[Due]:
        """Calibrations that are due within 30 days, or over."""
        recorded = {device: at.date() for device, at in self._calibrated.items()}
        today = self._local(self._clock.now_ms()).date()
        return life.calibrations(self.rhythms, recorded, today)

    def batteries(self, devices: Sequence[DeviceState]) -> list[Battery]:
        """To bring this month, the emptiest first."""
        known = {device.id: device for device in devices}
        return life.batteries(self._faults.faults(), known, self._clock.now_ms())

    def _put(self, entry: Entry) -> None:
        self._next = entry.id + 1
        self._ledger.put(entry.id, entry)

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self._zone)


def _places(places: Iterable[Placement]) -> str:
    """Where it is, or which doors it watches; a device with several inputs has several places.

    >>> _places([Placement(room="gym"), Placement(door="front")])
    'front, gym'
    """
    return ", ".join(sorted({one.room or one.door or "" for one in places}))
