"""The staff's pages of rooms: the board as a list or a plan, and the wall."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.domain.views import DevicesView, HubView, RoomsView
from hub.rooms.beside import Beside
from hub.web import filters
from hub.web.board import Board
from hub.web.filters import Wanted
from hub.web.page import Frame, language_of
from hub.web.plan import Plan
from hub.web.turns import WALL_S, leaf, turn
from hub.web.turns import pages as leaves

MOST_ON_WALL = 16  # more would be too small to read from across a hall


def pages(rooms: RoomsView, devices: DevicesView, hub: HubView, beside: Beside) -> APIRouter:
    """``/`` and ``/wall``; each is also its own live part (``hub.web.page``)."""
    frame = Frame(rooms.centre, hub)
    board = Board(frame, rooms, devices)
    plan = Plan(frame, rooms, devices, beside.drawings)
    wall = Board(frame, rooms, devices, is_wall=True)
    router = APIRouter(include_in_schema=False)

    def part(asked: Wanted, language: str) -> dict[str, Any]:
        """The rooms that were asked for, as they are to be shown."""
        shown = filters.shown(asked, rooms)
        if asked.view == "plan":
            return {"levels": plan.written(shown, language)}
        houses = {room.building for room in rooms.rooms()}
        return {"houses": board.houses(language, shown), "has_houses": len(houses) > 1}

    @router.get("/")
    async def show_board(request: Request) -> Response:
        language = language_of(request)
        asked = filters.wanted(request, rooms)
        if asked is None:
            return frame.error(request, 404)
        return frame.answer(
            request,
            "board",
            here="board",
            asked=asked,
            choices=filters.choices(asked, rooms, language),
            views=[(view, asked.address(view=view)) for view in filters.VIEWS],
            summary=board.summary(language),
            attention=board.attention(),
            **part(asked, language),
        )

    @router.get("/wall")
    async def show_wall(request: Request) -> Response:
        language = language_of(request)
        cards = wall.cards(language)
        count = leaves(cards, MOST_ON_WALL)
        nth = turn(hub, WALL_S, count)
        shown = leaf(cards, MOST_ON_WALL, nth)
        return frame.answer(
            request,
            "wall",
            cards=shown,
            leaf=(nth + 1, count),
            density=_density(len(shown)),
            summary=wall.summary(language),
            notices=frame.notices(language, is_hall=True),
        )

    return router


def _density(cards: int) -> str:
    """How many columns a wall needs."""
    return "few" if cards <= 6 else "some" if cards <= 12 else "many"
