"""Questions to the history, asked in worker threads on read-only connections.

A question never waits longer than its deadline: SQLite's progress handler ends a statement, and
``Question.check`` ends our own loops. Unpacking holds the interpreter's lock, so a long question
lets go of it every few milliseconds; the event loop then stays prompt while a month is read.

Each question sees one state: the database as it was when the question began (one read
transaction, so that what is sealed meanwhile is neither missed nor met twice), rows up to ``upto``,
then the changes that waited for the disk at that moment, then the live state's own coverage.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple

from hub.live import Change
from hub.store.damage import LOST, THERE, UNREADABLE, Damage, Kind, damage_at, lost_of
from hub.store.members import HOLDS, sign
from hub.store.packing import Columns, unpack
from hub.store.planes import DamagedBlockError
from hub.store.query import QueryTooSlowError
from hub.store.shelf import Shelf, shelf_of

DEADLINE_S = 10.0
PROGRESS_STEPS = 20_000  # of SQLite's machine between looks at the clock: about 1 ms
WORK_S = 0.002  # then the interpreter's lock is let go of
REST_S = 0.0002
KEPT_COMMITS = 128  # unpacked commits that a question remembers: some megabytes
KEPT_SHELVES = 64
CHAPTER_BITS = 24
EVER_MS = 2**62
SEALED_UPTO = "SELECT last_id FROM chapters ORDER BY id DESC LIMIT 1"
FROM_ROW = "SELECT id FROM log WHERE id >= ? AND id <= ? AND "
BEGUN_BEFORE = "SELECT id, last_ms FROM log WHERE id > ? AND id <= ? AND first_ms < ? AND "
BEHIND = (
    "SELECT s.id, c.first_id FROM chapters c CROSS JOIN shelves s"
    " ON s.id = (c.id << 24 | ?) AND s.mask & ?"
    " WHERE c.id > ? ORDER BY c.id"
)


class Connections(threading.local):
    """One read-only connection for each worker thread; ``renew`` makes them all start afresh."""

    db: sqlite3.Connection | None = None
    era = -1


class Reader:
    def __init__(self, path: Path) -> None:
        self._path = path
        self._local = Connections()
        self._era = 0
        self._open: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def connection(self) -> sqlite3.Connection | None:
        """This thread's connection; None while there is no database yet."""
        local = self._local
        if local.db is None or local.era != self._era:
            self._forget(local)
            local.db, local.era = open_readonly(self._path), self._era
            if local.db is not None:
                with self._lock:
                    self._open.append(local.db)
        return local.db

    def _forget(self, local: Connections) -> None:
        """A disk that comes and goes must not leave open files behind."""
        if local.db is not None:
            with self._lock:
                self._open.remove(local.db)
            local.db.close()
            local.db = None

    def renew(self) -> None:
        """The disk came back: what was opened while it was away may be frozen in time."""
        self._era += 1

    def close(self) -> None:
        """Close every connection; no question runs any more."""
        with self._lock:
            for db in self._open:
                db.close()
            self._open.clear()


def open_readonly(path: Path) -> sqlite3.Connection | None:
    """Open a database without being able to change it; None where there is none.

    On a disk that is mounted read-only, SQLite cannot make its shared-memory file; a database
    that was closed well has no WAL and can then be read as it is.
    """
    wal = path.with_name(path.name + "-wal")
    if not path.exists() or (path.stat().st_size == 0 and not wal.exists()):
        return None
    try:
        return _connected(f"{path.absolute().as_uri()}?mode=ro")
    except sqlite3.OperationalError:
        if wal.exists() and wal.stat().st_size:
            raise
        return _connected(f"{path.absolute().as_uri()}?mode=ro&immutable=1")


def _connected(uri: str) -> sqlite3.Connection:
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.execute("PRAGMA query_only = 1")
        db.execute("PRAGMA cache_size = -1024")
        db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error:
        db.close()
        raise
    return db


