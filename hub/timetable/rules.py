"""What is planned for a room at a moment, as a pure function of hours, purposes and the calendar.

Everything is read off the clock on the centre's wall: a room with the hours 08:00-20:30 is open
while that clock stands between them, whatever it did at night. Where clocks skip an hour, what
begins in it begins when they do; where they repeat one, what is planned for it takes place twice.

A slot is found by asking at each *edge*, a moment at which the answer could change: the ends of
the hours of the day, midnight, and the moment in which clocks are changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import chain
from typing import NamedTuple, Protocol
from zoneinfo import ZoneInfo

import msgspec

from hub.domain.centre import Name
from hub.domain.opening import OPEN, Slot
from hub.domain.room import Text

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
HOLIDAY, MAKEUP = "holiday", "makeup"
BESIDE = {"sat": "fri", "sun": "mon"}  # what a make-up day is like where no line says
DAY_MINUTES = 24 * 60
HORIZON_DAYS = 62  # no further is looked for a change; the slot is then said to hold that long
A_DAY = timedelta(days=1)
EVER_MS = 2**62

Hours = tuple[tuple[int, int], ...]
"""From and until in minutes of a day; until is beyond 1440 where midnight is crossed."""
Week = Mapping[str, Hours]
"""Hours by weekday, ``holiday`` and ``makeup``; what is not in it is closed."""


class Kind(StrEnum):
    """How a day differs from its weekday."""

    ORDINARY = "ordinary"
    HOLIDAY = "holiday"
    MAKEUP = "makeup"  # a weekend day on which people work


class Day(msgspec.Struct, frozen=True):
    """What the calendar says of a date. ``name``: of the holiday, as a code or in words."""

    kind: Kind = Kind.ORDINARY
    name: str = ""
    is_known: bool = True  # False: the holidays of this year are not published yet


class Days(Protocol):
    def day(self, on: date) -> Day: ...


class Purpose(msgspec.Struct, frozen=True):
    """What a room is for at certain hours, from its first to its last day."""

    id: str
    name: Name
    week: Week
    first: date = date.min
    last: date = date.max
    limit: int | None = None


class RoomPlan(msgspec.Struct, frozen=True):
    """One room's hours (None: always open), and its purposes; the first that fits counts."""

    week: Week | None = None
    purposes: tuple[Purpose, ...] = ()


def hours_on(week: Week, on: date, day: Day) -> Hours:
    """The hours of a table on a date.

    >>> week = {"fri": ((480, 1020),)}
    >>> hours_on(week, date(2026, 10, 10), Day(Kind.MAKEUP))  # a Saturday
    ((480, 1020),)
    """
    if day.kind is Kind.HOLIDAY:
        return week.get(HOLIDAY, ())
    name = WEEKDAYS[on.weekday()]
    if day.kind is Kind.MAKEUP:
        name = MAKEUP if MAKEUP in week else BESIDE.get(name, name)
    return week.get(name, ())


class _Answer(NamedTuple):
    """What is so between two edges."""

    is_open: bool
    purpose: Purpose | None
    reasons: tuple[Text, ...]


class _Found(NamedTuple):
    """A slot, and where it was found to hold."""

    from_ms: int
    until_ms: int
    slot: Slot


