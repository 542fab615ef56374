"""The place itself: buildings, floors, rooms, zones, doors. Built once from the configuration."""

from __future__ import annotations

import msgspec

Name = dict[str, str]
"""Language tag to text, for example {"zh-CN": "健身房", "en": "Gym"}; at least one entry."""

OUTSIDE = "outside"
BEHIND = frozenset({"corridor", "toilet", "refuse", "storage", "office", "kitchen"})
"""Kinds of rooms that no visitor is looking for."""


class Zone(msgspec.Struct, frozen=True):
    """An open bay inside a room."""

    id: str
    name: Name
    capacity: int | None = None


class Room(msgspec.Struct, frozen=True):
    id: str
    name: Name
    building: str
    floor: int
    kind: str
    capacity: int | None
    zones: tuple[Zone, ...] = ()


class Door(msgspec.Struct, frozen=True):
    """A door ties two places; ``outside`` is a place."""

    id: str
    between: tuple[str, str]


class Building(msgspec.Struct, frozen=True):
    id: str
    name: Name


class Placement(msgspec.Struct, frozen=True):
    """Where one channel of one device belongs. Exactly one of room and door is set."""

    room: str | None = None
    door: str | None = None
    zone: str | None = None


class Device(msgspec.Struct, frozen=True):
    """A configured device. ``places`` maps a part ("" for a device without parts) to its place."""

    id: str
    driver: str
    places: dict[str, Placement]
    maturity: str
    silent_after_ms: int
    proof_within_ms: int


class Centre(msgspec.Struct, frozen=True):
    id: str
    name: Name
    timezone: str
    buildings: tuple[Building, ...]
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    devices: tuple[Device, ...]


def is_for_visitors(room: Room) -> bool:
    """Shown in the lobby and to the public."""
    return room.kind not in BEHIND


def pick(name: Name, language: str) -> str:
    """The name in a language, else in a near one, else whatever there is.

    >>> pick({"zh-CN": "健身房", "en": "Gym"}, "zh-TW")
    '健身房'
    """
    near = {"zh-TW": ("zh-TW", "zh-CN", "en"), "zh-CN": ("zh-CN", "zh-TW", "en")}
    for tag in near.get(language, ("en", "zh-CN", "zh-TW")):
        if tag in name:
            return name[tag]
    return next(iter(name.values()))
