"""Questions to the history, asked in worker threads on read-only connections.

A question never waits longer than its deadline: SQLite's progress handler ends a statement, and
``Question.check`` ends our own loops. Unpacking holds the interpreter's lock, so a long question
lets go of it every few milliseconds; the event loop then stays prompt while a month is read.

Each question sees one state: rows up to ``upto`` (the last commit when it was asked), then the
changes that waited for the disk at that moment, then the live state's own coverage.
"""

from __future__ import annotations

import heapq
import sqlite3
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from hub.live import Change
from hub.store.packing import Record, inflate, member, unpack
from hub.store.query import QueryTooSlowError
from hub.store.rollup import HourRow

DEADLINE_S = 10.0
PROGRESS_STEPS = 20_000  # of SQLite's machine between looks at the clock: about 1 ms
WORK_S = 0.002  # then the interpreter's lock is let go of
REST_S = 0.0002
KEPT_RECORDS = 128  # unpacked commits that a question remembers: some megabytes

SEGMENTS_IN = (
    "SELECT first_ms, first_id, last_id FROM segments"
    " WHERE last_ms >= ? AND first_ms < ? AND first_id <= ?"
)
ROWS_IN = "SELECT first_ms, id FROM log WHERE id BETWEEN ? AND ? AND last_ms >= ? AND first_ms < ?"


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
            local.db, local.era = open_readonly(self._path), self._era
            if local.db is not None:
                with self._lock:
                    self._open.append(local.db)
        return local.db

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
    """One question on one connection: the rows it may see, and how long it may take."""

    db: sqlite3.Connection | None
    upto: int
    pending: Sequence[Change]
    coverage: Mapping[int, tuple[int, int]]
    """Series number to the intake number of its running step, and until when it is confirmed."""
    deadline: float
    _records: dict[int, Record] = field(default_factory=dict)
    _rested: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        if self.db is not None:
            self.db.set_progress_handler(self._is_over, PROGRESS_STEPS)

    def _is_over(self) -> bool:
        return time.monotonic() > self.deadline

    def check(self) -> None:
        """Be considerate: end when the time is up, let other threads run."""
        now = time.monotonic()
        if now > self.deadline:
            raise QueryTooSlowError("the question took too long; ask for a shorter time")
        if now - self._rested > WORK_S:
            time.sleep(REST_S)
            self._rested = time.monotonic()

    def rows(self, sql: str, parameters: tuple[object, ...]) -> Iterator[tuple[int, ...]]:
        if self.db is None or not self.upto:
            return
        try:
            yield from self.db.execute(sql, parameters)
        except sqlite3.OperationalError as error:
            if self._is_over():
                raise QueryTooSlowError("the question took too long") from error
            raise

    def record(self, row_id: int) -> Record:
        """One commit, unpacked."""
        record = self._records.get(row_id)
        if record is None:
            self.check()
            if len(self._records) >= KEPT_RECORDS:
                self._records.clear()
            assert self.db is not None  # noqa: S101 - a row id came from it
            row = self.db.execute("SELECT body FROM log WHERE id = ?", (row_id,)).fetchone()
            record = self._records[row_id] = unpack(row[0])
        return record

    def blocks(self, from_ms: int, to_ms: int, numbers: frozenset[int] | None) -> list[Block]:
        """Stretches of the log that may hold changes of these series in this time."""
        condition, parameters = _any_of(numbers)
        sql = SEGMENTS_IN + condition
        found = [
            (first_ms, False, first, last)
            for first_ms, first, last in self.rows(sql, (from_ms, to_ms, self.upto, *parameters))
        ]
        found.append((-(2**62), False, self.tail(), self.upto))
        return found

    def tail(self) -> int:
        """The first row that no segment covers yet."""
        for (last,) in self.rows("SELECT max(last_id) FROM segments", ()):
            return (last or 0) + 1
        return 1

    def block_rows(
        self, block: Block, from_ms: int, to_ms: int, numbers: frozenset[int] | None
    ) -> list[Block]:
        """The commits of a stretch that may hold such changes."""
        self.check()
        condition, parameters = _any_of(numbers)
        sql = ROWS_IN + condition
        bounds = (block[2], min(block[3], self.upto), from_ms, to_ms)
        return [
            (first_ms, True, row_id, row_id)
            for first_ms, row_id in self.rows(sql, (*bounds, *parameters))
        ]

    def rows_with(self, number: int, start_id: int) -> Iterator[int]:
        """Commits from here on that hold a series, in order."""
        sign, tail = member(number), self.tail()
        inside = "SELECT id FROM log WHERE id BETWEEN ? AND ? AND instr(members, ?) ORDER BY id"
        if start_id < tail:
            segments = (
                "SELECT first_id, last_id FROM segments"
                " WHERE last_id >= ? AND instr(members, ?) ORDER BY last_id"
            )
            for first, last in self.rows(segments, (start_id, sign)):
                bounds = (max(first, start_id), min(last, self.upto))
                for (row_id,) in self.rows(inside, (*bounds, sign)):
                    yield row_id
        for (row_id,) in self.rows(inside, (max(tail, start_id), self.upto, sign)):
            yield row_id

    def last_with(self, number: int, ms: int) -> Iterator[int]:
        """Commits that hold a series and begin no later than then, the latest first."""
        sign = member(number)
        inside = (
            "SELECT id FROM log WHERE id BETWEEN ? AND ? AND first_ms <= ?"
            " AND instr(members, ?) ORDER BY id DESC"
        )
        for (row_id,) in self.rows(inside, (self.tail(), self.upto, ms, sign)):
            yield row_id
        segments = (
            "SELECT first_id, last_id FROM segments"
            " WHERE first_ms <= ? AND instr(members, ?) ORDER BY last_id DESC"
        )
        for first, last in self.rows(segments, (ms, sign)):
            for (row_id,) in self.rows(inside, (first, min(last, self.upto), ms, sign)):
                yield row_id


