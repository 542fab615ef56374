"""The timetable in a file: what may be written, and where a mistake is found."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hub.configuration.timetable import TimetableSection, by_day
from hub.settings import parse
from tests.settings.samples import GOOD, problems, spot

TIMETABLE = """\
timetable:
  country: CN
  hours: {mon-fri: 08:00-20:30, "sat, sun": "09:00-12:00, 13:30-17:00", holiday: closed}
  rooms:
    hall:
      hours: 06:00-24:00
      purposes:
        - {id: choir, name: {en: Choir}, when: {tue: 19:00-21:00}, from: 2026-09-01, until: 2027-01-31, limit: 40}
        - {id: night, name: {en: Night}, when: {fri-sat: 22:00-26:00}}
"""  # noqa: E501 - a line of the file
CENTRE = GOOD + TIMETABLE
HOURS = re.compile(r"[0-9:]+-[0-9:]+")


def section() -> TimetableSection:
    found = parse(CENTRE).timetable
    assert found is not None
    return found


def test_days_and_hours_are_read_as_people_write_them() -> None:
    hours = section().hours
    assert hours is not None
    week = by_day(hours)
    assert week["mon"] == week["fri"] == ((480, 1230),)
    assert week["sun"] == ((540, 720), (810, 1020))
    assert week["holiday"] == ()
    assert "makeup" not in week


def test_hours_alone_are_those_of_every_day_holidays_too() -> None:
    hours = section().rooms["hall"].hours
    assert hours is not None
    assert by_day(hours).keys() == {"mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday"}
    assert set(by_day(hours).values()) == {((360, 1440),)}


def test_a_purpose_has_its_dates_and_its_limit() -> None:
    choir, night = section().rooms["hall"].purposes
    assert (choir.from_, choir.until, choir.limit) == (date(2026, 9, 1), date(2027, 1, 31), 40)
    assert by_day(night.when) == {"fri": ((1320, 1560),), "sat": ((1320, 1560),)}


@pytest.mark.parametrize(
    ("old", "new", "code", "marked", "guess"),
    [
        ("mon-fri", "monday-fri", "bad_day", "{^monday-fri", "mon-fri"),
        ("mon-fri", "mon-holiday", "bad_day", "{^mon-holiday", ""),
        ("holiday: closed", "hollidays: closed", "bad_day", "^hollidays", "holiday"),
        ("holiday: closed", "sun: closed", "day_twice", "^sun: closed", ""),
        ("08:00-20:30", "8-20", "bad_hours", "mon-fri: ^8-20", ""),
        ("08:00-20:30", "08:00-33:00", "bad_hours", "mon-fri: ^08:00-33", ""),
        ("08:00-20:30", "13:00-12:00", "hours_backwards", "mon-fri: ^13:00", ""),
        ("22:00-26:00", "22:00-02:00", "hours_backwards", "fri-sat: ^22:00", ""),
        ('"sat, sun"', '"sat, sat"', "day_again", '^"sat, sat"', ""),
        ("mon-fri", '"mon-fri, wed"', "day_again", '{^"mon-fri, wed"', ""),
        ("08:00-20:30", "08:60-20:00", "bad_hours", "mon-fri: ^08:60", ""),
        ("08:00-20:30", "08:00-08:00", "hours_backwards", "mon-fri: ^08:00-08:00", ""),
        ("08:00-20:30", "[]", "bad_hours", "mon-fri: ^[]", ""),
        ("06:00-24:00", "24:00-06:00", "bad_hours", "hours: ^24:00", ""),
        ("    hall:", "    hal:", "unknown_room", "    ^hal:", "hall"),
        ("id: night", "id: choir", "duplicate_id", "id: ^choir, name: {en: Night", ""),
        ("2027-01-31", "2026-01-31", "ends_before", "until: ^2026-01-31", ""),
        ("2026-09-01", "1.9.2026", "bad_date", "from: ^1.9.2026", ""),
        ("limit: 40", "limt: 40", "unknown_key", "^limt", "limit"),
        ("from: 2026", "form: 2026", "unknown_key", "^form: 2026", "from"),
        ("limit: 40", "limit: 0", "greater_than_equal", "limit: ^0", ""),
        ("country: CN", "country: cn", "unknown_country", "country: ^cn", "CN"),
        ("country: CN", "country: GER", "unknown_country", "country: ^GER", ""),
        ("country: CN", "subdivision: BY", "subdivision_alone", "subdivision: ^BY", ""),
        (
            "country: CN",
            "country: DE\n  subdivision: BX",
            "unknown_subdivision",
            "subdivision: ^BX",
            "",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place(
    old: str, new: str, code: str, marked: str, guess: str
) -> None:
    assert CENTRE.count(old) == 1, f"{old!r} must name one place of the sample"
    text = CENTRE.replace(old, new)
    (problem,) = problems(text)
    assert (problem.code, problem.place.line, problem.place.column) == (code, *spot(text, marked))
    if guess:
        assert problem.guess == guess
    for language in ("en", "zh-CN", "zh-TW"):
        assert "{" not in problem.text(language).replace("{{", "")


def test_who_writes_a_night_or_mixes_two_times_up_reads_how_to_write_it() -> None:
    (problem,) = problems(CENTRE.replace("22:00-26:00", "22:00-02:00"))
    for language in ("en", "zh-CN", "zh-TW"):
        assert {"22:00-26:00", "02:00-22:00"} <= set(HOURS.findall(problem.remedy(language)))


def test_a_night_longer_than_a_day_is_none_and_a_day_around_is() -> None:
    around = parse(CENTRE.replace("22:00-26:00", "08:00-32:00")).timetable
    assert around is not None
    assert by_day(around.rooms["hall"].purposes[1].when)["fri"] == ((480, 1920),)


def test_a_room_has_a_hundred_purposes_and_the_next_one_is_named() -> None:
    row = "        - {{id: more{}, name: {{en: More}}, when: {{tue: 19:00-21:00}}}}\n"
    full = CENTRE + "".join(map(row.format, range(98)))
    parse(full)
    (problem,) = problems(full + row.format(98) + row.format(99))
    assert problem.code == "too_many_purposes"
    assert (problem.place.line, problem.params["count"]) == (full.count("\n") + 1, 102)


def test_one_mistake_hides_no_other() -> None:
    text = CENTRE.replace("    hall:", "    hal:").replace("08:00-20:30", "8-20")
    assert {problem.code for problem in problems(text)} == {"unknown_room", "bad_hours"}
