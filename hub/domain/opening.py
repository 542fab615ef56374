"""When a room is open, and what for: what the timetable tells the others."""

from __future__ import annotations

from typing import Protocol

import msgspec

from hub.domain.centre import Name
from hub.domain.room import Text


class Slot(msgspec.Struct, frozen=True):
    """What is planned for a room at a moment. It holds from ``from_ms`` until ``until_ms``."""

    is_open: bool
    from_ms: int | None = None  # None: as far as is known, ever since
    until_ms: int | None = None  # None: no change is planned
    purpose: str | None = None  # an id of the configuration
    name: Name | None = None  # what people call the purpose
    limit: int | None = None  # how many people this purpose allows; None: the room's capacity
    reasons: tuple[Text, ...] = ()  # why it is closed, or what is not known yet


class Schedule(Protocol):
    def slot(self, room: str, at_ms: int) -> Slot:
        """What is planned then. The same question always has the same answer until an edit."""


OPEN = Slot(is_open=True)


class AlwaysOpen:
    """A centre without a timetable."""

    def slot(self, room: str, at_ms: int) -> Slot:
        return OPEN
