"""``/closing``: the walk through the house at closing time, a room and a button at a time."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.centre import Room
from hub.domain.errors import RefusedDecisionError, UnknownRoomError
from hub.domain.room import Override, OverrideKind, Presence, Text
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.rooms.closing import Round, Stop, closing_round, holds_until, walk
from hub.rooms.overrides import Overrides, Wish
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.naming import full_names, renamed
from hub.web.page import Frame, Translate, language_of, translator

SENSORS = {
    Presence.PRESENT: "ui.sensors_present",
    Presence.ABSENT: "ui.sensors_absent",
    Presence.UNKNOWN: "ui.sensors_unknown",
}
UNASKED = frozenset(
    # what is planned is known at closing time, and the look itself is shown beside it
    {"closed_hours", "closed_holiday", "opens_at", "holidays_unknown"}
    | {"looked_empty", "looked_people"}
)
ADVICE = "would_help"  # for who plans sensors, not for who walks


def pages(rooms: RoomsView, overrides: Overrides, devices: DevicesView, hub: HubView) -> APIRouter:
    frame = Frame(rooms.centre, hub)
    order = walk(rooms.centre)
    router = APIRouter(include_in_schema=False)

    def tonight() -> Round:
        return closing_round(order, rooms.state, rooms.slot, overrides.last_look, hub.now_ms())

    def show(request: Request, error: RefusedDecisionError | None = None) -> Response:
        language, found = language_of(request), tonight()
        t = translator(language)
        return frame.answer(
            request,
            "closing",
            here="closing",
            done=found.done,
            total=len(found.stops),
            percent=round(100 * found.done / max(len(found.stops), 1)),
            following=found.remaining[0].room if found.remaining else None,
            groups=_groups(frame, found, devices, t, language),
            error="" if error is None else frame.text(error.text, language),
        )

    @router.get("/closing")
    async def show_closing(request: Request) -> Response:
        return show(request)

    @router.post("/closing/{room_id}")
    async def say_seen(room_id: str, request: Request) -> Response:
        if all(room.id != room_id for room in order):
            raise UnknownRoomError(room_id)
        people = 1 if (await form(request)).get("seen") == "somebody" else 0
        until_ms = holds_until(rooms.slot(room_id), hub.now_ms())
        wish = Wish(room_id, OverrideKind.LOOKED, people, "", until_ms)
        try:
            await overrides.say(wish, caller(request).name)
        except RefusedDecisionError as error:
            response = show(request, error)
            response.status_code = error.status
            return response
        left = tonight().remaining
        following = next((stop.room.id for stop in left if stop.room.id != room_id), "")
        return RedirectResponse(f"/closing#stop-{following}" if following else "/closing", 303)

    return router


def _groups(
    frame: Frame, found: Round, devices: DevicesView, t: Translate, language: str
) -> list[tuple[str, list[dict[str, Any]]]]:
    """The stops under the name of their floor, in walking order."""
    groups: list[tuple[str, list[dict[str, Any]]]] = []
    for stop in found.stops:
        place = frame.place(stop.room, language)
        if not groups or groups[-1][0] != place:
            groups.append((place, []))
        groups[-1][1].append(_line(frame, stop, devices, t, language))
    return groups


def _line(
    frame: Frame, stop: Stop, devices: DevicesView, t: Translate, language: str
) -> dict[str, Any]:
    names = full_names(devices.in_room(stop.room.id), language)
    return {
        "id": stop.room.id,
        "name": stop.room.name,
        "status": stop.state.status.value,
        "presence": stop.state.presence.value,
        "sensors": t(SENSORS[stop.state.presence]) if _is_by_sensors(stop) else "",
        "why": [
            frame.text(Text(reason.code, renamed(reason.params, names)), language)
            for reason in stop.state.reasons
            if reason.code not in UNASKED and not reason.code.startswith(ADVICE)
        ],
        "is_open": stop.is_open,
        "is_done": stop.is_done,
        "look": _look(frame, stop, t, language),
    }


def _is_by_sensors(stop: Stop) -> bool:
    """Nobody shall read his own look as what sensors say."""
    if not stop.is_look_in_force:
        return True
    is_seen = stop.state.presence is Presence.PRESENT
    return is_seen and any("device" in reason.params for reason in stop.state.reasons)


def _look(frame: Frame, stop: Stop, t: Translate, language: str) -> str:
    look = stop.look
    if look is None:
        return ""
    code = "ui.look_empty" if look.people == 0 else "ui.look_somebody"
    if stop.is_seen_again:
        code = "ui.look_again"
    return t(code, author=look.author, time=frame.when(look.from_ms, language))


def room_of(rooms: RoomsView, room_id: str) -> Room:
    """
    Raises:
        UnknownRoomError
    """
    found = next((room for room in rooms.rooms() if room.id == room_id), None)
    if found is None:
        raise UnknownRoomError(room_id)
    return found


def in_words(frame: Frame, item: Override, language: str) -> str:
    """What somebody said, as a sentence."""
    t, until = translator(language), frame.when(item.until_ms, language)
    if item.kind is OverrideKind.CLOSED:
        return t("ui.override_closed", until=until, author=item.author, why=item.reason)
    since = frame.when(item.from_ms, language)
    code = "ui.override_people" if item.people else "ui.override_empty"
    return t(code, people=item.people or 0, time=since, author=item.author, until=until)
