"""The staff's pages of rooms: the board, the wall, one room with its day and its evidence."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.api.times import SumStep, cut
from hub.domain.centre import Room, pick
from hub.domain.room import RoomState, Text
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.rooms.history import shared_out
from hub.store.query import QueryTooSlowError, StoreBusyError
from hub.store.spans import Window
from hub.web.board import ORDER, Board, card_context
from hub.web.device import device_line
from hub.web.history_rooms import Sheet, sheet
from hub.web.history_spans import ROOM_SPANS, days, window
from hub.web.kept import Kept
from hub.web.naming import full_names, renamed
from hub.web.page import Frame, language_of, word
from hub.web.timeline import LEVELS, day, last_hour, timeline

MOST_WINDOWS = 200  # of a week by the hour


def pages(rooms: RoomsView, devices: DevicesView, hub: HubView) -> APIRouter:
    """``/``, ``/wall`` and ``/rooms/{id}``; each is also its own live part (``hub.web.page``)."""
    frame = Frame(rooms.centre, hub)
    board = Board(frame, rooms, devices)
    wall = Board(frame, rooms, devices, "card_wall.html")
    router = APIRouter(include_in_schema=False)
    kept: Kept[Sheet] = Kept()

    @router.get("/")
    async def show_board(request: Request) -> Response:
        language = language_of(request)
        return frame.answer(
            request,
            "board",
            here="board",
            houses=board.houses(language),
            summary=board.summary(language),
            attention=board.attention(),
        )

    @router.get("/wall")
    async def show_wall(request: Request) -> Response:
        language = language_of(request)
        cards = wall.cards(language)
        return frame.answer(
            request,
            "wall",
            cards=cards,
            density=_density(len(cards)),
            summary=wall.summary(language),
        )

    @router.get("/rooms/{room_id}")
    async def show_room(request: Request, room_id: str) -> Response:
        room = next((room for room in rooms.rooms() if room.id == room_id), None)
        if room is None:
            return frame.error(request, 404)
        span = request.query_params.get("span", "day")
        if span not in ROOM_SPANS:
            return frame.error(request, 404)
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


def _about(
    frame: Frame, room: Room, state: RoomState, devices: DevicesView, language: str
) -> dict[str, Any]:
    found = devices.in_room(room.id)
    here = [device_line(frame, device, language) for device in found]
    names = full_names(found, language)
    kind = word(f"kind.{room.kind}", language, room.kind)
    return card_context(frame, room, state, 0, language, names) | {
        "kind": "" if kind == pick(room.name, language) else kind,  # once is enough
        "reasons": [
            frame.text(Text(reason.code, renamed(reason.params, names)), language)
            for reason in state.reasons
        ],
        "devices": here,
    }


def _density(cards: int) -> str:
    """How many columns a wall needs; from 17 cards on the names are smaller than 5 m asks for."""
    return next(
        (name for most, name in ((6, "few"), (12, "some"), (16, "many")) if cards <= most), "most"
    )
