"""How a sensor proves that it was mended. Pure.

    plan    what to watch, made from the kind of fault, its subject, and what the device says
    Watch   takes live reports, and says how far it is and when to look again

Three ways: so many good reports over at least some time; a self-test, which somebody walks through
at the door; a wire that stays up. Only what no sensor can show is believed to a person.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from edge.reading import Reading
from hub.domain.events import Heard
from hub.domain.fault import FaultKind, SubjectKind
from hub.domain.work import Proof, ProofKind, WorkOrder

MINUTE_MS = 60_000
AT_LEAST_MS: Mapping[FaultKind, int] = {
    FaultKind.GARBLED: 10 * MINUTE_MS,
    FaultKind.WEAK_LINK: 30 * MINUTE_MS,
    FaultKind.OUT_OF_RANGE: 5 * MINUTE_MS,
    FaultKind.DEVICE_ERROR: 5 * MINUTE_MS,
    FaultKind.STUCK: 10 * MINUTE_MS,
    FaultKind.JUMP: 10 * MINUTE_MS,
    FaultKind.DRIFT: 60 * MINUTE_MS,
    FaultKind.NOISE: 60 * MINUTE_MS,
}
"""Several good reports may come in one second; of these kinds they must come over so long."""
SHORTEST_MS = 30_000
UP_MIN = 10
"""A wire proves itself by staying up for so many minutes."""
STAY_MS = 15_000
"""How long somebody stands still before a radar."""
FULL = 50.0
"""A battery that says at least so many percent was changed."""
CLOCK_OFF_MS = 5 * MINUTE_MS


class Want(NamedTuple):
    """What the table of faults asks of a kind."""

    kind: ProofKind
    reports: int


class Step(NamedTuple):
    """One step of a self-test. ``move``: what the channel must do: be 1 or 0, or go up or down
    against what it was when the step began; ``stay``: remain as it is for a while."""

    code: str
    move: str


OPEN_SHUT = (Step("open_door", "1"), Step("shut_door", "0"))
IN_OUT = (Step("walk_in", "1"), Step("walk_out", "0"))
IN_STAY_OUT = (Step("walk_in", "1"), Step("stand_still", "stay"), Step("walk_out", "0"))
COUNTED = (Step("walk_in", "up"), Step("walk_out", "down"))
PASSED_IN = (Step("walk_in", "up"),)
PASSED_OUT = (Step("walk_out", "up"),)
TESTS: Mapping[str, tuple[Step, ...]] = {
    "contact": OPEN_SHUT,
    "motion": IN_OUT,
    "presence": IN_STAY_OUT,
    "occupancy": IN_OUT,
    "people.count": COUNTED,
    "people.in": PASSED_IN,
    "people.out": PASSED_OUT,
}
"""By channel; the order is that of preference where a device has several."""

_ABOUT: Mapping[FaultKind, frozenset[str]] = {
    FaultKind.BATTERY_LOW: frozenset({"battery.level", "battery.low"}),
    FaultKind.WEAK_LINK: frozenset({"link.quality", "link.rssi"}),
}
"""What speaks of a matter that no channel of its own is named for."""
_SPEECH = frozenset(
    {FaultKind.SILENT, FaultKind.NEVER_HEARD, FaultKind.BATTERY_DEAD, FaultKind.GARBLED}
)
"""That it speaks, and can be read, is the proof, whatever else is wrong with what it says."""


class Plan(NamedTuple):
    """``channel``: as "contact.di1"; empty for any channel of the device."""

    kind: ProofKind
    channel: str
    wanted: int
    at_least_ms: int
    steps: tuple[Step, ...] = ()
    is_link: bool = False


def plan(order: WorkOrder, want: Want | None, channels: frozenset[str]) -> Plan:
    """``channels``: what the device is known to say, with parts ("contact.di1").

    >>> from hub.domain.fault import Subject
    >>> from hub.domain.work import OrderState
    >>> door = Subject(SubjectKind.DEVICE, "door", "contact")
    >>> order = WorkOrder(1, OrderState.OPEN, (), FaultKind.STUCK_ON, "door", None, "", None, None,
    ...     0, "", subject=door)
    >>> [step.code for step in plan(order, Want(ProofKind.SELF_TEST, 2), frozenset()).steps]
    ['open_door', 'shut_door']
    """
    subject, kind = order.subject, order.kind
    if want is None or subject is None or kind is None or want.kind is ProofKind.PERSON:
        return Plan(ProofKind.PERSON, "", 1, 0)
    if subject.kind is not SubjectKind.DEVICE:
        return Plan(ProofKind.REPORTS, "", UP_MIN, 0, is_link=True)
    if want.kind is ProofKind.SELF_TEST:
        channel = subject.channel or _tested(channels)
        steps = TESTS.get(_base(channel), ())
        if steps:
            return Plan(ProofKind.SELF_TEST, channel, len(steps), 0, steps)
    least = AT_LEAST_MS.get(kind, SHORTEST_MS)
    wanted = 1 if kind is FaultKind.BATTERY_LOW else want.reports
    return Plan(ProofKind.REPORTS, subject.channel, wanted, least)


def begun(wish: Plan, now_ms: int) -> Proof:
    first = wish.steps[0].code if wish.steps else ""
    return Proof(wish.kind, wish.wanted, 0, first, now_ms)


class Watch:
    """The proof of one order while it is awaited. ``proof`` is how far it is."""

    def __init__(self, order: WorkOrder, wish: Plan, *, is_standing: bool) -> None:
        self.order = order.id
        self.subject = order.subject
        self.proof = order.proof or begun(wish, order.done_ms or order.created_ms)
        self.is_standing = is_standing
        self._kind = order.kind
        self._plan = wish
        self._last: float | None = None  # what the channel said last
        self._step_ms: int | None = None  # since when the step before is fulfilled

    def stand(self, *, is_standing: bool, now_ms: int) -> None:
        """The fault is there, or over. What was seen before it was over proves nothing."""
        if is_standing is self.is_standing:
            return
        self.is_standing = is_standing
        self._restart(now_ms)

    def begin_anew(self, now_ms: int) -> None:
        """The hub was off: a wire that nobody watched meanwhile was up for nobody."""
        if self._plan.is_link:
            self._restart(now_ms)

    def hear(self, event: Heard) -> None:
        """A report of the device. Only what is heard live proves anything."""
        if not event.is_live or self.is_standing or self._plan.kind is ProofKind.PERSON:
            return
        if self._plan.is_link or event.at_ms < (self.proof.since_ms or 0):
            return
        if self._plan.steps:
            for reading in self._watched(event):
                self._walk(reading, event.at_ms)
            return
        for is_good in self._judged(event):
            if not is_good:
                self._restart(event.at_ms)
                return
            if self.proof.seen < self.proof.wanted:
                self.proof = replace(self.proof, seen=self.proof.seen + 1)

    def advance(self, now_ms: int) -> None:
        """Time passed: a wire is up longer, somebody has stood still long enough."""
        if self.is_standing:
            return
        if self._plan.is_link:
            up_min = max(now_ms - (self.proof.since_ms or now_ms), 0) // MINUTE_MS
            self.proof = replace(self.proof, seen=min(up_min, self.proof.wanted))
        elif self._is_staying and self._stayed(now_ms):
            self._next_step(now_ms)

    def is_proven(self, now_ms: int) -> bool:
        """The hub has seen enough, and the fault is not there."""
        proof = self.proof
        return (
            self._plan.kind is not ProofKind.PERSON
            and not self.is_standing
            and proof.seen >= proof.wanted
            and now_ms >= (proof.since_ms or 0) + self._plan.at_least_ms
        )

    @property
    def due_ms(self) -> int | None:
        """When time alone may bring it further."""
        proof = self.proof
        if self.is_standing or self._plan.kind is ProofKind.PERSON:
            return None
        since_ms = proof.since_ms or 0
        if self._plan.is_link:
            return since_ms + (proof.seen + 1) * MINUTE_MS
        if self._is_staying and self._step_ms is not None:
            return self._step_ms + STAY_MS
        return since_ms + self._plan.at_least_ms if proof.seen >= proof.wanted else None

    @property
    def ready_ms(self) -> int | None:
        """The earliest moment of its proof, where it takes a while."""
        if self.is_standing or not self._plan.at_least_ms:
            return None
        return (self.proof.since_ms or 0) + self._plan.at_least_ms

    @property
    def steps(self) -> tuple[str, ...]:
        """Codes of the self-test, where it is one."""
        return tuple(step.code for step in self._plan.steps)

    @property
    def listens(self) -> bool:
        """Whether reports of the device bring it further."""
        return self._plan.kind is not ProofKind.PERSON and not self._plan.is_link

    # --- inside ---------------------------------------------------------------------------------

    def _restart(self, now_ms: int) -> None:
        self._last = self._step_ms = None
        first = self._plan.steps[0].code if self._plan.steps else ""
        self.proof = replace(self.proof, seen=0, next=first, since_ms=now_ms)

    def _watched(self, event: Heard) -> Iterator[Reading]:
        """What the proof is about; with ``REPORTS`` of a whole device, all that it says."""
        channel = self._plan.channel
        for reading in event.readings:
            if not reading.is_live:
                continue
            if not channel or _name(reading) == channel or reading.channel == channel:
                yield reading

    def _judged(self, event: Heard) -> Iterator[bool]:
        """One verdict a report, or none where it says nothing of the matter."""
        kind = self._kind
        if kind is FaultKind.CLOCK_WRONG:
            if event.said_ms is not None:
                yield abs(event.said_ms - event.at_ms) <= CLOCK_OFF_MS
            return
        about = _ABOUT.get(kind) if kind is not None else None
        found = [one for one in self._watched(event) if about is None or one.channel in about]
        if kind is FaultKind.STUCK:
            yield from (True for reading in found if self._moves(reading))
        elif found and kind in _SPEECH:
            yield True
        elif found:
            is_good = _is_full if kind is FaultKind.BATTERY_LOW else _is_good
            yield all(map(is_good, found))

    def _moves(self, reading: Reading) -> bool:
        """It says something else than the last time."""
        value = reading.value
        if reading.quality != "good" or not isinstance(value, int | float):
            return False
        before, self._last = self._last, float(value)
        return before is not None and before != value

    def _walk(self, reading: Reading, at_ms: int) -> None:
        value = reading.value
        if reading.quality != "good" or not isinstance(value, int | float):
            return
        before, self._last = self._last, float(value)
        if self._is_staying:
            self._watch_standing(value, at_ms)
        if self.proof.seen < self.proof.wanted and _is_done(
            self._plan.steps[self.proof.seen].move, value, before
        ):
            self._next_step(at_ms)

    def _watch_standing(self, value: float, at_ms: int) -> None:
        """Whoever stands still was lost too early: from the beginning."""
        if self._stayed(at_ms):
            self._next_step(at_ms)
        elif value == 0:
            self._restart(at_ms)

    @property
    def _is_staying(self) -> bool:
        at, steps = self.proof.seen, self._plan.steps
        return at < len(steps) and steps[at].move == "stay"

    def _stayed(self, now_ms: int) -> bool:
        if self._step_ms is None:  # the hub was started in between: it begins to wait anew
            self._step_ms = now_ms
        return now_ms >= self._step_ms + STAY_MS

    def _next_step(self, at_ms: int) -> None:
        seen, steps = self.proof.seen + 1, self._plan.steps
        following = steps[seen].code if seen < len(steps) else ""
        self._step_ms = at_ms
        self.proof = replace(self.proof, seen=seen, next=following)


def _is_done(move: str, value: float, before: float | None) -> bool:
    if move in ("0", "1"):
        return value == int(move)
    if before is None or move == "stay":
        return False
    return value > before if move == "up" else value < before


def _is_good(reading: Reading) -> bool:
    return reading.quality == "good"


def _is_full(reading: Reading) -> bool:
    value = reading.value
    if reading.quality != "good" or not isinstance(value, int | float):
        return False
    return value == 0 if reading.channel == "battery.low" else value >= FULL


def _tested(channels: frozenset[str]) -> str:
    """The channel that a self-test goes by, where the fault names none."""
    found = (name for base in TESTS for name in sorted(channels) if _base(name) == base)
    return next(found, "")


def _base(channel: str) -> str:
    """
    >>> _base("contact.di1"), _base("people.count"), _base("")
    ('contact', 'people.count', '')
    """
    return channel if channel in TESTS else channel.rpartition(".")[0]


def _name(reading: Reading) -> str:
    return f"{reading.channel}.{reading.part}" if reading.part else reading.channel