class Timetable:
    """Every room's plan. ``slot`` is cheap to ask again and again while a slot lasts."""

    def __init__(self, zone: ZoneInfo, plans: Mapping[str, RoomPlan], days: Days) -> None:
        """A room that ``plans`` does not name is always open."""
        self._zone = zone
        self._plans = plans
        self._days = days
        self._kept: dict[str, _Found] = {}

    def slot(self, room: str, at_ms: int) -> Slot:
        """What is planned then."""
        kept = self._kept[room] = self._at(room, at_ms)
        return kept.slot

    def slots(self, room: str, from_ms: int, to_ms: int) -> Iterator[Slot]:
        """All slots that touch a stretch of time, in order."""
        at_ms = from_ms
        while at_ms < to_ms:
            found = self._at(room, at_ms)
            yield found.slot
            at_ms = found.until_ms

    def forget(self) -> None:
        """The calendar was edited."""
        self._kept.clear()

    def _at(self, room: str, at_ms: int) -> _Found:
        """What is kept, where that is about this moment: finding it looks through weeks."""
        kept = self._kept.get(room)
        if kept is not None and kept.from_ms <= at_ms < kept.until_ms:
            return kept
        return self._find(room, at_ms)

    def _find(self, room: str, at_ms: int) -> _Found:
        plan = self._plans.get(room)
        if plan is None or (plan.week is None and not plan.purposes):
            return _Found(-EVER_MS, EVER_MS, OPEN)
        answer = self._answer(plan, at_ms)
        begin = self._last_change(plan, at_ms, answer)
        end = self._next_change(plan, at_ms, answer)
        reasons = answer.reasons
        if not answer.is_open and (opens_ms := self._opens(plan, end)) is not None:
            reasons = (*reasons, Text("opens_at", {"time": opens_ms}))
        purpose = answer.purpose
        slot = Slot(
            is_open=answer.is_open,
            from_ms=begin,
            until_ms=end,
            purpose=purpose.id if purpose else None,
            name=purpose.name if purpose else None,
            limit=purpose.limit if purpose else None,
            reasons=reasons,
        )
        return _Found(at_ms if begin is None else begin, end, slot)

    def _answer(self, plan: RoomPlan, at_ms: int) -> _Answer:
        """What the wall clock says at this moment."""
        at = self._local(at_ms)
        on, minute = at.date(), at.hour * 60 + at.minute
        today = self._days.day(on)

        def covers(week: Week, first: date = date.min, last: date = date.max) -> bool:
            since_midnight = ((on, minute), (on - A_DAY, minute + DAY_MINUTES))
            return any(
                first <= day <= last and begin <= passed < end
                for day, passed in since_midnight
                for begin, end in hours_on(week, day, self._days.day(day))
            )

        unknown = () if today.is_known else (Text("holidays_unknown", {"year": on.year}),)
        for purpose in plan.purposes:
            if covers(purpose.week, purpose.first, purpose.last):
                return _Answer(True, purpose, unknown)
        if plan.week is None or covers(plan.week):
            return _Answer(True, None, unknown)
        why = Text("closed_hours")
        if today.kind is Kind.HOLIDAY:
            why = Text("closed_holiday", {"holiday": today.name})
        return _Answer(False, None, (why, *unknown))

    def _last_change(self, plan: RoomPlan, at_ms: int, answer: _Answer) -> int | None:
        """Since when the answer is this one; None: for longer than is looked back."""
        on = self._local(at_ms).date()
        for back in range(HORIZON_DAYS):
            for edge in reversed(self._edges(plan, on - back * A_DAY)):
                if edge <= at_ms and self._answer(plan, edge - 1) != answer:
                    return edge
        return None

    def _next_change(self, plan: RoomPlan, at_ms: int, answer: _Answer) -> int:
        """Until when the answer is this one, or as far ahead as is looked."""
        latest = at_ms
        for edge in self._edges_after(plan, at_ms):
            if self._answer(plan, edge) != answer:
                return edge
            latest = edge
        return latest

    def _opens(self, plan: RoomPlan, from_ms: int) -> int | None:
        """When it is open next, at that moment or later."""
        edges = chain((from_ms,), self._edges_after(plan, from_ms))
        return next((edge for edge in edges if self._answer(plan, edge).is_open), None)

    def _edges_after(self, plan: RoomPlan, at_ms: int) -> Iterator[int]:
        on = self._local(at_ms).date()
        for ahead in range(HORIZON_DAYS):
            for edge in self._edges(plan, on + ahead * A_DAY):
                if edge > at_ms:
                    yield edge

    def _edges(self, plan: RoomPlan, on: date) -> list[int]:
        """The moments of a date at which the answer could change, in order."""
        minutes = {0}
        weeks = [purpose.week for purpose in plan.purposes]
        for week in weeks if plan.week is None else (plan.week, *weeks):
            for begin, end in hours_on(week, on, self._days.day(on)):
                minutes |= {begin, end}
            for _, end in hours_on(week, on - A_DAY, self._days.day(on - A_DAY)):
                minutes.add(end - DAY_MINUTES)
        begin_ms, end_ms = self._moment(on, 0), self._moment(on + A_DAY, 0)
        edges = {
            self._moment(on, minute, fold)
            for minute in minutes
            if 0 <= minute < DAY_MINUTES
            for fold in (0, 1)
        }
        edges |= self._clock_changes(begin_ms, end_ms)
        return sorted(edge for edge in edges if begin_ms <= edge < end_ms)

    def _clock_changes(self, from_ms: int, to_ms: int) -> set[int]:
        """The moment in which clocks are changed, if they are between the two."""
        low, high = from_ms // 1000, to_ms // 1000
        before = self._offset(low)
        if self._offset(high) == before:
            return set()
        while high - low > 1:
            middle = (low + high) // 2
            if self._offset(middle) == before:
                low = middle
            else:
                high = middle
        return {high * 1000}

    def _offset(self, at_s: int) -> timedelta | None:
        return datetime.fromtimestamp(at_s, self._zone).utcoffset()

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms // 1000, UTC).astimezone(self._zone)

    def _moment(self, on: date, minute: int, fold: int = 0) -> int:
        """When the wall clock says so; ``fold`` 1: for the second time. Skipped: when it skips."""
        wall = datetime.combine(on, time(minute // 60, minute % 60, fold=fold), self._zone)
        return round(wall.timestamp()) * 1000
