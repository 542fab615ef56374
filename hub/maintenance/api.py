"""``work-orders`` and ``reports``: what is done about faults, and what people said at a door."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from hub.api.answers import answer, documented
from hub.api.documents import Moment, Page, rfc3339
from hub.api.order_documents import OrderDocument, order_document
from hub.api.times import parse_time
from hub.api.wishes import described, read_wish
from hub.domain.work import OrderState, WorkOrder
from hub.maintenance import rows, rules
from hub.maintenance.reporting import ReportsService
from hub.maintenance.reports import Report, Wrong
from hub.maintenance.rules import MAX_NAME, MAX_NOTE, MAX_TITLE, Opening
from hub.maintenance.service import OrdersService
from hub.web.caller import caller

LAST = 2**53
Number = Annotated[int, Path(ge=1, le=LAST)]
Note = Annotated[str, msgspec.Meta(max_length=MAX_NOTE)]
Named = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]


class OrderWish(msgspec.Struct, forbid_unknown_fields=True):
    """From an alert or a report, or of its own with a title and perhaps a room."""

    alert: int | None = None
    report: int | None = None
    title: Annotated[str, msgspec.Meta(max_length=MAX_TITLE)] = ""
    room: str | None = None
    assignee: Named | None = None
    due: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class NoteWish(msgspec.Struct, forbid_unknown_fields=True):
    """A few words."""

    note: Note = ""


class GiveWish(msgspec.Struct, forbid_unknown_fields=True):
    """Who does it, until when; null takes it back."""

    assignee: Named | None
    due: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class SeenDocument(msgspec.Struct):
    """A sensor of the room when it was reported."""

    device: str
    health: str
    last_heard: Moment | None


class ReportDocument(msgspec.Struct):
    """What somebody said at a room's door; ``order``: what became of it."""

    id: int
    room: str
    what: Wrong
    words: str
    made_at: Moment
    status: str
    devices: list[SeenDocument]
    answered_at: Moment | None
    answered_by: str
    answer: str
    order: int | None


