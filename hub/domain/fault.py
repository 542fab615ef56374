"""What is broken, who must know of it, and what is done about it.

    Finding (a detector's word)  >  Fault (a fact)  >  Alert (attention)  >  WorkOrder (labour)

Sentences are codes: ``fault.<kind>`` says what it is, ``fault.<kind>.effect`` what it means for
people, ``.cause`` what is likely behind it, ``.check`` what to look at first, ``.remedy`` what
mends it. All take the finding's evidence as parameters.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.domain.room import Params


class FaultKind(StrEnum):
    """What can be wrong. The table in ``hub/faults/kinds.py`` says how much it matters."""

    SILENT = "silent"  # it speaks no more, against its own rhythm
    NEVER_HEARD = "never_heard"  # it is configured, and has not spoken yet
    GARBLED = "garbled"  # much of what it sends cannot be read
    BATTERY_LOW = "battery_low"  # it asks for a battery, or will soon
    BATTERY_DEAD = "battery_dead"  # it fell silent with an empty battery
    WEAK_LINK = "weak_link"  # its radio is heard badly
    STUCK = "stuck"  # it goes on saying the same while its world moves
    STUCK_ON = "stuck_on"  # open, or somebody seen, all the time the house is shut
    FLAPPING = "flapping"  # one thing and the other, every few seconds
    OUT_OF_RANGE = "out_of_range"  # values that cannot be
    JUMP = "jump"  # a step that its quantity cannot make
    DOOR_CONTRADICTED = "door_contradicted"  # it says shut, and people pass
    SENSORS_DISAGREE = "sensors_disagree"  # one sees somebody, the other never
    COUNTER_IMBALANCE = "counter_imbalance"  # many more in than out, or the other way
    CLOCK_WRONG = "clock_wrong"  # the device's own clock
    DEVICE_ERROR = "device_error"  # it reports an error of its own
    LINK_DOWN = "link_down"  # a serial adapter
    USB_DOWN = "usb_down"  # several adapters at once
    GATEWAY_DOWN = "gateway_down"  # a convention's bridge
    BROKER_DOWN = "broker_down"
    HUB_OVERLOADED = "hub_overloaded"
    DRIFT = "drift"  # it moves away from its neighbours
    NOISE = "noise"  # it shakes more than it used to
    DUPLICATE = "duplicate"  # two devices speak under one name
    TAMPER = "tamper"  # its housing was opened


class Severity(StrEnum):
    """Priorities as in ISA-18.2; what is urgent reaches somebody at night."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"

    @property
    def rank(self) -> int:
        """The larger, the more it matters."""
        return list(Severity).index(self)


class SubjectKind(StrEnum):
    DEVICE = "device"
    LINK = "link"  # a port, the broker, or a convention's bridge
    HUB = "hub"


class Subject(msgspec.Struct, frozen=True, order=True):
    """What is broken; ``channel`` with its part ("contact.di1") where only that is."""

    kind: SubjectKind
    id: str
    channel: str = ""


class Finding(msgspec.Struct, frozen=True):
    """What a detector says, each time its mind changes. ``since_ms``: when it began, not when it
    was found. ``evidence`` holds figures and ids; never a value of a personal channel."""

    subject: Subject
    kind: FaultKind
    is_on: bool
    at_ms: int
    since_ms: int
    evidence: Params = {}


class Fault(msgspec.Struct, frozen=True):
    """A fact with a beginning and an end. ``parent``: the fault that explains it."""

    id: int
    subject: Subject
    kind: FaultKind
    severity: Severity
    room: str | None
    since_ms: int
    found_ms: int
    last_seen_ms: int
    evidence: Params = {}
    parent: int | None = None
    cleared_ms: int | None = None
    is_drill: bool = False

    @property
    def device(self) -> str | None:
        return self.subject.id if self.subject.kind is SubjectKind.DEVICE else None


class AlertState(StrEnum):
    """As in ISA-18.2. A shelved alert comes back by itself; a cleared one is over."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    CLEARED = "cleared"


class Alert(msgspec.Struct, frozen=True):
    """One cause that somebody must know of, with everything it explains.

    ``rooms_blinded``: rooms that nothing else can tell of now. ``unstable``: how often it came and
    went lately; such an alert stays until it is quiet for long. ``merged_into``: the alert of the
    cause that was found a moment later; then this one is over, and what it said goes on there.
    """

    id: int
    fault: int
    kind: FaultKind
    subject: Subject
    state: AlertState
    severity: Severity
    room: str | None
    rooms_blinded: tuple[str, ...]
    devices: tuple[str, ...]  # those it explains, its own subject included
    raised_ms: int
    evidence: Params = {}
    unstable: int = 0
    acknowledged_ms: int | None = None
    acknowledged_by: str | None = None
    assignee: str | None = None
    shelved_until_ms: int | None = None
    cleared_ms: int | None = None
    is_drill: bool = False
    merged_into: int | None = None

    @property
    def device(self) -> str | None:
        return self.subject.id if self.subject.kind is SubjectKind.DEVICE else None

    @property
    def is_open(self) -> bool:
        return self.state is not AlertState.CLEARED
