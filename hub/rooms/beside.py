"""What the rooms' pages show beside the rooms themselves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.domain.events import CounterZeroed
from hub.domain.opening import Slot
from hub.rooms.overrides import Overrides
from hub.web.plan import Drawings


class Timetable(Protocol):
    def slots(self, room: str, from_ms: int, to_ms: int) -> Iterator[Slot]:
        """All slots of a room that touch a stretch of time, in order."""


class Beside(NamedTuple):
    overrides: Overrides
    timetable: Timetable
    drawings: Drawings
    """Floor plans that the centre drew."""
    zeroings: Mapping[str, Sequence[CounterZeroed]]
    """By room, the last times its counters were set to zero, newest last."""
