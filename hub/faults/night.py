"""Closed hours as calibration: nobody is there, so nothing should be seen, counted or open.

    Heard, slots > a room's closed stretch > EmptyProven, and one paragraph each morning

Pure. A room is watched while its timetable says that it is closed; a holiday is one long stretch,
told each morning. What happens in the first hour belongs to those who clean and lock up. A room is
proven empty only by sensors that were heard since it closed and are well, and only for as long as
this hub listened: what nobody watched is no quiet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from zoneinfo import ZoneInfo

import msgspec

from device_drivers.contract import Quality
from hub.domain.centre import Centre
from hub.domain.events import CounterZeroed, EmptyProven, Heard
from hub.domain.opening import Slot
from hub.domain.room import Params, Text

MINUTE = 60_000
HOUR = 60 * MINUTE
LOCKING_UP_MS = HOUR
STILL_MS = 4 * HOUR  # nobody lies still for so long that no sensor notices
OPEN_MS = 30 * MINUTE  # a door that is open for less is no news
MORNING = time(6)
LATEST_MS = 6 * HOUR  # who opens later than so long after that reads of it before
LEAVE_AT_ONCE = 2
EYES = frozenset({"motion", "presence", "occupancy"})
COUNTS = frozenset({"people.count", "people.in", "people.out"})
GOOD = Quality.GOOD


class Night(msgspec.Struct, frozen=True):
    """What one night showed. ``day``: its morning; ``notes`` are codes with rooms' ids in them."""

    day: str
    from_ms: int
    until_ms: int
    quiet: tuple[str, ...]  # rooms
    unsure: tuple[str, ...]  # closed, and nothing could tell of them
    notes: tuple[Text, ...] = ()
    watched_ms: int | None = None  # since when, where the hub did not listen all night


@dataclass(slots=True)
class Closed:
    """A room while it is closed, since the last morning or since it closed."""

    since_ms: int  # it closed, or the last morning
    watched_ms: int  # we listen since
    heard: set[str] = field(default_factory=set)
    first_ms: int | None = None  # somebody was seen, later than who locks up
    last_ms: int = 0
    signs_ms: int = 0  # the last sign of anybody, at any time
    open_ms: dict[str, int] = field(default_factory=dict)  # doors that are open, since
    opened: list[tuple[int, int]] = field(default_factory=list)
    off_by: int = 0

    def sign(self, now_ms: int) -> None:
        self.signs_ms = now_ms
        if now_ms - self.since_ms >= LOCKING_UP_MS:
            self.first_ms = now_ms if self.first_ms is None else self.first_ms
            self.last_ms = now_ms

    def begin_anew(self, now_ms: int) -> Closed:
        """The next night of a house that stays closed."""
        again = Closed(now_ms - LOCKING_UP_MS, self.watched_ms, signs_ms=self.signs_ms)
        again.open_ms = dict(self.open_ms)
        return again


