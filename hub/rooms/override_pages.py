"""The form by which staff say something of a room, and what they said before.

The room's page shows ``override_form.html`` with ``override_context``; a mistake in it is answered
by a page of its own that holds the same form, with what was typed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.centre import Room
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import OverrideKind, Text
from hub.domain.views import HubView, RoomsView
from hub.rooms.closing_pages import in_words, room_of
from hub.rooms.overrides import MAX_PEOPLE, MAX_REASON, MINUTE_MS, Overrides, Wish
from hub.texts import local
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of

LOOKS_MIN = (15, 30, 60, 120)  # how long what one saw is believed
LOCAL = "%Y-%m-%dT%H:%M"


def pages(rooms: RoomsView, overrides: Overrides, hub: HubView) -> APIRouter:
    frame = Frame(rooms.centre, hub)
    router = APIRouter(include_in_schema=False)

    @router.post("/rooms/{room_id}/overrides")
    async def say(room_id: str, request: Request) -> Response:
        room, fields = room_of(rooms, room_id), await form(request)
        try:
            wish = wished(room_id, fields, rooms.centre.timezone, hub.now_ms())
            await overrides.say(wish, caller(request).name)
        except RefusedDecisionError as error:
            return _again(frame, request, room, overrides, fields, error)
        return RedirectResponse(f"/rooms/{room_id}", 303)

    @router.post("/overrides/{number}/end")
    async def end(number: str, request: Request) -> Response:
        """Only a number that is in force is one; all else reads as gone already."""
        wanted = int(number) if number.isascii() and number.isdigit() and len(number) < 16 else 0
        item = next((item for item in overrides.all() if item.id == wanted), None)
        if item is None:
            return RedirectResponse("/", 303)
        await overrides.end(wanted, caller(request).name)
        return RedirectResponse(f"/rooms/{item.room}", 303)

    return router


def override_context(
    frame: Frame,
    overrides: Overrides,
    room: Room,
    language: str,
    typed: Mapping[str, str] | None = None,
    error: str = "",
) -> dict[str, Any]:
    """What ``override_form.html`` needs besides the frame's own."""
    now = local(frame.hub.now_ms(), frame.centre.timezone)
    midnight = (now + timedelta(days=1)).replace(hour=0, minute=0)
    return {
        "override": {
            "room": room.id,
            "said": [(item.id, in_words(frame, item, language)) for item in overrides.of(room.id)],
            "looks_min": LOOKS_MIN,
            "most_people": MAX_PEOPLE,
            "most_reason": MAX_REASON,
            "earliest": f"{now:{LOCAL}}",
            "until": f"{midnight:{LOCAL}}",
            "typed": typed or {},
            "error": error,
        }
    }


def wished(room: str, fields: Mapping[str, str], timezone: str, now_ms: int) -> Wish:
    """What a form says.

    Raises:
        RefusedDecisionError: it cannot be understood.
    """
    reason = fields.get("reason", "")
    if fields.get("kind") == OverrideKind.CLOSED:
        until_ms = _moment(fields.get("until", ""), timezone)
        return Wish(room, OverrideKind.CLOSED, None, reason, until_ms)
    people, minutes = _number(fields.get("people", "")), _number(fields.get("minutes", ""))
    until_ms = now_ms + (minutes if minutes in LOOKS_MIN else LOOKS_MIN[0]) * MINUTE_MS
    return Wish(room, OverrideKind.LOOKED, people, reason, until_ms)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else None


def _moment(text: str, timezone: str) -> int | None:
    """A date and a time as the browser's field writes them, on the centre's clocks.

    Raises:
        RefusedDecisionError: it is none.
    """
    if not text:
        return None
    try:
        wall = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone), fold=1)
        return round(wall.astimezone(UTC).timestamp()) * 1000
    except (ValueError, OverflowError):
        raise RefusedDecisionError(Text("override.bad_end")) from None


def _again(
    frame: Frame,
    request: Request,
    room: Room,
    overrides: Overrides,
    fields: Mapping[str, str],
    error: RefusedDecisionError,
) -> Response:
    language = language_of(request)
    context = override_context(
        frame, overrides, room, language, fields, frame.text(error.text, language)
    )
    response = frame.answer(request, "override", here="board", room=room, **context)
    response.status_code = error.status
    return response
