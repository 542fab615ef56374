"""What the database knows of mirrors, for the command line; the hub may run meanwhile."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hub.domain.series import SeriesKey
from hub.store.export import UnreadableError
from hub.store.outbox import Batch, MirrorCursor, cursor_at, read_batch
from hub.store.reader import Question, open_readonly

LIMIT = 5_000
BUSY_S = 15.0  # the hub's own transactions are short
DEADLINE_S = 60.0  # for one piece of history


class Entry(NamedTuple):
    """How far a mirror was at the hub's last checkpoint."""

    cursor: MirrorCursor
    saved_ms: int | None
    rewind_ms: int | None
    commits_behind: int
    rejected: int


class Rejected(NamedTuple):
    at_ms: int
    line: str
    reason: str


class Ledger:
    """A database that is only read; used as a context."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            UnreadableError: there is none.
        """
        db = open_readonly(path)
        if db is None:
            raise UnreadableError("export.no_history", path)
        self._db = db

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def entry(self, mirror: str) -> Entry:
        sql = "SELECT commit_id, shelf, saved_ms, rewind_ms FROM mirrors WHERE name = ?"
        row = self._db.execute(sql, (mirror,)).fetchone() or (0, 0, None, None)
        sql = "SELECT count(*) FROM rejected WHERE mirror = ?"
        (rejected,) = self._db.execute(sql, (mirror,)).fetchone()
        behind = self._commits_behind(row[0])
        return Entry(MirrorCursor(row[0], row[1]), row[2], row[3], behind, rejected)

    def _commits_behind(self, sent: int) -> int:
        """Commits that hold something for a mirror; one that only serves replays does not."""
        sql = "SELECT count(*) FROM log WHERE id > ? AND length(members) > 0"
        (hot,) = self._db.execute(sql, (sent,)).fetchone()
        sql = (
            "SELECT ifnull(sum(last_id - max(first_id - 1, ?)), 0) FROM chapters WHERE last_id > ?"
        )
        (sealed,) = self._db.execute(sql, (sent, sent)).fetchone()
        return int(hot + sealed)

    def rejected(self, mirror: str, newest: int | None = None) -> list[Rejected]:
        """Lines that were set aside, the newest first."""
        sql = "SELECT at_ms, line, reason FROM rejected WHERE mirror = ? ORDER BY id DESC LIMIT ?"
        rows = self._db.execute(sql, (mirror, -1 if newest is None else newest))
        return [Rejected(*row) for row in rows]

    def batches(self, cursor: MirrorCursor, from_ms: int) -> Iterator[tuple[Batch, bool]]:
        """History from a time on, each piece with whether the cursor says it was acknowledged."""
        last, keys = self._last_commit(), self._keys()
        whole = self._whole_before(cursor)
        with self._question(last) as question:
            at = cursor_at(question, from_ms)
        while at.commit < last:
            with self._question(last) as question:
                # a piece ends where the acknowledged part ends
                before = cursor.commit + 1 if at.commit < cursor.commit else None
                batch = read_batch(question, at, LIMIT, keys, before)
            reached = (batch.cursor.commit, batch.cursor.shelf)
            yield batch, reached <= whole
            if batch.cursor == at:
                return
            at = batch.cursor

    def _whole_before(self, cursor: MirrorCursor) -> tuple[int, int]:
        """Of a chapter that was sealed around the cursor a part was sent; which, nobody knows."""
        sql = "SELECT first_id FROM chapters WHERE first_id <= ? AND last_id > ?"
        row = self._db.execute(sql, (cursor.commit, cursor.commit)).fetchone()
        return (cursor.commit, cursor.shelf) if row is None else (row[0] - 1, 0)

    def _question(self, upto: int) -> Question:
        return Question(self._db, upto, (), {}, time.monotonic() + DEADLINE_S)

    def _last_commit(self) -> int:
        sql = (
            "SELECT max(a) FROM (SELECT max(id) a FROM log UNION SELECT max(last_id) FROM chapters)"
        )
        return self._db.execute(sql).fetchone()[0] or 0

    def _keys(self) -> dict[int, SeriesKey]:
        rows = self._db.execute("SELECT number, device, channel, part FROM series")
        return {number: SeriesKey(*key) for number, *key in rows}


def wish_rewind(path: Path, mirror: str, from_ms: int) -> None:
    """Ask the hub to send a mirror everything from a time on again; seen within seconds.

    Raises:
        UnreadableError, sqlite3.Error: the wish could not be kept.
    """
    if not path.exists():
        raise UnreadableError("export.no_history", path)
    with closing(sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)) as db:
        db.execute(
            "INSERT INTO mirrors VALUES (?, 0, 0, ?, ?)"
            " ON CONFLICT (name) DO UPDATE SET"  # the wish before may not be granted yet
            " rewind_ms = min(ifnull(rewind_ms, excluded.rewind_ms), excluded.rewind_ms)",
            (mirror, int(time.time() * 1000), from_ms),
        )
