"""What travels on the bus."""

from __future__ import annotations

import msgspec

from edge.reading import Reading
from hub.domain.device import Health
from hub.domain.fault import Alert, Fault, FaultKind
from hub.domain.room import RoomState
from hub.domain.work import WorkOrder


class Heard(msgspec.Struct, frozen=True, gc=False):
    """A device said something. ``changed``: at least one of its channels has a new value.

    ``said_ms``: what time it is by its own clock, where it says that.
    """

    device: str
    readings: tuple[Reading, ...]
    at_ms: int
    is_live: bool
    changed: bool
    said_ms: int | None = None


class LinkChanged(msgspec.Struct, frozen=True):
    """A port, a broker or a convention's own bridge went down or came back."""

    name: str
    devices: frozenset[str]
    up: bool
    why: str
    is_parent: bool
    at_ms: int


class FrameDiscarded(msgspec.Struct, frozen=True, gc=False):
    """Bytes of a device that could not be read; ``reason`` is the discard's own code."""

    device: str
    at_ms: int
    reason: str = "noise"


class RoomChanged(msgspec.Struct, frozen=True):
    """What we say of a room is different now."""

    state: RoomState


class RoomAged(msgspec.Struct, frozen=True):
    """We say the same of a room, by older evidence than before: what was newer is spoilt."""

    room: str


class CounterZeroed(msgspec.Struct, frozen=True):
    """A room was proven empty by others, so its people counters begin at zero again."""

    room: str
    devices: tuple[str, ...]
    off_by: int  # how many too many they had counted inside; negative: too few
    crossings: int  # how often somebody had passed since they were last right
    proof: str  # code of the reason that proved the room empty
    at_ms: int


class HealthChanged(msgspec.Struct, frozen=True, gc=False):
    """A device became well, faulty or silent."""

    device: str
    health: Health
    at_ms: int


class DeviceChanged(msgspec.Struct, frozen=True, gc=False):
    """A channel or the health of a device is different now."""

    device: str


class OverrideChanged(msgspec.Struct, frozen=True):
    """Staff said something of a room, or took it back."""

    room: str
    at_ms: int


class ScheduleChanged(msgspec.Struct, frozen=True):
    """The timetable of today or later was edited."""

    at_ms: int


class ClockChanged(msgspec.Struct, frozen=True):
    """The machine's time was set by more than 2 s, or is trusted now.

    While it is not trusted our clock does not follow it. ``moved_from_ms`` is there when it became
    trusted: times that our clock said from then on are moved by the shift, wherever they are kept.
    """

    shift_ms: int
    is_trusted: bool
    at_ms: int
    moved_from_ms: int | None = None


class FaultChanged(msgspec.Struct, frozen=True):
    """A fault was found, is explained by another one now, or is over."""

    fault: Fault


class AlertChanged(msgspec.Struct, frozen=True):
    """An alert was raised, or changed. ``before`` is None for a new one.

    It is told only once it is kept, so whoever is called by it can look it up.
    """

    alert: Alert
    before: Alert | None


class OrderChanged(msgspec.Struct, frozen=True):
    """A work order was made, or changed. ``before`` is None for a new one."""

    order: WorkOrder
    before: WorkOrder | None


class DeviceReplaced(msgspec.Struct, frozen=True):
    """Another device goes by this id from now on: what was learnt of the old one is void."""

    device: str
    at_ms: int


class AcknowledgeWanted(msgspec.Struct, frozen=True):
    """Somebody says that he takes care of an alert, on another way than its page."""

    alert: int
    who: str
    at_ms: int


class DrillWanted(msgspec.Struct, frozen=True):
    """Let a marked fault that is none go the whole way. ``number`` comes back in its evidence."""

    number: int
    kind: FaultKind
    at_ms: int


class EmptyProven(msgspec.Struct, frozen=True):
    """A whole night without anybody: the room was empty, so its counters may begin at zero."""

    room: str
    since_ms: int
    at_ms: int
