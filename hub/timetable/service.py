"""The timetable of the running hub: asked by the rooms, edited by managers, kept in the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.centre import Centre
from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.events import ScheduleChanged
from hub.domain.opening import Slot
from hub.domain.room import Text
from hub.domain.typed import one_line
from hub.store.query import StoreError
from hub.timetable import days
from hub.timetable.calendar import Calendar, Entry
from hub.timetable.rules import Day, Hours, RoomPlan, Timetable, hours_on

MAX_ENTRIES = 2_000
MAX_STRETCH = 31  # days entered in one go
MAX_NAME = 80
YEARS = (2000, 2100)
SOON = timedelta(days=31)  # how long before a year begins its holidays are missed
OWN = "own"  # a day off without a name

T = TypeVar("T")


class Store(Protocol):
    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...


class UnknownDayError(NotFoundError):
    code = "unknown_day"


class TimetableService:
    """``plans`` by room, ``usual`` that of the centre itself."""

    def __init__(
        self,
        centre: Centre,
        usual: RoomPlan,
        plans: dict[str, RoomPlan],
        calendar: Calendar,
        store: Store,
        clock: Clock,
        bus: Bus,
    ) -> None:
        self.centre = centre
        self.zone = ZoneInfo(centre.timezone)
        self._usual = usual
        self._calendar = calendar
        self._timetable = Timetable(self.zone, plans, calendar)
        self._store = store
        self._clock = clock
        self._bus = bus
        self.slot: Callable[[str, int], Slot] = self._timetable.slot
        """Asked at every reading: no call in between."""

    def slots(self, room: str, from_ms: int, to_ms: int) -> Iterator[Slot]:
        """All slots of a room that touch a stretch of time."""
        return self._timetable.slots(room, from_ms, to_ms)

    def day(self, on: date) -> Day:
        return self._calendar.day(on)

    def hours(self, on: date) -> Hours | None:
        """The centre's hours on a date; None: always open."""
        week = self._usual.week
        return None if week is None else hours_on(week, on, self._calendar.day(on))

    def entries(self) -> Sequence[Entry]:
        """What people entered, in order of days."""
        return sorted(self._calendar.entries.values(), key=lambda entry: entry.day)

    def is_known(self, year: int) -> bool:
        return self._calendar.is_known(year)

    def is_whole(self, year: int) -> bool:
        """People said that all holidays of this year are entered."""
        return year in self._calendar.whole_years

    def unknown_year(self) -> int | None:
        """The year, this one or one that begins soon, whose holidays nobody knows."""
        today = self.today()
        years = (today.year, (today + SOON).year)
        return next((year for year in years if not self.is_known(year)), None)

    def today(self) -> date:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, self.zone).date()

    # --- what managers decide -------------------------------------------------------------------

    async def enter(
        self, first: date, last: date, is_workday: bool, name: str, author: str
    ) -> None:
        """Make days holidays, or working days; an entry of the same day is replaced.

        Raises:
            RefusedDecisionError: they cannot be entered, or the disk did not take it.
        """
        count = (last - first).days + 1
        _require_sound(first, last, count, len(self._calendar.entries))
        words = one_line(name)[:MAX_NAME] or ("" if is_workday else OWN)
        now_ms = self._clock.now_ms()
        entries = [
            Entry(first + timedelta(days=more), is_workday, words, author, now_ms)
            for more in range(count)
        ]
        known = self._calendar.entries
        before = _list(known[entry.day] for entry in entries if entry.day in known)
        await self._keep(partial(days.put, entries=entries))
        known.update((entry.day, entry) for entry in entries)
        target = str(first) if count == 1 else f"{first}/{last}"
        self._changed(author, "calendar.enter", target, before, _said(entries[0]))

    async def remove(self, on: date, author: str) -> None:
        """What is official counts again for a day.

        Raises:
            UnknownDayError: nobody entered it.
            RefusedDecisionError: the disk did not take it.
        """
        entry = self._calendar.entries.get(on)
        if entry is None:
            raise UnknownDayError(str(on))
        await self._keep(partial(days.drop, day=on))
        self._calendar.entries.pop(on, None)
        self._changed(author, "calendar.remove", str(on), _said(entry), "")

    async def say_whole(self, year: int, is_whole: bool, author: str) -> None:
        """All holidays of a year are entered, or after all they are not.

        Raises:
            RefusedDecisionError: the disk did not take it.
        """
        now_ms, before = self._clock.now_ms(), self.is_whole(year)
        if is_whole:
            _require_sound(date(year, 1, 1), date(year, 1, 1), 1, 0)
            keep = partial(days.say_whole, year=year, author=author, at_ms=now_ms)
            await self._keep(keep)
            self._calendar.whole_years.add(year)
        else:
            await self._keep(partial(days.take_back_whole, year=year))
            self._calendar.whole_years.discard(year)
        words = {True: "whole", False: ""}
        self._changed(author, "calendar.year", str(year), words[before], words[is_whole])

    async def _keep(self, operate: Callable[[sqlite3.Connection], None]) -> None:
        try:
            await self._store.work("timetable", operate)
        except (sqlite3.Error, OSError, StoreError) as error:
            raise RefusedDecisionError(Text("not_kept"), 503) from error

    def _changed(self, author: str, action: str, target: str, before: str, after: str) -> None:
        self._calendar.forget()
        self._timetable.forget()
        now_ms = self._clock.now_ms()
        self._bus.publish(Decided(now_ms, author, action, target, before, after))
        self._bus.publish(ScheduleChanged(now_ms))


def _require_sound(first: date, last: date, count: int, entered: int) -> None:
    if last < first:
        raise RefusedDecisionError(Text("calendar.backwards"))
    if count > MAX_STRETCH:
        raise RefusedDecisionError(Text("calendar.too_long", {"most": MAX_STRETCH}))
    if not YEARS[0] <= first.year <= last.year <= YEARS[1]:
        raise RefusedDecisionError(Text("calendar.far", {"first": YEARS[0], "last": YEARS[1]}))
    if entered + count > MAX_ENTRIES:
        raise RefusedDecisionError(Text("calendar.too_many", {"most": MAX_ENTRIES}))


def _said(entry: Entry) -> str:
    return f"{'workday' if entry.is_workday else 'holiday'} {entry.name}".strip()


def _list(entries: Iterable[Entry]) -> str:
    return ", ".join(f"{entry.day} {_said(entry)}" for entry in entries)[:500]
