"""Faults and alerts as ``/api/v1`` says them: codes for programs, sentences for people."""

from __future__ import annotations

import msgspec

from hub.api.documents import Moment, rfc3339
from hub.domain.centre import Centre
from hub.domain.fault import Alert, AlertState, Fault, FaultKind, Severity, SubjectKind
from hub.telling import effect, sentence, subject_name


class FaultDocument(msgspec.Struct):
    """A fact. ``parent``: the fault that explains it; ``link``: a port, a gateway, the broker."""

    id: int
    kind: FaultKind
    device: str | None
    link: str | None
    channel: str
    room: str | None
    severity: Severity
    since: Moment
    last_seen: Moment
    parent: int | None
    evidence: dict[str, str | int | float]
    cleared_at: Moment | None
    is_drill: bool
    text: str


class AlertDocument(msgspec.Struct):
    """One cause that somebody must know of. ``devices`` are all that it explains.

    ``rooms_blinded``: nothing else can tell of them now. ``unstable``: how often it came and went.
    ``merged_into``: the alert of the cause that was found a moment later.
    """

    id: int
    fault: int
    kind: FaultKind
    state: AlertState
    severity: Severity
    device: str | None
    link: str | None
    room: str | None
    rooms_blinded: list[str]
    devices: list[str]
    raised_at: Moment
    acknowledged_at: Moment | None
    acknowledged_by: str | None
    assignee: str | None
    shelved_until: Moment | None
    cleared_at: Moment | None
    merged_into: int | None
    unstable: int
    evidence: dict[str, str | int | float]
    is_drill: bool
    text: str
    effect: str
    cause: str
    check: str
    remedy: str


def fault_document(fault: Fault, language: str) -> FaultDocument:
    return FaultDocument(
        id=fault.id,
        kind=fault.kind,
        device=fault.device,
        link=_link(fault),
        channel=fault.subject.channel,
        room=fault.room,
        severity=fault.severity,
        since=rfc3339(fault.since_ms),
        last_seen=rfc3339(fault.last_seen_ms),
        parent=fault.parent,
        evidence=fault.evidence,
        cleared_at=_moment(fault.cleared_ms),
        is_drill=fault.is_drill,
        text=sentence(fault, language),
    )


def alert_document(alert: Alert, centre: Centre, language: str) -> AlertDocument:
    return AlertDocument(
        id=alert.id,
        fault=alert.fault,
        kind=alert.kind,
        state=alert.state,
        severity=alert.severity,
        device=alert.device,
        link=_link(alert),
        room=alert.room,
        rooms_blinded=list(alert.rooms_blinded),
        devices=list(alert.devices),
        raised_at=rfc3339(alert.raised_ms),
        acknowledged_at=_moment(alert.acknowledged_ms),
        acknowledged_by=alert.acknowledged_by,
        assignee=alert.assignee,
        shelved_until=_moment(alert.shelved_until_ms),
        cleared_at=_moment(alert.cleared_ms),
        merged_into=alert.merged_into,
        unstable=alert.unstable,
        evidence=alert.evidence,
        is_drill=alert.is_drill,
        text=sentence(alert, language),
        effect=effect(alert, alert.rooms_blinded, centre, language),
        cause=sentence(alert, language, ".cause"),
        check=sentence(alert, language, ".check"),
        remedy=sentence(alert, language, ".remedy"),
    )


def _link(thing: Fault | Alert) -> str | None:
    return subject_name(thing) if thing.subject.kind is SubjectKind.LINK else None


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
