"""Years of the reference centre: played days (``played.py``), and before them copies of these.

What is copied is what the store made: shelves, steps of rooms, hours and packed weeks, each in the
place and under the number it would have had. Times are moved by the store's own codec. Packing two
years of shelves anew would take an hour of CPU time, and changes no length worth a name: a moved
shelf differs in one number of constant length for each device. So only shelves that a question
will meet are moved (``moved`` says which); the others stand there whole, in the times they were
played in. Steps of rooms, hours and weeks are all moved.
"""

from __future__ import annotations

import math
import shutil
import sqlite3
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import groupby, pairwise
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import structs

from device_drivers.contract import Value
from hub.store.hours import WEEK_MS, add_hours, pack_week, week_id
from hub.store.packing import RoomRow, inflate
from hub.store.planes import Sheet, framed, unframed
from hub.store.reader import CHAPTER_BITS, Question
from hub.store.rollup import HOUR_MS, HourRow
from hub.store.room_shelf import rooms_of, shelve_rooms
from hub.store.shelf import FORM, LEVEL, Directory, shelf_of
from hub.store.store import DATABASE
from hub.store.upkeep import SETTLED_MS
from tests.bench.played import DAY_MS, FIRST_MS, NOON_MS, PAGE_MS, SLOT_MS, Truth, truth_of

SLOTS = DAY_MS // SLOT_MS
MASK = (1 << CHAPTER_BITS) - 1
Rows = list[HourRow]
Moved = Callable[[int, int], bool]
"""Of the time a chapter begins at, and the number of a shelf: whether its times are moved."""


class ShelfRow(NamedTuple):
    id: int
    first_ms: int
    last_ms: int
    mask: int
    body: bytes


class Chapter(NamedTuple):
    """What the played database holds of six hours."""

    row: tuple[int, ...]
    shelves: list[ShelfRow]
    rooms: tuple[int, int, bytes] | None


class Day(NamedTuple):
    """A day before the played ones: which of them it copies, and by how much it is moved."""

    begin_ms: int
    model: int
    shift_ms: int


def days_before(played: int, days: int) -> list[Day]:
    """The copies that make so many days of the played ones, oldest first."""
    found = []
    for day in range(played - days, 0):
        model = day % played
        found.append(Day(FIRST_MS + day * DAY_MS, model, (day - model) * DAY_MS))
    return found


