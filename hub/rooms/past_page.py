"""``/rooms/{id}?at=2026-11-20T15:20``: what a room was at a past moment, and why.

The moment is one on the centre's clocks, as the browser's field writes it. Where clocks are put
back an hour comes twice, and the page offers the other one with its offset; where they are put
forward an hour is left out, and the page says so. Nothing here is live: the past stands still.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response

from hub.domain.centre import Room
from hub.domain.opening import Slot
from hub.domain.room import Text
from hub.domain.views import DevicesView
from hub.rooms.closing_pages import in_words
from hub.rooms.confidence_words import confidence_words
from hub.rooms.explained import Evidence, Explained
from hub.store.query import QueryTooSlowError, StoreBusyError
from hub.texts import clock, local
from hub.web.board import zones
from hub.web.device import channel_name
from hub.web.naming import Names, full_names, renamed
from hub.web.page import Frame, language_of, translator, word
from hub.web.planned import purpose

FIELD = "%Y-%m-%dT%H:%M"
UNREADABLE = 422

Explain = Callable[[str, int], Awaitable[Explained]]


class BadMomentError(ValueError):
    """It cannot be looked at; the text says why, and what to do."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.code)
        self.text = text


class Moment(NamedTuple):
    """``other_ms``: the same time on the clocks, an hour before or after."""

    at_ms: int
    other_ms: int | None = None


def moment(asked: str, zone: ZoneInfo, now_ms: int) -> Moment:
    """
    >>> moment("2026-11-20T15:20", ZoneInfo("Asia/Shanghai"), 2**42)
    Moment(at_ms=1795159200000, other_ms=None)
    >>> moment("2026-10-25T02:30", ZoneInfo("Europe/Berlin"), 2**42)
    Moment(at_ms=1792888200000, other_ms=1792891800000)

    Raises:
        BadMomentError: it is no time, was left out by the clocks, or is still to come.
    """
    try:
        found = datetime.fromisoformat(asked.strip())
        wall = found.replace(tzinfo=zone) if found.tzinfo is None else found.astimezone(zone)
        turns = [_ms(wall.replace(fold=fold)) for fold in (0, 1)]
    except (ValueError, OverflowError):
        raise BadMomentError(Text("ui.past_unreadable")) from None
    if turns[0] > turns[1]:
        raise BadMomentError(Text("ui.past_skipped", {"moment": f"{wall:%Y-%m-%d %H:%M}"}))
    at_ms, other_ms = turns if wall.fold == 0 else reversed(turns)
    if at_ms > now_ms:
        raise BadMomentError(Text("ui.past_future"))
    return Moment(at_ms, other_ms if at_ms != other_ms else None)


def _ms(wall: datetime) -> int:
    return round(wall.astimezone(UTC).timestamp() * 1000)


async def show(
    frame: Frame, request: Request, room: Room, explain: Explain, devices: DevicesView
) -> Response:
    """The page of the moment in ``?at=``, or of why it cannot be looked at."""
    language, asked = language_of(request), request.query_params["at"]
    zone, shown = ZoneInfo(frame.centre.timezone), dict[str, Any]()
    try:
        at = moment(asked, zone, frame.hub.now_ms())
        shown = _clocks(frame, room, at, zone)
        found = await explain(room.id, at.at_ms)
        names = full_names(devices.in_room(room.id), language)
        shown |= _past(frame, room, found, names, language)
    except BadMomentError as error:
        shown["mistake"] = frame.text(error.text, language)
    except (QueryTooSlowError, StoreBusyError):
        shown["mistake"] = translator(language)("ui.past_slow")
    context = {"moment": "", "twice": None, "found": None, "mistake": ""} | shown
    context |= form_context(frame, room, shown.get("typed", ""))
    context |= {"here": "board", "room": room, "place": frame.place(room, language)}
    response = frame.document(request, "explained", language, **context)
    response.status_code = UNREADABLE if not context["moment"] else 200
    return response


def form_context(frame: Frame, room: Room, typed: str = "") -> dict[str, Any]:
    """What ``past_form.html`` needs. ``typed`` empty: an hour ago is offered."""
    now = local(frame.hub.now_ms(), frame.centre.timezone)
    before = typed or f"{now - timedelta(hours=1):{FIELD}}"
    return {"ask": {"room": room.id, "typed": before, "latest": f"{now:{FIELD}}"}}


def _clocks(frame: Frame, room: Room, at: Moment, zone: ZoneInfo) -> dict[str, Any]:
    """The moment as it stood on the clocks, and the way to the other one of that name."""
    wall = datetime.fromtimestamp(at.at_ms / 1000, zone)
    twice = None
    if at.other_ms is not None:
        other = datetime.fromtimestamp(at.other_ms / 1000, zone)
        address = f"/rooms/{room.id}?{urlencode({'at': other.isoformat()})}"
        twice = ("second" if wall.fold else "first", address)
    return {"moment": frame.date(at.at_ms), "typed": f"{wall:{FIELD}}", "twice": twice}


def _past(
    frame: Frame, room: Room, found: Explained, names: Names, language: str
) -> dict[str, Any]:
    """What was said, then what the rules come to when they hear it all again."""
    t, said, state = translator(language), found.said, found.state
    if said is None:
        return {"mistake": t("explain.nobody_watched")}
    status = t(f"status.{said.status}")
    people = "" if said.people is None else t("ui.people", people=said.people)
    shown: dict[str, Any] = {
        "found": found,
        "status": said.status.value,
        "people": people,
        "since": "",
    }
    if state is None:
        return shown | {"doubt": t("explain.unkept", status=status)}

    def then(text: Text) -> str:
        return frame.text(Text(text.code, renamed(text.params, names)), language, found.at_ms)

    since = clock(state.since_ms, language, frame.centre.timezone, found.at_ms)
    return shown | {
        "doubt": "" if found.agrees else t("explain.differs", status=status),
        "replayed": state.status.value,
        "since": since if found.agrees else "",
        "reasons": [then(text) for text in state.reasons],
        "confidence": confidence_words(state.confidence, language),
        "zones": zones(room, state, language),
        "evidence": [_evidence(frame, item, found, language) for item in found.evidence],
        "overrides": [in_words(frame, item, language) for item in found.overrides],
        "planned": _planned(frame, found.slot, found.at_ms, language),
    }


def _evidence(frame: Frame, item: Evidence, found: Explained, language: str) -> Mapping[str, str]:
    """One channel: who says it, what, and why it proves nothing."""
    t, zone = translator(language), frame.centre.timezone
    key = f"{item.channel}.{item.part}" if item.part else item.channel

    def when(at_ms: int | None) -> str:
        return clock(at_ms, language, zone, found.at_ms) if at_ms else t("explain.never")

    value = t("value.none")
    if item.value is not None:
        value = word(f"value.{item.channel}.{item.value}", language, str(item.value))
    says = t(
        "explain.channel",
        name=channel_name(key, language),
        value=value,
        since=when(item.since_ms),
        heard=when(item.heard_ms),
    )
    trouble = t(f"explain.trouble.{item.trouble}") if item.trouble else ""
    return {"device": item.device, "says": says if item.since_ms else "", "trouble": trouble}


def _planned(frame: Frame, slot: Slot, at_ms: int, language: str) -> str:
    """The slot of the timetable that the moment lay in."""
    t = translator(language)
    name = purpose(slot, language) or t("ui.past_open")
    if slot.until_ms is None:
        return name
    until = clock(slot.until_ms, language, frame.centre.timezone, at_ms)
    return t("ui.purpose_until", purpose=name, time=until)
