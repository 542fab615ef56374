"""Where finished hours are kept: a shelf of 32 series in an hour is one row, later a week is.

Rows lie in order of shelf and hour, so that the hours of one series are read in one go and an hour
of the whole centre touches some forty pages. A row is never changed: later ones of the same hour
add to it, or take its place where a late reading corrected it. Hours of some days ago are packed,
two days at a time, into one row of columns for each shelf and week; what is corrected later lies
beside it until it is packed again.
"""

from __future__ import annotations

import math
import sqlite3
from array import array
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from hub.domain.series import SeriesKey
from hub.store.damage import Damage, Kind, set_aside
from hub.store.packing import deflate, inflate, plain, value_of
from hub.store.planes import compress, decompress
from hub.store.query import Hour
from hub.store.reader import Question
from hub.store.rollup import HOUR_MS, HourRow, merge
from hub.store.shelf import shelf_of

NTH_BITS, HOUR_BITS = 16, 22
WEEK_BITS = 16
WEEK_HOURS = 168
WEEK_MS = WEEK_HOURS * HOUR_MS
LEVEL = 9
WEEK_AT = "SELECT id, body FROM weeks WHERE id = ?"
HOURS_IN = "SELECT id, body FROM hours WHERE id BETWEEN ? AND ? ORDER BY id"


class Week(msgspec.Struct, array_like=True):
    """The hours of one series in one week. Means are kept to seven digits (32 bits)."""

    hours: list[int]  # differences, from the first hour of the week
    covered: list[int]
    mean: bytes
    low: list[Any]
    low_scale: bytes
    high: list[Any]
    high_scale: bytes
    shares: list[dict[str, int]]


_week = msgspec.msgpack.Decoder(Week)
_weeks = msgspec.msgpack.Decoder(dict[int, msgspec.Raw])
_raws = msgspec.msgpack.Decoder(list[msgspec.Raw])
_hour_row = msgspec.msgpack.Decoder(HourRow)


