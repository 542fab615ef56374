"""``status``, ``rooms`` and a room's history."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from hub import texts
from hub.api.answers import answer, documented
from hub.api.documents import (
    AlertCounts,
    CentreDocument,
    DeviceCounts,
    HistoryDocument,
    Page,
    RoomDocument,
    StatusDocument,
    encode,
    rfc3339,
    room_document,
)
from hub.api.times import STEP, Cut, Step, cut, parse_range, resume, write_moment
from hub.domain.centre import pick
from hub.domain.device import Health
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.rooms.history import RawPage, Usage, shared_out, stretches
from hub.store.query import MAX_LIMIT
from hub.store.spans import Window

DAY_MS = 86_400_000
FRESH_MS = 1_000  # an unchanged status is rebuilt this often, for its ``as_of``

Lang = Annotated[str | None, Query(description="zh-CN, zh-TW or en; wins over Accept-Language")]
Accepted = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]


class StatusBoard:
    """The status document of each language, encoded once for each change."""

    def __init__(self, rooms: RoomsView, devices: DevicesView, hub: HubView) -> None:
        self._rooms = rooms
        self._devices = devices
        self._hub = hub
        self._cached: dict[str, tuple[int, bytes]] = {}

    def forget(self) -> None:
        """Something changed."""
        self._cached.clear()

    def encoded(self, language: str) -> bytes:
        now = self._hub.now_ms()
        cached = self._cached.get(language)
        if cached is None or now - cached[0] >= FRESH_MS:
            cached = self._cached[language] = (now, encode(self._document(language, now)))
        return cached[1]

    def _document(self, language: str, now_ms: int) -> StatusDocument:
        centre = self._rooms.centre
        counts = self._devices.counts()
        return StatusDocument(
            centre=CentreDocument(centre.id, pick(centre.name, language)),
            as_of=rfc3339(now_ms),
            rooms=room_documents(self._rooms, language, now_ms),
            # alerts are raised by hub/faults, which does not exist yet
            alerts=AlertCounts(raised=0, acknowledged=0),
            devices=DeviceCounts(
                ok=counts[Health.OK],
                faulty=counts[Health.FAULTY],
                silent=counts[Health.SILENT],
                new=counts[Health.NEW],
            ),
        )


def room_documents(rooms: RoomsView, language: str, now_ms: int) -> list[RoomDocument]:
    return [
        room_document(room, rooms.state(room.id), rooms.centre, language, now_ms)
        for room in rooms.rooms()
    ]


def routes(rooms: RoomsView, board: StatusBoard, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rooms"])
    zone = ZoneInfo(rooms.centre.timezone)

    @router.get("/status", responses=documented(StatusDocument))
    async def read_status(lang: Lang = None, accepted: Accepted = None) -> Response:
        """The whole centre at a glance."""
        body = board.encoded(texts.negotiate(lang, None, accepted))
        return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})

    @router.get("/rooms", responses=documented(Page[RoomDocument]))
    async def list_rooms(lang: Lang = None, accepted: Accepted = None) -> Response:
        """All rooms with their status."""
        language = texts.negotiate(lang, None, accepted)
        return answer(Page(room_documents(rooms, language, hub.now_ms())))

    @router.get("/rooms/{room}", responses=documented(RoomDocument, on_404="No such room"))
    async def read_room(room: str, lang: Lang = None, accepted: Accepted = None) -> Response:
        """One room: status, since when, until when, and why."""
        state = rooms.state(room)
        configured = next(item for item in rooms.rooms() if item.id == room)
        language = texts.negotiate(lang, None, accepted)
        return answer(room_document(configured, state, rooms.centre, language, hub.now_ms()))

    @router.get(
        "/rooms/{room}/history",
        responses=documented(
            Page[HistoryDocument],
            on_404="No such room",
            on_422="A time, step, limit or cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def read_history(
        room: str,
        from_: Annotated[str | None, Query(alias="from", description="RFC 3339")] = None,
        to: Annotated[str | None, Query(description="RFC 3339")] = None,
        step: Annotated[Step, Query(description=STEP)] = "raw",
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")] = 1000,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """Past status; without times the last day. What is missing is a gap, never a guess."""
        rooms.state(room)
        now = hub.now_ms()
        span = resume(Window(*parse_range(from_, to, now, DAY_MS)), cursor)
        if step == "raw":
            page = await stretches(rooms, room, span, limit)
            return await asyncio.to_thread(_answer_raw, page)
        # what has not happened yet is no gap
        found = cut(Window(span.from_ms, min(span.to_ms, now)), step, zone, limit)
        usages = await shared_out(rooms, room, found.windows)
        return await asyncio.to_thread(_answer_shares, found, usages)

    return router


def _answer_raw(page: RawPage) -> Response:
    documents = [
        HistoryDocument(
            from_=rfc3339(step.from_ms),
            to=rfc3339(step.to_ms),
            status=step.status.value,
            people_mean=step.people,
            covered=1.0,
        )
        for step in page.steps
    ]
    return answer(Page(documents, write_moment(page.next_ms)))


def _answer_shares(found: Cut, usages: Sequence[Usage]) -> Response:
    documents = [
        HistoryDocument(
            from_=rfc3339(window.from_ms),
            to=rfc3339(window.to_ms),
            share=usage.shares(),
            people_mean=usage.people_mean(),
            covered=round(usage.covered_ms / (window.to_ms - window.from_ms), 6),
        )
        for window, usage in zip(found.windows, usages, strict=True)
    ]
    return answer(Page(documents, write_moment(found.next_ms)))
