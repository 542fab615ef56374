"""What one transaction carries, from the event loop to the writer's thread."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.reading import Delivery, Receipt
from hub.domain.mark import Mark
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.outbox import MirrorCursor
from hub.store.packing import RoomRow
from hub.store.restamp import Boot
from hub.store.rollup import HourRow

FAR_MS = 2**62


@dataclass(slots=True)
class Group:
    """Changes that are committed together. After ``seal`` only the writer's thread reads it."""

    id: int
    due_ms: int = FAR_MS
    changes: list[Change] = field(default_factory=list)
    rooms: list[RoomRow] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    receipts: list[Receipt] = field(default_factory=list)
    extra_keys: dict[int, SeriesKey] = field(default_factory=dict)
    """Keys that no change of the group carries: rooms, and series whose changes were lost."""
    deliveries: tuple[Delivery, ...] = ()
    confirmed: int = 0
    saved_ms: int = 0
    checkpoint: bytes | None = None
    pulse: bytes | None = None
    hours: list[HourRow] = field(default_factory=list)
    boot: Boot | None = None
    """The machine's boot in which it was made, if its time was not trusted at first."""
    mirrors: dict[str, MirrorCursor] = field(default_factory=dict)
    wear: list[tuple[int, str, int]] = field(default_factory=list)
    """Day, purpose and bytes, as totals of their days."""

    @property
    def is_empty(self) -> bool:
        rows = self.changes or self.rooms or self.marks
        return not (rows or self.receipts or self.checkpoint or self.pulse)

    @property
    def size(self) -> int:
        """What waits for the disk in it."""
        return len(self.changes) + len(self.rooms) + len(self.marks)

    def seal(self, now_ms: int, confirmed: int) -> None:
        """Nothing joins it any more."""
        self.saved_ms, self.confirmed = now_ms, confirmed
        deliveries = (receipt.delivery for receipt in self.receipts)
        self.deliveries = tuple(delivery for delivery in deliveries if delivery is not None)
