"""What may become of a work order, and when. Pure: the moment is an argument.

    open  --a person: done-->  done  --the sensor proves it-->  verified  --14 days-->  it held
      ^                          |                                 |
      +----- found again --------+------- found again, 14 days ----+

An order that is cancelled stays so: what is found later is another order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from hub.domain.errors import RefusedDecisionError
from hub.domain.fault import Alert, Fault, FaultKind
from hub.domain.room import Text
from hub.domain.work import OrderEntry, OrderState, Proof, WorkOrder

DAY_MS = 86_400_000
HOLDS_MS = 14 * DAY_MS
"""A repair that lasted so long has held."""
MAX_NOTE = 500
MAX_TITLE = 200
MAX_NAME = 60
MOST_ENTRIES = 200
FIRST_DAY_MS, LAST_DAY_MS = 946_684_800_000, 4_102_444_800_000
"""2000 to 2100: a year outside was mistyped, and some have no date in every zone."""
SYSTEM = ""
"""Who writes where no person did: the hub."""

_SPEECHLESS = frozenset({FaultKind.SILENT, FaultKind.NEVER_HEARD, FaultKind.BATTERY_DEAD})


class Opening(NamedTuple):
    """What a new order is about, besides the alert or the report that it comes from."""

    title: str = ""
    assignee: str | None = None
    due_ms: int | None = None


def family(kind: FaultKind) -> frozenset[FaultKind]:
    """Kinds that are one thing to whoever mends it: that it says nothing has several names.

    >>> FaultKind.SILENT in family(FaultKind.BATTERY_DEAD)
    True
    """
    return _SPEECHLESS if kind in _SPEECHLESS else frozenset({kind})


def is_about(order: WorkOrder, thing: Fault | Alert) -> bool:
    """The same trouble of the same thing."""
    return (
        order.kind is not None
        and order.subject is not None
        and not thing.is_drill
        and order.subject.kind is thing.subject.kind
        and order.subject.id == thing.subject.id
        and thing.kind in family(order.kind)
    )


def from_alert(number: int, alert: Alert, of: Opening, who: str, now_ms: int) -> WorkOrder:
    return WorkOrder(
        id=number,
        state=OrderState.OPEN,
        alerts=(alert.id,),
        kind=alert.kind,
        device=alert.device,
        room=alert.room,
        title=of.title,
        assignee=of.assignee or alert.assignee,
        due_ms=of.due_ms,
        created_ms=now_ms,
        created_by=who,
        subject=alert.subject,
        evidence=alert.evidence,
        history=(OrderEntry(now_ms, who, "opened"),),
    )


def from_person(
    number: int,
    of: Opening,
    room: str | None,
    report: int | None,
    who: str,
    now_ms: int,
) -> WorkOrder:
    """Something that no sensor says.

    Raises:
        RefusedDecisionError: nobody could tell what is to be done.
    """
    if not of.title:
        raise RefusedDecisionError(Text("order.no_title"))
    return WorkOrder(
        id=number,
        state=OrderState.OPEN,
        alerts=(),
        kind=None,
        device=None,
        room=room,
        title=of.title,
        assignee=of.assignee,
        due_ms=of.due_ms,
        created_ms=now_ms,
        created_by=who,
        report=report,
        history=(OrderEntry(now_ms, who, "opened"),),
    )


def done(order: WorkOrder, proof: Proof, note: str, who: str, now_ms: int) -> WorkOrder:
    """A person says that it is mended; ``proof`` is what the hub wants to see now.

    Raises:
        RefusedDecisionError: it is not open.
    """
    _require(order, OrderState.OPEN)
    new = replace(order, state=OrderState.DONE, done_ms=now_ms, proof=proof)
    return _noted(new, OrderEntry(now_ms, who, "done", note))


def verified(order: WorkOrder, who: str, now_ms: int) -> WorkOrder:
    """It is proven; ``who`` is empty where a sensor proved it.

    Raises:
        RefusedDecisionError: nobody has said that it is done.
    """
    _require(order, OrderState.DONE)
    proof = order.proof and replace(order.proof, proven_ms=now_ms, next="")
    new = replace(order, state=OrderState.VERIFIED, verified_ms=now_ms, proof=proof, held=None)
    return _noted(new, OrderEntry(now_ms, who, "verified"))


def cancelled(order: WorkOrder, note: str, who: str, now_ms: int) -> WorkOrder:
    """Nobody will do it.

    Raises:
        RefusedDecisionError: it is closed already.
    """
    _require(order, OrderState.OPEN, OrderState.DONE)
    entry = OrderEntry(now_ms, who, "cancelled", note)
    return _noted(replace(order, state=OrderState.CANCELLED, proof=None), entry)


def commented(order: WorkOrder, note: str, who: str, now_ms: int) -> WorkOrder:
    """
    Raises:
        RefusedDecisionError: there are no words, or too many were said already.
    """
    if not note:
        raise RefusedDecisionError(Text("order.no_words"))
    if len(order.history) >= MOST_ENTRIES:
        raise RefusedDecisionError(Text("order.too_long"))
    return _noted(order, OrderEntry(now_ms, who, "comment", note))


def assigned(
    order: WorkOrder, assignee: str | None, due_ms: int | None, who: str, now_ms: int
) -> WorkOrder:
    """Who does it, until when.

    Raises:
        RefusedDecisionError: it is closed.
    """
    _require(order, OrderState.OPEN, OrderState.DONE)
    if (assignee, fits(due_ms)) == (order.assignee, order.due_ms):
        return order
    new = replace(order, assignee=assignee, due_ms=due_ms)
    return _noted(new, OrderEntry(now_ms, who, "assigned", assignee or ""))


def with_alert(order: WorkOrder, alert: int) -> WorkOrder:
    """Another alert tells of the same."""
    if alert in order.alerts:
        return order
    return replace(order, alerts=(*order.alerts, alert))


def found_again(order: WorkOrder, fault: Fault, now_ms: int) -> WorkOrder:
    """The same trouble after it was said to be mended: the repair did not hold.

    What is only hidden behind a gateway is no trouble of its own; what was there all the time, or
    comes after it has held, does not open the order again.
    """
    closed_ms = order.verified_ms if order.state is OrderState.VERIFIED else order.done_ms
    if (
        order.state not in (OrderState.DONE, OrderState.VERIFIED)
        or closed_ms is None
        or not is_about(order, fault)
        or fault.parent is not None
        or fault.cleared_ms is not None
        or not (order.done_ms or 0) < fault.found_ms < closed_ms + HOLDS_MS
    ):
        return order
    new = replace(
        order,
        state=OrderState.OPEN,
        reopened=order.reopened + 1,
        held=False,
        done_ms=None,
        verified_ms=None,
        proof=None,
    )
    return _noted(new, OrderEntry(now_ms, SYSTEM, "reopened"))


def lasted(order: WorkOrder, now_ms: int) -> WorkOrder:
    """It held once 14 days have passed."""
    if order.state is not OrderState.VERIFIED or order.held or now_ms < holds_ms(order):
        return order
    return _noted(replace(order, held=True), OrderEntry(now_ms, SYSTEM, "held"))


def holds_ms(order: WorkOrder) -> int:
    """When a verified one will have held."""
    return (order.verified_ms or order.created_ms) + HOLDS_MS


def moved(order: WorkOrder, from_ms: int, shift_ms: int) -> WorkOrder:
    """The clock was wrong since then, and the same moment has another name now."""

    def shift(at_ms: int | None) -> int | None:
        return at_ms if at_ms is None or at_ms < from_ms else at_ms + shift_ms

    history = tuple(replace(one, at_ms=shift(one.at_ms) or 0) for one in order.history)
    proof = order.proof and replace(
        order.proof, since_ms=shift(order.proof.since_ms), proven_ms=shift(order.proof.proven_ms)
    )
    return replace(
        order,
        created_ms=shift(order.created_ms) or 0,
        done_ms=shift(order.done_ms),
        verified_ms=shift(order.verified_ms),
        history=history,
        proof=proof,
    )


def fits(at_ms: int | None) -> int | None:
    """
    Raises:
        RefusedDecisionError: nobody can have meant that day.
    """
    if at_ms is not None and not FIRST_DAY_MS <= at_ms < LAST_DAY_MS:
        raise RefusedDecisionError(Text("life.day"))
    return at_ms


def is_closed(order: WorkOrder) -> bool:
    return order.state in (OrderState.VERIFIED, OrderState.CANCELLED)


def is_overdue(order: WorkOrder, now_ms: int) -> bool:
    return not is_closed(order) and order.due_ms is not None and order.due_ms < now_ms


def not_held(orders: Iterable[WorkOrder]) -> int:
    """How many repairs had to be done again."""
    return sum(order.reopened for order in orders)


def _require(order: WorkOrder, *states: OrderState) -> None:
    if order.state not in states:
        raise RefusedDecisionError(Text(f"order.is_{order.state}", {"number": order.id}), 409)


def _noted(order: WorkOrder, entry: OrderEntry) -> WorkOrder:
    """The oldest entries but the first make room: an order that never rests stays small."""
    history = order.history
    if len(history) >= MOST_ENTRIES:
        history = (history[0], *history[2:])
    return replace(order, history=(*history, entry))
