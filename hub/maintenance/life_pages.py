"""What happened to a device, and what to bring: ``/devices/{id}/life`` and ``/batteries``."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.room import Text
from hub.domain.views import DevicesView, FaultsView, HubView
from hub.maintenance import life
from hub.maintenance.life import Battery, What
from hub.maintenance.lives import LivesService
from hub.maintenance.rules import MAX_NOTE
from hub.maintenance.service import OrdersService
from hub.maintenance.wording import Wording
from hub.web.caller import caller
from hub.web.device import spot_name
from hub.web.forms import form
from hub.web.page import Frame, language_of, translator
from hub.web.spreadsheet import spreadsheet


def pages(
    lives: LivesService,
    orders: OrdersService,
    faults: FaultsView,
    devices: DevicesView,
    hub: HubView,
) -> APIRouter:
    frame = Frame(lives.centre, hub)
    wording = Wording(frame, orders, faults)
    router = APIRouter(include_in_schema=False)

    @router.get("/devices/{device_id}/life")
    async def show_life(device_id: str, request: Request) -> Response:
        language = language_of(request)
        t = translator(language)
        try:
            entries = await lives.of(device_id)
        except NotFoundError:
            return frame.error(request, 404)
        lines = [
            (
                frame.date(one.at_ms),
                t(f"life.{one.what}"),
                _spot(frame, one.room, language),
                one.who,
                one.note,
            )
            for one in entries
        ]
        done = [wording.card(order, language) for order in await orders.of_device(device_id)]
        due = next((due for due in lives.due() if due.device == device_id), None)
        return frame.document(
            request,
            "device_life",
            language,
            here="devices",
            device=device_id,
            lines=lines,
            orders=done,
            due=due,
            rhythm=lives.rhythms.get(device_id),
            kinds=_kinds(lives, device_id),
            today=frame.date(hub.now_ms())[:10],
            most_note=MAX_NOTE,
        )

    @router.post("/devices/{device_id}/life")
    async def record(device_id: str, request: Request) -> Response:
        fields = await form(request)
        try:
            what = _what(fields.get("what", ""))
            at_ms = lives.noon_ms(fields.get("day", ""))
            lives.record(device_id, what, at_ms, fields.get("note", ""), caller(request).name)
            await lives.kept()
        except NotFoundError:
            return frame.error(request, 404)
        except RefusedDecisionError as error:
            return frame.error(request, error.status, error.text)
        return RedirectResponse(f"/devices/{device_id}/life", 303)

    _batteries(router, frame, lives, devices)
    return router


def _batteries(router: APIRouter, frame: Frame, lives: LivesService, devices: DevicesView) -> None:
    """What to bring this month, to look at and to print."""

    @router.get("/batteries")
    async def show_batteries(request: Request) -> Response:
        language = language_of(request)
        found = lives.batteries(devices.devices())
        shown = [(one.device, *_row(frame, one, language), one.is_dead) for one in found]
        return frame.document(request, "batteries", language, here="alerts", batteries=shown)

    @router.get("/batteries.csv")
    async def list_batteries(request: Request) -> Response:
        language = language_of(request)
        t = translator(language)
        head = [t("ui.alert_what"), t("ui.place"), t("ui.battery"), t("ui.battery_left")]
        found = lives.batteries(devices.devices())
        rows = ([one.device, *_row(frame, one, language)] for one in found)
        return spreadsheet("batteries", head, rows)


def _row(frame: Frame, one: Battery, language: str) -> tuple[str, str, str]:
    """Where, how full, and how long it lasts."""
    t = translator(language)
    room = next((room for room in frame.centre.rooms if room.id == one.room), None)
    where = "" if room is None else frame.room_at(room, language)
    level = "" if one.level is None else f"{one.level:.0f} %"
    if one.is_dead:
        left = t("ui.battery_empty")
    elif one.days_left is None:
        left = t("ui.battery_asks")
    else:
        left = t("ui.battery_days", count=one.days_left)
    return where, level, left


def _spot(frame: Frame, spot: str | None, language: str) -> str:
    """Where it was; a room that is gone from the configuration keeps its id."""
    return spot_name(frame.centre, spot, language) or spot or ""


def _kinds(lives: LivesService, device: str) -> list[str]:
    """What can be recorded of it; only some devices are calibrated."""
    is_calibrated = device in lives.rhythms
    return [one.value for one in life.BY_PEOPLE if one is not What.CALIBRATED or is_calibrated]


def _what(text: str) -> What:
    """Raises RefusedDecisionError."""
    try:
        return What(text)
    except ValueError as error:
        raise RefusedDecisionError(Text("life.what")) from error