Block = tuple[int, bool, int, int]
"""First time, whether it is a single commit, first and last row."""


def in_order(
    question: Question, from_ms: int, to_ms: int, numbers: frozenset[int] | None
) -> Iterator[tuple[int, int]]:
    """Commits by the earliest time in them: ``(first_ms, row id)``.

    Rows and times run nearly alike, but late readings break that; hence a heap and no trust.
    """
    heap = question.blocks(from_ms, to_ms, numbers)
    heapq.heapify(heap)
    while heap:
        block = heapq.heappop(heap)
        if block[1]:
            yield block[0], block[2]
            continue
        for row in question.block_rows(block, from_ms, to_ms, numbers):
            heapq.heappush(heap, row)


def hour_rows(question: Question, number: int, from_ms: int, to_ms: int) -> list[HourRow]:
    """The finished hours of one series that begin in this time."""
    sql = "SELECT id FROM hours WHERE last_ms >= ? AND first_ms < ? AND id <= ?"
    found: list[HourRow] = []
    for (row_id,) in list(question.rows(sql, (from_ms, to_ms, question.upto))):
        question.check()
        assert question.db is not None  # noqa: S101 - a row id came from it
        body = question.db.execute("SELECT body FROM hours WHERE id = ?", (row_id,)).fetchone()[0]
        rows = msgspec.msgpack.decode(inflate(body), type=list[HourRow])
        found += [r for r in rows if r.number == number and from_ms <= r.hour_ms < to_ms]
    return found


def _any_of(numbers: frozenset[int] | None) -> tuple[str, tuple[str, ...]]:
    """A condition on ``members``; with many series a commit holds one of them anyway."""
    if numbers is None or len(numbers) > 8:
        return "", ()
    signs = tuple(member(number) for number in numbers)
    return f" AND ({' OR '.join('instr(members, ?)' for _ in signs) or '0'})", signs
