"""Which rooms are asked for: by building, floor, kind and status, several values of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from hub.domain.centre import Room
from hub.domain.errors import BadQueryError
from hub.domain.room import Status
from hub.domain.views import RoomsView

Wanted = Mapping[str, frozenset[str]]
"""By parameter, the values asked for. A room fits if each parameter has one of its values."""

ABOUT = {
    "building": "only rooms of this building; several times for several",
    "floor": "only rooms on this floor; several times for several",
    "kind": "only rooms of this kind; several times for several",
    "status": "only rooms with this status now; several times for several",
}


class Query(Protocol):
    def getlist(self, key: Any) -> list[Any]: ...


class Filters:
    """What may be asked for is what this centre has: another value is a mistake, not an empty
    list that looks like an answer."""

    def __init__(self, rooms: RoomsView) -> None:
        self._rooms = rooms
        self._value: dict[str, Callable[[Room], str]] = {
            "building": lambda room: room.building,
            "floor": lambda room: str(room.floor),
            "kind": lambda room: room.kind,
            "status": lambda room: rooms.state(room.id).status.value,
        }
        configured = rooms.rooms()
        self._allowed: dict[str, list[str]] = {
            "building": sorted({room.building for room in configured}),
            "floor": [str(floor) for floor in sorted({room.floor for room in configured})],
            "kind": sorted({room.kind for room in configured}),
            "status": [status.value for status in Status],
        }

    @property
    def parameters(self) -> list[dict[str, Any]]:
        """For the OpenAPI document."""
        return [self._parameter(name, about) for name, about in ABOUT.items()]

    def read(self, query: Query) -> Wanted:
        """
        Raises:
            BadQueryError: a value that this centre does not have; says which it has.
        """
        wanted = {name: frozenset(query.getlist(name)) for name in ABOUT}
        for name, values in wanted.items():
            if not values <= set(self._allowed[name]):
                raise BadQueryError(name, "one_of", allowed=", ".join(self._allowed[name]))
        return {name: values for name, values in wanted.items() if values}

    def chosen(self, wanted: Wanted) -> Sequence[str]:
        """The rooms that fit."""
        return [
            room.id
            for room in self._rooms.rooms()
            if all(self._value[name](room) in values for name, values in wanted.items())
        ]

    def _parameter(self, name: str, about: str) -> dict[str, Any]:
        allowed = self._allowed[name]
        values: list[Any] = [int(value) for value in allowed] if name == "floor" else list(allowed)
        kind = "integer" if name == "floor" else "string"
        item: dict[str, Any] = {"type": kind} | ({"enum": values} if values else {})
        return {
            "name": name,
            "in": "query",
            "required": False,
            "description": about,
            "schema": {"type": "array", "items": item},
            "example": values[:1],
        }
