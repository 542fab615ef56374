"""What is to be done: the list, phone first, and the page of one order with its live proof."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.room import Text
from hub.domain.typed import Offered, somebody
from hub.domain.views import FaultsView, HubView
from hub.domain.work import OrderState, WorkOrder
from hub.maintenance import rows, rules
from hub.maintenance.lives import LivesService
from hub.maintenance.reporting import ReportsService
from hub.maintenance.rules import MAX_NAME, MAX_NOTE, MAX_TITLE, Opening
from hub.maintenance.service import OrdersService
from hub.maintenance.wording import Card, Wording
from hub.store.query import BadCursorError
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of

DUE_AT = time(18)
Fields = Mapping[str, str]
Decide = Callable[[OrdersService, int, Fields, str], WorkOrder]
"""The order's number, what was typed, and who decides."""
Decided = Callable[[Request, Callable[[], WorkOrder]], Awaitable[Response]]
DECISIONS: Mapping[str, Decide] = {
    "done": lambda of, number, fields, who: of.done(number, fields.get("note", ""), who),
    "confirm": lambda of, number, _, who: of.confirm(number, who),
    "comment": lambda of, number, fields, who: of.comment(number, fields.get("note", ""), who),
    "cancel": lambda of, number, fields, who: of.cancel(number, fields.get("note", ""), who),
}
PAST_PAGE = 50
LAST = 2**53


def pages(
    orders: OrdersService,
    reports: ReportsService,
    lives: LivesService,
    faults: FaultsView,
    hub: HubView,
    offered: Offered,
) -> APIRouter:
    frame = Frame(reports.centre, hub)
    wording = Wording(frame, orders, faults)
    router = APIRouter(include_in_schema=False)

    @router.get("/work-orders")
    async def show_orders(request: Request) -> Response:
        if request.query_params.get("state") == "closed":
            return await _show_past(frame, request, orders, wording)
        language = language_of(request)
        return frame.answer(
            request,
            "work_orders",
            here="alerts",
            groups=_groups(orders, wording, caller(request).name, hub.now_ms(), language),
            not_held=orders.not_held(),
            unanswered=len(reports.open()),
            due=lives.due(),
            rooms=[(room.id, room.name) for room in frame.centre.rooms],
            most_title=MAX_TITLE,
        )

    @router.get("/work-orders/{number}")
    async def show_order(number: str, request: Request) -> Response:
        order = await _found(orders, number)
        if order is None:
            return frame.error(request, 404)
        language = language_of(request)
        day = "" if order.due_ms is None else frame.date(order.due_ms)[:10]
        return frame.answer(
            request,
            "work_order",
            here="alerts",
            o=wording.card(order, language),
            order=order,
            guide=wording.guide(order, language),
            advice=wording.advice(order, language),
            history=wording.history(order, language),
            day=day,
            offered=sorted(offered()),
            most_name=MAX_NAME,
            most_note=MAX_NOTE,
        )

    _decisions(router, orders, reports, frame, offered)
    return router


def _decisions(
    router: APIRouter,
    orders: OrdersService,
    reports: ReportsService,
    frame: Frame,
    offered: Offered,
) -> None:
    """Forms; each leads to the order's page."""

    async def decided(request: Request, decide: Callable[[], WorkOrder]) -> Response:
        try:
            order = decide()
            await orders.kept()
        except NotFoundError:
            return frame.error(request, 404)
        except RefusedDecisionError as error:
            return frame.error(request, error.status, error.text)
        return RedirectResponse(f"/work-orders/{order.id}", 303)

    @router.post("/work-orders")
    async def open_order(request: Request) -> Response:
        fields, who = await form(request), caller(request).name

        return await decided(request, lambda: opened(fields, who))

    def opened(fields: Fields, who: str) -> WorkOrder:
        due_ms = due_of(fields.get("due", ""), frame.centre.timezone)
        who_does = somebody(fields.get("assignee", ""), offered()) or None
        of = Opening(fields.get("title", ""), who_does, due_ms)
        if "alert" in fields:
            return orders.from_alert(number_of(fields["alert"]), of, who)
        if "report" in fields:
            return reports.order(number_of(fields["report"]), of, who)
        return orders.from_person(of, reports.known_room(fields.get("room") or None), who)

    _further(router, orders, frame, decided, offered)


def _further(
    router: APIRouter, orders: OrdersService, frame: Frame, decided: Decided, offered: Offered
) -> None:
    """What is decided of one that there is."""

    def decision(decide: Decide) -> Callable[[str, Request], Awaitable[Response]]:
        async def take(number: str, request: Request) -> Response:
            fields, who = await form(request), caller(request).name
            return await decided(request, lambda: decide(orders, number_of(number), fields, who))

        return take

    def assign(of: OrdersService, number: int, fields: Fields, who: str) -> WorkOrder:
        due_ms = due_of(fields.get("due", ""), frame.centre.timezone)
        return of.assign(number, somebody(fields.get("assignee", ""), offered()), due_ms, who)

    for name, decide in {**DECISIONS, "assign": assign}.items():
        path = f"/work-orders/{{number}}/{name}"
        router.add_api_route(path, decision(decide), methods=["POST"])


def _groups(
    orders: OrdersService, wording: Wording, me: str, now_ms: int, language: str
) -> Sequence[tuple[str, list[Card]]]:
    """Each order once: overdue ones, one's own, those that wait for a proof, and the rest."""
    found: dict[str, list[Card]] = {"overdue": [], "mine": [], "proof": [], "open": []}
    for order in orders.open():
        if order.state is OrderState.DONE:
            group = "proof"
        elif rules.is_overdue(order, now_ms):
            group = "overdue"
        else:
            group = "mine" if order.assignee == me else "open"
        found[group].append(wording.card(order, language))
    return [(name, cards) for name, cards in found.items() if cards]


async def _show_past(
    frame: Frame, request: Request, orders: OrdersService, wording: Wording
) -> Response:
    """Closed ones, the newest first."""
    asked, language = request.query_params.get("before"), language_of(request)
    try:
        before = LAST if asked is None else rows.read_cursor(asked)
    except BadCursorError:
        return frame.error(request, 404)
    past = await orders.past(before, PAST_PAGE)
    cards = [wording.card(order, language) for order in past]
    older = past[-1].id if len(past) == PAST_PAGE else None
    shown = {"cards": cards, "older": older}
    return frame.document(request, "work_orders_past", language, here="alerts", **shown)


async def _found(orders: OrdersService, number: str) -> WorkOrder | None:
    try:
        return await orders.find(number_of(number))
    except NotFoundError:
        return None


def number_of(text: str) -> int:
    """What is no number is none of ours.

    >>> number_of("12"), number_of("x")
    (12, 0)
    """
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def due_of(day: str, zone: str) -> int | None:
    """The end of a working day, in ms; None where none was typed.

    Raises:
        RefusedDecisionError: it is no day.
    """
    if not day:
        return None
    try:
        typed = datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=UTC).date()
        return round(datetime.combine(typed, DUE_AT, ZoneInfo(zone)).timestamp() * 1000)
    except (ValueError, OverflowError) as error:
        raise RefusedDecisionError(Text("life.day")) from error
