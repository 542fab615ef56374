"""Where finished hours are kept: a shelf of 32 series in an hour is one row.

Rows lie in order of shelf and hour, so that the hours of one series are read in one go and an hour
of the whole centre touches some forty pages. A row is never changed: later ones of the same hour
add to it, or take its place where a late reading corrected it.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from hub.store.packing import deflate, inflate
from hub.store.rollup import HOUR_MS, HourRow
from hub.store.shelf import shelf_of

NTH_BITS, HOUR_BITS = 16, 22


def row_id(shelf: int, hour_ms: int, nth: int = 0) -> int:
    """
    >>> row_id(2, 3_600_000, 1) - row_id(2, 0, 0) == 2**16 + 1
    True
    """
    return (shelf << HOUR_BITS | hour_ms // HOUR_MS) << NTH_BITS | nth


def add_hours(db: sqlite3.Connection, rows: Iterable[HourRow]) -> None:
    """Keep hours; the caller's transaction commits them."""
    shelves: dict[tuple[int, int], list[HourRow]] = defaultdict(list)
    for row in rows:
        shelves[shelf_of(row.number), row.hour_ms].append(row)
    for (shelf, hour_ms), found in sorted(shelves.items()):
        first = row_id(shelf, hour_ms)
        last = db.execute(
            "SELECT max(id) FROM hours WHERE id BETWEEN ? AND ?",
            (first, first + (1 << NTH_BITS) - 1),
        ).fetchone()[0]
        body = deflate(msgspec.msgpack.encode(found))
        number = first if last is None else last + 1
        db.execute("INSERT INTO hours VALUES (?, ?)", (number, body))


def hours_of(body: bytes) -> list[HourRow]:
    return msgspec.msgpack.decode(inflate(body), type=list[HourRow])
