"""What each sensor of a room has shown so far: the facts the rules judge.

A ``Witness`` remembers only what the truth table asks for: its last value, since when, when its
device last spoke, and the moments that matter (last motion, door last opened, door last moved).
It is fed readings in order and never looks at a clock.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from device_drivers.contract import Quality
from edge.reading import Reading


class Kind(StrEnum):
    """What a sensor can prove. ``occupancy`` does not say how it knows: it counts as motion."""

    RADAR = "radar"
    MOTION = "motion"
    DOOR = "door"
    COUNT = "count"


KIND_OF_CHANNEL = {
    "presence": Kind.RADAR,
    "motion": Kind.MOTION,
    "occupancy": Kind.MOTION,
    "contact": Kind.DOOR,
    "people.count": Kind.COUNT,
}


@dataclass(slots=True)
class Line:
    """What stands between a device and us, shared by all its witnesses."""

    device: str
    proof_within_ms: int
    silent_after_ms: int
    heard_ms: int | None = None  # last live word of the device itself, since this start
    proof_from_ms: int = 0  # older words prove nothing: the line was dead in between
    lost: dict[str, str] = field(default_factory=dict)  # link or parent that is down, to its code
    offline: bool = False  # its convention says it is gone
    is_faulty: bool = False  # what it says now may be noise; it proves nothing
    witnesses: list[Witness] = field(default_factory=list)
    trusted_ms: int = field(init=False)  # how long a word of this device counts as proof

    def __post_init__(self) -> None:
        self.trusted_ms = min(self.proof_within_ms, self.silent_after_ms)

    def is_fresh(self, at_ms: int) -> bool:
        """Did its last word still count at that moment?"""
        return (
            self.heard_ms is not None
            and not self.offline
            and not self.lost
            and self.heard_ms >= self.proof_from_ms
            and at_ms < self.heard_ms + self.trusted_ms
        )

    def hear(self, at_ms: int) -> None:
        """The device speaks. After a silence it may have missed something meanwhile."""
        if not self.is_fresh(at_ms):
            for witness in self.witnesses:
                witness.resume(at_ms)
        self.heard_ms = max(self.heard_ms or 0, at_ms)
        self.offline = False

    def lose(self, name: str, code: str) -> None:
        self.lost[name] = code

    def find_again(self, name: str, at_ms: int) -> None:
        """The link is back; what was said before it broke proves nothing any more."""
        if self.lost.pop(name, None) is not None:
            self.proof_from_ms = at_ms

    def forget(self) -> None:
        """The clock was set: moments before and after can not be compared."""
        self.heard_ms, self.proof_from_ms = None, 0
        for witness in self.witnesses:
            witness.forget()


@dataclass(slots=True)
class Witness:
    """One channel of one sensor, in one place."""

    line: Line
    kind: Kind
    place: str  # the door's id for a door, else the room's
    zone: str | None = None
    value: int | None = None  # None: the device gave none
    is_good: bool = False
    reason: str = "never_heard"
    is_live: bool = False  # heard since this start, not remembered by a broker or the store
    source: str = ""  # retained or queued, where it was only remembered
    since_ms: int = 0  # the value began
    first_live_ms: int | None = None  # from here on we know what we missed nothing of
    last_on_ms: int | None = None  # last motion or presence; door: last opening we saw
    moved_ms: int | None = None  # door: last change of either way
    crossings: int = 0  # counter: changes since it was last proven right
    zeroed: bool = False  # counter: proven right since this start

    def take(self, reading: Reading) -> bool:
        """Remember a reading; True if it says something else than was known.

        What is older than the running value teaches nothing.
        """
        at = reading.observed_ms
        if self.is_live and (not reading.is_live or at < self.since_ms):
            return False
        said = reading.value
        value = int(said) if isinstance(said, int | float) else None
        is_good = reading.quality is Quality.GOOD and value is not None
        if reading.is_live and is_good:
            self._note(value or 0, at)
        is_new = value != self.value or not self.since_ms
        if is_new:
            self.since_ms = at
        is_new |= is_good != self.is_good or reading.is_live != self.is_live
        self.value, self.is_good, self.reason = value, is_good, reading.reason
        self.is_live = reading.is_live
        self.source = "" if reading.is_live else reading.time_source.value
        return is_new

    def resume(self, at_ms: int) -> None:
        """It speaks again after a time in which it may have missed something: assume it did."""
        self.first_live_ms = at_ms
        if self.kind is Kind.DOOR:
            self.moved_ms = at_ms
        elif self.kind is Kind.RADAR:
            self.since_ms = at_ms
        elif self.kind is Kind.COUNT:
            self.zeroed, self.crossings = False, 0

    def forget(self) -> None:
        """Keep the value to show, and no moment of it."""
        self.is_live, self.source = False, ""
        self.since_ms = 0
        self.first_live_ms = self.last_on_ms = self.moved_ms = None
        self.zeroed, self.crossings = False, 0

    def _note(self, value: int, at: int) -> None:
        """Keep the moments of a good, live value."""
        was_known = self.is_live and self.is_good
        if self.first_live_ms is None:
            self.first_live_ms = at
        if self.kind is Kind.DOOR:
            if not was_known or value != self.value:
                # a value that was not known before may have changed just now: assume the worse
                self.moved_ms = at
                if was_known and value:
                    self.last_on_ms = at
        elif self.kind is Kind.COUNT:
            self.crossings += was_known and value != self.value
        elif value:
            self.last_on_ms = at


@dataclass(slots=True)
class Plan:
    """A room as the rules see it: its kind, its limit, its doors and its witnesses."""

    room: str
    kind: str
    capacity: int | None
    zones: tuple[str, ...] = ()
    doors: frozenset[str] = frozenset()  # named by `doors:`; empty: one implied door, perhaps
    lines: list[Line] = field(default_factory=list)  # every device placed here
    _by_kind: dict[Kind, list[Witness]] = field(default_factory=lambda: {k: [] for k in Kind})

    @property
    def witnesses(self) -> list[Witness]:
        return [witness for kind in Kind for witness in self._by_kind[kind]]

    def call(self, witness: Witness) -> None:
        """Add a witness."""
        self._by_kind[witness.kind].append(witness)

    def of(self, kind: Kind) -> list[Witness]:
        return self._by_kind[kind]

    @property
    def knows_all_doors(self) -> bool:
        """Each named door has a contact; without names, exactly one contact is the one door."""
        places = {w.place for w in self.of(Kind.DOOR)}
        return places >= self.doors if self.doors else len(places) == 1