@dataclass(slots=True)
class Question:
    """One question on one connection: the rows it may see, and how long it may take.

    Used as a context: what it reads in between is one state of the database.
    """

    db: sqlite3.Connection | None
    upto: int
    pending: Sequence[Change]
    running: Mapping[int, Running]
    deadline: float
    ending: threading.Event = field(default_factory=threading.Event)
    """Set when the store closes: then no question goes on."""
    sealed_upto: int = 0
    damaged: dict[tuple[Kind, int], Damage] = field(default_factory=dict)
    """What could not be read."""
    _lost: list[Damage] | None = None
    _commits: dict[int, Columns] = field(default_factory=dict)
    _shelves: dict[int, Shelf] = field(default_factory=dict)
    _rested: float = field(default_factory=time.monotonic)

    def __enter__(self) -> Question:
        if self.db is not None and self.upto:
            self.db.set_progress_handler(self._is_over, PROGRESS_STEPS)
            try:
                self.db.execute("BEGIN")
                for (last,) in self.rows(SEALED_UPTO, ()):
                    self.sealed_upto = last
            except BaseException:
                self.__exit__()  # or this connection would never answer again
                raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.db is not None and self.db.in_transaction:
            self.db.set_progress_handler(None, 0)
            self.db.execute("ROLLBACK")

    def _is_over(self) -> bool:
        return self.ending.is_set() or time.monotonic() > self.deadline

    def check(self) -> None:
        """Be considerate: end when the time is up, let other threads run."""
        now = time.monotonic()
        if self._is_over():
            raise QueryTooSlowError("the question took too long; ask for a shorter time")
        if now - self._rested > WORK_S:
            time.sleep(REST_S)
            self._rested = time.monotonic()

    def rows(self, sql: str, parameters: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """Of the history: none before its first commit."""
        if self.upto:
            yield from self.all_rows(sql, parameters)

    def all_rows(self, sql: str, parameters: tuple[object, ...]) -> Iterator[tuple[Any, ...]]:
        """Of any table, also of those that are written beside the commits."""
        if self.db is None:
            return
        try:
            yield from self.db.execute(sql, parameters)
        except sqlite3.OperationalError as error:
            if self._is_over():
                raise QueryTooSlowError("the question took too long") from error
            raise

    def commit(self, row_id: int) -> Columns | None:
        """The changes of one commit, unpacked; None where it holds rooms only.

        Raises:
            DamagedBlockError: it cannot be read. Asked inside of ``passing_over``.
        """
        self._refuse(Kind.CHANGES, row_id)
        found = self._commits.get(row_id)
        if found is None:
            body = self._blob("SELECT body FROM log WHERE id = ?", row_id)
            if body is None:
                return None
            if len(self._commits) >= KEPT_COMMITS:
                self._commits.clear()
            found = self._commits[row_id] = unpack(body)
        return found

    def shelf(self, shelf_id: int) -> Shelf:
        """One shelf of a chapter, opened.

        Raises:
            DamagedBlockError: it cannot be read. Asked inside of ``passing_over``.
        """
        self._refuse(Kind.SHELF, shelf_id)
        found = self._shelves.get(shelf_id)
        if found is None:
            if len(self._shelves) >= KEPT_SHELVES:
                self._shelves.clear()
            body = self._blob("SELECT body FROM shelves WHERE id = ?", shelf_id)
            assert body is not None  # noqa: S101 - its id came from a row
            found = self._shelves[shelf_id] = Shelf(body)
        return found

    # --- what cannot be read ---------------------------------------------------------------------

    @contextlib.contextmanager
    def passing_over(self, kind: Kind, place: int) -> Iterator[None]:
        """What is damaged is left out, and noted."""
        try:
            yield
        except UNREADABLE as error:
            if (kind, place) not in self.damaged:
                for row in self.rows(THERE[kind], (place,)):
                    self.damaged[kind, place] = damage_at(kind, place, row, str(error))

    def damaged_in(self, from_ms: int, to_ms: int, numbers: frozenset[int] | None) -> list[Damage]:
        """What was met, or is known to be lost, and may belong to an answer."""
        found = {(item.kind, item.place): item for item in self.lost()} | self.damaged
        return [item for item in found.values() if item.touches(from_ms, to_ms, numbers)]

    def lost_numbers(self, row_id: int) -> frozenset[int]:
        """Series of which a commit held changes that cannot be read."""
        met = self.damaged.get((Kind.CHANGES, row_id))
        known = [met] if met is not None else self.lost()
        return frozenset(n for item in known if item.place == row_id for n in item.numbers)

    def is_lost(self, number: int, place: int, before: int) -> bool:
        """Is a commit with this series gone between a place, as of ``Found``, and a commit?"""
        gone = [item.place for item in self.lost() if number in item.numbers]
        if gone and place < 0:
            sql = "SELECT last_id FROM chapters WHERE id = ?"
            place = next((last_id for (last_id,) in self.rows(sql, (-place,))), 0)
        return any(place < at <= before for at in gone)

    def lost(self) -> list[Damage]:
        """Commits whose changes were set aside."""
        if self._lost is None:
            self._lost = [lost_of(row) for row in self.rows(LOST, ())]
        return self._lost

    def _refuse(self, kind: Kind, place: int) -> None:
        """What could not be read once is not tried for each step again."""
        if (known := self.damaged.get((kind, place))) is not None:
            raise DamagedBlockError(known.reason)

    def _blob(self, sql: str, row_id: int) -> bytes | None:
        self.check()
        for (body,) in self.rows(sql, (row_id,)):
            return body  # type: ignore[no-any-return]
        return None

    # --- where something may be ------------------------------------------------------------------

    def commits_in(
        self, from_ms: int, to_ms: int, numbers: frozenset[int] | None
    ) -> Iterator[tuple[int, int]]:
        """Commits of the hot log that may hold such changes: (earliest time, row)."""
        condition, signs = _any_of(numbers)
        sql = (
            "SELECT first_ms, id FROM log WHERE id > ? AND id <= ?"
            " AND last_ms >= ? AND first_ms < ? AND body IS NOT NULL"
        )
        yield from self.rows(sql + condition, (self.sealed_upto, self.upto, from_ms, to_ms, *signs))

    def commits_with(self, number: int, start_id: int = 0) -> Iterator[int]:
        """Commits of the hot log that hold a series, from a row on, in order."""
        start = max(start_id, self.sealed_upto + 1)
        sql = FROM_ROW + HOLDS + " ORDER BY id"
        for (row_id,) in self.rows(sql, (start, self.upto, *sign(number))):
            yield row_id

    def commits_before(self, number: int, ms: int) -> Iterator[tuple[int, int]]:
        """Commits of the hot log that may hold such changes: (row, latest time), latest first."""
        sql = BEGUN_BEFORE + HOLDS + " ORDER BY last_ms DESC"
        yield from self.rows(sql, (self.sealed_upto, self.upto, ms, *sign(number)))

    def chapters_in(self, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
        """Chapters that may hold changes of this time: (earliest time, chapter)."""
        sql = "SELECT first_ms, id FROM chapters WHERE last_ms >= ? AND first_ms < ?"
        yield from self.rows(sql, (from_ms, to_ms))

    def chapters_before(self, ms: int) -> Iterator[tuple[int, int]]:
        """Chapters that may hold changes before then: (chapter, latest time), latest first."""
        sql = "SELECT id, last_ms FROM chapters WHERE first_ms < ? ORDER BY last_ms DESC"
        yield from self.rows(sql, (ms,))

    def shelves_in(
        self, chapter: int, from_ms: int, to_ms: int, numbers: frozenset[int] | None
    ) -> Iterator[tuple[int, int]]:
        """Shelves of a chapter that may hold such changes: (earliest time, shelf)."""
        base = chapter << CHAPTER_BITS
        if numbers is None or len(numbers) > 64:
            sql = (
                "SELECT first_ms, id FROM shelves WHERE id BETWEEN ? AND ?"
                " AND last_ms >= ? AND first_ms < ?"
            )
            bounds = (base, base + (1 << CHAPTER_BITS) - 1, from_ms, to_ms)
            yield from self.rows(sql, bounds)
            return
        sql = (
            "SELECT first_ms, id FROM shelves WHERE id = ? AND mask & ?"
            " AND last_ms >= ? AND first_ms < ?"
        )
        for shelf, mask in masks(numbers).items():
            yield from self.rows(sql, (base + shelf, mask, from_ms, to_ms))

    def shelves_with(self, number: int, after: int) -> Iterator[tuple[int, int]]:
        """Shelves that hold a series, behind a chapter: (shelf, first commit), in order."""
        ((shelf, mask),) = masks(frozenset((number,))).items()
        yield from self.rows(BEHIND, (shelf, mask, after))


@dataclass(frozen=True, slots=True)
class Running:
    """The step of a series that is still running, and until when it is confirmed."""

    observed_ms: int
    tie: int
    until_ms: int


class Unwritten(NamedTuple):
    """Changes that wait for the disk, and the running steps by their series."""

    pending: Sequence[Change] = ()
    running: Mapping[int, Running] = {}


NOTHING = Unwritten()


def masks(numbers: frozenset[int]) -> dict[int, int]:
    """Which of their 32 series each shelf must hold, as bits.

    >>> masks(frozenset((32, 33, 64)))
    {1: 3, 2: 1}
    """
    found: dict[int, int] = {}
    for number in sorted(numbers):
        shelf = shelf_of(number)
        found[shelf] = found.get(shelf, 0) | 1 << (number & 31)
    return found


def _any_of(numbers: frozenset[int] | None) -> tuple[str, tuple[int | bytes, ...]]:
    """A condition on ``members``; with many series a commit holds one of them anyway."""
    if numbers is None or len(numbers) > 8:
        return "", ()
    signs = [sign(number) for number in numbers]
    return f" AND ({' OR '.join(HOLDS for _ in signs) or '0'})", tuple(chain.from_iterable(signs))
