"""What a timetable's lines must agree with: the rooms, each other, and countries that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hub.configuration.draft import written
from hub.configuration.problems import Problem, near
from hub.configuration.timetable import MAX_PURPOSES, days_named
from hub.configuration.yaml12 import Document, Path

CHINA = "CN"


def check_timetable(document: Document) -> Iterator[Problem]:
    """Read from the plain data, so that one wrong line does not hide another."""
    section = document.data.get("timetable") if isinstance(document.data, dict) else None
    if not isinstance(section, dict):
        return
    path: Path = ("timetable",)
    yield from _country(section, document)
    yield from check_week(section.get("hours"), (*path, "hours"), document)
    rooms = section.get("rooms")
    known = set(written(document, "rooms").values())
    for room, entry in rooms.items() if isinstance(rooms, dict) else ():
        inner: Path = (*path, "rooms", room)
        if room not in known:
            place = document.place(inner, key=True)
            yield Problem("unknown_room", place, {"value": room}, near(room, known))
        if isinstance(entry, dict):
            yield from check_week(entry.get("hours"), (*inner, "hours"), document)
            yield from _purposes(entry.get("purposes"), (*inner, "purposes"), document)


def check_week(week: object, path: Path, document: Document) -> Iterator[Problem]:
    """A day has one line, or nobody could tell which of two counts."""
    told: dict[str, str] = {}
    for line in week if isinstance(week, dict) else ():
        try:
            days = days_named(line)
        except ValueError:  # told with its place by the model
            continue
        again = next((day for day in days if days.count(day) > 1), None)
        if again is not None:
            place = document.place((*path, line), key=True)
            yield Problem("day_again", place, {"key": line, "day": again})
        for day in dict.fromkeys(days):
            if told.setdefault(day, line) != line:
                first = str(document.place((*path, told[day]), key=True))
                place = document.place((*path, line), key=True)
                yield Problem("day_twice", place, {"day": day, "first": first})
                break


def _purposes(rows: object, path: Path, document: Document) -> Iterator[Problem]:
    if isinstance(rows, list) and len(rows) > MAX_PURPOSES:
        place = document.place((*path, MAX_PURPOSES))
        yield Problem("too_many_purposes", place, {"count": len(rows), "most": MAX_PURPOSES})
    first: dict[str, Path] = {}
    for index, row in enumerate(rows if isinstance(rows, list) else ()):
        if not isinstance(row, dict):
            continue
        inner: Path = (*path, index)
        name, here = row.get("id"), (*inner, "id")
        if isinstance(name, str) and first.setdefault(name, here) != here:
            params = {"id": name, "first": str(document.place(first[name]))}
            yield Problem("duplicate_id", document.place(here), {**params})
        begin, end = row.get("from"), row.get("until")
        if isinstance(begin, str) and isinstance(end, str) and end < begin:
            place = document.place((*inner, "until"))
            yield Problem("ends_before", place, {"value": end, "begin": begin})
        yield from check_week(row.get("when"), (*inner, "when"), document)


def _country(section: dict[str, Any], document: Document) -> Iterator[Problem]:
    country, part = section.get("country"), section.get("subdivision")
    if country is None:
        if part is not None:
            place = document.place(("timetable", "subdivision"))
            yield Problem("subdivision_alone", place, {"value": str(part)})
        return
    if not isinstance(country, str):
        return
    known = _countries(country)
    if country not in known:
        place = document.place(("timetable", "country"))
        guess = country.upper() if country.upper() in known else ""  # GER is not nearly GR
        yield Problem("unknown_country", place, {"value": country}, guess)
    elif isinstance(part, str) and part not in known[country]:
        place = document.place(("timetable", "subdivision"))
        params = {"value": part, "country": country, "known": ", ".join(known[country]) or "-"}
        yield Problem("unknown_subdivision", place, {**params}, near(part, known[country]))


def _countries(country: str) -> dict[str, list[str]]:
    """Every country with its parts. China has a source of its own, and needs no large library."""
    if country == CHINA:
        return {CHINA: []}
    # a tenth of a second, and only where it is asked for
    from holidays import list_supported_countries

    return list_supported_countries(include_aliases=False)
