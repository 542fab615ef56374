"""``/lobby``, ``/availability`` and each room's ``/sign``: what is for everybody."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hub.domain.centre import Room, pick
from hub.domain.room import Status
from hub.domain.views import HubView, RoomsView
from hub.rooms.besttime import QUARTER_MS, WEEKS, Calm, Day, calmest, quarters
from hub.store.query import QueryTooSlowError, StoreBusyError
from hub.texts import LANGUAGES, local
from hub.web.history_spans import weekday
from hub.web.kept import Kept
from hub.web.page import Frame, language_of, translator
from hub.web.planned import Timetable
from hub.web.public import density, groups, places, sign
from hub.web.timeline import day
from hub.web.turns import LANGUAGE_S, leaf, pages, turn

CARDS = 12  # in the lobby at once
SIGN_S = 60
WRITTEN_MS = 10_000  # asked more often, nobody learns when somebody goes in or out
LEARNT_MS = 15 * 60_000
ADVISED = "canteen"
HEADERS = {"Cache-Control": "no-store", "Vary": "Accept-Language, Cookie"}


def routes(rooms: RoomsView, timetable: Timetable, hub: HubView) -> APIRouter:
    frame = Frame(rooms.centre, hub)
    router = APIRouter(include_in_schema=False)
    advice = Advice(frame, rooms, timetable)
    written: Kept[bytes] = Kept(WRITTEN_MS)

    @router.get("/lobby")
    async def show_lobby(request: Request) -> Response:
        asked = request.query_params.get("lang")
        nth = turn(hub, LANGUAGE_S, len(LANGUAGES))
        language = language_of(request) if asked else LANGUAGES[nth]
        return frame.answer(
            request,
            "lobby",
            speaks=language,
            live="/lobby" if not asked else f"/lobby?lang={language}",
            **_lobby(frame, rooms, timetable, language),
            advice=await advice.lines(language),
            lost=[translator(one)("ui.lobby_lost", seconds="{seconds}") for one in LANGUAGES],
        )

    @router.get("/availability")
    async def show_availability(request: Request) -> Response:
        language = language_of(request)

        def write() -> HTMLResponse:
            shown = groups(frame, rooms, timetable, language)
            return frame.document(request, "availability", language, groups=shown)

        body = await written.get(("availability", language), hub.now_ms(), _body_of(write))
        return frame.remember(request, HTMLResponse(body, headers=HEADERS), language)

    @router.get("/rooms/{room_id}/sign")
    async def show_sign(request: Request, room_id: str) -> Response:
        room = next((room for room in rooms.rooms() if room.id == room_id), None)
        if room is None:
            return frame.error(request, 404)

        def write() -> HTMLResponse:
            shown = sign(frame, rooms, timetable, room)
            return frame.document(request, "sign", LANGUAGES[0], **shown)

        body = await written.get(("sign", room.id), hub.now_ms(), _body_of(write))
        return HTMLResponse(body, headers=HEADERS | {"Refresh": str(SIGN_S)})

    return router


def _body_of(write: Callable[[], HTMLResponse]) -> Callable[[], Awaitable[bytes]]:
    async def body() -> bytes:
        return bytes(write().body)

    return body


def _lobby(frame: Frame, rooms: RoomsView, timetable: Timetable, language: str) -> dict[str, Any]:
    """What is on the screen now; where the rooms do not fit, a part of them."""
    every = places(frame, rooms, timetable, language)
    count = pages(every, CARDS)
    nth = turn(frame.hub, LANGUAGE_S * len(LANGUAGES), count)
    shown = leaf(every, CARDS, nth)
    free = sum(one.status is Status.FREE for one in every)
    return {
        "cards": shown,
        "density": density(shown),
        "leaf": (nth + 1, count),
        "free": translator(language)("ui.lobby_free", count=free),
    }


class Advice:
    """When the canteen is calm, learnt again every quarter of an hour."""

    def __init__(self, frame: Frame, rooms: RoomsView, timetable: Timetable) -> None:
        self._frame = frame
        self._rooms = rooms
        self._timetable = timetable
        self._learnt: Kept[Calm | None] = Kept(LEARNT_MS)

    async def lines(self, language: str) -> list[str]:
        """A sentence for each canteen of which something honest can be said."""
        now_ms = self._frame.hub.now_ms()
        found = []
        for room in self._rooms.rooms():
            if room.kind != ADVISED:
                continue
            today = day(now_ms, self._frame.centre.timezone)
            calm = await self._learnt.get(
                (room.id, today),
                now_ms,
                lambda room=room: self._calm(room, now_ms),  # type: ignore[misc]
            )
            if calm is not None and today[0] + calm.end * QUARTER_MS > now_ms:
                found.append(self._sentence(room, calm, language))
        return found

    async def _calm(self, room: Room, now_ms: int) -> Calm | None:
        zone = self._frame.centre.timezone
        begin, end = day(now_ms, zone)
        days: list[Day] = []
        try:
            for back in range(1, WEEKS + 1):
                noon = local(begin, zone) + timedelta(days=-7 * back, hours=12)
                start, stop = day(round(noon.timestamp() * 1000), zone)
                steps = await self._rooms.steps(room.id, start, stop)
                days.append(quarters(steps, start, (stop - start) // QUARTER_MS))
        except (QueryTooSlowError, StoreBusyError):
            return None  # said again in a quarter of an hour, when there is time to read
        still = [
            at
            for slot in self._timetable.slots(room.id, now_ms, end)
            if slot.is_open
            for at in range((end - begin) // QUARTER_MS)
            if max(now_ms, slot.from_ms or begin) <= begin + at * QUARTER_MS
            and begin + (at + 1) * QUARTER_MS <= (slot.until_ms or end)
        ]
        return calmest(days, still)

    def _sentence(self, room: Room, calm: Calm, language: str) -> str:
        now_ms = self._frame.hub.now_ms()
        begin, _ = day(now_ms, self._frame.centre.timezone)
        when = [self._frame.when(begin + at * QUARTER_MS, language) for at in calm[:2]]
        t = translator(language)
        return t(
            "ui.calm",
            room=pick(room.name, language),
            begin=when[0],
            end=when[1],
            range=str(calm.low) if calm.low == calm.high else f"{calm.low}\N{EN DASH}{calm.high}",
            weeks=calm.days,
            weekday=weekday(now_ms, self._frame.centre.timezone, language),
        )
