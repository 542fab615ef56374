"""``availability``: which room is free, for everybody, without an account.

Nothing in it can follow a person: no numbers of people, no reasons, no devices, no moment at which
something happened. It is written anew every few seconds and not at each change, so that nobody can
time who goes in and out of a small room by asking often.
"""

from __future__ import annotations

import secrets
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Request
from starlette.responses import Response
from starlette.types import Scope

from hub import texts
from hub.api.answers import UNCHANGED, documented, too_often
from hub.api.documents import (
    Moment,
    OpeningDocument,
    encode,
    opening_document,
    rfc3339,
)
from hub.api.pace import Pace
from hub.api.ready import Prepared, Reply, asked, known
from hub.domain.centre import Room, is_for_visitors, pick
from hub.domain.room import Crowding, Status
from hub.domain.views import HubView, RoomsView

EVERY_S = 10
BURST, PER_S = 60, 2.0
"""A centre's visitors share one address behind its router."""


class AvailableRoom(msgspec.Struct):
    id: str
    name: str
    kind: str
    status: Status
    crowding: Crowding | None
    opening: OpeningDocument


class AvailabilityDocument(msgspec.Struct):
    """``as_of``: when this was written; it is written every 10 seconds."""

    items: list[AvailableRoom]
    next: str | None
    as_of: Moment


class Availability:
    def __init__(self, rooms: RoomsView, hub: HubView) -> None:
        self._rooms = rooms
        self._hub = hub
        self._boot = secrets.token_hex(4)
        self._pace = Pace(BURST, PER_S)
        self._written: dict[str, tuple[int, Prepared]] = {}

    def ready(self, scope: Scope) -> Reply | None:
        found = asked(scope)
        return None if found is None else self.reply(scope, found.language, found.known)

    def reply(self, scope: Scope, language: str, known: bytes | None) -> Reply:
        client = scope.get("client")
        wait_s = self._pace.wait_s(client[0] if client else "")
        if wait_s:
            return too_often(wait_s, language)
        return self._answer(language).reply(known)

    def _answer(self, language: str) -> Prepared:
        now_ms = self._hub.now_ms()
        written = self._written.get(language)
        if written is None or not 0 <= now_ms - written[0] < EVERY_S * 1000:
            rooms = filter(is_for_visitors, self._rooms.rooms())
            items = [self._room(room, language) for room in rooms]
            body = encode(AvailabilityDocument(items, None, rfc3339(now_ms)))
            cache = b"public, max-age=%d" % EVERY_S
            tag = f"{self._boot}-{language}-{now_ms}"
            written = self._written[language] = (now_ms, Prepared(body, tag, cache))
        return written[1]

    def _room(self, room: Room, language: str) -> AvailableRoom:
        state = self._rooms.state(room.id)
        return AvailableRoom(
            room.id,
            pick(room.name, language),
            room.kind,
            state.status,
            state.crowding,
            opening_document(self._rooms.slot(room.id), language),
        )


def routes(availability: Availability) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rooms"])

    @router.get(
        "/availability",
        responses=documented(AvailabilityDocument, on_429="Asked too often from one address")
        | UNCHANGED,
    )
    async def read_availability(
        request: Request,
        lang: Annotated[
            str | None, Query(description="zh-CN, zh-TW or en; wins over Accept-Language")
        ] = None,
        accepted: Annotated[
            str | None, Header(alias="Accept-Language", include_in_schema=False)
        ] = None,
    ) -> Response:
        """Which room is free: for everybody. Keep it for as long as `Cache-Control` says.

        The rooms that a visitor may look for, as on the page `/availability`: no corridors,
        toilets, offices, kitchens, storage or refuse rooms.

        An address may ask 60 times at once and then twice a second; 429 says when to come again.
        """
        language = texts.negotiate(lang, None, accepted)
        return availability.reply(request.scope, language, known(request)).response()

    return router
