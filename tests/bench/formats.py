"""The forms of the log and of sealed history that ``bench_formats`` weighs against each other.

Each has the three things the hub needs of it: take a commit, answer for one series, answer for all
series of some minutes. They all keep whole changes, so what they answer can be compared.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.members import HOLDS, members, sign
from hub.store.packing import (
    Columns,
    Note,
    change_at,
    columns_of,
    pack,
    unpack,
)
from hub.store.shelf import Shelf, shelf_of, shelve

HOUR_MS = 3_600_000
EVER = 2**52
Keys = Mapping[int, SeriesKey]


class Form(Protocol):
    """A way to keep changes in a database."""

    def make(self, db: sqlite3.Connection) -> None: ...

    def add(self, db: sqlite3.Connection, changes: Sequence[Change]) -> None:
        """One commit; the caller ends the transaction."""

    def series(self, db: sqlite3.Connection, number: int, span: range) -> Iterable[Change]: ...

    def everything(self, db: sqlite3.Connection, span: range) -> Iterable[Change]: ...


class Rows:
    """A row for each change, at the end of a table without an index."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._notes: list[Note] = []

    def make(self, db: sqlite3.Connection) -> None:
        db.execute(
            "CREATE TABLE log (intake INTEGER PRIMARY KEY, number INTEGER, observed INTEGER,"
            " received INTEGER, value, note INTEGER, previous INTEGER, tie INTEGER)"
        )

    def add(self, db: sqlite3.Connection, changes: Sequence[Change]) -> None:
        columns = columns_of(changes)
        self._notes += [note for note in columns.notes if note not in self._notes]
        notes = [self._notes.index(note) for note in columns.notes]
        db.executemany(
            "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (c.intake, c.number, c.observed_ms, received, value, notes[n], previous, c.tie)
                for c, received, value, n, previous in zip(
                    changes,
                    columns.received,
                    columns.value,
                    columns.note,
                    columns.previous,
                    strict=True,
                )
            ],
        )

    def series(self, db: sqlite3.Connection, number: int, span: range) -> Iterable[Change]:
        return self._read(db, "number = ? AND ", (number,), span)

    def everything(self, db: sqlite3.Connection, span: range) -> Iterable[Change]:
        return self._read(db, "", (), span)

    def _read(
        self, db: sqlite3.Connection, which: str, bounds: tuple[int, ...], span: range
    ) -> Iterator[Change]:
        sql = f"SELECT * FROM log WHERE {which} observed >= ? AND observed < ? ORDER BY intake"  # noqa: S608
        for intake, number, observed, received, value, note, previous, tie in db.execute(
            sql, (*bounds, span.start, span.stop)
        ):
            one = Columns(
                observed, intake, [number], [0], [received], [value], [0], [previous], [0], [tie],
                [self._notes[note]],
            )  # fmt: skip
            yield change_at(one, 0, self._keys)


class Blobs:
    """A row for each commit, with its times and its series beside the packed changes."""

    def __init__(
        self,
        keys: Keys,
        packer: Callable[[Sequence[Change]], bytes] = pack,
        unpacker: Callable[[bytes], Columns] = unpack,
    ) -> None:
        self._keys, self._pack, self._unpack = keys, packer, unpacker

    def make(self, db: sqlite3.Connection) -> None:
        db.execute(
            "CREATE TABLE log (id INTEGER PRIMARY KEY, first_ms INTEGER, last_ms INTEGER,"
            " lowest INTEGER, members BLOB, body BLOB)"
        )

    def add(self, db: sqlite3.Connection, changes: Sequence[Change]) -> None:
        times = [change.observed_ms for change in changes]
        names = members(change.number for change in changes)
        row = (min(times), max(times), *names, self._pack(changes))
        columns = "first_ms, last_ms, lowest, members, body"
        db.execute(f"INSERT INTO log ({columns}) VALUES (?, ?, ?, ?, ?)", row)  # noqa: S608

    def series(self, db: sqlite3.Connection, number: int, span: range) -> Iterable[Change]:
        for columns in self._commits(db, f" AND {HOLDS}", sign(number), span):
            for at, held in enumerate(columns.number):
                if held == number and columns.base_ms + columns.observed[at] in span:
                    yield change_at(columns, at, self._keys)

    def everything(self, db: sqlite3.Connection, span: range) -> Iterable[Change]:
        for columns in self._commits(db, "", (), span):
            for at, observed in enumerate(columns.observed):
                if columns.base_ms + observed in span:
                    yield change_at(columns, at, self._keys)

    def _commits(
        self, db: sqlite3.Connection, which: str, bounds: tuple[int | bytes, ...], span: range
    ) -> Iterator[Columns]:
        sql = f"SELECT body FROM log WHERE first_ms < ? AND last_ms >= ?{which} ORDER BY id"  # noqa: S608
        for (body,) in db.execute(sql, (span.stop, span.start, *bounds)):
            yield self._unpack(body)


