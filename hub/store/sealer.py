"""Sealing: what is older than the hot day moves from the log into shelves, a slice at a time.

    rows of the log > chapter > shelves (one row of 32 series) > (log rows deleted)

Reading and packing happen in a thread of its own, a few shelves at a time, so that a day never
stands in memory. The writer gets slices of some milliseconds (slices.py). A chapter becomes
visible in one transaction with its last slice: until then questions read the log, from then on the
shelves. A crash before it leaves shelves that nobody reads and that the next attempt deletes; a
crash after it leaves log rows that nobody reads and that the next look deletes.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from hub.domain.mark import Mark
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.damage import DamagedPlaceError, Kind
from hub.store.marks import shelve_marks
from hub.store.members import numbers_in
from hub.store.packing import RoomRow, change_at, unpack_said
from hub.store.reader import CHAPTER_BITS, Question, masks
from hub.store.shelf import shelf_of, shelve, shelve_rooms
from hub.store.slices import in_slice

HOT_MS = 24 * 3_600_000
CHAPTER_MS = 6 * 3_600_000
CHAPTER_BYTES = 4_000_000  # packed: some 500,000 changes
HOT_ROWS = 20_000  # of a broker with a narrow window; more would slow questions down
SHELVES_AT_ONCE = 6  # some 45,000 changes of a busy centre, 12 MB
SLICE_ROWS = 64  # at most
ADD_ROOMS = "INSERT INTO room_chapters VALUES (?, ?, ?, ?)"
ADD_MARKS = "INSERT INTO mark_chapters VALUES (?, ?, ?, ?)"


class Plan(msgspec.Struct, frozen=True):
    """The next chapter: consecutive rows of the log, and which series they hold."""

    chapter: int
    first_id: int
    last_id: int
    first_ms: int
    last_ms: int
    numbers: frozenset[int]


class SaidBlock(NamedTuple):
    """What rooms said in a chapter, packed, and how it is added."""

    add: str
    first_ms: int
    last_ms: int
    body: bytes


class SealedShelf(msgspec.Struct, frozen=True):
    """A row of ``shelves``."""

    id: int
    first_ms: int
    last_ms: int
    mask: int
    body: bytes
    changes: int


def plan(question: Question, now_ms: int, before_id: int) -> Plan | None:
    """The next rows to seal, all below ``before_id``; None while there are not enough.

    A commit of which something is lost begins a chapter of its own.
    """
    lost = {damage.place for damage in question.lost()}
    is_long = question.upto - question.sealed_upto > HOT_ROWS
    limit_ms = now_ms if is_long else now_ms - HOT_MS
    sql = (
        "SELECT id, first_ms, last_ms, saved_ms, lowest, members, ifnull(length(body), 0) FROM log"
        " WHERE id > ? AND id < ? ORDER BY id"
    )
    first_id = last_id = began_ms = size = 0
    first_ms, last_ms, numbers, is_full = 2**62, -(2**62), set[int](), False
    for row_id, first, last, saved_ms, lowest, members, length in _dated(
        question.rows(sql, (question.sealed_upto, before_id)), now_ms
    ):
        is_full = first_id > 0 and (
            saved_ms - began_ms >= CHAPTER_MS or size >= CHAPTER_BYTES or row_id in lost
        )
        if is_full:
            break
        if saved_ms > limit_ms:
            break
        began_ms, first_id = began_ms or saved_ms, first_id or row_id
        first_ms, last_ms, last_id = min(first_ms, first), max(last_ms, last), row_id
        size += length
        numbers.update(numbers_in(lowest, members))
        question.check()
    if not is_full and not (first_id and began_ms + CHAPTER_MS <= limit_ms):
        return None
    return Plan(_next_chapter(question), first_id, last_id, first_ms, last_ms, frozenset(numbers))


def _dated(rows: Iterable[tuple[Any, ...]], now_ms: int) -> Iterator[tuple[Any, ...]]:
    """Rows that were saved in a future, because the clock was wrong then, as old as the next one.

    Or one moment in 2106 would keep everything behind it from being sealed until then.
    """
    strange: list[tuple[Any, ...]] = []
    for row in rows:
        if row[3] > now_ms:
            strange.append(row)
            continue
        yield from ((*other[:3], row[3], *other[4:]) for other in strange)
        strange.clear()
        yield row


def _next_chapter(question: Question) -> int:
    highest = (
        "SELECT max(ifnull((SELECT max(id) FROM chapters), 0),"
        " ifnull((SELECT max(id) FROM room_chapters), 0))"
    )
    return 1 + int(next(question.rows(highest, ()))[0])


def pack_shelves(
    question: Question, wanted: Plan, keys: Mapping[int, SeriesKey], at: int
) -> list[SealedShelf] | None:
    """Some shelves of a chapter, from the ``at``-th on; None at its end.

    Raises:
        DamagedPlaceError: a commit cannot be read; it must be set aside, and the chapter be cut.
    """
    shelves = sorted({shelf_of(number) for number in wanted.numbers})[at : at + SHELVES_AT_ONCE]
    if not shelves:
        return None
    found: dict[int, list[Change]] = defaultdict(list)
    inside = frozenset(shelves)
    for row_id in _row_ids(question, wanted):
        with question.passing_over(Kind.CHANGES, row_id):
            columns = question.commit(row_id)
            for place, number in enumerate(columns.number if columns is not None else ()):
                if columns is not None and shelf_of(number) in inside:
                    found[number].append(change_at(columns, place, keys))
        question.check()
    _refuse_damage(question)
    return [
        sealed for shelf in shelves if (sealed := _sealed(wanted.chapter, shelf, found)) is not None
    ]


def _row_ids(question: Question, wanted: Plan) -> Iterator[int]:
    sql = "SELECT id FROM log WHERE id BETWEEN ? AND ? ORDER BY id"
    for (row_id,) in question.rows(sql, (wanted.first_id, wanted.last_id)):
        yield row_id


def _sealed(chapter: int, shelf: int, found: Mapping[int, list[Change]]) -> SealedShelf | None:
    series = {number: found[number] for number in sorted(found) if shelf_of(number) == shelf}
    if not series:
        return None
    times = [change.observed_ms for changes in series.values() for change in changes]
    mask = masks(frozenset(series))[shelf]
    shelf_id = chapter << CHAPTER_BITS | shelf
    return SealedShelf(shelf_id, min(times), max(times), mask, shelve(series), len(times))


def pack_said(question: Question, wanted: Plan) -> list[SaidBlock]:
    """Every room step of a chapter, and every mark.

    Raises:
        DamagedPlaceError: like ``pack_shelves``.
    """
    sql = "SELECT id, rooms FROM log WHERE id BETWEEN ? AND ? AND rooms IS NOT NULL ORDER BY id"
    rooms, marks = list[RoomRow](), list[Mark]()
    for row_id, packed in question.rows(sql, (wanted.first_id, wanted.last_id)):
        with question.passing_over(Kind.ROOMS, row_id):
            said = unpack_said(packed)
            rooms.extend(said.rooms)
            marks.extend(said.marks)
    _refuse_damage(question)
    blocks = []
    if rooms:
        blocks.append(SaidBlock(ADD_ROOMS, *_span(rooms), shelve_rooms(rooms)))
    if marks:
        blocks.append(SaidBlock(ADD_MARKS, *_span(marks), shelve_marks(marks)))
    return blocks


def _span(rows: Sequence[RoomRow] | Sequence[Mark]) -> tuple[int, int]:
    times = [row.at_ms for row in rows]
    return min(times), max(times)


def _refuse_damage(question: Question) -> None:
    for damage in question.damaged.values():
        raise DamagedPlaceError(damage)


# --- in the writer's thread, each a transaction ------------------------------------------------


def clear(db: sqlite3.Connection, chapter: int) -> None:
    """Take away what an attempt before a crash may have left."""
    db.execute("DELETE FROM shelves WHERE id >= ?", (chapter << CHAPTER_BITS,))


def add_shelves(db: sqlite3.Connection, shelves: Sequence[SealedShelf]) -> int:
    """Add the first of them; how many these were."""
    done = 0
    for shelf in in_slice(shelves):
        row = (shelf.id, shelf.first_ms, shelf.last_ms, shelf.mask, shelf.body)
        db.execute("INSERT INTO shelves VALUES (?, ?, ?, ?, ?)", row)
        done += 1
    return done


def finish(
    db: sqlite3.Connection, wanted: Plan, changes: int, said: Sequence[SaidBlock], now_ms: int
) -> None:
    """From here on the chapter is read instead of the log."""
    row = (wanted.chapter, wanted.first_id, wanted.last_id, wanted.first_ms, wanted.last_ms)
    db.execute("INSERT INTO chapters VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, changes, now_ms))
    for add, *block in said:
        db.execute(add, (wanted.chapter, *block))


def delete_sealed(db: sqlite3.Connection) -> int:
    """Delete some rows of the log that a chapter holds; 0 when there are none left."""
    sql = (
        "SELECT id FROM log WHERE id <= (SELECT last_id FROM chapters ORDER BY id DESC LIMIT 1)"
        " ORDER BY id LIMIT ?"
    )
    done = 0
    for row in in_slice(db.execute(sql, (SLICE_ROWS,)).fetchall()):
        db.execute("DELETE FROM log WHERE id = ?", row)
        done += 1
    return done
