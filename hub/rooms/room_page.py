"""``/rooms/{id}``: one room with its day, its evidence, its devices, and what staff say of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.api.times import SumStep, cut
from hub.domain.centre import Room, pick
from hub.domain.events import CounterZeroed
from hub.domain.room import RoomState, Text
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.rooms import past_page
from hub.rooms.beside import Beside
from hub.rooms.confidence_words import confidence_words
from hub.rooms.history import shared_out
from hub.rooms.override_pages import override_context
from hub.store.query import QueryTooSlowError, StoreBusyError
from hub.store.spans import Window
from hub.web.board import ORDER, card_context
from hub.web.device import device_line
from hub.web.history_rooms import Sheet, sheet
from hub.web.history_spans import ROOM_SPANS, days, window
from hub.web.kept import Kept
from hub.web.naming import full_names, renamed
from hub.web.page import Frame, language_of, word
from hub.web.planned import opening, stretches
from hub.web.timeline import LEVELS, day, last_hour, timeline

MOST_WINDOWS = 200  # of a week by the hour
HELP = "would_help"  # how the codes begin that say what would make it surer


def pages(rooms: RoomsView, devices: DevicesView, hub: HubView, beside: Beside) -> APIRouter:
    frame = Frame(rooms.centre, hub)
    router = APIRouter(include_in_schema=False)
    kept: Kept[Sheet] = Kept()

    @router.get("/rooms/{room_id}")
    async def show_room(request: Request, room_id: str) -> Response:
        room = next((room for room in rooms.rooms() if room.id == room_id), None)
        span = request.query_params.get("span", "day")
        if room is None or span not in ROOM_SPANS:
            return frame.error(request, 404)
        if "at" in request.query_params:
            return await past_page.show(frame, request, room, beside.explain, devices)
        language = language_of(request)
        try:
            shown = await _shown(rooms, room.id, span, hub.now_ms(), language, kept)
        except (QueryTooSlowError, StoreBusyError):
            shown = {"slow": True}
        return frame.answer(
            request,
            "room",
            here="board",
            span=span,
            offered=[(key, f"/rooms/{room.id}?span={key}") for key in ROOM_SPANS],
            **{"slow": False} | shown,
            **_about(frame, room, rooms.state(room.id), devices, language),
            **_decided(frame, room, rooms, beside, language),
            **past_page.form_context(frame, room),
        )

    return router


async def _shown(
    rooms: RoomsView, room: str, span: str, now_ms: int, language: str, kept: Kept[Sheet]
) -> dict[str, Any]:
    """What is drawn of a room's past.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    zone = rooms.centre.timezone
    if span == "day":
        return await _today(rooms, room, now_ms, zone)

    async def draw() -> Sheet:
        whole = window(span, now_ms, zone)
        columns = days(whole, zone)
        past = Window(whole.from_ms, min(whole.to_ms, now_ms))
        step: SumStep = "hour" if span == "week" else "day"
        windows = cut(past, step, ZoneInfo(zone), MOST_WINDOWS).windows
        found = list(zip(windows, await shared_out(rooms, room, windows), strict=True))
        return sheet(span, whole, now_ms, (zone, language), found, columns)

    drawn = await kept.get((room, span, language), now_ms, draw)
    seen = {status for status, share in drawn.total.shares.items() if share}
    return {
        "sheet": drawn,
        "states": [status for status in ORDER if status in seen],
        "gaps": None in seen,
    }


async def _today(rooms: RoomsView, room: str, now_ms: int, zone: str) -> dict[str, Any]:
    start = min(day(now_ms, zone)[0], last_hour(now_ms, zone)[0])  # just after midnight: yesterday
    steps = await rooms.steps(room, start, now_ms)
    line = timeline(steps, now_ms, zone)
    hour = timeline(steps, now_ms, zone, last_hour(now_ms, zone), line.people_most)
    drawn = {piece.status for piece in (*line.pieces, *hour.pieces)}
    return {
        "line": line,
        "hour": hour,
        "heights": LEVELS,
        "states": [status for status in ORDER if status in drawn],
        "gaps": None in drawn,
    }


def _decided(
    frame: Frame, room: Room, rooms: RoomsView, beside: Beside, language: str
) -> dict[str, Any]:
    """What people planned and said."""
    today = day(frame.hub.now_ms(), frame.centre.timezone)
    slots = beside.timetable.slots(room.id, *today)
    zeroings = beside.zeroings.get(room.id, ())
    return {
        "plans": stretches(frame, slots, today, language),
        "opening": opening(frame, beside.timetable, room.id, language),
        "limit": rooms.slot(room.id).limit,
        "zeroed": _zeroed(frame, zeroings, language),
    } | override_context(frame, beside.overrides, room, language)


def _zeroed(frame: Frame, zeroings: Sequence[CounterZeroed], language: str) -> str:
    """When the counters were last set right, and by how much they were off."""
    if not zeroings:
        return ""
    last = zeroings[-1]
    return frame.text(Text("counter_zeroed", {"time": last.at_ms, "off_by": last.off_by}), language)


def _about(
    frame: Frame, room: Room, state: RoomState, devices: DevicesView, language: str
) -> dict[str, Any]:
    found = devices.in_room(room.id)
    here = [device_line(frame, device, language) for device in found]
    names = full_names(found, language)
    kind = word(f"kind.{room.kind}", language, room.kind)

    def said(reasons: Sequence[Text]) -> list[str]:
        renamed_ = (Text(reason.code, renamed(reason.params, names)) for reason in reasons)
        return [frame.text(reason, language) for reason in renamed_]

    return card_context(frame, room, state, 0, language, names) | {
        "kind": "" if kind == pick(room.name, language) else kind,  # once is enough
        "reasons": said([reason for reason in state.reasons if not is_help(reason)]),
        "surer": said([reason for reason in state.reasons if is_help(reason)]),
        "confidence": confidence_words(state.confidence, language),
        "devices": here,
    }


def is_help(reason: Text) -> bool:
    """It says what would make the answer surer, and is no evidence."""
    return reason.code.startswith(HELP)
