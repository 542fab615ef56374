"""What the panel shows, taken from the house: plain values, ready for a page or JSON."""

from __future__ import annotations

import msgspec

from simulator.centre import OUTSIDE, Room
from simulator.faults import Fault
from simulator.house import House
from simulator.panel.words import pick, text

MONITORS = frozenset({"and_tm265x", "omron_hbp9020"})


class DeviceView(msgspec.Struct, frozen=True):
    id: str
    state: str
    broken: bool
    repair: str
    faults: tuple[tuple[str, str], ...]


class DoorView(msgspec.Struct, frozen=True):
    id: str
    label: str
    is_open: bool


class RoomView(msgspec.Struct, frozen=True):
    id: str
    name: str
    floor: int
    people: int
    can_measure: bool
    doors: tuple[DoorView, ...]
    devices: tuple[DeviceView, ...]


def rooms(house: House, language: str) -> tuple[RoomView, ...]:
    """Every room, in the order of the configuration."""
    return tuple(_room(house, room, language) for room in house.centre.rooms)


def _room(house: House, room: Room, language: str) -> RoomView:
    doors = tuple(door for door in house.centre.passages if _belongs(door.between, room.id))
    own = {door.id for door in doors}
    devices = [
        item
        for item in house.devices.values()
        if item.device.room == room.id or item.device.door in own
    ]
    return RoomView(
        id=room.id,
        name=pick(room.name, language),
        floor=room.floor,
        people=house.world.people_in(room.id),
        can_measure=any(item.device.driver in MONITORS for item in devices),
        doors=tuple(
            DoorView(
                door.id,
                _beyond(house, door.other_side(room.id), language),
                house.world.is_open(door.id),
            )
            for door in doors
        ),
        devices=tuple(
            _device(item.device.id, item.fault, item.possible_faults, language) for item in devices
        ),
    )


def _belongs(between: tuple[str, str], room: str) -> bool:
    """A door is shown once, with the room that is named first: a corridor would have them all."""
    return next(place for place in (*between, room) if place != OUTSIDE) == room


def _beyond(house: House, place: str, language: str) -> str:
    if place == OUTSIDE:
        return {"zh-CN": "室外", "zh-TW": "室外"}.get(language, "outside")
    names = (room.name for room in house.centre.rooms if room.id == place)
    return pick(next(names, {}), language) or place


def _device(
    identity: str, fault: Fault | None, possible: tuple[Fault, ...], language: str
) -> DeviceView:
    return DeviceView(
        id=identity,
        state=text(f"now_{fault}" if fault else "works", language),
        broken=fault is not None,
        repair=text("plug" if fault is Fault.UNPLUGGED else "repair", language),
        faults=tuple((str(item), text(str(item), language)) for item in possible),
    )
