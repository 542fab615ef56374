"""Truth against what was said, exact to the millisecond."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from hub.domain.room import RoomState, Status

OCCUPIED = (Status.IN_USE, Status.FULL)
CONFIDENCES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.999)
WORST = 12


@dataclass(frozen=True)
class Lie:
    """A time in which a room with people in it was called free."""

    from_ms: int
    lasted_ms: int
    reasons: tuple[str, ...]


@dataclass
class Tally:
    """Sums of one room, or of many: it adds up, also across processes."""

    ms: Counter[tuple[bool, Status]] = field(default_factory=Counter)
    exposed_ms: int = 0  # free while occupied, within the time a failure is allowed to show
    stated: Counter[tuple[Status, float | None]] = field(default_factory=Counter)
    right: Counter[tuple[Status, float | None]] = field(default_factory=Counter)
    weighed: Counter[tuple[Status, float | None]] = field(default_factory=Counter)
    entering_ms: list[int] = field(default_factory=list)
    leaving_ms: list[int] = field(default_factory=list)
    visits: int = 0
    leavings: int = 0
    strikes: int = 0  # failures that began
    lies: list[Lie] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.ms += other.ms
        self.exposed_ms += other.exposed_ms
        self.stated += other.stated
        self.right += other.right
        self.weighed += other.weighed
        self.entering_ms += other.entering_ms
        self.leaving_ms += other.leaving_ms
        self.visits += other.visits
        self.leavings += other.leavings
        self.strikes += other.strikes
        self.lies = sorted(self.lies + other.lies, key=lambda lie: -lie.lasted_ms)[:WORST]

    @property
    def total_ms(self) -> int:
        return self.ms.total()

    def said(self, status: Status, *, occupied: bool) -> int:
        return self.ms[occupied, status]

    @property
    def lied_ms(self) -> int:
        """Free while occupied, apart from what was exposed."""
        return self.ms[True, Status.FREE] - self.exposed_ms

    def unknown_share(self) -> float:
        unknown = self.ms[True, Status.UNKNOWN] + self.ms[False, Status.UNKNOWN]
        return unknown / self.total_ms if self.total_ms else 0.0

    def lied_share(self) -> float:
        return self.lied_ms / self.total_ms if self.total_ms else 0.0


class Scorer:
    """One room over time. Every change is told at its moment; nothing is sampled."""

    def __init__(self, from_ms: int, state: RoomState) -> None:
        """What happens before ``from_ms`` is seen and does not count."""
        self.tally = Tally()
        self.occupied = False
        self.state = state
        self.exposed_until_ms = 0
        self.late_ms = 0  # so long nobody can know of who enters
        self._from_ms = self._at_ms = from_ms
        self._entered_ms: int | None = None
        self._left_ms: int | None = None
        self._lie: tuple[int, tuple[str, ...]] | None = None

    def enter(self, now_ms: int) -> None:
        """Somebody is there now."""
        self._pass(now_ms)
        self.occupied = True
        if self.late_ms:
            self.exposed_until_ms = max(self.exposed_until_ms, now_ms + self.late_ms)
        if now_ms < self._from_ms:
            return
        self.tally.visits += 1
        self._entered_ms, self._left_ms = now_ms, None
        self._notice(now_ms)

    def empty(self, now_ms: int) -> None:
        """The last one has left."""
        self._pass(now_ms)
        self.occupied = False
        if now_ms < self._from_ms:
            return
        self.tally.leavings += 1
        self._entered_ms, self._left_ms = None, now_ms
        self._notice(now_ms)

    def says(self, now_ms: int, state: RoomState) -> None:
        self._pass(now_ms)
        self.state = state
        self._notice(now_ms)

    def expose(self, now_ms: int, until_ms: int) -> None:
        """Something fails now; until then nobody can know."""
        self._pass(now_ms)
        self.tally.strikes += 1
        self.exposed_until_ms = max(self.exposed_until_ms, until_ms)

    def finish(self, now_ms: int) -> Tally:
        self._pass(now_ms)
        self._end_lie(now_ms)
        return self.tally

    def _notice(self, now_ms: int) -> None:
        status = self.state.status
        if self._entered_ms is not None and status in OCCUPIED:
            self.tally.entering_ms.append(now_ms - self._entered_ms)
            self._entered_ms = None
        if self._left_ms is not None and status is Status.FREE:
            self.tally.leaving_ms.append(now_ms - self._left_ms)
            self._left_ms = None
        is_lying = self.occupied and status is Status.FREE
        if not is_lying:
            self._end_lie(now_ms)
        elif self._lie is None:
            self._lie = now_ms, tuple(reason.code for reason in self.state.reasons)

    def _end_lie(self, now_ms: int) -> None:
        counted_ms = max(self.exposed_until_ms, self._from_ms)
        if self._lie is not None and now_ms > max(self._lie[0], counted_ms):
            begun_ms, reasons = max(self._lie[0], self._from_ms), self._lie[1]
            self.tally.lies.append(Lie(begun_ms, now_ms - begun_ms, reasons))
        self._lie = None

    def _pass(self, now_ms: int) -> None:
        """What was true and said until now counts."""
        lasted_ms = now_ms - self._at_ms
        if lasted_ms <= 0:
            return
        tally, state = self.tally, self.state
        tally.ms[self.occupied, state.status] += lasted_ms
        if self.occupied and state.status is Status.FREE:
            tally.exposed_ms += max(min(now_ms, self.exposed_until_ms) - self._at_ms, 0)
        if state.status is not Status.UNKNOWN:
            self._weigh(state, lasted_ms)
        self._at_ms = now_ms

    def _weigh(self, state: RoomState, lasted_ms: int) -> None:
        key = state.status, _class_of(state.confidence)
        self.tally.stated[key] += lasted_ms
        if self.occupied is (state.status in OCCUPIED):
            self.tally.right[key] += lasted_ms
        self.tally.weighed[key] += round((state.confidence or 0) * lasted_ms)


def _class_of(confidence: float | None) -> float | None:
    """The lower bound of the class that a stated confidence falls in."""
    if confidence is None:
        return None
    return max((bound for bound in CONFIDENCES if bound <= confidence), default=0.0)
