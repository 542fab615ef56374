"""The days that people entered, as rows of ``calendar_days``.

A row whose day is only a year says that all days of that year are entered.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from hub.store.reader import Question
from hub.timetable.calendar import Entry

READ = "SELECT day, is_workday, name, author, made_ms FROM calendar_days ORDER BY day"
PUT = "INSERT OR REPLACE INTO calendar_days VALUES (?, ?, ?, ?, ?)"
DROP = "DELETE FROM calendar_days WHERE day = ?"
YEAR_LENGTH = 4


class Entered(NamedTuple):
    """All that people entered."""

    entries: tuple[Entry, ...] = ()
    whole_years: frozenset[int] = frozenset()


def read(question: Question) -> Entered:
    entries, years = [], set()
    for day, is_workday, name, author, made_ms in question.all_rows(READ, ()):
        if len(day) == YEAR_LENGTH:
            years.add(int(day))
        else:
            on = date.fromisoformat(day)
            entries.append(Entry(on, bool(is_workday), name, author, made_ms))
    return Entered(tuple(entries), frozenset(years))


def put(db: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    rows = ((str(e.day), int(e.is_workday), e.name, e.author, e.made_ms) for e in entries)
    db.executemany(PUT, rows)


def drop(db: sqlite3.Connection, day: date) -> None:
    db.execute(DROP, (str(day),))


def say_whole(db: sqlite3.Connection, year: int, author: str, at_ms: int) -> None:
    db.execute(PUT, (str(year), 0, "", author, at_ms))


def take_back_whole(db: sqlite3.Connection, year: int) -> None:
    db.execute(DROP, (str(year),))