def routes(orders: OrdersService, reports: ReportsService) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["work orders"])

    @router.get(
        "/work-orders",
        responses=documented(
            Page[OrderDocument],
            on_422="A filter or a cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_orders(
        state: Annotated[
            OrderState | None, Query(description="verified and cancelled: those that are closed")
        ] = None,
        assignee: Annotated[str | None, Query(description="whose", max_length=MAX_NAME)] = None,
        device: Annotated[str | None, Query(description="a device's id")] = None,
        limit: Annotated[int, Query(ge=1, le=rows.PAGE, description="closed ones a page")] = 100,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """Open ones and those that wait for a proof; with a closed state past ones."""
        found, more = list(orders.open()), None
        if state in (OrderState.VERIFIED, OrderState.CANCELLED):
            before = LAST if cursor is None else rows.read_cursor(cursor)
            found = await orders.past(before, limit)
            more = str(found[-1].id) if len(found) == limit else None
        shown = [
            order
            for order in found
            if state in (None, order.state)
            and assignee in (None, order.assignee)
            and device in (None, order.device)
        ]
        return answer(Page([_document(orders, order) for order in shown], more))

    @router.get(
        "/work-orders/{number}",
        responses=documented(
            OrderDocument,
            on_404="No such work order",
            on_422="A number that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def read_order(number: Number) -> Response:
        """One work order, also one that is closed."""
        return answer(_document(orders, await orders.find(number)))

    @router.get(
        "/reports",
        responses=documented(
            Page[ReportDocument],
            on_422="A filter or a cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_reports(
        answered: Annotated[bool, Query(description="those that somebody answered")] = False,
        limit: Annotated[int, Query(ge=1, le=rows.PAGE, description="answered ones a page")] = 100,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """What people reported at doors, the newest first; unanswered ones unless asked else."""
        if not answered:
            return answer(Page([_report(one) for one in reports.open()]))
        before = LAST if cursor is None else rows.read_cursor(cursor)
        found = await reports.past(before, limit)
        more = str(found[-1].id) if len(found) == limit else None
        return answer(Page([_report(one) for one in found], more))

    _decisions(router, orders, reports)
    return router


def _decisions(router: APIRouter, orders: OrdersService, reports: ReportsService) -> None:
    """What people do about an order. Each is recorded with its author."""

    async def kept(order: WorkOrder) -> Response:
        await orders.kept()
        return answer(_document(orders, order))

    @router.post(
        "/work-orders",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(OrderWish, {"alert": 12, "assignee": "wang"}),
    )
    async def open_order(request: Request) -> Response:
        """Make one; for an alert that has one already, that one."""
        wish, who = await read_wish(request, OrderWish), caller(request).name
        of = Opening(wish.title, wish.assignee, _due(wish.due))
        return await kept(_opened(orders, reports, wish, of, who))

    @router.post(
        "/work-orders/{number}/done",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(NoteWish, {"note": "New battery"}),
    )
    async def done(number: Number, request: Request) -> Response:
        """It is mended; from now on the hub watches until the sensor proves it."""
        wish = await read_wish(request, NoteWish)
        return await kept(orders.done(number, wish.note, caller(request).name))

    @router.post("/work-orders/{number}/confirm", responses=_decided())
    async def confirm(number: Number, request: Request) -> Response:
        """You looked, and it is well; only where no sensor can tell."""
        return await kept(orders.confirm(number, caller(request).name))

    @router.post(
        "/work-orders/{number}/comment",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(NoteWish, {"note": "The part is ordered"}),
    )
    async def comment(number: Number, request: Request) -> Response:
        """Say something about it."""
        wish = await read_wish(request, NoteWish)
        return await kept(orders.comment(number, wish.note, caller(request).name))

    @router.post(
        "/work-orders/{number}/assign",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(GiveWish, {"assignee": "wang", "due": "2026-11-27T18:00:00+08:00"}),
    )
    async def assign(number: Number, request: Request) -> Response:
        """Say who does it, until when."""
        wish, who = await read_wish(request, GiveWish), caller(request).name
        given = orders.assign(number, wish.assignee, _due(wish.due), who)
        return await kept(given)

    @router.post(
        "/work-orders/{number}/cancel",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(NoteWish, {"note": "The room is given up"}),
    )
    async def cancel(number: Number, request: Request) -> Response:
        """Nobody will do it."""
        wish = await read_wish(request, NoteWish)
        return await kept(orders.cancel(number, wish.note, caller(request).name))


def _opened(
    orders: OrdersService, reports: ReportsService, wish: OrderWish, of: Opening, who: str
) -> WorkOrder:
    """
    Raises:
        NotFoundError, RefusedDecisionError
    """
    if wish.alert is not None:
        return orders.from_alert(wish.alert, of, who)
    if wish.report is not None:
        return reports.order(wish.report, of, who)
    return orders.from_person(of, reports.known_room(wish.room), who)


def _document(orders: OrdersService, order: WorkOrder) -> OrderDocument:
    is_standing = not rules.is_closed(order) and orders.is_standing(order)
    return order_document(order, is_standing=is_standing)


def _report(report: Report) -> ReportDocument:
    return ReportDocument(
        id=report.id,
        room=report.room,
        what=report.what,
        words=report.text,
        made_at=rfc3339(report.made_ms),
        status=report.snapshot.status,
        devices=[
            SeenDocument(one.device, one.health, _moment(one.heard_ms))
            for one in report.snapshot.devices
        ],
        answered_at=_moment(report.answered_ms),
        answered_by=report.answered_by,
        answer=report.answer,
        order=report.order,
    )


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


def _due(text: str | None) -> int | None:
    return None if text is None else parse_time("due", text, 0)


def _decided(**more: str) -> dict[int | str, dict[str, object]]:
    return documented(
        OrderDocument,
        on_404="No such work order, alert or report",
        on_409="It cannot be decided now",
        on_422="It cannot be decided like that",
        on_503="The disk did not take it yet",
        **more,
    )
