"""The centre as the simulator knows it: places, doors that tie them, and devices on wires.

The hub's configuration is translated into these few words by ``hub/commands/simulate.py``; that
keeps the simulator free of the hub, and lets the whole description cross a process border as JSON.
"""

from __future__ import annotations

from collections import deque
from functools import cached_property

import msgspec

OUTSIDE = "outside"


class Room(msgspec.Struct, frozen=True):
    id: str
    name: dict[str, str]
    kind: str
    building: str = ""
    floor: int = 1
    zones: tuple[str, ...] = ()


class Door(msgspec.Struct, frozen=True):
    id: str
    between: tuple[str, str]

    def other_side(self, place: str) -> str:
        first, second = self.between
        return second if place == first else first


class Device(msgspec.Struct, frozen=True):
    """Exactly one of ``serial`` (a path we create) and ``topic`` is set."""

    id: str
    driver: str
    room: str | None = None
    door: str | None = None
    zone: str | None = None
    serial: str | None = None
    topic: str | None = None


class Centre(msgspec.Struct, frozen=True, dict=True):
    name: dict[str, str]
    timezone: str
    rooms: tuple[Room, ...]
    doors: tuple[Door, ...]
    devices: tuple[Device, ...]

    @cached_property
    def passages(self) -> tuple[Door, ...]:
        """The doors people use: those that are named, and one to the outside for a sealed room.

        A configuration need not name every door, but nobody walks through walls: a room from
        which the outside cannot be reached gets an implied door ``~room``.
        """
        doors = list(self.doors)
        for room in self.rooms:
            if not route(tuple(doors), room.id, OUTSIDE):
                doors.append(Door(implied(room.id), (room.id, OUTSIDE)))
        return tuple(doors)


def implied(room: str) -> str:
    """The id of a room's unnamed door; ``~`` cannot occur in a configured id."""
    return f"~{room}"


def route(doors: tuple[Door, ...], start: str, goal: str) -> tuple[Door, ...]:
    """The shortest way through doors; empty when there is none, or when one is already there."""
    came_by: dict[str, Door | None] = {start: None}
    queue = deque([start])
    while queue and goal not in came_by:
        place = queue.popleft()
        for door in doors:
            if place in door.between and (beyond := door.other_side(place)) not in came_by:
                came_by[beyond] = door
                queue.append(beyond)
    way: list[Door] = []
    place = goal
    while (by := came_by.get(place)) is not None:
        way.append(by)
        place = by.other_side(place)
    return tuple(reversed(way))
