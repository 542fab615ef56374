"""What a file may say about when rooms are open, and what for.

Days are written as people say them, ``mon-fri`` or ``sat, sun``, and so are hours:
``08:00-12:00, 13:30-17:00``. Both are read here into plain sets and minutes of the day. A night
counts on, ``22:00-26:00``: were ``22:00-02:00`` taken for it, then ``13:00-12:00``, a slip of the
finger, would be a room that is open for 23 hours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from edge.settings import Identifier, Section
from hub.configuration.small_types import Count, LeftOpen, Name

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY, MAKEUP = "holiday", "makeup"
DAYS = (*WEEK, HOLIDAY, MAKEUP)
DAY_MINUTES = 24 * 60
MAX_SPANS = 24  # in one day; a lesson an hour
MAX_PURPOSES = 100  # of a room; each is looked at for every day that is looked ahead
CLOSED = "closed"
SPAN = re.compile(r"(\d{1,2}):(\d\d)\s*[-\u2013\u2014~\uff5e]\s*(\d{1,2}):(\d\d)")

Hours = tuple[tuple[int, int], ...]
"""From and until in minutes of the day; until is beyond 1440 past midnight, as it is written."""


def days_named(text: str) -> tuple[str, ...]:
    """The days that a line is about.

    >>> days_named("mon-wed, sat"), days_named("sat-mon"), days_named("holiday")
    (('mon', 'tue', 'wed', 'sat'), ('sat', 'sun', 'mon'), ('holiday',))

    Raises:
        ValueError: with the part that names no day.
    """
    found: list[str] = []
    for part in text.split(","):
        first, mark, last = (word.strip().lower() for word in part.partition("-"))
        if first not in DAYS or (mark and (first not in WEEK or last not in WEEK)):
            raise ValueError(last if first in WEEK else first)
        begin = DAYS.index(first)
        length = (WEEK.index(last) - begin) % 7 if mark else 0
        found += [first, *(WEEK[(begin + more) % 7] for more in range(1, length + 1))]
    return tuple(found)


def parse_hours(value: object) -> Hours:
    """``closed``, or one or more stretches of the day, as a text or a list of texts.

    >>> parse_hours("08:00-12:00, 22:00-26:00"), parse_hours("00:00-24:00"), parse_hours("closed")
    (((480, 720), (1320, 1560)), ((0, 1440),), ())

    Raises:
        PydanticCustomError: bad_hours, hours_backwards.
    """
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not 0 < len(parts) <= MAX_SPANS:
        raise PydanticCustomError("bad_hours", "no hours")
    if [part for part in parts if part != CLOSED] == [] and len(parts) == 1:
        return ()
    return tuple(sorted(_span(part) for part in parts))


def _span(part: object) -> tuple[int, int]:
    match = SPAN.fullmatch(part.strip()) if isinstance(part, str) else None
    if match is None:
        raise PydanticCustomError("bad_hours", "no hours")
    hours, minutes, until_hours, until_minutes = map(int, match.groups())
    begin, end = hours * 60 + minutes, until_hours * 60 + until_minutes
    is_time = max(minutes, until_minutes) < 60 and begin < DAY_MINUTES
    if not is_time or end - begin > DAY_MINUTES:
        raise PydanticCustomError("bad_hours", "no hours")
    if end <= begin:
        raise _backwards(begin, end)
    return begin, end


def _backwards(begin: int, end: int) -> PydanticCustomError:
    """Both ways in which it may have been meant: as a night, or with the two exchanged."""
    said = {"begin": _clock(begin), "end": _clock(end), "night_end": _clock(end + DAY_MINUTES)}
    return PydanticCustomError("hours_backwards", "ends before it begins", said)


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day_key(key: str) -> str:
    try:
        days_named(key)
    except ValueError as error:
        raise PydanticCustomError("bad_day", "no day", {"day": str(error)}) from None
    return key


def _every_day(value: Any) -> Any:
    """Hours without days are those of every day."""
    if not isinstance(value, str | list):
        return value
    parse_hours(value)  # here, where a mistake has the place that was written
    return {f"mon-sun, {HOLIDAY}": value}


DayLine = Annotated[str, AfterValidator(_day_key)]
HoursLine = Annotated[Hours, BeforeValidator(parse_hours)]
Week = Annotated[dict[DayLine, HoursLine], BeforeValidator(_every_day)]


def by_day(week: Mapping[str, Hours]) -> dict[str, Hours]:
    """The lines of a table by single day; what no line names is not in it."""
    return {day: hours for line, hours in week.items() for day in days_named(line)}


class PurposeSettings(Section):
    """What a room is for at certain hours. It opens the room, also outside its opening hours."""

    id: Identifier
    """A short name, unique in the room."""
    name: Name
    """What people call it, by language."""
    when: Week
    """Days and hours, as under `timetable`."""
    from_: date | None = Field(default=None, alias="from")
    """The first day, for example 2026-09-01; without it, ever since."""
    until: date | None = None
    """The last day, included; without it, until further notice."""
    limit: Count | None = None
    """How many people this purpose allows; without it the room's capacity."""


class RoomTimetable(Section):
    """One room's own hours and purposes."""

    hours: Week | None = None
    """Days and hours instead of the centre's."""
    purposes: Annotated[list[PurposeSettings], LeftOpen] = Field(default_factory=list)
    """What it is for, at most 100; where two meet, the one further up."""


class TimetableSection(Section):
    """When rooms are open, and what for. Without it every room is always open.

    A table of hours has a line for some days and their hours: `mon-fri: 08:00-12:00, 13:30-17:00`.
    Days are `mon` to `sun`, `holiday` and `makeup` (a weekend day on which people work for a day
    off), alone, as `mon-fri`, or several with commas. Past midnight hours count on: `20:00-26:00`
    is until two in the night that follows; `closed` says so. What no line names is closed, except
    that a make-up day without a line is as the weekday beside it: a Saturday as Friday, a Sunday as
    Monday. Hours alone, without days, are those of every day, holidays too. Times are on the
    centre's clocks.
    """

    country: str | None = None
    """Whose holidays: CN, TW, DE and so on (ISO 3166); without it only those that people enter."""
    subdivision: str | None = None
    """A part of the country with holidays of its own, for example BY for Bavaria."""
    hours: Week | None = None
    """Days and hours of the centre; without it, always open."""
    rooms: dict[str, RoomTimetable] = Field(default_factory=dict)
    """By room id: what differs there."""
