"""Schema 1, whose commits held changes and rooms in one body: read once, by its migration."""

from __future__ import annotations

import sqlite3
import zlib
from typing import Any

import msgspec

from hub.store.checkpoint import Saved
from hub.store.hours import add_hours
from hub.store.members import members
from hub.store.packing import Columns, Note, RoomRow, deflate, pack_columns, pack_rooms
from hub.store.rollup import HourRow, Sums


class FirstColumns(msgspec.Struct, array_like=True):
    """The changes of one commit; what is a note today were four lists."""

    base_ms: int
    base_intake: int
    number: list[int]
    observed: list[int]
    received: list[int]
    value: list[Any]
    scale: bytes
    code: bytes
    unit: list[int]
    reason: list[int]
    previous: list[int | None]
    intake: list[int]
    texts: list[str]


class Record(msgspec.Struct, array_like=True):
    changes: FirstColumns | None
    rooms: list[RoomRow]


class FirstSaved(msgspec.Struct, array_like=True):
    next_intake: int
    next_number: int
    running: FirstColumns | None
    until: list[int]
    count: list[int]
    heard: dict[str, int]
    sums: dict[int, Sums]
    rooms: list[RoomRow]


def convert(db: sqlite3.Connection) -> None:
    """Move every row of the old tables into the new ones, inside the migration's transaction."""
    for *times, body in db.execute("SELECT id, first_ms, last_ms, saved_ms, body FROM old_log"):
        record = msgspec.msgpack.decode(_inflate(body), type=Record)
        changes = record.changes
        numbers = [*(changes.number if changes else ()), *(row.number for row in record.rooms)]
        rooms = pack_rooms(record.rooms) if record.rooms else None
        packed = None if changes is None else pack_columns(_columns(changes))
        made = (*times, *members(numbers), rooms, packed)
        db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", made)
    for row_id, saved_ms, body in db.execute("SELECT id, saved_ms, body FROM old_live"):
        old = msgspec.msgpack.decode(_inflate(body), type=FirstSaved)
        new = deflate(msgspec.msgpack.encode(_saved(old)))
        db.execute("INSERT INTO live VALUES (1, ?, ?, ?)", (row_id, saved_ms, new))
    for (body,) in db.execute("SELECT body FROM old_hours ORDER BY id"):
        add_hours(db, msgspec.msgpack.decode(_inflate(body), type=list[HourRow]))


def _saved(old: FirstSaved) -> Saved:
    running = None if old.running is None else pack_columns(_columns(old.running))
    return Saved(
        old.next_intake,
        old.next_number,
        running,
        old.until,
        old.count,
        old.heard,
        old.sums,
        old.rooms,
    )


def _columns(old: FirstColumns) -> Columns:
    notes: dict[tuple[int, int, int, int], int] = {}
    noted = zip(old.scale, old.code, old.unit, old.reason, strict=True)
    note = [notes.setdefault(key, len(notes)) for key in noted]
    texts = old.texts
    return Columns(
        old.base_ms,
        old.base_intake,
        old.number,
        old.observed,
        old.received,
        old.value,
        note,
        old.previous,
        old.intake,
        [0] * len(note),
        [Note(scale, code, texts[unit], texts[reason]) for scale, code, unit, reason in notes],
    )


def _inflate(body: bytes) -> bytes:
    return zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:]
