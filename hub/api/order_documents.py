"""Work orders and reports as ``/api/v1`` says them: codes for programs, a sentence for people."""

from __future__ import annotations

import msgspec

from hub.api.documents import Moment, rfc3339
from hub.domain.fault import FaultKind
from hub.domain.work import OrderState, ProofKind, WorkOrder


class ProofDocument(msgspec.Struct):
    """How far the sensor has proven the repair: ``seen`` of ``wanted``. ``step``: the code of what
    to do now in a self-test. ``stands``: what was to be mended is still found."""

    kind: ProofKind
    wanted: int
    seen: int
    step: str
    since: Moment | None
    proven_at: Moment | None
    stands: bool


class EntryDocument(msgspec.Struct):
    """One line of an order's history. ``who`` is empty where the hub itself wrote it."""

    at: Moment
    who: str
    what: str
    note: str


class OrderDocument(msgspec.Struct):
    """Labour. ``held``: null until 14 days have passed since it was verified."""

    id: int
    state: OrderState
    alerts: list[int]
    kind: FaultKind | None
    device: str | None
    room: str | None
    title: str
    assignee: str | None
    due: Moment | None
    created_at: Moment
    created_by: str
    done_at: Moment | None
    verified_at: Moment | None
    reopened: int
    held: bool | None
    report: int | None
    proof: ProofDocument | None
    history: list[EntryDocument]


def order_document(order: WorkOrder, *, is_standing: bool) -> OrderDocument:
    return OrderDocument(
        id=order.id,
        state=order.state,
        alerts=list(order.alerts),
        kind=order.kind,
        device=order.device,
        room=order.room,
        title=order.title,
        assignee=order.assignee,
        due=_moment(order.due_ms),
        created_at=rfc3339(order.created_ms),
        created_by=order.created_by,
        done_at=_moment(order.done_ms),
        verified_at=_moment(order.verified_ms),
        reopened=order.reopened,
        held=order.held,
        report=order.report,
        proof=_proof(order, is_standing=is_standing),
        history=[
            EntryDocument(rfc3339(one.at_ms), one.who, one.what, one.note) for one in order.history
        ],
    )


def _proof(order: WorkOrder, *, is_standing: bool) -> ProofDocument | None:
    proof = order.proof
    if proof is None:
        return None
    return ProofDocument(
        proof.kind,
        proof.wanted,
        proof.seen,
        proof.next,
        _moment(proof.since_ms),
        _moment(proof.proven_ms),
        is_standing,
    )


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
