"""The one connection that writes, and the thread's side of a commit.

Every commit is one row at the end of ``log``: with WAL and pages of 1 KiB that is one or two
pages to the disk, whatever it holds. Any error closes the connection, because after a failed
write or fsync nothing it knows can be trusted; the next attempt opens a new one. A commit that
failed in the last moment may still have reached the disk, so each attempt looks first.
"""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import msgspec

from hub.domain.series import SeriesKey
from hub.store.checkpoint import freeze
from hub.store.group import Group
from hub.store.migrations import migrate
from hub.store.packing import Record, deflate, members, pack, unpack
from hub.store.query import StoreError

PAGE_SIZE = 1024  # a commit dirties one or two; 4 KiB pages cost a third more a day (TRIED.md)
WAL_PAGES = 2000  # then SQLite moves them into the database: 2 MB of WAL, replayed in 20 ms
WAL_LIMIT = 4 * 1024 * 1024  # a longer WAL (a reader was in the way) is cut back to this
SEGMENT = 256  # log rows under one row of ``segments``
BUSY_S = 5.0  # a backup holds the lock
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Loaded(msgspec.Struct):
    """What a database holds that the hub needs at start."""

    keys: dict[int, SeriesKey] = {}
    checkpoint: bytes | None = None
    log: list[Record] = []
    last_id: int = 0
    alive_ms: int = 0
    deliveries: dict[int, bytes] = {}


class Segment(msgspec.Struct):
    """The log rows since the last row of ``segments``."""

    first_id: int = 0
    count: int = 0
    first_ms: int = 2**62
    last_ms: int = -(2**62)
    members: frozenset[str] = frozenset()

    def grown(self, row_id: int, first_ms: int, last_ms: int, names: str) -> Segment:
        return Segment(
            self.first_id or row_id,
            self.count + 1,
            min(self.first_ms, first_ms),
            max(self.last_ms, last_ms),
            self.members.union(names),
        )


def explain_damage(path: Path, error: Exception) -> StoreError:
    return StoreError(
        f"The database {path.name} is damaged ({error}). Nothing was started or changed."
        " Restore a backup, or move the file away to begin with an empty history."
    )


def is_damage(error: sqlite3.Error) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in DAMAGED


class Writer:
    """Every method runs in the writer's thread."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db: sqlite3.Connection | None = None
        self._known: set[int] = set()
        self._segment = Segment()
        self.rows = 0  # commits that wrote, since the start

    def open(self, now_ms: int) -> None:
        """Open for writing, migrate, and find the end of the log.

        Raises:
            StoreError: damaged, newer than this program, or not ours.
            sqlite3.Error: the disk does not let us write.
        """
        if self._db is not None:
            return
        db = sqlite3.connect(
            self._path, timeout=BUSY_S, isolation_level=None, check_same_thread=False
        )
        try:
            db.execute(f"PRAGMA page_size = {PAGE_SIZE}")
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
            db.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
            db.execute("PRAGMA cache_size = -512")
            migrate(db, now_ms)
            self._known = {int(row[0]) for row in db.execute("SELECT number FROM series")}
            self._segment = _open_segment(db)
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
        self.open(group.saved_ms)
        assert self._db is not None  # noqa: S101 - open() raised otherwise
        try:
            self._write(self._db, group)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the connection up; what was not committed is rolled back."""
        if self._db is None:
            return
        db, self._db = self._db, None
        with contextlib.suppress(sqlite3.Error):  # the disk is gone, and the log was safe already
            db.close()

    def _write(self, db: sqlite3.Connection, group: Group) -> None:
        db.execute("BEGIN IMMEDIATE")
        if db.execute("SELECT 1 FROM log WHERE id = ?", (group.id,)).fetchone():
            db.execute("ROLLBACK")
            return
        segment, fresh = self._segment, _fresh_keys(group, self._known)
        db.executemany(
            "INSERT INTO series VALUES (?, ?, ?, ?)", [(n, *key) for n, key in fresh.items()]
        )
        if group.changes or group.rooms:
            segment = _write_log(db, group, segment)
        if group.deliveries:
            packed = msgspec.msgpack.encode([(d.mid, d.digest) for d in group.deliveries])
            row = (group.id, group.confirmed, packed)
            db.execute("INSERT INTO deliveries VALUES (?, ?, ?)", row)
        if group.checkpoint is not None:
            _write_checkpoint(db, group, group.checkpoint)
        db.execute("COMMIT")
        self._segment = segment
        self._known.update(fresh)
        self.rows += 1


