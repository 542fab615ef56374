"""Reports: the page behind the code on a door, the sheet with the code, and what staff answer."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.api.pace import Pace
from hub.domain.centre import Room, pick
from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.room import Text
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.maintenance import rows
from hub.maintenance.pages import LAST, PAST_PAGE, number_of
from hub.maintenance.reporting import ReportsService
from hub.maintenance.reports import MAX_TEXT, Report, Wrong
from hub.maintenance.rules import MAX_NOTE
from hub.store.query import BadCursorError
from hub.texts import LANGUAGES
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of, translator

BURST, PER_S = 5, 1 / 60  # of one address: a visitor reports once, a house behind a router some
ROOM_BURST, ROOM_PER_S = 10, 1 / 60


def pages(
    reports: ReportsService,
    rooms: RoomsView,
    devices: DevicesView,
    hub: HubView,
    public_url: str | None,
) -> APIRouter:
    """``public_url``: where the pages are reached from outside; else as they were asked for."""
    frame = Frame(reports.centre, hub)
    router = APIRouter(include_in_schema=False)

    @router.get("/rooms/{room_id}/report/sheet")
    async def show_sheet(room_id: str, request: Request) -> Response:
        room = _room(frame, room_id)
        if room is None:
            return frame.error(request, 404)
        base = (public_url or str(request.base_url)).rstrip("/")
        address = f"{base}/rooms/{room.id}/report"
        said = [(translator(one)("ui.report_scan"), one) for one in LANGUAGES]
        names = {pick(room.name, one): one for one in reversed(LANGUAGES)}
        return frame.document(
            request,
            "report_sheet",
            language_of(request),
            names=list(reversed(names.items())),
            qr=_code(address),
            said=said,
            to=address,
        )

    @router.get("/reports")
    async def show_reports(request: Request) -> Response:
        language, asked = language_of(request), request.query_params.get("before")
        try:
            before = LAST if asked is None else rows.read_cursor(asked)
        except BadCursorError:
            return frame.error(request, 404)
        past = await reports.past(before, PAST_PAGE)
        return frame.document(
            request,
            "reports",
            language,
            here="alerts",
            open=[_shown(frame, one, language) for one in reports.open()],
            past=[_shown(frame, one, language) for one in past],
            older=past[-1].id if len(past) == PAST_PAGE else None,
            answered=reports.answered,
            rooms=[(room.id, room.name) for room in frame.centre.rooms],
            most_note=MAX_NOTE,
        )

    @router.post("/reports/{number}/answer")
    async def answer(number: str, request: Request) -> Response:
        words = (await form(request)).get("answer", "")
        try:
            reports.answer(number_of(number), words, caller(request).name)
            await reports.kept()
        except NotFoundError:
            return frame.error(request, 404)
        except RefusedDecisionError as error:
            return frame.error(request, error.status, error.text)
        return RedirectResponse("/reports", 303)

    _for_everybody(router, frame, reports, rooms, devices)
    return router


def _for_everybody(
    router: APIRouter,
    frame: Frame,
    reports: ReportsService,
    rooms: RoomsView,
    devices: DevicesView,
) -> None:
    """The page that a telephone at the door opens: no account, no name."""
    pace, pace_of_room = Pace(BURST, PER_S), Pace(ROOM_BURST, ROOM_PER_S)

    @router.get("/rooms/{room_id}/report")
    async def show(room_id: str, request: Request) -> Response:
        room = _room(frame, room_id)
        return frame.error(request, 404) if room is None else _form(frame, request, room)

    @router.post("/rooms/{room_id}/report")
    async def take(room_id: str, request: Request) -> Response:
        room = _room(frame, room_id)
        if room is None:
            return frame.error(request, 404)
        fields = await form(request)
        address = request.client.host if request.client else ""
        wait_s = pace.wait_s(address) or pace_of_room.wait_s(room.id)
        if wait_s:
            text = Text("problem.wait", {"seconds": wait_s})
            response = _form(frame, request, room, fields, text, 429)
            response.headers["Retry-After"] = str(wait_s)
            return response
        what, words = fields.get("what", ""), fields.get("words", "")
        try:
            await reports.make(room.id, what, words, rooms, devices)
        except RefusedDecisionError as error:
            return _form(frame, request, room, fields, error.text, error.status)
        return _form(frame, request, room, thanks=True)


def _form(
    frame: Frame,
    request: Request,
    room: Room,
    typed: Any = None,
    error: Text | None = None,
    status: int = 200,
    *,
    thanks: bool = False,
) -> Response:
    language = language_of(request)
    response = frame.document(
        request,
        "report",
        language,
        room=room,
        codes=[one.value for one in Wrong],
        typed=typed or {},
        error="" if error is None else frame.text(error, language),
        thanks=thanks,
        most_text=MAX_TEXT,
    )
    response.status_code = status
    return response


def _code(address: str) -> Markup:
    import segno  # not before somebody prints a sheet

    code = segno.make(address, error="m").svg_inline(border=4, omitsize=True)
    return Markup(code)  # noqa: S704 - made by us, of an address of ours


def _room(frame: Frame, room_id: str) -> Room | None:
    return next((room for room in frame.centre.rooms if room.id == room_id), None)


def _shown(frame: Frame, report: Report, language: str) -> dict[str, Any]:
    t = translator(language)
    room = _room(frame, report.room)
    ill = [one for one in report.snapshot.devices if one.health != "ok"]
    return {
        "id": report.id,
        "room": report.room,
        "name": report.room if room is None else pick(room.name, language),
        "what": t(f"report.what.{report.what}"),
        "words": report.text,
        "when": frame.when(report.made_ms, language),
        "status": t(f"status.{report.snapshot.status}"),
        "ill": [(one.device, t(f"health.{one.health}")) for one in ill],
        "watched": len(report.snapshot.devices),
        "answer": report.answer,
        "by": report.answered_by,
        "order": report.order,
    }