def build(source: Path, played: int, days: int, target: Path, moved: Moved) -> None:
    """Write a database of so many days (and the hot one) into a folder."""
    shutil.copy(source / DATABASE, target / DATABASE)
    with closing(sqlite3.connect(target / DATABASE, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        chapters, said = _taken(db), _hours_taken(db)
        copies = days_before(played, days)
        _add_chapters(db, chapters, copies, moved)
        _add_hours(db, said, copies, truth_of(source).end_ms)
        db.execute("COMMIT")


# --- chapters -----------------------------------------------------------------------------------


def _taken(db: sqlite3.Connection) -> list[Chapter]:
    """The chapters of the played database, out of it."""
    rooms = {row[0]: row[1:] for row in db.execute("SELECT * FROM room_chapters")}
    shelves: dict[int, list[ShelfRow]] = defaultdict(list)
    for row in map(ShelfRow._make, db.execute("SELECT * FROM shelves ORDER BY id")):
        shelves[row.id >> CHAPTER_BITS].append(row)
    found = [
        Chapter(tuple(row[1:]), shelves[row[0]], rooms.get(row[0]))
        for row in db.execute("SELECT * FROM chapters ORDER BY id")
    ]
    for table in ("chapters", "shelves", "room_chapters"):
        db.execute(f"DELETE FROM {table}")  # noqa: S608
    return found


def _add_chapters(
    db: sqlite3.Connection, chapters: Sequence[Chapter], copies: Sequence[Day], moved: Moved
) -> None:
    every = [
        (day.shift_ms, at)
        for day in copies
        for at in range(day.model * SLOTS, (day.model + 1) * SLOTS)
    ]
    every += [(0, at) for at in range(len(chapters))]
    with ThreadPoolExecutor(2) as pool:  # packing lets go of the interpreter's lock
        for number, (shift, at) in enumerate(every, start=1):
            chapter = chapters[at]
            first, last, begin, end, changes, sealed = chapter.row
            if shift:
                first = last = number  # below all numbers of the played commits
            times = (begin + shift, end + shift)
            row = (number, first, last, *times, changes, sealed + shift)
            db.execute("INSERT INTO chapters VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            _add_rooms(db, number, chapter, shift)
            todo = [
                pool.submit(_placed, row, number, shift, moved(times[0], row.id & MASK))
                for row in chapter.shelves
            ]
            rows = [task.result() for task in todo]
            db.executemany("INSERT INTO shelves VALUES (?, ?, ?, ?, ?)", rows)


def _add_rooms(db: sqlite3.Connection, number: int, chapter: Chapter, shift_ms: int) -> None:
    if chapter.rooms is not None:
        first, last, body = chapter.rooms
        if shift_ms:
            body = shelve_rooms([_moved_room(row, shift_ms) for row in rooms_of(body)])
        row = (number, first + shift_ms, last + shift_ms, body)
        db.execute("INSERT INTO room_chapters VALUES (?, ?, ?, ?)", row)


def _moved_room(row: RoomRow, shift_ms: int) -> RoomRow:
    until = None if row.previous_until_ms is None else row.previous_until_ms + shift_ms
    return RoomRow(row.number, row.at_ms + shift_ms, row.status, row.people, until)


def _placed(row: ShelfRow, chapter: int, shift_ms: int, is_moved: bool) -> ShelfRow:
    shelf = row.id & MASK
    body = moved_body(row.body, shift_ms) if is_moved and shift_ms else row.body
    times = (row.first_ms + shift_ms, row.last_ms + shift_ms)
    return ShelfRow(chapter << CHAPTER_BITS | shelf, *times, row.mask, body)


def moved_body(body: bytes, shift_ms: int) -> bytes:
    """A shelf whose changes were observed that much later; with 0 the same bytes."""
    raw, at = unframed(body, FORM)
    head = msgspec.msgpack.decode(memoryview(raw)[4:at], type=Directory)
    head.axes = [structs.replace(axis, first_ms=axis.first_ms + shift_ms) for axis in head.axes]
    counts = [axis.count for axis in head.axes]
    sheets = [(sheet, counts) for sheet in head.axis_sheets]
    sheets += [(sheet, head.counts) for sheet in head.sheets]
    planes = list(_planes(raw, at, sheets))
    return FORM + framed(msgspec.msgpack.encode(head), planes, LEVEL)


def _planes(raw: bytes, at: int, sheets: Sequence[tuple[Sheet, Sequence[int]]]) -> Iterator[bytes]:
    """The parts that were packed as blocks of their own."""
    for sheet, counts in sheets:
        for plane in range(max(sheet.widths, default=0)):
            size = sum(c for w, c in zip(sheet.widths, counts, strict=True) if w > plane)
            yield raw[at : at + size]
            at += size


# --- hours --------------------------------------------------------------------------------------


def _hours_taken(db: sqlite3.Connection) -> list[HourRow]:
    """The hours of the played database from its first whole day on, out of it."""
    bodies = db.execute("SELECT body FROM hours ORDER BY id").fetchall()
    db.execute("DELETE FROM hours")
    rows = [row for (body,) in bodies for row in msgspec.msgpack.decode(inflate(body), type=Rows)]
    return [row for row in rows if row.hour_ms >= FIRST_MS]


def _add_hours(db: sqlite3.Connection, played: Rows, copies: Sequence[Day], end_ms: int) -> None:
    """Weeks that are settled as the upkeep packs them; later hours one by one."""
    models: dict[int, Rows] = defaultdict(list)
    for row in played:
        models[(row.hour_ms - FIRST_MS) // DAY_MS].append(row)
    settled = (end_ms - SETTLED_MS) // WEEK_MS
    known: dict[tuple[int, ...], list[tuple[int, bytes]]] = {}
    for week, days in groupby(copies, key=lambda day: day.begin_ms // WEEK_MS):
        inside = list(days)
        if week >= settled:
            add_hours(db, (row for day in inside for row in _moved_hours(models, day)))
            continue
        kind = (inside[0].begin_ms % WEEK_MS, *(day.model for day in inside))
        if kind not in known:
            rows = (row for day in inside for row in _moved_hours(models, day))
            known[kind] = _packed_week(rows, week)
        packed = [(week_id(shelf, week), body) for shelf, body in known[kind]]
        db.executemany("INSERT INTO weeks VALUES (?, ?)", packed)
    add_hours(db, played)


def _moved_hours(models: Mapping[int, Rows], day: Day) -> Iterator[HourRow]:
    for row in models[day.model]:
        yield structs.replace(row, hour_ms=row.hour_ms + day.shift_ms)


def _packed_week(rows: Iterable[HourRow], week: int) -> list[tuple[int, bytes]]:
    """The rows of a week by shelf; what is in them does not depend on the week."""
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        for table in ("hours", "weeks"):
            db.execute(f"CREATE TABLE {table} (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        held = list(rows)
        add_hours(db, held)
        shelves = sorted({shelf_of(row.number) for row in held})
        asked = Question(db, 1, (), {}, math.inf)
        packed = [pack_week(asked, shelf, week, (week + 1) * WEEK_MS) for shelf in shelves]
        assert not any(item.damaged for item in packed)
        return [(shelf, item.body) for shelf, item in zip(shelves, packed, strict=True)]


# --- what is true -------------------------------------------------------------------------------


class Told:
    """What was said, at the times of the long history."""

    def __init__(self, source: Path, played: int) -> None:
        self.truth: Truth = truth_of(source)
        self._played = played

    def _shift(self, ms: int) -> int:
        """From the played time that a moment copies to that moment."""
        day = (ms - FIRST_MS) // DAY_MS
        return min(0, day - day % self._played) * DAY_MS

    def changes(self, series: str, from_ms: int, to_ms: int) -> list[tuple[int, Value]]:
        """Times and values of a series."""
        return list(self._between(self.truth.series[series], from_ms, to_ms))

    def _between(
        self, said: Sequence[tuple[int, Any]], from_ms: int, to_ms: int
    ) -> Iterator[tuple[int, Any]]:
        """What was said in a time, day by day."""
        while from_ms < to_ms:
            shift = self._shift(from_ms)
            end = to_ms
            if from_ms < FIRST_MS:
                end = min(to_ms, from_ms - from_ms % DAY_MS + DAY_MS)
            low = bisect_left(said, from_ms - shift, key=itemgetter(0))
            high = bisect_left(said, end - shift, key=itemgetter(0))
            yield from ((ms + shift, what) for ms, what in said[low:high])
            from_ms = end

    def hour(self, series: str, hour_ms: int) -> tuple[float, float, float]:
        """Mean, least and greatest of an hour, by hand."""
        said = self.truth.series[series]
        begin = hour_ms - self._shift(hour_ms)
        end = begin + HOUR_MS
        low = bisect_right(said, begin, key=itemgetter(0))
        high = bisect_left(said, end, key=itemgetter(0))
        values = [value for _, value in said[low - 1 : high] if isinstance(value, int | float)]
        edges = [begin, *(ms for ms, _ in said[low:high]), end]
        weighted = sum(v * (b - a) for v, (a, b) in zip(values, pairwise(edges), strict=True))
        return weighted / HOUR_MS, min(values), max(values)

    def room(self, room: str, from_ms: int, to_ms: int) -> list[tuple[int, str]]:
        """When each stretch of a room begins, and its status; the first is cut."""
        said = self.truth.rooms[room]
        found = list(self._between(said, from_ms, to_ms))
        before = list(self._between(said, from_ms - DAY_MS, from_ms))
        if before and not (found and found[0][0] == from_ms):
            found.insert(0, (from_ms, before[-1][1]))
        return found

    def noon(self, day_ms: int) -> list[tuple[object, ...]]:
        """All changes of two minutes at noon of a day, in the order of pages."""
        shift = self._shift(day_ms)
        begin = day_ms - day_ms % DAY_MS + NOON_MS - shift
        return [
            (row[0] + shift, *row[1:])
            for row in self.truth.noon
            if begin <= row[0] < begin + PAGE_MS
        ]