class NightCheck:
    """``slot``: what is planned for a room at a moment; ``is_well``: may a device be believed?
    ``proven`` and ``tell`` are called in the morning."""

    def __init__(
        self,
        centre: Centre,
        slot: Callable[[str, int], Slot],
        is_well: Callable[[str], bool],
        proven: Callable[[EmptyProven], None],
        tell: Callable[[Night], None],
        now_ms: int,
    ) -> None:
        self._slot, self._is_well, self._proven, self._tell = slot, is_well, proven, tell
        self._zone = ZoneInfo(centre.timezone)
        self._rooms = [room.id for room in centre.rooms]
        self._closed: dict[str, Closed] = {}
        self._values: dict[tuple[str, str, str], float] = {}
        self._of_device, self._doors = _places(centre)
        self._told: date | None = None
        self.begin(now_ms)

    def begin(self, now_ms: int) -> None:
        """Nothing is known from before: a start, or a clock that was set."""
        self._closed.clear()
        self._values.clear()
        for room in self._rooms:
            slot = self._slot(room, now_ms)
            if not slot.is_open:
                since_ms = now_ms if slot.from_ms is None else max(slot.from_ms, now_ms - 24 * HOUR)
                self._closed[room] = Closed(since_ms, now_ms, signs_ms=now_ms)

    def hear(self, event: Heard) -> None:
        if not event.is_live or event.device not in self._of_device:
            return
        for reading in event.readings:
            value, channel = reading.value, reading.channel
            is_asked = channel in EYES or channel in COUNTS or channel == "contact"
            if is_asked and reading.quality is GOOD and isinstance(value, int | float):
                key = event.device, channel, reading.part
                was = self._values.get(key)
                self._values[key] = value
                self._take(key, was, value, event.at_ms)

    def zeroed(self, event: CounterZeroed) -> None:
        """Counters were set right while their room was closed."""
        closed = self._closed.get(event.room)
        if closed is not None:
            closed.off_by += event.off_by

    def advance(self, now_ms: int) -> None:
        """Look at the timetable, once a minute or so."""
        opened: list[str] = []
        for room in self._rooms:
            slot = self._slot(room, now_ms)
            if slot.is_open and room in self._closed:
                opened.append(room)
            elif not slot.is_open and room not in self._closed:
                closed = self._closed[room] = Closed(now_ms, now_ms, signs_ms=now_ms)
                closed.open_ms = dict.fromkeys(self._open_doors(room), now_ms)
        if self._is_morning(opened, now_ms):
            self._end(now_ms)
        for room in opened:
            self._closed.pop(room, None)

    # -- inside ------------------------------------------------------------------------------

    def _take(
        self, key: tuple[str, str, str], was: float | None, value: float, now_ms: int
    ) -> None:
        device, channel, _ = key
        for room in self._of_device[device]:
            closed = self._closed.get(room)
            if closed is None:
                continue
            if channel == "contact":
                self._move(closed, device, value, now_ms)
                continue
            closed.heard.add(device)
            if value if channel in EYES else _is_passage(was, value):
                closed.sign(now_ms)

    def _move(self, closed: Closed, device: str, value: float, now_ms: int) -> None:
        if device not in self._doors:
            return  # a window
        if value:
            closed.open_ms.setdefault(device, now_ms)
            return
        since_ms = closed.open_ms.pop(device, None)
        if since_ms is not None and now_ms - since_ms >= OPEN_MS:
            closed.opened.append((since_ms, now_ms))

    def _open_doors(self, room: str) -> Iterable[str]:
        for (device, channel, _), value in self._values.items():
            is_open = bool(value) and channel == "contact" and device in self._doors
            if is_open and room in self._of_device[device]:
                yield device

    def _is_morning(self, opened: list[str], now_ms: int) -> bool:
        """Somebody opens after a night; or it is six, and nobody will for long."""
        at = datetime.fromtimestamp(now_ms / 1000, self._zone)
        if not self._closed or self._told == at.date() or at.time() < time(3):
            return False
        if any(now_ms - self._closed[room].since_ms >= STILL_MS for room in opened):
            return at.time() < time(14)
        if not MORNING <= at.time() < time(12) or opened:
            return False
        untils = [self._slot(room, now_ms).until_ms for room in self._closed]
        return all(until_ms is None or until_ms - now_ms > LATEST_MS for until_ms in untils)

    def _end(self, now_ms: int) -> None:
        """It is morning."""
        morning = datetime.fromtimestamp(now_ms / 1000, self._zone).date()
        self._told = morning
        nights = {
            room: closed
            for room, closed in self._closed.items()
            if now_ms - closed.since_ms >= STILL_MS
        }
        for room, closed in nights.items():
            if self._is_proven(closed, now_ms):
                self._proven(EmptyProven(room, closed.signs_ms, now_ms))
        self._tell(self._night(str(morning), nights, now_ms))
        for room, closed in nights.items():
            self._closed[room] = closed.begin_anew(now_ms)

    def _is_proven(self, closed: Closed, now_ms: int) -> bool:
        """Nobody, for so long that somebody would have been noticed, by sensors that are well."""
        return now_ms - closed.signs_ms >= STILL_MS and self._is_told_of(closed)

    def _is_told_of(self, closed: Closed) -> bool:
        return any(self._is_well(device) for device in closed.heard & self._eyes())

    def _eyes(self) -> set[str]:
        return {device for device, channel, _ in self._values if channel in EYES}

    def _night(self, day: str, nights: dict[str, Closed], now_ms: int) -> Night:
        quiet: list[str] = []
        unsure: list[str] = []
        notes: list[Text] = []
        seen_by_eyes = {room for device in self._eyes() for room in self._of_device[device]}
        for room, closed in nights.items():
            about = list(_notes(room, closed, now_ms))
            notes += about
            if not self._is_told_of(closed):
                unsure += [room] if room in seen_by_eyes else []
            elif all(note.code == "night.counter" for note in about):
                quiet.append(room)
        since_ms = min(closed.since_ms for closed in nights.values())
        watched_ms = max(closed.watched_ms for closed in nights.values())
        is_whole = watched_ms <= since_ms + LOCKING_UP_MS
        return Night(
            *(day, since_ms, now_ms, tuple(quiet), tuple(unsure), tuple(notes)),
            None if is_whole else watched_ms,
        )


def _is_passage(was: float | None, value: float) -> bool:
    """Did somebody pass? A counter that falls to zero from more was set to it."""
    return was is not None and was != value and (value != 0 or was <= LEAVE_AT_ONCE)


def _notes(room: str, closed: Closed, now_ms: int) -> Iterable[Text]:
    """What should not have been."""
    stretches = [*closed.opened, *((since_ms, now_ms) for since_ms in closed.open_ms.values())]
    for since_ms, until_ms in sorted(stretches):
        if until_ms - since_ms >= OPEN_MS:
            yield Text("night.door", {"room": room, "time": since_ms, "until": until_ms})
    if closed.first_ms is not None:
        params: Params = {"room": room, "time": closed.first_ms, "until": closed.last_ms}
        yield Text("night.seen", params)
    if closed.off_by:
        yield Text("night.counter", {"room": room, "off": abs(closed.off_by)})


def _places(centre: Centre) -> tuple[dict[str, tuple[str, ...]], set[str]]:
    """The rooms that each device tells of, and the devices that watch a door. What stands open is
    told of one room."""
    known = {room.id for room in centre.rooms}
    between = {door.id: door.between for door in centre.doors}
    rooms: dict[str, tuple[str, ...]] = {}
    doors: set[str] = set()
    for device in centre.devices:
        found: list[str] = []
        for place in device.places.values():
            if place.room is not None:
                found.append(place.room)
            elif place.door is not None:
                doors.add(device.id)
                found += [room for room in between.get(place.door, ()) if room in known][:1]
        rooms[device.id] = tuple(dict.fromkeys(room for room in found if room in known))
    return rooms, doors
