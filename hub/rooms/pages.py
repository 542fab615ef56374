"""The staff's pages of rooms: the board, the wall, one room with its day and its evidence."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.domain.centre import Room
from hub.domain.room import RoomState
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.web.board import ORDER, Board, card_context
from hub.web.device import device_line
from hub.web.page import Frame, language_of, word
from hub.web.timeline import LEVELS, day, timeline


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
        start, end = day(now, rooms.centre.timezone)
        line = timeline(
            await rooms.steps(room.id, start, min(now, end)), now, rooms.centre.timezone
        )
        drawn = {piece.status for piece in line.pieces}
        return frame.answer(
            request,
            "room",
            here="board",
            line=line,
            heights=LEVELS,
            states=[status for status in ORDER if status in drawn],
            gaps=None in drawn,
            **_about(frame, room, rooms.state(room.id), devices, language_of(request)),
        )

    return router


def _about(
    frame: Frame, room: Room, state: RoomState, devices: DevicesView, language: str
) -> dict[str, Any]:
    here = [device_line(frame, device, language) for device in devices.in_room(room.id)]
    return card_context(frame, room, state, 0, language) | {
        "kind": word(f"kind.{room.kind}", language, room.kind),
        "reasons": [frame.text(reason, language) for reason in state.reasons],
        "devices": here,
    }


def _density(cards: int) -> str:
    """How many columns a wall needs; from 17 cards on the names are smaller than 5 m asks for."""
    return next(
        (name for most, name in ((6, "few"), (12, "some"), (16, "many")) if cards <= most), "most"
    )
