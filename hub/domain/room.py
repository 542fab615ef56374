"""What the hub says of a room, and the words it says it in."""

from __future__ import annotations

from enum import StrEnum

import msgspec

Params = dict[str, str | int | float]


class Status(StrEnum):
    """By precedence; ``unknown`` is an honest answer, not an error."""

    CLOSED = "closed"
    FULL = "full"
    IN_USE = "in_use"
    FREE = "free"
    UNKNOWN = "unknown"


class Presence(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Crowding(StrEnum):
    """Under half, under four fifths, or more of the capacity."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Text(msgspec.Struct, frozen=True, gc=False):
    """A sentence as a code with parameters; it is rendered at the border, in a language."""

    code: str
    params: Params = {}


class People(msgspec.Struct, frozen=True, gc=False):
    """How many, and between which bounds."""

    low: int
    estimate: int
    high: int


class OverrideKind(StrEnum):
    """What staff may say of a room."""

    CLOSED = "closed"  # nobody may use it until the end
    LOOKED = "looked"  # somebody looked: empty, or so many people


class Override(msgspec.Struct, frozen=True):
    """What a person says of a room: evidence with an author, a reason and an end."""

    id: int
    room: str
    kind: OverrideKind
    people: int | None  # LOOKED: how many were seen; 0 is empty
    reason: str
    author: str
    from_ms: int
    until_ms: int  # it ends by itself then
    ended_ms: int | None = None  # it was taken back before


class ZoneState(msgspec.Struct, frozen=True, gc=False):
    """An open bay inside a room."""

    id: str
    status: Status
    presence: Presence
    people: People | None = None


class RoomState(msgspec.Struct, frozen=True, gc=False):
    """The answer to "is it free?", why, since when and until when it holds without new evidence."""

    room: str
    status: Status
    presence: Presence
    crowding: Crowding | None
    people: People | None
    confidence: float | None
    since_ms: int
    as_of_ms: int
    valid_until_ms: int | None
    reasons: tuple[Text, ...]
    zones: tuple[ZoneState, ...] = ()
    purpose: str | None = None  # what the timetable plans now
    override: int | None = None  # the id of what staff said, where it was heeded
