"""Labour: who mends what until when, and how the sensor proves that it is mended."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from hub.domain.fault import FaultKind, Subject
from hub.domain.room import Params


class OrderState(StrEnum):
    """``done`` is what a person says; ``verified`` is what the sensor says."""

    OPEN = "open"
    DONE = "done"
    VERIFIED = "verified"
    CANCELLED = "cancelled"


class ProofKind(StrEnum):
    REPORTS = "reports"  # so many good reports of the repaired channel
    SELF_TEST = "self_test"  # somebody opens and shuts the door, walks in, walks out
    PERSON = "person"  # nothing of it can be measured: a second look by a person


class Proof(msgspec.Struct, frozen=True):
    """What must be seen after ``done``, and how far it is. ``seen`` of ``wanted`` steps."""

    kind: ProofKind
    wanted: int
    seen: int = 0
    next: str = ""  # code of what to do now, for a self-test
    since_ms: int | None = None
    proven_ms: int | None = None


class OrderEntry(msgspec.Struct, frozen=True):
    """One line of an order's history. ``what`` is a code, ``note`` is what a person typed."""

    at_ms: int
    who: str
    what: str
    note: str = ""


class WorkOrder(msgspec.Struct, frozen=True):
    """``held`` is None until it is known whether the repair lasted 14 days."""

    id: int
    state: OrderState
    alerts: tuple[int, ...]
    kind: FaultKind | None  # None: a person reported something else
    device: str | None
    room: str | None
    title: str  # what a person wrote; empty where the kind says it
    assignee: str | None
    due_ms: int | None
    created_ms: int
    created_by: str
    proof: Proof | None = None
    done_ms: int | None = None
    verified_ms: int | None = None
    reopened: int = 0
    held: bool | None = None
    report: int | None = None
    history: tuple[OrderEntry, ...] = ()
    is_drill: bool = False
    subject: Subject | None = None  # what is to be mended, where a fault said it
    evidence: Params = {}  # as it was when the order was made
