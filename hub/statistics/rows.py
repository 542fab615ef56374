"""What the statistics read: alerts with their faults, work orders, when reports were answered."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from hub.domain.fault import Alert
from hub.domain.work import WorkOrder
from hub.statistics.rules import Raised
from hub.store.reader import Question

RAISED = (
    "SELECT alerts.body, faults.since_ms, json_extract(faults.body, '$.found_ms') FROM alerts"
    " LEFT JOIN faults ON faults.id = json_extract(alerts.body, '$.fault')"
    " WHERE alerts.raised_ms >= ? ORDER BY alerts.id"
)
ORDERS = "SELECT body FROM work_orders WHERE closed_ms IS NULL OR closed_ms >= ? ORDER BY id"
REPORTS = "SELECT made_ms, answered_ms FROM reports WHERE made_ms >= ?"

_alert = msgspec.json.Decoder(Alert).decode
_order = msgspec.json.Decoder(WorkOrder).decode


class Kept(NamedTuple):
    """All since a moment. ``reports``: made and answered."""

    raised: list[Raised]
    orders: list[WorkOrder]
    reports: list[tuple[int, int | None]]


def kept(question: Question, since_ms: int) -> Kept:
    """
    Raises:
        QueryTooSlowError
    """
    raised, orders = [], []
    for body, began_ms, found_ms in question.all_rows(RAISED, (since_ms,)):
        raised.append(Raised(_alert(body), began_ms, found_ms))
        question.check()
    for (body,) in question.all_rows(ORDERS, (since_ms,)):
        orders.append(_order(body))
        question.check()
    return Kept(raised, orders, list(question.all_rows(REPORTS, (since_ms,))))
