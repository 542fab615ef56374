"""``status``, ``rooms`` and a room's history."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from hub import texts
from hub.api.answers import UNCHANGED, answer, documented, encoded, tagged
from hub.api.documents import (
    HistoryDocument,
    Page,
    RoomDocument,
    StatusDocument,
    encode,
    rfc3339,
)
from hub.api.ready import known
from hub.api.times import STEP, Cut, Step, cut, parse_range, resume, write_moment
from hub.domain.views import HubView, RoomsView
from hub.rooms.filters import Filters
from hub.rooms.history import RawPage, Usage, shared_out, stretches
from hub.rooms.status import StatusBoard
from hub.store.query import MAX_LIMIT
from hub.store.spans import Window

DAY_MS = 86_400_000
UNKNOWN_VALUE = "A filter has a value that this centre does not have"

Lang = Annotated[str | None, Query(description="zh-CN, zh-TW or en; wins over Accept-Language")]
Accepted = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]


def routes(rooms: RoomsView, board: StatusBoard, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rooms"])
    zone = ZoneInfo(rooms.centre.timezone)
    filters = Filters(rooms)
    some = {"parameters": filters.parameters}

    def chosen(request: Request, language: str) -> list[bytes]:
        wanted = filters.read(request.query_params)
        return [board.rooms.document(room, language) for room in filters.chosen(wanted)]

    @router.get(
        "/status",
        openapi_extra=some,
        responses=documented(StatusDocument, on_422=UNKNOWN_VALUE) | UNCHANGED,
    )
    async def read_status(
        request: Request, lang: Lang = None, accepted: Accepted = None
    ) -> Response:
        """The whole centre at a glance. With filters, the rooms that fit."""
        language = texts.negotiate(lang, None, accepted)
        if filters.read(request.query_params):
            return encoded(board.of(chosen(request, language), language))
        return board.answer(language).reply(known(request)).response()

    @router.get(
        "/rooms",
        openapi_extra=some,
        responses=documented(Page[RoomDocument], on_422=UNKNOWN_VALUE) | UNCHANGED,
    )
    async def list_rooms(
        request: Request, lang: Lang = None, accepted: Accepted = None
    ) -> Response:
        """Rooms with their status: all, or those that fit every filter given."""
        found = chosen(request, texts.negotiate(lang, None, accepted))
        return tagged(request, encode(Page([msgspec.Raw(room) for room in found])))

    @router.get(
        "/rooms/{room}", responses=documented(RoomDocument, on_404="No such room") | UNCHANGED
    )
    async def read_room(
        request: Request, room: str, lang: Lang = None, accepted: Accepted = None
    ) -> Response:
        """One room: status, since when, until when, and why."""
        return tagged(request, board.rooms.document(room, texts.negotiate(lang, None, accepted)))

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
            status=step.status,
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
