"""What pages and routes of one subject may ask of the others, as protocols.

Subjects never import each other; ``hub/run.py`` hands each one what it needs in these shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from hub.domain.centre import Centre, Room
from hub.domain.device import DeviceState, Health
from hub.domain.fault import Alert, AlertState, Fault
from hub.domain.opening import Slot
from hub.domain.room import RoomState, Status, Text
from hub.domain.work import WorkOrder


class RoomStep(msgspec.Struct, frozen=True):
    """A stretch of one status. Time that no step covers is a gap: the hub was down."""

    from_ms: int
    to_ms: int
    status: Status
    people: int | None = None


class StorageState(msgspec.Struct, frozen=True):
    """Can we write? ``failing_since_ms`` is None while all is well."""

    failing_since_ms: int | None = None
    in_memory: int = 0  # changes that wait for the disk
    lost: int = 0  # changes dropped because memory was full too, since the start


class CopyState(msgspec.Struct, frozen=True):
    """Another place that has the history. ``last_ms``: when it last worked; None: never."""

    kind: str  # mirror or backup
    name: str
    last_ms: int | None = None
    trouble: Text | None = None
    """Why it does not get on; None while it works."""
    needs_people: bool = False
    """Somebody has to change something; it does not mend itself."""


class RoomsView(Protocol):
    @property
    def centre(self) -> Centre: ...

    def rooms(self) -> Sequence[Room]: ...

    def state(self, room: str) -> RoomState: ...

    def states(self) -> Sequence[RoomState]: ...

    def slot(self, room: str) -> Slot:
        """What is planned for it now."""

    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]: ...


class DevicesView(Protocol):
    def devices(self) -> Sequence[DeviceState]: ...

    def device(self, device: str) -> DeviceState: ...

    def counts(self) -> dict[Health, int]: ...

    def in_room(self, room: str) -> Sequence[DeviceState]: ...


class HubView(Protocol):
    """What a page's frame shows of the hub itself."""

    def now_ms(self) -> int: ...

    def speed(self) -> float: ...

    def is_time_trusted(self) -> bool:
        """False while nobody has set the machine's clock since it was switched on."""

    def storage(self) -> StorageState: ...

    def copies(self) -> Sequence[CopyState]:
        """Mirrors and backups."""

    def unknown_year(self) -> int | None:
        """This or the coming year, where nobody knows its holidays yet."""

    def alerts(self) -> int:
        """How many nobody has taken care of."""

    def links_down(self) -> Mapping[str, str]:
        """Port, broker or gateway to the code of why it is lost."""


class FaultsView(Protocol):
    """What is broken now. ``hub/faults`` answers."""

    def fault(self, number: int) -> Fault:
        """An open one. Raises NotFoundError."""

    def faults(self) -> Sequence[Fault]:
        """All that are open, those explained by another included; newest first."""

    def alert(self, number: int) -> Alert:
        """Also one that is over, for as long as it is remembered. Raises NotFoundError."""

    def alerts(self) -> Sequence[Alert]:
        """All that are open, gravest consequence first."""

    def counts(self) -> Mapping[AlertState, int]: ...

    def of_device(self, device: str) -> Sequence[Fault]: ...

    def in_room(self, room: str) -> Sequence[Alert]:
        """Those that concern a room, or blind it."""


class OrdersView(Protocol):
    """Work orders. ``hub/maintenance`` answers."""

    def of_alert(self, alert: int) -> WorkOrder | None: ...

    def open(self) -> Sequence[WorkOrder]: ...
