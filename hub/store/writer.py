"""The one connection that writes, and the thread's side of a commit.

Every commit is one row at the end of ``log``. Beside what it holds, SQLite writes the pages that
lead to it and that say what is free, each whole; so pages are as small as can be. Other work
(sealing, retention) comes in slices between commits, each a transaction of its own. Any error
closes the connection, because after a failed write or fsync nothing it knows can be trusted; the
next attempt opens a new one. A commit that failed in the last moment may still have reached the
disk, so each attempt looks first.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from hub.domain.series import SeriesKey
from hub.store.checkpoint import freeze
from hub.store.group import Group
from hub.store.hours import add_hours
from hub.store.members import members
from hub.store.migrations import migrate
from hub.store.outbox import keep_cursors
from hub.store.packing import pack, pack_rooms
from hub.store.query import StoreError
from hub.store.restamp import keep_boot
from hub.store.wear import Wear, keep_days

log = logging.getLogger(__name__)

PAGE_SIZE = 512  # a commit makes some six pages new, however little each holds of it
WAL_BYTES = 8_000_000  # as counted; half of it is real. Then we move it into the database
WAL_COMMITS = 1_000  # the same where the kernel does not count bytes
WAL_LIMIT = 16 * 1024 * 1024  # a longer WAL (a reader was in the way) is cut back to this
BUSY_S = 5.0  # a backup holds the lock
T = TypeVar("T")
IS_WRITTEN = (  # a group has at least one of these
    "SELECT 1 FROM log WHERE id = ? UNION ALL SELECT 1 FROM live WHERE id = ?"
    " UNION ALL SELECT 1 FROM pulse WHERE id = ?"
)
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def explain_damage(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"The database {path.name} is damaged ({error}). Nothing was started or changed."
        " Restore a backup, or move the file away to begin with an empty history."
    )


def is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


class Writer:
    """Every method runs in the writer's thread."""

    def __init__(self, path: Path, wear: Wear) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._known: set[int] = set()
        self._wear = wear
        self._unmoved = 0  # bytes in the WAL, about
        self._unmoved_commits = 0

    def open(self, now_ms: int) -> None:
        """Open for writing, migrate, and find the end of the log.

        Raises:
            StoreError: damaged, newer than this program, or not ours.
            sqlite3.Error: the disk does not let us write.
        """
        if self._db is not None:
            return
        _keep_private(self._path)
        db = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            # Debian zeroes what it deletes: every freed page would be written once more
            db.execute("PRAGMA secure_delete = 0")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA wal_autocheckpoint = 0")
            db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
            db.execute("PRAGMA cache_size = -512")
            migrate(db, now_ms)
            self._known = {int(row[0]) for row in db.execute("SELECT number FROM series")}
        except sqlite3.Error as error:
            db.close()
            if is_damage(error):
                raise explain_damage(self._path, error) from error
            raise
        except BaseException:
            db.close()
            raise
        self._db = db

    def commit(self, group: Group) -> None:
        """Write a group durably, or raise sqlite3.Error and leave the database as it was."""
        purpose = "checkpoint" if group.checkpoint or group.pulse else "changes"
        self.work(purpose, group.saved_ms, partial(self._write, group))

    def work(self, purpose: str, now_ms: int, operate: Callable[[sqlite3.Connection], T]) -> T:
        """One durable transaction, counted under its purpose; after it perhaps the WAL is moved.

        Raises:
            StoreError, sqlite3.Error: the database is as it was, and the connection closed.
        """
        self.open(now_ms)
        assert self._db is not None  # noqa: S101 - open() raised otherwise
        try:
            with self._wear.of(purpose) as written:
                self._db.execute("BEGIN IMMEDIATE")
                answer = operate(self._db)
                self._db.execute("COMMIT")
        except BaseException:
            self.close()
            raise
        self._unmoved += written.bytes
        self._unmoved_commits += 1
        if self._unmoved >= WAL_BYTES or self._unmoved_commits >= WAL_COMMITS:
            self._move()
        return answer

    def _move(self) -> None:
        """Copy the WAL into the database; a reader in the way is no failure, we come again.

        A disk that fails here has taken the transaction already: who asked for it must not do it
        twice. The next transaction opens the database anew, and tells if the disk is gone.
        """
        assert self._db is not None  # noqa: S101 - called with a connection
        self._unmoved = self._unmoved_commits = 0
        try:
            with self._wear.of("moving"):
                self._db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except (sqlite3.Error, OSError) as error:
            log.warning("The WAL cannot be moved into the database now: %s", error)
            self.close()

    def close(self) -> None:
        """Give the connection up; what was not committed is rolled back."""
        if self._db is None:
            return
        db, self._db = self._db, None
        with contextlib.suppress(sqlite3.Error):  # the disk is gone, and the log was safe already
            db.close()

    def _write(self, group: Group, db: sqlite3.Connection) -> None:
        if db.execute(IS_WRITTEN, (group.id,) * 3).fetchone():
            return
        fresh = _fresh_keys(group, self._known)
        db.executemany(
            "INSERT INTO series VALUES (?, ?, ?, ?)", [(n, *key) for n, key in fresh.items()]
        )
        if group.size:
            _write_log(db, group)
        if group.deliveries:
            packed = msgspec.msgpack.encode([(d.mid, d.digest) for d in group.deliveries])
            row = (group.id, group.confirmed, packed)
            db.execute("INSERT INTO deliveries VALUES (?, ?, ?)", row)
        if group.boot is not None:
            keep_boot(db, group.boot)
        if group.checkpoint is not None:
            _write_checkpoint(db, group, group.checkpoint)
        if group.pulse is not None:
            row = (group.id, group.saved_ms, freeze(group.pulse))
            db.execute("INSERT OR REPLACE INTO pulse VALUES (1, ?, ?, ?)", row)
            _write_counts(db, group)
        self._known.update(fresh)


