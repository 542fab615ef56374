"""``rooms/{id}/overrides``: what staff say of a room."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from hub.api.answers import DOCUMENTS, answer, documented
from hub.api.documents import Page, rfc3339
from hub.api.schemas import reference
from hub.api.times import parse_range, parse_time
from hub.api.wishes import read_wish
from hub.domain.room import Override, OverrideKind
from hub.domain.views import HubView
from hub.rooms.overrides import MAX_REASON, Overrides, UnknownOverrideError, Wish
from hub.web.caller import caller

DAY_MS = 86_400_000
MOST_ITEMS = 1_000
Number = Annotated[int, Path(ge=1, le=2**53)]


class OverrideDocument(msgspec.Struct):
    """What somebody said of a room. ``ended``: it was taken back or replaced before its end."""

    id: int
    room: str
    kind: str
    people: int | None
    reason: str
    author: str
    from_: str = msgspec.field(name="from")
    until: str
    ended: str | None


class OverrideWish(msgspec.Struct, forbid_unknown_fields=True):
    """``closed`` needs a reason and an end; ``looked`` how many people were seen, 0 is empty.

    ``looked`` without an end holds 15 minutes. The reason is shown to staff: no personal data.
    """

    kind: OverrideKind
    people: Annotated[int, msgspec.Meta(ge=0, le=100_000)] | None = None
    reason: Annotated[str, msgspec.Meta(max_length=MAX_REASON)] = ""
    until: Annotated[str, msgspec.Meta(max_length=40)] | None = None


BODY = {
    DOCUMENTS: (OverrideWish,),
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": reference(OverrideWish),
                "examples": {
                    "closed": {
                        "value": {
                            "kind": "closed",
                            "reason": "The floor is being polished",
                            "until": "2026-11-27T18:00:00+08:00",
                        }
                    },
                    "empty": {"value": {"kind": "looked", "people": 0}},
                },
            }
        },
    },
}


def routes(overrides: Overrides, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1/rooms/{room}/overrides", tags=["rooms"])

    @router.get(
        "",
        responses=documented(
            Page[OverrideDocument],
            on_404="No such room",
            on_422="A time that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_overrides(
        room: str,
        from_: Annotated[str | None, Query(alias="from", description="RFC 3339")] = None,
        to: Annotated[str | None, Query(description="RFC 3339")] = None,
    ) -> Response:
        """What is in force; with ``from`` or ``to``, all that was at any moment in between."""
        found = list(overrides.of(room))
        if from_ is not None or to is not None:
            from_ms, to_ms = parse_range(from_, to, hub.now_ms(), DAY_MS)
            found = await overrides.between(from_ms, to_ms, room)
        return answer(Page([document(item) for item in found[-MOST_ITEMS:]]))

    @router.post(
        "",
        openapi_extra=BODY,
        responses=documented(
            OverrideDocument,
            on_404="No such room",
            on_409="The hub does not know the time yet",
            on_413="The body is too large",
            on_422="It cannot be said like that",
            on_503="The disk did not take it",
        ),
    )
    async def say(room: str, request: Request) -> Response:
        """Close a room, or say what you saw in it. It replaces what was said of the same kind."""
        overrides.of(room)
        wanted = await read_wish(request, OverrideWish)
        until_ms = parse_time("until", wanted.until, 0) if wanted.until else None
        wish = Wish(room, wanted.kind, wanted.people, wanted.reason, until_ms)
        return answer(document(await overrides.say(wish, caller(request).name)))

    @router.delete(
        "/{number}",
        responses=documented(
            OverrideDocument,
            on_404="No such room, or nothing of this number is in force in it",
            on_422="A number that cannot be used",
            on_503="The disk did not take it",
        ),
    )
    async def end(room: str, number: Number, request: Request) -> Response:
        """Take it back before its end."""
        if all(item.id != number for item in overrides.of(room)):
            raise UnknownOverrideError(str(number))
        return answer(document(await overrides.end(number, caller(request).name)))

    return router


def document(item: Override) -> OverrideDocument:
    return OverrideDocument(
        id=item.id,
        room=item.room,
        kind=item.kind.value,
        people=item.people,
        reason=item.reason,
        author=item.author,
        from_=rfc3339(item.from_ms),
        until=rfc3339(item.until_ms),
        ended=None if item.ended_ms is None else rfc3339(item.ended_ms),
    )
