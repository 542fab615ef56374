"""The staff's pages of rooms: the board, the wall, one room with its day and its evidence."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.domain.centre import Room, pick
from hub.domain.room import RoomState, Text
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.web.board import ORDER, Board, card_context
from hub.web.device import device_line
from hub.web.naming import full_names, renamed
from hub.web.page import Frame, language_of, word
from hub.web.timeline import LEVELS, day, last_hour, timeline


def pages(rooms: RoomsView, devices: DevicesView, hub: HubView) -> APIRouter:
    """``/``, ``/wall`` and ``/rooms/{id}``; each is also its own live part (``hub.web.page``)."""
    frame = Frame(rooms.centre, hub)
    board = Board(frame, rooms, devices)
    wall = Board(frame, rooms, devices, "card_wall.html")
    router = APIRouter(include_in_schema=False)

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
        now = hub.now_ms()
        zone = rooms.centre.timezone
        start = min(day(now, zone)[0], last_hour(now, zone)[0])  # just after midnight: yesterday
        steps = await rooms.steps(room.id, start, now)
        line = timeline(steps, now, zone)
        hour = timeline(steps, now, zone, last_hour(now, zone), line.people_most)
        drawn = {piece.status for piece in (*line.pieces, *hour.pieces)}
        return frame.answer(
            request,
            "room",
            here="board",
            line=line,
            hour=hour,
            heights=LEVELS,
            states=[status for status in ORDER if status in drawn],
            gaps=None in drawn,
            **_about(frame, room, rooms.state(room.id), devices, language_of(request)),
        )

    return router


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