def load(db: sqlite3.Connection) -> Loaded:
    """Read what the hub needs at start: the checkpoint and the log after it."""
    loaded = Loaded()
    for number, *key in db.execute("SELECT number, device, channel, part FROM series"):
        loaded.keys[number] = SeriesKey(*key)
    live = db.execute("SELECT id, saved_ms, body FROM live").fetchone()
    if live is not None:
        loaded.last_id, loaded.alive_ms, loaded.checkpoint = live
    rows = db.execute("SELECT id, saved_ms, body FROM log WHERE id > ?", (loaded.last_id,))
    for row_id, saved_ms, body in rows:
        loaded.log.append(unpack(body))
        loaded.last_id, loaded.alive_ms = row_id, max(loaded.alive_ms, saved_ms)
    loaded.deliveries = _deliveries(db)
    return loaded


def _deliveries(db: sqlite3.Connection) -> dict[int, bytes]:
    confirmed = db.execute("SELECT max(confirmed) FROM deliveries").fetchone()[0] or 0
    known: dict[int, bytes] = {}
    query = "SELECT body FROM deliveries WHERE id > ? ORDER BY id"
    for (body,) in db.execute(query, (confirmed,)):
        known.update(msgspec.msgpack.decode(body, type=list[tuple[int, bytes]]))
    return known


def _fresh_keys(group: Group, known: set[int]) -> dict[int, SeriesKey]:
    fresh = {c.number: c.key for c in group.changes if c.number not in known}
    fresh.update((n, key) for n, key in group.extra_keys.items() if n not in known)
    return fresh


def _write_log(db: sqlite3.Connection, group: Group, segment: Segment) -> Segment:
    times = [change.observed_ms for change in group.changes]
    times += [room.at_ms for room in group.rooms]
    numbers = [change.number for change in group.changes]
    numbers += [room.number for room in group.rooms]
    span, names = (min(times), max(times)), members(numbers)
    body = pack(group.changes, group.rooms)
    row = (group.id, *span, group.saved_ms, names, body)
    db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)", row)
    segment = segment.grown(group.id, *span, names)
    if segment.count < SEGMENT:
        return segment
    db.execute(
        "INSERT INTO segments VALUES (?, ?, ?, ?, ?)",
        (group.id, segment.first_id, segment.first_ms, segment.last_ms, "".join(segment.members)),
    )
    return Segment()


def _write_checkpoint(db: sqlite3.Connection, group: Group, saved: bytes) -> None:
    row = (group.id, group.saved_ms, freeze(saved))
    db.execute("INSERT OR REPLACE INTO live VALUES (1, ?, ?, ?)", row)
    db.execute("DELETE FROM deliveries WHERE id <= ?", (group.confirmed,))
    if group.hours:
        hours = [hour.hour_ms for hour in group.hours]
        body = deflate(msgspec.msgpack.encode(group.hours))
        db.execute(
            "INSERT INTO hours VALUES (?, ?, ?, ?)", (group.id, min(hours), max(hours), body)
        )


def _open_segment(db: sqlite3.Connection) -> Segment:
    last = db.execute("SELECT max(last_id) FROM segments").fetchone()[0] or 0
    query = "SELECT id, first_ms, last_ms, members FROM log WHERE id > ? ORDER BY id"
    segment = Segment()
    for row in db.execute(query, (last,)):
        segment = segment.grown(*row)
    return segment
