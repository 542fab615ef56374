"""What a mirror is given: changes in the order of commits, a piece at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence

import msgspec

from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.damage import Damage, Kind
from hub.store.packing import RoomRow, change_at, unpack_rooms
from hub.store.reader import CHAPTER_BITS, EVER_MS, Question
from hub.store.shelf import rooms_of

MAX_REJECTED = 1_000  # lines of each mirror that are set aside; enough to see what is wrong
MAX_TEXT = 2_000  # characters of such a line, and of what was said about it


class MirrorCursor(msgspec.Struct, frozen=True):
    """How far a mirror has acknowledged: every commit up to here.

    Where the next commit is already sealed, its chapter's shelves below ``shelf`` are too.
    """

    commit: int = 0
    shelf: int = 0


class RoomPoint(msgspec.Struct, frozen=True):
    """A room's status from ``row.at_ms`` on."""

    room: str
    row: RoomRow


class Batch(msgspec.Struct, frozen=True):
    """A piece of history. ``cursor`` is to be kept once all of it is acknowledged."""

    changes: tuple[Change, ...]
    rooms: tuple[RoomPoint, ...]
    cursor: MirrorCursor
    commits_behind: int = 0
    """Commits after this batch; 0: the mirror then has everything that is committed."""
    oldest_ms: int | None = None
    """The earliest time in it; None for an empty batch."""
    damaged: tuple[Damage, ...] = ()
    """What should be in it and cannot be read."""


def keep_cursors(
    db: sqlite3.Connection, reached: Mapping[str, MirrorCursor], saved_ms: int
) -> None:
    """Keep how far mirrors are; a wish to rewind that came meanwhile stays."""
    db.executemany(
        "INSERT INTO mirrors VALUES (?, ?, ?, ?, NULL) ON CONFLICT (name) DO UPDATE"
        " SET commit_id = excluded.commit_id, shelf = excluded.shelf, saved_ms = excluded.saved_ms",
        [(name, cursor.commit, cursor.shelf, saved_ms) for name, cursor in dict(reached).items()],
    )


def cursors(db: sqlite3.Connection) -> dict[str, MirrorCursor]:
    rows = db.execute("SELECT name, commit_id, shelf FROM mirrors")
    return {name: MirrorCursor(commit, shelf) for name, commit, shelf in rows}


def reject(
    db: sqlite3.Connection, mirror: str, at_ms: int, lines: Sequence[tuple[str, str]]
) -> None:
    """Set lines aside, with what the server said; the oldest go when there are too many."""
    db.executemany(
        "INSERT INTO rejected (mirror, at_ms, line, reason) VALUES (?, ?, ?, ?)",
        [(mirror, at_ms, line[:MAX_TEXT], reason[:MAX_TEXT]) for line, reason in lines],
    )
    db.execute(
        "DELETE FROM rejected WHERE mirror = ? AND id <= (SELECT id FROM rejected"
        " WHERE mirror = ? ORDER BY id DESC LIMIT 1 OFFSET ?)",
        (mirror, mirror, MAX_REJECTED),
    )


def wish(question: Question, mirror: str) -> tuple[int, MirrorCursor] | None:
    """The time that the command line wants a mirror to begin at again, and where that is."""
    sql = "SELECT rewind_ms FROM mirrors WHERE name = ? AND rewind_ms IS NOT NULL"
    for (wished_ms,) in question.rows(sql, (mirror,)):
        return int(wished_ms), cursor_at(question, wished_ms)
    return None


def grant(db: sqlite3.Connection, mirror: str, wished_ms: int, cursor: MirrorCursor) -> None:
    """The wish is gone and the cursor is there in one transaction: a crash forgets neither."""
    db.execute(
        "UPDATE mirrors SET rewind_ms = NULL, commit_id = ?, shelf = ?"
        " WHERE name = ? AND rewind_ms = ?",
        (cursor.commit, cursor.shelf, mirror, wished_ms),
    )


