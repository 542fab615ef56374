"""A month as a page shows it: weeks of days, and each day's hours in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from hub.timetable.rules import DAY_MINUTES, Day, Hours, Kind

A_DAY = timedelta(days=1)
FIRST, LAST = date(2000, 1, 1), date(2100, 12, 1)


class Cell(NamedTuple):
    """One day of the grid. ``is_outside``: of the month before or after."""

    on: date
    day: Day
    hours: Hours | None
    is_outside: bool
    is_today: bool

    @property
    def kind(self) -> Kind:
        return self.day.kind


def month_of(text: str | None, today: date) -> date:
    """``2026-11`` as its first day; what is no month is this one.

    >>> month_of("2026-02", date(2026, 11, 22)), month_of("x", date(2026, 11, 22))
    (datetime.date(2026, 2, 1), datetime.date(2026, 11, 1))
    """
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        found = today.replace(day=1)
    return min(max(found, FIRST), LAST)


def before_and_after(month: date) -> tuple[date, date]:
    """The months beside one."""
    return (month - A_DAY).replace(day=1), (month + 31 * A_DAY).replace(day=1)


def weeks(
    month: date,
    today: date,
    day: Callable[[date], Day],
    hours: Callable[[date], Hours | None],
) -> Iterator[list[Cell]]:
    """Whole weeks from Monday to Sunday."""
    _, following = before_and_after(month)
    on = month - month.weekday() * A_DAY
    while on < following:
        yield [
            Cell(at, day(at), hours(at), at.month != month.month, at == today)
            for at in (on + more * A_DAY for more in range(7))
        ]
        on += 7 * A_DAY


def hours_words(hours: Hours) -> str:
    """
    >>> hours_words(((480, 720), (1320, 1560)))
    '08:00–12:00, 22:00–02:00'
    """
    return ", ".join(f"{_clock(begin)}–{_clock(end)}" for begin, end in hours)


def _clock(minute: int) -> str:
    if minute == DAY_MINUTES:
        return "24:00"
    minute %= DAY_MINUTES
    return f"{minute // 60:02d}:{minute % 60:02d}"