def row_id(shelf: int, hour_ms: int, nth: int = 0) -> int:
    """
    >>> row_id(2, 3_600_000, 1) - row_id(2, 0, 0) == 2**16 + 1
    True
    """
    return (shelf << HOUR_BITS | hour_ms // HOUR_MS) << NTH_BITS | nth


def week_id(shelf: int, week: int) -> int:
    return shelf << WEEK_BITS | week


def hour_of(key: SeriesKey, row: HourRow) -> Hour:
    return Hour(key, row.hour_ms, row.covered_ms, row.mean, row.low, row.high, row.shares)


def add_hours(db: sqlite3.Connection, rows: Iterable[HourRow]) -> None:
    """Keep hours; the caller's transaction commits them."""
    shelves: dict[tuple[int, int], list[HourRow]] = defaultdict(list)
    for row in rows:
        shelves[shelf_of(row.number), row.hour_ms].append(row)
    for (shelf, hour_ms), found in sorted(shelves.items()):
        first = row_id(shelf, hour_ms)
        last = db.execute(
            "SELECT max(id) FROM hours WHERE id BETWEEN ? AND ?",
            (first, first + (1 << NTH_BITS) - 1),
        ).fetchone()[0]
        body = deflate(msgspec.msgpack.encode(found))
        number = first if last is None else last + 1
        db.execute("INSERT INTO hours VALUES (?, ?)", (number, body))


def read_hours(
    question: Question, number: int, from_ms: int, to_ms: int
) -> tuple[int, list[HourRow]]:
    """What is kept of the hours of one series that begin in this time, oldest row first.

    And the checkpoint that wrote the last of them: later ones are in memory. What is damaged is
    left out; the upkeep has it counted anew.
    """
    checkpoint = next((row_id for (row_id,) in question.rows("SELECT id FROM live", ())), 0)
    shelf = shelf_of(number)
    from_ms, to_ms = max(from_ms, 0), min(to_ms, HOUR_MS << HOUR_BITS) - 1
    weeks = (week_id(shelf, from_ms // WEEK_MS), week_id(shelf, to_ms // WEEK_MS))
    found: list[HourRow] = []
    sql = "SELECT id, body FROM weeks WHERE id BETWEEN ? AND ?"
    for place, body in question.rows(sql, weeks):
        question.check()
        with question.passing_over(Kind.WEEK, place):
            found += open_week(body, place & (1 << WEEK_BITS) - 1, number)
    bounds = (row_id(shelf, from_ms), row_id(shelf, to_ms, (1 << NTH_BITS) - 1))
    for place, body in question.rows(HOURS_IN, bounds):
        question.check()
        with question.passing_over(Kind.HOURS, place):
            found += _rows_of(body, number)
    return checkpoint, [row for row in found if from_ms <= row.hour_ms <= to_ms]


def _rows_of(body: bytes, number: int) -> list[HourRow]:
    """Of the 32 series in a row one is wanted, and objects are made of that one only."""
    wanted = msgspec.msgpack.encode(number)
    return [
        _hour_row.decode(raw)
        for raw in _raws.decode(inflate(body))
        if bytes(raw).startswith(wanted, 1)  # behind the length of the array
    ]


# --- weeks --------------------------------------------------------------------------------------


def oldest_week(question: Question, before_ms: int) -> tuple[int, int] | None:
    """A shelf and a week of which an hour older than that still lies by itself."""
    before = before_ms // HOUR_MS
    start = 0
    while True:
        first = next(question.rows("SELECT min(id) FROM hours WHERE id >= ?", (start,)), (None,))[0]
        if first is None:
            return None
        shelf, hour = divmod(first >> NTH_BITS, 1 << HOUR_BITS)
        if hour < before:
            return shelf, hour // WEEK_HOURS
        start = row_id(shelf + 1, 0)


class PackedWeek(NamedTuple):
    """A row of ``weeks``, and the rows of ``hours`` that are in it. Made before it is written, for
    that takes longer than the writer may be held."""

    id: int
    body: bytes
    hours: tuple[int, ...]
    damaged: tuple[Damage, ...]


def pack_week(question: Question, shelf: int, week: int, before_ms: int) -> PackedWeek:
    """Put the hours of a shelf and a week into one row, with what was packed of it before.

    Hours from ``before_ms`` on stay as they are.
    """
    end_ms = min((week + 1) * WEEK_MS, before_ms)
    bounds = (row_id(shelf, week * WEEK_MS), row_id(shelf, end_ms) - 1)
    series: dict[int, list[HourRow]] = defaultdict(list)
    packed: list[int] = []
    for place, body in question.rows(WEEK_AT, (week_id(shelf, week),)):
        with question.passing_over(Kind.WEEK, place):
            for row in _of_week(body, week):
                series[row.number].append(row)
    for place, body in question.rows(HOURS_IN, bounds):
        question.check()
        packed.append(place)
        with question.passing_over(Kind.HOURS, place):
            for row in _of_hour(body):
                series[row.number].append(row)
    made = {number: _packed(merge(rows), week) for number, rows in sorted(series.items())}
    damaged = tuple(question.damaged.values())
    return PackedWeek(week_id(shelf, week), _closed(made), tuple(packed), damaged)


def keep_week(db: sqlite3.Connection, packed: PackedWeek, now_ms: int) -> list[Damage]:
    """Let it take the place of its hours; what was damaged is set aside, and answered if new.

    What was written of these hours meanwhile lies behind it until it is packed again.
    """
    damaged = [found for found in packed.damaged if set_aside(db, found, now_ms)]
    db.execute("INSERT OR REPLACE INTO weeks VALUES (?, ?)", (packed.id, packed.body))
    db.executemany("DELETE FROM hours WHERE id = ?", [(place,) for place in packed.hours])
    return damaged


def _of_week(body: bytes, week: int) -> list[HourRow]:
    return [row for number, raw in _opened(body).items() for row in _rows(raw, week, number)]


def _of_hour(body: bytes) -> list[HourRow]:
    return msgspec.msgpack.decode(inflate(body), type=list[HourRow])


def open_week(body: bytes, week: int, number: int) -> list[HourRow]:
    """The hours of one series in a packed week."""
    raw = _opened(body).get(number)
    return [] if raw is None else _rows(raw, week, number)


def _closed(made: Mapping[int, Week]) -> bytes:
    return compress([msgspec.msgpack.encode(made)], LEVEL)


def _opened(body: bytes) -> dict[int, msgspec.Raw]:
    return _weeks.decode(decompress(body))


def _packed(rows: Sequence[HourRow], week: int) -> Week:
    first = week * WEEK_HOURS
    hours = [first, *(row.hour_ms // HOUR_MS for row in rows)]
    low = [plain(row.low) for row in rows]
    high = [plain(row.high) for row in rows]
    return Week(
        [later - earlier for earlier, later in pairwise(hours)],
        [row.covered_ms for row in rows],
        array("f", (math.nan if row.mean is None else row.mean for row in rows)).tobytes(),
        [value for value, _ in low],
        bytes(scale for _, scale in low),
        [value for value, _ in high],
        bytes(scale for _, scale in high),
        [row.shares for row in rows],
    )


def _rows(raw: msgspec.Raw, week: int, number: int) -> list[HourRow]:
    found = _week.decode(raw)
    means = array("f", found.mean)
    hour, rows = week * WEEK_HOURS, list[HourRow]()
    for at, step in enumerate(found.hours):
        hour += step
        mean = None if math.isnan(means[at]) else means[at]
        low = value_of(found.low[at], found.low_scale[at])
        high = value_of(found.high[at], found.high_scale[at])
        rows.append(
            HourRow(
                number,
                hour * HOUR_MS,
                found.covered[at],
                mean,
                low if not isinstance(low, str) else None,
                high if not isinstance(high, str) else None,
                found.shares[at],
            )
        )
    return rows
