"""Work orders and their proof in a reader's words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from hub.domain.fault import FaultKind, Subject, SubjectKind
from hub.domain.room import Params
from hub.domain.views import FaultsView
from hub.domain.work import OrderState, ProofKind, WorkOrder
from hub.maintenance import rules
from hub.maintenance.service import OrdersService
from hub.telling import Part, sentence
from hub.web.page import Frame, translator

ADVICE: Sequence[tuple[str, Part]] = (
    ("ui.alert_check", ".check"),
    ("ui.alert_cause", ".cause"),
    ("ui.alert_remedy", ".remedy"),
)


class _Told(NamedTuple):
    """What an order is about, as an alert would say it."""

    kind: FaultKind
    subject: Subject
    evidence: Params
    is_drill: bool = False
    cleared_ms: int | None = None


class Card(NamedTuple):
    """One order in a list."""

    id: int
    state: str
    what: str
    where: str
    who: str
    due: str
    is_overdue: bool
    proof: str


class Step(NamedTuple):
    """One step of a self-test: done, now, or later."""

    words: str
    state: str


class Guide(NamedTuple):
    """What the hub waits for. ``steps`` of a self-test; ``ready``: not before then."""

    kind: str
    seen: int
    wanted: int
    percent: int
    words: str
    ready: str
    stands: bool
    steps: Sequence[Step]


class Wording:
    def __init__(self, frame: Frame, orders: OrdersService, faults: FaultsView) -> None:
        self._frame = frame
        self._orders = orders
        self._faults = faults
        self._rooms = {room.id: room for room in frame.centre.rooms}

    def card(self, order: WorkOrder, language: str) -> Card:
        t, now_ms = translator(language), self._frame.hub.now_ms()
        due = "" if order.due_ms is None else t("ui.order_due", when=self._day(order.due_ms))
        guide = self.guide(order, language)
        return Card(
            id=order.id,
            state=order.state.value,
            what=self.what(order, language),
            where=self.where(order, language),
            who=t("ui.alert_assigned", who=order.assignee) if order.assignee else "",
            due=due,
            is_overdue=rules.is_overdue(order, now_ms),
            proof=guide.words if guide is not None else "",
        )

    def what(self, order: WorkOrder, language: str) -> str:
        """Of an alert what it says, of a report what a person wrote."""
        told = _told(order)
        return order.title if told is None or order.title else sentence(told, language)

    def advice(self, order: WorkOrder, language: str) -> list[tuple[str, str]]:
        told = _told(order)
        return [] if told is None else [(c, sentence(told, language, part)) for c, part in ADVICE]

    def where(self, order: WorkOrder, language: str) -> str:
        room = self._rooms.get(order.room or "")
        if room is None:
            return order.device or ""
        return self._frame.room_at(room, language)

    def guide(self, order: WorkOrder, language: str) -> Guide | None:
        """How the proof gets on; None: nothing is awaited."""
        proof = order.proof
        if proof is None or order.state is not OrderState.DONE:
            return None
        t, stands = translator(language), self._orders.is_standing(order)
        ready_ms = self._orders.ready_ms(order.id)
        is_link = order.subject is not None and order.subject.kind is not SubjectKind.DEVICE
        if proof.kind is ProofKind.PERSON:
            words = t("ui.proof_person")
        elif stands:
            words = t("ui.proof_stands")
        elif proof.kind is ProofKind.SELF_TEST:
            words = t("ui.proof_test", seen=proof.seen, wanted=proof.wanted)
        elif is_link:
            words = t("ui.proof_link", seen=proof.seen, wanted=proof.wanted)
        else:
            words = t("ui.proof_reports", seen=proof.seen, wanted=proof.wanted)
        waits = ready_ms is not None and ready_ms > self._frame.hub.now_ms()
        ready = "" if not waits or ready_ms is None else self._frame.when(ready_ms, language)
        percent = round(100 * proof.seen / max(proof.wanted, 1))
        steps = self._steps(order, language)
        kind = proof.kind.value
        return Guide(kind, proof.seen, proof.wanted, percent, words, ready, stands, steps)

    def history(self, order: WorkOrder, language: str) -> list[tuple[str, str, str, str]]:
        """When, who, what, and what was said; the newest first."""
        t = translator(language)
        return [
            (
                self._frame.when(one.at_ms, language),
                one.who or t("ui.by_hub"),
                t(f"order.event.{one.what}"),
                one.note,
            )
            for one in reversed(order.history)
        ]

    def _steps(self, order: WorkOrder, language: str) -> list[Step]:
        codes, t = self._orders.steps(order.id), translator(language)
        seen = order.proof.seen if order.proof is not None else 0
        states = [
            "done" if n < seen else "now" if n == seen else "later" for n in range(len(codes))
        ]
        return [Step(t(f"test.{c}"), s) for c, s in zip(codes, states, strict=True)]

    def _day(self, at_ms: int) -> str:
        return self._frame.date(at_ms)[:10]


def _told(order: WorkOrder) -> _Told | None:
    if order.kind is None or order.subject is None:
        return None
    return _Told(order.kind, order.subject, order.evidence)
