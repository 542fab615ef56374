"""``/timetable``: the month with its holidays, today room by room, and what managers entered."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.centre import Room, pick
from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.opening import Slot
from hub.domain.room import Text
from hub.domain.views import HubView
from hub.texts import clock
from hub.timetable.month import before_and_after, hours_words, month_of, weeks
from hub.timetable.rules import A_DAY
from hub.timetable.service import TimetableService
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of, translator, word

MOST_SLOTS = 24  # of a room on a day


class Stretch(NamedTuple):
    """A part of today in a room."""

    times: str
    purpose: str
    is_open: bool
    is_now: bool
    limit: int | None


def pages(timetable: TimetableService, hub: HubView) -> APIRouter:
    frame = Frame(timetable.centre, hub)
    router = APIRouter(include_in_schema=False)

    @router.get("/timetable")
    async def show_timetable(request: Request) -> Response:
        return _show(frame, timetable, request, {})

    @router.post("/timetable/days")
    async def enter_days(request: Request) -> Response:
        fields = dict(await form(request))
        try:
            first = _date(fields.get("first", ""))
            last = _date(fields["last"]) if fields.get("last") else first
            is_workday = fields.get("kind") == "workday"
            name, author = fields.get("name", ""), caller(request).name
            await timetable.enter(first, last, is_workday, name, author)
        except RefusedDecisionError as error:
            response = _show(frame, timetable, request, fields, error)
            response.status_code = error.status
            return response
        return RedirectResponse(f"/timetable?month={first:%Y-%m}", 303)

    @router.post("/timetable/days/{day}/remove")
    async def remove_day(day: str, request: Request) -> Response:
        on = _known_date(day)
        await timetable.remove(on, caller(request).name)
        return RedirectResponse(f"/timetable?month={on:%Y-%m}", 303)

    @router.post("/timetable/years/{year}")
    async def say_whole(year: str, request: Request) -> Response:
        fields = await form(request)
        on = _known_date(f"{year}-01-01")
        await timetable.say_whole(on.year, fields.get("whole") == "yes", caller(request).name)
        return RedirectResponse(f"/timetable?month={on:%Y-%m}", 303)

    return router


def _show(
    frame: Frame,
    timetable: TimetableService,
    request: Request,
    typed: dict[str, str],
    error: RefusedDecisionError | None = None,
) -> Response:
    language, today = language_of(request), timetable.today()
    month = month_of(request.query_params.get("month"), today)
    earlier, later = before_and_after(month)
    t = translator(language)
    return frame.answer(
        request,
        "timetable",
        here="timetable",
        month=_month(month, language),
        month_key=f"{month:%Y-%m}",
        around=[f"{earlier:%Y-%m}", f"{later:%Y-%m}"],
        weekdays=[t(f"weekday.{number}") for number in range(1, 8)],
        weeks=[
            [_cell(cell, language) for cell in week]
            for week in weeks(month, today, timetable.day, timetable.hours)
        ],
        rooms=[_today(timetable, room, language, frame) for room in timetable.centre.rooms],
        year=month.year,
        is_known=timetable.is_known(month.year),
        is_whole=timetable.is_whole(month.year),
        entries=[
            (entry, holiday_name(entry.name, language))
            for entry in timetable.entries()
            if entry.day.year == month.year
        ],
        typed=typed,
        error="" if error is None else frame.text(error.text, language),
    )


def holiday_name(name: str, language: str) -> str:
    """A holiday's own words, or those of its code."""
    return word(f"holiday.{name}", language, name) if name else ""


def _month(month: date, language: str) -> str:
    t = translator(language)
    return t("ui.month_of_year", month=t(f"month.{month.month}"), year=month.year)


def _cell(cell: Any, language: str) -> dict[str, Any]:
    t, hours = translator(language), cell.hours
    words = t("ui.always_open") if hours is None else hours_words(hours) or t("status.closed")
    return {
        "iso": str(cell.on),
        "number": cell.on.day,
        "kind": cell.kind.value,
        "name": holiday_name(cell.day.name, language),
        "hours": words,
        "is_open": hours is None or bool(hours),
        "is_outside": cell.is_outside,
        "is_today": cell.is_today,
    }


def _today(timetable: TimetableService, room: Room, language: str, frame: Frame) -> dict[str, Any]:
    """A room's day: when it is open, what for, and which of it is now."""
    today, now_ms = timetable.today(), frame.hub.now_ms()
    from_ms, to_ms = (
        round(datetime.combine(on, datetime.min.time(), timetable.zone).timestamp()) * 1000
        for on in (today, today + A_DAY)
    )
    found: list[Stretch] = []
    for slot in timetable.slots(room.id, from_ms, to_ms):
        if slot.is_open and len(found) < MOST_SLOTS:
            found.append(_stretch(slot, (from_ms, to_ms), now_ms, language, frame))
    return {
        "id": room.id,
        "name": room.name,
        "place": frame.place(room, language),
        "stretches": found,
    }


def _stretch(slot: Slot, day: tuple[int, int], now_ms: int, language: str, frame: Frame) -> Stretch:
    begin = max(slot.from_ms or day[0], day[0])
    end = min(slot.until_ms or day[1], day[1])
    t, zone = translator(language), frame.centre.timezone
    times = f"{clock(begin, language, zone)}–{_end(end, day[1], language, zone)}"
    if (begin, end) == day:
        times = t("ui.all_day")
    purpose = pick(slot.name, language) if slot.name else ""
    return Stretch(times, purpose, slot.is_open, begin <= now_ms < end, slot.limit)


def _end(end_ms: int, midnight_ms: int, language: str, zone: str) -> str:
    return "24:00" if end_ms == midnight_ms else clock(end_ms, language, zone)


def _date(text: str) -> date:
    """
    Raises:
        RefusedDecisionError: it is no date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedDecisionError(Text("calendar.no_date")) from None


def _known_date(text: str) -> date:
    """Out of an address.

    Raises:
        NotFoundError: it is no date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise NotFoundError(text[:20]) from None
