"""Which days are holidays, and on which weekend days people work: official data and our own.

China's come from its yearly announcement (chinesecalendar), every other country's from rules
(holidays). Both are imported when first asked. What managers enter comes before both; a year that
is not announced yet has plain weekdays until they enter its days and say that they are all there.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Protocol

import msgspec

from hub.timetable.rules import Day, Kind

CHINA = "CN"
SATURDAY = 5
MAX_REMEMBERED = 2_000  # days; the horizon of every room is some 130


class Entry(msgspec.Struct, frozen=True):
    """A day that somebody entered or corrected.

    ``is_workday`` on a weekend makes a make-up day, else an ordinary one out of a holiday.
    """

    day: date
    is_workday: bool
    name: str
    author: str
    made_ms: int


class Official(Protocol):
    """What a country says."""

    def day(self, on: date) -> Day: ...


class Nobody:
    """No country was named: there are the holidays that people enter, and no others."""

    def day(self, on: date) -> Day:
        return Day()


class China:
    """The yearly announcement of the State Council, as far as the installed data goes."""

    def day(self, on: date) -> Day:
        holidays, workdays, years = _china()
        if on in holidays:
            return Day(Kind.HOLIDAY, holidays[on])
        if on in workdays:
            return Day(Kind.MAKEUP)
        return Day(is_known=on.year in years)


class Elsewhere:
    """A country whose holidays follow from rules, or are listed year by year."""

    def __init__(self, country: str, subdivision: str | None) -> None:
        from holidays import country_holidays

        self._holidays = country_holidays(country, subdiv=subdivision)

    def day(self, on: date) -> Day:
        known = self._holidays
        if not known.start_year <= on.year <= known.end_year:
            return Day(is_known=False)
        name = known.get(on)  # computes the year when first asked for it
        if name is not None:
            return Day(Kind.HOLIDAY, str(name))
        return Day(Kind.MAKEUP) if on in known.weekend_workdays else Day()


@cache
def _china() -> tuple[dict[date, str], frozenset[date], range]:
    from chinese_calendar import constants  # type: ignore[import-untyped]  # has no types

    names = {item.value: item.name for item in constants.Holiday}
    holidays = {on: names.get(name, name) for on, name in constants.holidays.items()}
    return (
        holidays,
        frozenset(constants.workdays),
        range(min(holidays).year, max(holidays).year + 1),
    )


def official(country: str | None, subdivision: str | None = None) -> Official:
    """The source for a country; the configuration has checked that there is one."""
    if country is None:
        return Nobody()
    return China() if country == CHINA else Elsewhere(country, subdivision)


class Calendar:
    """What counts for each day: our own entries, then what is official."""

    def __init__(
        self, source: Official, entries: Iterable[Entry] = (), whole_years: Iterable[int] = ()
    ) -> None:
        self._official = source
        self.entries = {entry.day: entry for entry in entries}
        self.whole_years = set(whole_years)
        """Years of which people said that all their days are entered."""
        self._remembered: dict[date, Day] = {}

    def day(self, on: date) -> Day:
        found = self._remembered.get(on)
        if found is None:
            if len(self._remembered) >= MAX_REMEMBERED:
                self._remembered.clear()
            found = self._remembered[on] = self._day(on)
        return found

    def forget(self) -> None:
        """Entries were changed."""
        self._remembered.clear()

    def is_known(self, year: int) -> bool:
        """Whether the holidays of a year are published, or entered by people."""
        return year in self.whole_years or self._official.day(date(year, 6, 30)).is_known

    def _day(self, on: date) -> Day:
        plain = self._official.day(on)
        entry = self.entries.get(on)
        is_known = plain.is_known or on.year in self.whole_years
        if entry is None:
            return Day(plain.kind, plain.name, is_known)
        if not entry.is_workday:
            return Day(Kind.HOLIDAY, entry.name)
        return Day(Kind.MAKEUP if on.weekday() >= SATURDAY else Kind.ORDINARY, entry.name)
