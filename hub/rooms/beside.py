"""What the rooms' pages show beside the rooms themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple

from hub.domain.events import CounterZeroed
from hub.rooms.explained import Explained
from hub.rooms.overrides import Overrides
from hub.web.plan import Drawings
from hub.web.planned import Timetable


class Beside(NamedTuple):
    overrides: Overrides
    timetable: Timetable
    drawings: Drawings
    """Floor plans that the centre drew."""
    zeroings: Mapping[str, Sequence[CounterZeroed]]
    """By room, the last times its counters were set to zero, newest last."""
    explain: Callable[[str, int], Awaitable[Explained]]
    """Why a room was what it was at a moment, in ms since the epoch."""
