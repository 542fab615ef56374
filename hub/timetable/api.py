"""``timetable``: when rooms are open, and what for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from hub import texts
from hub.api.answers import answer, documented
from hub.api.documents import Page, ReasonDocument, reason_params, rfc3339
from hub.api.times import parse_time
from hub.domain.centre import pick
from hub.domain.errors import BadQueryError, UnknownRoomError
from hub.domain.opening import Slot
from hub.domain.views import HubView
from hub.store.query import BadCursorError
from hub.store.spans import Window
from hub.timetable.service import TimetableService

DAY_MS = 86_400_000
WEEK_MS = 7 * DAY_MS
LONGEST_MS = 62 * DAY_MS
MOST_ITEMS = 1_000
CURSOR = re.compile(r"([0-9]{1,5})\.([0-9]{1,15})")

Lang = Annotated[str | None, Query(description="zh-CN, zh-TW or en; wins over Accept-Language")]
Accepted = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]


class SlotDocument(msgspec.Struct):
    """What is planned for a room in a stretch of time.

    ``from`` is null where it has been so for longer than is looked back, ``until`` where nothing
    will ever change. ``limit``: how many people the purpose allows; null: the room's capacity.
    """

    room: str
    from_: str | None = msgspec.field(name="from")
    until: str | None
    open: bool
    purpose: str | None
    name: str | None
    limit: int | None
    reasons: list[ReasonDocument]
    because: list[str]


def routes(timetable: TimetableService, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rooms"])
    known = [room.id for room in timetable.centre.rooms]

    @router.get(
        "/timetable",
        responses=documented(
            Page[SlotDocument],
            on_404="No such room",
            on_422="A time that cannot be used, or more than 62 days",
        ),
    )
    async def read_timetable(
        room: Annotated[str | None, Query(description="one room; all without it")] = None,
        from_: Annotated[str | None, Query(alias="from", description="RFC 3339; now")] = None,
        to: Annotated[str | None, Query(description="RFC 3339; a week after `from`")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_ITEMS, description="items a page")] = MOST_ITEMS,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
        lang: Lang = None,
        accepted: Accepted = None,
    ) -> Response:
        """Every slot that touches a time, room by room, in order."""
        if room is not None and room not in known:
            raise UnknownRoomError(room)
        now_ms = hub.now_ms()
        from_ms = parse_time("from", from_, now_ms)
        span = Window(from_ms, parse_time("to", to, from_ms + WEEK_MS))
        if span.to_ms < span.from_ms:
            raise BadQueryError("from", "wrong_way")
        if span.to_ms - span.from_ms > LONGEST_MS:
            raise BadQueryError("to", "too_long", most=str(LONGEST_MS // DAY_MS))
        language, zone = texts.negotiate(lang, None, accepted), timetable.centre.timezone
        items: list[SlotDocument] = []
        following = None
        for at, name, slot in _slots(timetable, [room] if room else known, span, cursor):
            if len(items) == limit:
                following = at
                break
            items.append(document(name, slot, language, zone, now_ms))
        return answer(Page(items, following))

    return router


def _slots(
    timetable: TimetableService, rooms: list[str], span: Window, cursor: str | None
) -> Iterator[tuple[str, str, Slot]]:
    """Each slot with the cursor of the page that would begin with it.

    Raises:
        BadCursorError
    """
    first, from_ms = _resumed(rooms, span, cursor)
    for number, room in enumerate(rooms[first:], start=first):
        for slot in timetable.slots(room, from_ms, span.to_ms):
            yield f"{number}.{max(from_ms, slot.from_ms or from_ms)}", room, slot
        from_ms = span.from_ms


def _resumed(rooms: list[str], span: Window, cursor: str | None) -> tuple[int, int]:
    if cursor is None:
        return 0, span.from_ms
    match = CURSOR.fullmatch(cursor)
    if match is None or int(match[1]) >= len(rooms):
        raise BadCursorError("this cursor did not come from this hub")
    return int(match[1]), max(span.from_ms, int(match[2]))


def document(room: str, slot: Slot, language: str, zone: str, now_ms: int) -> SlotDocument:
    return SlotDocument(
        room=room,
        from_=_time(slot.from_ms),
        until=_time(slot.until_ms),
        open=slot.is_open,
        purpose=slot.purpose,
        name=pick(slot.name, language) if slot.name else None,
        limit=slot.limit,
        reasons=[ReasonDocument(text.code, reason_params(text)) for text in slot.reasons],
        because=[texts.render(text, language, zone, now_ms) for text in slot.reasons],
    )


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
