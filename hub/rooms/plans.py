"""From the configured centre to the plans the rules judge: which reading speaks for which room."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.domain.centre import OUTSIDE, Centre, Device, Placement
from hub.domain.series import Series, SeriesKey
from hub.rooms.evidence import (
    KIND_OF_CHANNEL,
    Contact,
    Counter,
    Eye,
    Kind,
    Line,
    Measure,
    Witness,
)
from hub.rooms.plan import Plan


class Plans:
    """Every room's plan. Witnesses come to be when a channel is first heard of.

    A driver such as Zigbee2MQTT's can carry any channel, so only the first message, or the store
    after a restart, tells whether a device is a door, a radar or a thermometer.
    """

    def __init__(self, centre: Centre) -> None:
        self.of_room: dict[str, Plan] = {
            room.id: Plan(
                room.id,
                room.kind,
                room.capacity,
                tuple(zone.id for zone in room.zones),
                frozenset(door.id for door in centre.doors if room.id in door.between),
            )
            for room in centre.rooms
        }
        self.lines: dict[str, Line] = {}
        self.rooms_of: dict[str, tuple[str, ...]] = {}
        self._sides = {door.id: door.between for door in centre.doors}
        self._places: dict[str, dict[str, Placement]] = {}
        self._witnesses: dict[SeriesKey, tuple[Witness, ...]] = {}
        self._room_of: dict[Witness, str] = {}
        for device in centre.devices:
            self._add_device(device)

    def _add_device(self, device: Device) -> None:
        line = Line(device.id, device.proof_within_ms, device.silent_after_ms)
        self.lines[device.id] = line
        self._places[device.id] = device.places
        rooms = {room for place in device.places.values() for room in self._rooms_at(place)}
        self.rooms_of[device.id] = tuple(sorted(rooms))
        for room in rooms:
            self.of_room[room].lines.append(line)

    def _rooms_at(self, place: Placement) -> tuple[str, ...]:
        if place.door is not None:
            return tuple(room for room in self._sides[place.door] if room != OUTSIDE)
        return (place.room,) if place.room is not None else ()

    def recall(self, known: Iterable[Series], now_ms: int) -> None:
        """What was said before the start is shown with its age and is never evidence.

        A device that was silent then already does not begin anew with that.
        """
        for series in known:
            for witness in self.witnesses(series.key):
                witness.recall(series)
            line = self.lines.get(series.key.device)
            if line is not None:
                line.known_ms = max(line.known_ms, min(series.until_ms, now_ms))
        for line in self.lines.values():
            line.known_ms = line.known_ms or now_ms

    def all_witnesses(self) -> Iterator[tuple[SeriesKey, str, Witness]]:
        """Every one that was called so far, with the room it speaks for."""
        for key, called in self._witnesses.items():
            for witness in called:
                yield key, self._room_of[witness], witness

    def witnesses(self, key: SeriesKey) -> tuple[Witness, ...]:
        found = self._witnesses.get(key)
        if found is None:
            found = self._witnesses[key] = tuple(self._call(key))
        return found

    def _call(self, key: SeriesKey) -> list[Witness]:
        """Make the witnesses of a channel: what is at a door speaks for the rooms on both sides."""
        kind = KIND_OF_CHANNEL.get(key.channel)
        places = self._places.get(key.device)
        if kind is None or places is None:
            return []
        place = places.get(key.part) or places.get(key.channel) or places.get("")
        if place is None:
            return []
        called = []
        for room in self._rooms_at(place):
            plan, line = self.of_room[room], self.lines[key.device]
            witness = self._witness(key, kind, line, plan, place)
            plan.call(witness)
            line.witnesses.append(witness)
            self._room_of[witness] = room
            called.append(witness)
        return called

    def _witness(
        self, key: SeriesKey, kind: Kind, line: Line, plan: Plan, place: Placement
    ) -> Witness:
        if kind is Kind.DOOR:
            return Contact(line, kind, plan, place.door or f"{key.device} {key.part}", place.zone)
        if kind is not Kind.COUNT:
            return Eye(line, kind, plan, place.door or "", place.zone)
        sign = -1 if key.channel == "people.out" else 1
        if place.door is not None and plan.room != self._inside(place.door):
            sign = -sign
        measure = Measure.INSIDE if key.channel == "people.count" else Measure.PASSED
        return Counter(line, kind, plan, place.door or "", place.zone, sign=sign, measure=measure)

    def _inside(self, door: str) -> str:
        """The side that people come *in* to, as a counter at this door says it: the first named."""
        first, second = self._sides[door]
        return second if first == OUTSIDE else first
