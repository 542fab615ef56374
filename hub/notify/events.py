"""What programs are told, as JSON: an alert or a work order as it is after a change.

What people typed is not in it, nor anything a person's card or cuff said. Texts are English.
"""

from __future__ import annotations

import hashlib

import msgspec

from hub import telling
from hub.api.documents import rfc3339
from hub.domain.centre import Centre
from hub.domain.fault import Alert
from hub.domain.work import WorkOrder

LANGUAGE = "en"


class AlertEvent(msgspec.Struct):
    """``event`` is ``alert.`` and the state: raised, acknowledged, shelved, cleared."""

    event: str
    centre: str
    id: int
    kind: str
    state: str
    severity: str
    device: str | None
    room: str | None
    rooms_blinded: list[str]
    raised_at: str
    acknowledged_by: str | None
    assignee: str | None
    cleared_at: str | None
    drill: bool
    text: str
    effect: str
    remedy: str


class OrderEvent(msgspec.Struct):
    """``event`` is ``order.`` and the state: open, done, verified, cancelled."""

    event: str
    centre: str
    id: int
    state: str
    alerts: list[int]
    device: str | None
    room: str | None
    assignee: str | None
    due: str | None
    created_at: str
    verified_at: str | None
    reopened: int
    held: bool | None
    drill: bool


def of_alert(alert: Alert, centre: Centre) -> AlertEvent:
    return AlertEvent(
        event=f"alert.{alert.state}",
        centre=centre.id,
        id=alert.id,
        kind=alert.kind,
        state=alert.state,
        severity=alert.severity,
        device=alert.device,
        room=alert.room,
        rooms_blinded=list(alert.rooms_blinded),
        raised_at=rfc3339(alert.raised_ms),
        acknowledged_by=alert.acknowledged_by,
        assignee=alert.assignee,
        cleared_at=_moment(alert.cleared_ms),
        drill=alert.is_drill,
        text=telling.sentence(alert, LANGUAGE),
        effect=telling.effect(alert, alert.rooms_blinded, centre, LANGUAGE),
        remedy=telling.sentence(alert, LANGUAGE, ".remedy"),
    )


def of_order(order: WorkOrder, centre: Centre) -> OrderEvent:
    return OrderEvent(
        event=f"order.{order.state}",
        centre=centre.id,
        id=order.id,
        state=order.state,
        alerts=list(order.alerts),
        device=order.device,
        room=order.room,
        assignee=order.assignee,
        due=_moment(order.due_ms),
        created_at=rfc3339(order.created_ms),
        verified_at=_moment(order.verified_ms),
        reopened=order.reopened,
        held=order.held,
        drill=order.is_drill,
    )


def digest(text: str) -> str:
    """A short name for a text; the same text has the same name in every run."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def written(event: AlertEvent | OrderEvent) -> str:
    return msgspec.json.encode(event).decode()


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
