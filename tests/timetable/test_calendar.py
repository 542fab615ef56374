"""Official days, our own beside them, and years of which nothing is known."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest

from hub.timetable.calendar import Calendar, Elsewhere, Entry, official
from hub.timetable.month import before_and_after, weeks
from hub.timetable.rules import Day, Kind


def entry(on: date, is_workday: bool, name: str = "") -> Entry:
    return Entry(on, is_workday, name, "mei", 0)


def test_china_has_its_holidays_and_make_up_days() -> None:
    calendar = Calendar(official("CN"))
    assert calendar.day(date(2026, 10, 1)) == Day(Kind.HOLIDAY, "national_day")
    assert calendar.day(date(2026, 10, 3)).kind is Kind.HOLIDAY  # a Saturday
    assert calendar.day(date(2026, 10, 10)) == Day(Kind.MAKEUP)  # another one
    assert calendar.day(date(2026, 10, 8)) == Day()


def test_a_year_that_is_not_announced_is_not_known() -> None:
    calendar = Calendar(official("CN"))
    beyond = next(year for year in range(2026, 2100) if not calendar.is_known(year))
    assert calendar.day(date(beyond, 1, 1)) == Day(is_known=False)
    assert calendar.is_known(beyond - 1)
    calendar.entries[date(beyond, 1, 1)] = entry(date(beyond, 1, 1), False, "元旦")
    calendar.forget()
    assert calendar.day(date(beyond, 1, 1)) == Day(Kind.HOLIDAY, "元旦")
    assert not calendar.day(date(beyond, 1, 2)).is_known
    calendar.whole_years.add(beyond)
    calendar.forget()
    assert calendar.day(date(beyond, 1, 2)) == Day()
    assert calendar.is_known(beyond)


@pytest.mark.parametrize("country", ["TW", "KZ"])
def test_other_countries_have_make_up_days_too(country: str) -> None:
    calendar = Calendar(official(country))
    days = (date(2023, 1, 1) + timedelta(days=more) for more in range(365))
    kinds = {calendar.day(on).kind for on in days}
    assert kinds == {Kind.ORDINARY, Kind.HOLIDAY, Kind.MAKEUP}


def test_a_part_of_a_country_has_its_own() -> None:
    epiphany = date(2026, 1, 6)
    assert Calendar(official("DE", "BY")).day(epiphany).kind is Kind.HOLIDAY
    assert Calendar(official("DE", "BE")).day(epiphany).kind is Kind.ORDINARY


def test_a_century_that_nobody_computed_is_not_known() -> None:
    assert Elsewhere("DE", None).day(date(2999, 1, 1)) == Day(is_known=False)


def test_people_have_the_last_word() -> None:
    national, ordinary, saturday = date(2026, 10, 1), date(2026, 11, 24), date(2026, 11, 28)
    entries = [entry(national, True), entry(ordinary, False, "own"), entry(saturday, True)]
    calendar = Calendar(official("CN"), entries)
    assert calendar.day(national) == Day()  # a Thursday like any other
    assert calendar.day(ordinary) == Day(Kind.HOLIDAY, "own")
    assert calendar.day(saturday) == Day(Kind.MAKEUP)
    assert Calendar(official(None)).day(national) == Day()


def test_a_hub_without_a_country_loads_no_calendar() -> None:
    code = (
        "import hub.run, hub.planning, sys;"
        "print([n for n in ('holidays', 'chinese_calendar') if n in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("month", [date(2026, 2, 1), date(2026, 11, 1), date(2026, 12, 1)])
def test_a_month_is_whole_weeks_with_every_day_once(month: date) -> None:
    grid = list(weeks(month, date(2026, 11, 22), lambda _: Day(), lambda _: None))
    cells = [cell for week in grid for cell in week]
    assert all(week[0].on.weekday() == 0 and len(week) == 7 for week in grid)
    _, following = before_and_after(month)
    inside = [cell.on for cell in cells if not cell.is_outside]
    assert inside == [month + timedelta(days=more) for more in range((following - month).days)]
