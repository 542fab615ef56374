"""What a fault means for people: which rooms nothing else can tell of, and how much that matters.

Pure. A room is blinded when what is still heard could not prove it free, though all its devices
together could: a radar or a counter, or a motion sensor with all doors. How grave that is follows
the hours: a health cabin in opening hours comes first, a reading room at night can wait.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from hub.domain.centre import Centre, Room, is_for_visitors
from hub.domain.fault import Fault, FaultKind, Severity
from hub.domain.opening import Schedule
from hub.faults.kinds import KINDS
from hub.faults.tree import RANKS

K = FaultKind
BLINDING = frozenset(
    {
        K.SILENT,
        K.NEVER_HEARD,
        K.BATTERY_DEAD,
        K.GARBLED,
        K.STUCK,
        K.STUCK_ON,
        K.OUT_OF_RANGE,
        K.DEVICE_ERROR,
        *RANKS,
    }
) - {K.HUB_OVERLOADED}
"""A device with one of these tells nothing of its room."""

BY_NIGHT_TOO = frozenset({K.TAMPER, K.HUB_OVERLOADED})
"""They matter as much when nobody is in the house."""

CROSSED = frozenset({"corridor", "refuse", "storage"})
"""Kinds of rooms where nobody sits still, so that motion alone tells."""


class Sense(StrEnum):
    """What a device tells of people in its room."""

    STILL = "still"  # also of one who sits still: a radar, a counter
    MOTION = "motion"
    DOOR = "door"


Senses = Callable[[str], frozenset[Sense]]


class Weight(NamedTuple):
    """How much an alert matters now, and why."""

    severity: Severity
    rooms_blinded: tuple[str, ...]
    devices: tuple[str, ...]


class Survey(NamedTuple):
    """The house at one moment."""

    blinded: frozenset[str]
    open_rooms: frozenset[str]
    until_ms: int | None  # when a room opens or shuts next


class Consequence:
    """``schedule`` knows when rooms are open."""

    def __init__(self, centre: Centre, schedule: Schedule, senses: Senses) -> None:
        self._rooms = {room.id: room for room in centre.rooms}
        self._schedule = schedule
        self._senses = senses
        self._rooms_of = _rooms_of(centre)
        self._watchers: dict[str, set[str]] = {room: set() for room in self._rooms}
        for device, rooms in self._rooms_of.items():
            for room in rooms:
                self._watchers[room].add(device)

    def rooms_of(self, device: str) -> tuple[str, ...]:
        return self._rooms_of.get(device, ())

    def survey(self, lost: Collection[str], now_ms: int) -> Survey:
        """``lost``: devices that tell nothing now."""
        slots = {room: self._schedule.slot(room, now_ms) for room in self._rooms}
        ends = [slot.until_ms for slot in slots.values() if slot.until_ms is not None]
        blinded = {
            room
            for room, watchers in self._watchers.items()
            if not watchers.isdisjoint(lost) and self._is_blind(room, watchers, lost)
        }
        return Survey(
            frozenset(blinded),
            frozenset(room for room, slot in slots.items() if slot.is_open),
            min(ends, default=None),
        )

    def _is_blind(self, room: str, watchers: Collection[str], lost: Collection[str]) -> bool:
        heard = {device for device in watchers if device not in lost}
        if self._can_tell(room, watchers, watchers):
            return not self._can_tell(room, heard, watchers)
        of_people = [device for device in watchers if self._senses(device) - {Sense.DOOR}]
        return bool(of_people) and heard.isdisjoint(of_people)

    def _can_tell(self, room: str, heard: Collection[str], watchers: Collection[str]) -> bool:
        """Whether those that are heard could prove it free."""
        doors = {device for device in watchers if Sense.DOOR in self._senses(device)}
        said = frozenset[Sense]().union(*map(self._senses, heard))
        knows_doors = bool(doors) and doors.issubset(heard)
        moves = knows_doors or self._rooms[room].kind in CROSSED
        return Sense.STILL in said or (Sense.MOTION in said and moves)

    def weigh(self, fault: Fault, devices: Iterable[str], survey: Survey) -> Weight:
        """``devices``: those it explains."""
        found = tuple(sorted(devices))
        rooms = {room for device in found for room in self.rooms_of(device)}
        blinded = rooms & survey.blinded if fault.kind in BLINDING else set()
        base = KINDS[fault.kind].severity
        if fault.is_drill:
            return Weight(base, (), ())
        graver = [self._of_room(self._rooms[room], room in blinded) for room in rooms
                  if room in survey.open_rooms]  # fmt: skip
        severity = max([base, *graver], key=lambda one: one.rank)
        is_shut = bool(rooms) and rooms.isdisjoint(survey.open_rooms)
        if is_shut and fault.kind not in BY_NIGHT_TOO:
            severity = min(base, _by_night(fault.kind), key=lambda one: one.rank)
        return Weight(severity, tuple(sorted(blinded)), found)

    def _of_room(self, room: Room, is_blind: bool) -> Severity:
        """What it asks for at least while the room is open."""
        if room.kind == "health_cabin":
            return Severity.URGENT if is_blind else Severity.MEDIUM
        if is_blind and is_for_visitors(room):
            return Severity.HIGH
        return Severity.LOW


def _by_night(kind: FaultKind) -> Severity:
    """At most, while all its rooms are shut: a gateway must be whole again by the morning."""
    return Severity.MEDIUM if kind in RANKS else Severity.LOW


def _rooms_of(centre: Centre) -> Mapping[str, tuple[str, ...]]:
    """The rooms that a device tells of; a door tells of both its sides."""
    sides = {door.id: door.between for door in centre.doors}
    known = {room.id for room in centre.rooms}
    found = {}
    for device in centre.devices:
        rooms: dict[str, None] = {}
        for place in device.places.values():
            here = (place.room,) if place.room else sides.get(place.door or "", ())
            rooms |= dict.fromkeys(room for room in here if room in known)
        found[device.id] = tuple(rooms)
    return found