def _fresh_keys(group: Group, known: set[int]) -> dict[int, SeriesKey]:
    fresh = {c.number: c.key for c in group.changes if c.number not in known}
    fresh.update((n, key) for n, key in group.extra_keys.items() if n not in known)
    return fresh


def _write_log(db: sqlite3.Connection, group: Group) -> None:
    times = [change.observed_ms for change in group.changes]
    times += [room.at_ms for room in group.rooms]
    times += [mark.at_ms for mark in group.marks]
    numbers = [change.number for change in group.changes]
    numbers += [room.number for room in group.rooms]
    is_said = group.rooms or group.marks
    rooms = pack_rooms(group.rooms, group.marks) if is_said else None
    body = pack(group.changes) if group.changes else None
    row = (group.id, min(times), max(times), group.saved_ms, *members(numbers), rooms, body)
    db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _write_checkpoint(db: sqlite3.Connection, group: Group, saved: bytes) -> None:
    row = (group.id, group.saved_ms, freeze(saved))
    db.execute("INSERT OR REPLACE INTO live VALUES (1, ?, ?, ?)", row)
    add_hours(db, group.hours)
    _write_counts(db, group)


def _write_counts(db: sqlite3.Connection, group: Group) -> None:
    db.execute("DELETE FROM deliveries WHERE id <= ?", (group.confirmed,))
    keep_cursors(db, group.mirrors, group.saved_ms)
    if group.wear:
        keep_days(db, group.wear)


def _keep_private(path: Path) -> None:
    """Only its owner reads a file with password hashes; SQLite gives its log the same rights.

    A database that is there is never opened for this: closing it would give up SQLite's locks.
    """
    with contextlib.suppress(OSError):  # what is wrong with the disk is told by the next step
        if not path.exists():
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        for file in path.parent.glob(f"{path.name}*"):
            if file.stat().st_mode & 0o077:
                file.chmod(0o600)