class Shelves:
    """Sealed: a row for each chapter and shelf. ``add`` takes a whole chapter."""

    def __init__(self, keys: Keys, level: int, wide: int = 32) -> None:
        self._keys, self._level, self._wide = keys, level, wide

    def make(self, db: sqlite3.Connection) -> None:
        db.execute(
            "CREATE TABLE shelves (id INTEGER PRIMARY KEY, shelf INTEGER, first_ms INTEGER,"
            " last_ms INTEGER, body BLOB)"
        )

    def add(self, db: sqlite3.Connection, changes: Sequence[Change]) -> None:
        found: dict[int, dict[int, list[Change]]] = defaultdict(lambda: defaultdict(list))
        for change in changes:
            found[self._shelf(change.number)][change.number].append(change)
        for shelf, series in sorted(found.items()):
            times = [change.observed_ms for held in series.values() for change in held]
            body = shelve(series, self._level)
            row = (shelf, min(times), max(times), body)
            db.execute(
                "INSERT INTO shelves (shelf, first_ms, last_ms, body) VALUES (?, ?, ?, ?)", row
            )

    def series(self, db: sqlite3.Connection, number: int, span: range) -> Iterable[Change]:
        for shelf in self._shelves(db, " AND shelf = ?", (self._shelf(number),), span):
            for step in shelf.steps(number, self._keys[number], span.start, span.stop):
                yield step.change

    def everything(self, db: sqlite3.Connection, span: range) -> Iterable[Change]:
        for shelf in self._shelves(db, "", (), span):
            for number in shelf.numbers:
                for step in shelf.steps(number, self._keys[number], span.start, span.stop):
                    yield step.change

    def _shelf(self, number: int) -> int:
        return shelf_of(number) if self._wide == 32 else number // self._wide

    def _shelves(
        self, db: sqlite3.Connection, which: str, bounds: tuple[int, ...], span: range
    ) -> Iterator[Shelf]:
        sql = f"SELECT body FROM shelves WHERE first_ms < ? AND last_ms >= ?{which} ORDER BY id"  # noqa: S608
        for (body,) in db.execute(sql, (span.stop, span.start, *bounds)):
            yield Shelf(body)


def pack_as_first(changes: Sequence[Change]) -> bytes:
    """The form of the first schema: columns in MessagePack under zlib 1."""
    return zlib.compress(msgspec.msgpack.encode(columns_of(changes)), 1)


def unpack_as_first(body: bytes) -> Columns:
    return msgspec.msgpack.decode(zlib.decompress(body), type=Columns)


def within_bands(changes: Iterable[Change], bands: Mapping[str, float]) -> list[Change]:
    """What is left if a change within the band around the last kept value is not kept."""
    last: dict[int, float] = {}
    kept: list[Change] = []
    for change in changes:
        band = bands.get(change.key.channel)
        if band is not None and isinstance(change.value, (int, float)):
            before = last.get(change.number)
            if before is not None and abs(change.value - before) < band:
                continue
            last[change.number] = change.value
        kept.append(change)
    return kept


def opened(path: Path, page_size: int) -> sqlite3.Connection:
    """A database as the hub's writer has it."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute(f"PRAGMA page_size = {page_size}")
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA wal_autocheckpoint = 0")
    db.execute("PRAGMA cache_size = -512")
    return db