def cursor_at(question: Question, ms: int) -> MirrorCursor:
    """The last cursor with nothing of this time or later behind it."""
    first_id = question.upto + 1
    sql = "SELECT min(first_id) FROM chapters WHERE last_ms >= ?"
    for found in (sql, "SELECT min(id) FROM log WHERE last_ms >= ?"):
        for (row_id,) in question.rows(found, (ms,)):
            first_id = min(first_id, row_id if row_id is not None else first_id)
    return MirrorCursor(first_id - 1)


def read_batch(
    question: Question,
    cursor: MirrorCursor,
    limit: int,
    keys: Mapping[int, SeriesKey],
    before: int | None = None,
) -> Batch:
    """What follows a cursor: about ``limit`` changes, or one shelf of a sealed chapter.

    Commits from ``before`` on are not given yet.
    """
    if before is not None:
        question.upto = min(question.upto, before - 1)
    if cursor.commit >= question.sealed_upto:
        return _from_log(question, cursor.commit, limit, keys)
    sql = "SELECT id, first_id, last_id FROM chapters WHERE last_id > ? ORDER BY id LIMIT 1"
    for chapter, first_id, last_id in question.rows(sql, (cursor.commit,)):
        if cursor.commit < first_id - 1:  # its shelves were of a chapter that was deleted since
            cursor = MirrorCursor(first_id - 1)
        return _from_chapter(question, chapter, last_id, cursor, keys)
    return _from_log(question, question.sealed_upto, limit, keys)  # retention was quicker


def _from_log(question: Question, after: int, limit: int, keys: Mapping[int, SeriesKey]) -> Batch:
    changes: list[Change] = []
    rooms: list[RoomPoint] = []
    last = after
    sql = "SELECT id, rooms FROM log WHERE id > ? AND id <= ? ORDER BY id"
    for row_id, packed in question.rows(sql, (after, question.upto)):
        with question.passing_over(Kind.CHANGES, row_id):
            columns = question.commit(row_id)
            if columns is not None:
                changes += [change_at(columns, at, keys) for at in range(len(columns.number))]
        if packed is not None:
            with question.passing_over(Kind.ROOMS, row_id):
                rooms += [RoomPoint(keys[row.number].part, row) for row in unpack_rooms(packed)]
        last = row_id
        if len(changes) >= limit:
            break
    else:
        last = max(last, question.upto)
    return _batch(question, changes, rooms, MirrorCursor(last))


def _from_chapter(
    question: Question,
    chapter: int,
    last_id: int,
    cursor: MirrorCursor,
    keys: Mapping[int, SeriesKey],
) -> Batch:
    base = chapter << CHAPTER_BITS
    sql = "SELECT id FROM shelves WHERE id >= ? AND id < ? ORDER BY id LIMIT 1"
    bounds = (base + cursor.shelf, base + (1 << CHAPTER_BITS))
    for (shelf_id,) in question.rows(sql, bounds):
        changes: list[Change] = []
        with question.passing_over(Kind.SHELF, shelf_id):
            shelf = question.shelf(shelf_id)
            for number in shelf.numbers:
                question.check()
                steps = shelf.steps(number, keys[number], -EVER_MS, EVER_MS)
                changes += [step.change for step in steps]
        return _batch(question, changes, [], MirrorCursor(cursor.commit, shelf_id - base + 1))
    rooms: list[RoomPoint] = []
    for (body,) in question.rows("SELECT body FROM room_chapters WHERE id = ?", (chapter,)):
        with question.passing_over(Kind.ROOM_SHELF, chapter):
            rooms = [RoomPoint(keys[row.number].part, row) for row in rooms_of(body, None)]
    return _batch(question, [], rooms, MirrorCursor(last_id))


def _batch(
    question: Question, changes: list[Change], rooms: list[RoomPoint], cursor: MirrorCursor
) -> Batch:
    oldest = min((change.observed_ms for change in changes), default=None)
    behind = max(question.upto - cursor.commit, 0)
    damaged = tuple(question.damaged.values())
    return Batch(tuple(changes), tuple(rooms), cursor, behind, oldest, damaged)
