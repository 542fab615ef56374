"""What programs are told, as JSON: an alert or a work order as it is after a change.

What people typed is not in it, nor anything a person's card or cuff said. Texts are English.
"""

from __future__ import annotations

import hashlib

import msgspec

from hub.api.alert_documents import AlertDocument, alert_document
from hub.api.documents import rfc3339
from hub.domain.centre import Centre
from hub.domain.fault import Alert
from hub.domain.work import WorkOrder

LANGUAGE = "en"


class AlertEvent(msgspec.Struct):
    """``event`` is ``alert.`` and the state; ``alert`` as ``/api/v1/alerts`` has it."""

    event: str
    centre: str
    alert: AlertDocument


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
    document = alert_document(alert, centre, LANGUAGE)
    return AlertEvent(f"alert.{alert.state}", centre.id, document)


def key_of_alert(alert: Alert) -> str:
    """What makes a change an event: not that a figure of its evidence moved on."""
    people = (alert.acknowledged_by, alert.assignee)
    times = (alert.acknowledged_ms, alert.shelved_until_ms, alert.cleared_ms)
    reach = (alert.severity, *alert.rooms_blinded, *alert.devices)
    return digest(repr((alert.state.value, people, times, tuple(map(str, reach)))))


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
