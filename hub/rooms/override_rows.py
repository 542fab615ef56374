"""What staff said of rooms, as rows of ``overrides``. Also read by whoever replays a past day."""

from __future__ import annotations

import sqlite3
from typing import Any

from hub.domain.room import Override, OverrideKind
from hub.store.reader import Question

COLUMNS = "id, room, kind, people, reason, author, from_ms, until_ms, ended_ms"
BETWEEN = (
    f"SELECT {COLUMNS} FROM overrides WHERE from_ms < ? AND until_ms > ?"  # noqa: S608 - ours
    " AND (ended_ms IS NULL OR ended_ms > ?) AND (? IS NULL OR room = ?) ORDER BY id"
)
SAID_SINCE = f"SELECT {COLUMNS} FROM overrides WHERE from_ms >= ? ORDER BY id"  # noqa: S608 - ours
REPLACE = (
    "UPDATE overrides SET ended_ms = ?, ended_by = ?"
    " WHERE room = ? AND kind = ? AND ended_ms IS NULL AND until_ms > ?"
)
ADD = (
    "INSERT INTO overrides (room, kind, people, reason, author, from_ms, until_ms)"
    " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id"
)
END = "UPDATE overrides SET ended_ms = ?, ended_by = ? WHERE id = ? AND ended_ms IS NULL"
OLDEST = (
    "DELETE FROM overrides WHERE room = ? AND id <= (SELECT id FROM overrides WHERE room = ?"
    " ORDER BY id DESC LIMIT 1 OFFSET ?)"
)
EVER_MS = 2**62
MAX_ROWS = 2_000  # of each room; five a day for a year


def add(db: sqlite3.Connection, new: Override) -> int:
    """Keep what was said; what was said before of the same kind ends. The new one's id."""
    kind, now_ms = new.kind.value, new.from_ms
    db.execute(REPLACE, (now_ms, new.author, new.room, kind, now_ms))
    row = (new.room, kind, new.people, new.reason, new.author, now_ms, new.until_ms)
    (number,) = db.execute(ADD, row).fetchone()
    db.execute(OLDEST, (new.room, new.room, MAX_ROWS))
    return int(number)


def end(db: sqlite3.Connection, number: int, author: str, now_ms: int) -> None:
    db.execute(END, (now_ms, author, number))


def between(
    question: Question, from_ms: int, to_ms: int, room: str | None = None
) -> list[Override]:
    """All that was in force at any moment of a stretch of time, in the order it was said."""
    parameters = (to_ms, from_ms, from_ms, room, room)
    return [_override(row) for row in question.all_rows(BETWEEN, parameters)]


def said_since(question: Question, from_ms: int) -> list[Override]:
    """All that was said since, in force or not."""
    return [_override(row) for row in question.all_rows(SAID_SINCE, (from_ms,))]


def _override(row: tuple[Any, ...]) -> Override:
    number, room, kind, *rest = row
    return Override(number, room, OverrideKind(kind), *rest)
