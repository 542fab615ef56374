"""Moving times to where they belong, once the machine knows the time.

A Raspberry Pi boots in the past. Until its time is trusted the clock counts from ``base_ms``, and
every time it makes is wrong by the same, unknown shift. When the shift is known:

    live state, open group   moved at once, in memory; the open group is committed together with a
                             checkpoint and the resolved ``Boot``: one transaction
    rows of the log          older than that group, moved in slices by the writer's thread; each
                             slice's transaction also says how far it came

So a crash moves nothing twice and forgets nothing: before that one commit the boot is unresolved
and the next start in the same boot resolves it anew; after it the checkpoint is newer than every
row that still has to move, so that a restart does not replay them (``true_rooms`` is for the one
thing that it reads from all rows, ``true_changes`` for a start without its checkpoint).

Below ``base_ms`` lies what was known before, and stays. A time that a device gave stays as well;
nothing but our own clock was wrong. ``time_source`` stays ``unsynced``: it says how the time was
found. A boot that never learned the time keeps its rows as they are, in order and marked.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from hub.domain.mark import Mark, MarkKind
from hub.live import HUB_STAMPED, LATE_TIES, Change
from hub.store.packing import (
    Columns,
    RoomRow,
    change_at,
    columns_of,
    pack_columns,
    pack_rooms,
    time_source_at,
    unpack,
    unpack_said,
)
from hub.store.slices import SLICE_S

AT_A_TIME = 8
FIRST_MOMENT_MS = 10**11  # 1973; no duration is so long


class Boot(msgspec.Struct, frozen=True):
    """A start of the machine at which its time was not trusted. One row of ``boots``."""

    id: str
    base_ms: int  # what our clock said ...
    monotonic_ms: int  # ... when the machine was up for so long
    first_commit: int  # the first that may hold such times
    shift_ms: int | None = None  # None: the time is not known
    last_commit: int | None = None  # the last that was made before it was known
    done_commit: int | None = None  # rows up to here are moved

    def resolved(self, shift_ms: int, last_commit: int) -> Boot:
        """The time is known; rows up to ``last_commit`` must move."""
        return msgspec.structs.replace(self, shift_ms=shift_ms, last_commit=last_commit)

    @property
    def has_rows_to_move(self) -> bool:
        """Is the time known, and are not all rows right?"""
        done, last = self.done_commit, self.last_commit
        return last is not None and (done is None or done < last)

    @property
    def first_to_move(self) -> int:
        """Rows of this boot from here on are, or will be, moved."""
        return self.first_commit if self.done_commit is None else self.done_commit + 1


def boots_of(db: sqlite3.Connection) -> list[Boot]:
    """All that are known, the oldest first."""
    return [Boot(*row) for row in db.execute("SELECT * FROM boots ORDER BY first_commit")]


def keep_boot(db: sqlite3.Connection, boot: Boot) -> None:
    """Write it down, in the caller's transaction; never undoes progress.

    Every group made since the boot carries it, because a group may be lost when the disk is away.
    """
    db.execute(
        "INSERT INTO boots VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
        " shift_ms = excluded.shift_ms, last_commit = excluded.last_commit,"
        " done_commit = excluded.done_commit"
        " WHERE shift_ms IS NULL AND excluded.shift_ms IS NOT NULL",
        msgspec.structs.astuple(boot),
    )


def true_rooms(boots: Iterable[Boot], commit: int, rows: Sequence[RoomRow]) -> Sequence[RoomRow]:
    """The room steps of a row of the log as they are, or will be once the row is moved."""
    boot = _boot_to_move(boots, commit)
    return rows if boot is None else restamp_rooms(rows, boot.base_ms, boot.shift_ms or 0)


def true_changes(boots: Iterable[Boot], commit: int, columns: Columns) -> Columns:
    """The changes likewise, in place; only who replays without a checkpoint meets such rows."""
    boot = _boot_to_move(boots, commit)
    if boot is not None:
        restamp_columns(columns, boot.base_ms, boot.shift_ms or 0)
    return columns


def _boot_to_move(boots: Iterable[Boot], commit: int) -> Boot | None:
    for boot in boots:
        if boot.has_rows_to_move and boot.first_to_move <= commit <= (boot.last_commit or 0):
            return boot
    return None


def restamp_slice(db: sqlite3.Connection, budget_s: float = SLICE_S) -> Boot | None:
    """Move rows of the log for a short while, in the caller's transaction.

    Answers the boot it worked for and how far that is now; None: nothing was left to move.
    """
    boot = next((boot for boot in boots_of(db) if boot.has_rows_to_move), None)
    if boot is None:
        return None
    boot = _move_rows(db, boot, time.monotonic() + budget_s)
    db.execute("UPDATE boots SET done_commit = ? WHERE id = ?", (boot.done_commit, boot.id))
    return boot


def _move_rows(db: sqlite3.Connection, boot: Boot, end_s: float) -> Boot:
    """Answers how far it came; at least one row moves."""
    done = boot.first_to_move - 1
    query = "SELECT id, saved_ms, rooms, body FROM log WHERE id > ? AND id <= ? ORDER BY id LIMIT ?"
    while True:
        rows = db.execute(query, (done, boot.last_commit, AT_A_TIME)).fetchall()
        for row in rows:
            _move_row(db, boot, *row)
            done = row[0]
            if time.monotonic() >= end_s:
                return msgspec.structs.replace(boot, done_commit=done)
        if len(rows) < AT_A_TIME:  # some commits have no row
            return msgspec.structs.replace(boot, done_commit=boot.last_commit)


def _move_row(
    db: sqlite3.Connection,
    boot: Boot,
    row_id: int,
    saved_ms: int,
    rooms: bytes | None,
    body: bytes | None,
) -> None:
    base, shift = boot.base_ms, boot.shift_ms or 0
    times: list[int] = []
    if rooms is not None:
        said = unpack_said(rooms)
        steps = restamp_rooms(said.rooms, base, shift)
        marks = restamp_marks(said.marks, base, shift)
        times += [*(step.at_ms for step in steps), *(mark.at_ms for mark in marks)]
        rooms = pack_rooms(steps, marks)
    if body is not None:
        columns = unpack(body)
        restamp_columns(columns, base, shift)
        times += [columns.base_ms + offset for offset in columns.observed]
        body = pack_columns(columns)
    db.execute(
        "UPDATE log SET first_ms = ?, last_ms = ?, saved_ms = ?, rooms = ?, body = ? WHERE id = ?",
        (min(times), max(times), moved(saved_ms, base, shift), rooms, body, row_id),
    )


def restamp_changes(changes: Sequence[Change], base_ms: int, shift_ms: int) -> list[Change]:
    """The changes of one commit at their true times; pure."""
    if not changes:
        return []
    columns = columns_of(changes)
    keys = {change.number: change.key for change in changes}
    restamp_columns(columns, base_ms, shift_ms)
    return [change_at(columns, at, keys) for at in range(len(changes))]


def restamp_rooms(rows: Iterable[RoomRow], base_ms: int, shift_ms: int) -> list[RoomRow]:
    """The room steps of one commit at their true times; pure."""
    found = []
    for row in rows:
        until = row.previous_until_ms
        until = None if until is None else moved(until, base_ms, shift_ms)
        at = moved(row.at_ms, base_ms, shift_ms)
        found.append(RoomRow(row.number, at, row.status, row.people, until))
    return found


def restamp_marks(marks: Iterable[Mark], base_ms: int, shift_ms: int) -> list[Mark]:
    """Marks at their true times; pure."""
    return [_moved_mark(mark, base_ms, shift_ms) for mark in marks]


def _moved_mark(mark: Mark, base_ms: int, shift_ms: int) -> Mark:
    last_ms = None if mark.last_ms is None else moved(mark.last_ms, base_ms, shift_ms)
    at_ms, detail = moved(mark.at_ms, base_ms, shift_ms), mark.detail
    if mark.kind is MarkKind.FRAME:
        detail = _moved_moments(detail, base_ms, shift_ms)
    return msgspec.structs.replace(mark, at_ms=at_ms, last_ms=last_ms, detail=detail)


def _moved_moments(found: Any, base_ms: int, shift_ms: int) -> Any:
    """Every moment in a document; durations and numbers are far below any."""
    if isinstance(found, dict):
        return {key: _moved_moments(item, base_ms, shift_ms) for key, item in found.items()}
    if isinstance(found, list):
        return [_moved_moments(item, base_ms, shift_ms) for item in found]
    is_moment = type(found) is int and found >= max(base_ms, FIRST_MOMENT_MS)
    return moved(found, base_ms, shift_ms) if is_moment else found


def restamp_columns(columns: Columns, base_ms: int, shift_ms: int) -> None:
    """Move the packed changes of one commit, in place."""
    origin = columns.base_ms
    columns.tie = ties = list(columns.tie)
    for at, offset in enumerate(columns.observed):
        observed = origin + offset
        received = observed + columns.received[at]
        is_ours = time_source_at(columns, at) in HUB_STAMPED or observed == received
        true = moved(observed, base_ms, shift_ms) if is_ours else observed
        if (ago := columns.previous[at]) is not None:
            until = moved(observed - ago, base_ms, shift_ms)
            # of a step that a device's own time ended, only the beginning was ours
            columns.previous[at] = max(true - until, 0) if ago >= 0 else true - until
        if true < observed and ties[at] < LATE_TIES:
            # moved back it may meet an older change in the same millisecond
            ties[at] = LATE_TIES + (columns.base_intake + columns.intake[at]) % LATE_TIES
        columns.observed[at] = true - origin
        columns.received[at] = moved(received, base_ms, shift_ms) - true


def moved(at_ms: int, base_ms: int, shift_ms: int) -> int:
    """A time that our clock made; below the base it was true already."""
    return at_ms + shift_ms if at_ms >= base_ms else at_ms
