"""What cannot be read any more: passed over, told once, and kept as it is.

    a question meets it > left out, and the answer says so > (upkeep) table ``damaged``, one ERROR

A card forgets bits. A body that fails its checksum is never read as something else: the steps in
it are a gap, and a step before it ends where it began, since what ended it is not known. Nobody
else suffers: other series, other times, mirrors and sealing go on.

A damaged shelf stays where it is. A damaged part of a commit is moved into ``damaged``, byte by
byte, when its time is sealed; from then on the table is what keeps the gap a gap. No chapter goes
across such a commit, so inside a chapter every change is followed by the one that came next.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum

import msgspec

from hub.store.members import members, numbers_in
from hub.store.planes import DamagedBlockError
from hub.store.shelf import SHELF_BITS

log = logging.getLogger(__name__)


class Kind(StrEnum):
    """What was damaged: a part of a commit, or a sealed block. ``place``: its row's number."""

    CHANGES = "changes"
    ROOMS = "rooms"
    SHELF = "shelf"
    ROOM_SHELF = "room_shelf"
    MARKS = "marks"


UNREADABLE = (DamagedBlockError, LookupError, OverflowError)
"""Without a checksum (a short body) damage may also look like this."""
THERE = {
    Kind.CHANGES: "SELECT first_ms, last_ms, lowest, members, 0 FROM log WHERE id = ?",
    Kind.ROOMS: "SELECT first_ms, last_ms, lowest, members, 0 FROM log WHERE id = ?",
    Kind.SHELF: "SELECT first_ms, last_ms, 0, x'', mask FROM shelves WHERE id = ?",
    Kind.ROOM_SHELF: "SELECT first_ms, last_ms, 0, x'', 0 FROM room_chapters WHERE id = ?",
    Kind.MARKS: "SELECT first_ms, last_ms, 0, x'', 0 FROM mark_chapters WHERE id = ?",
}
"""What its row says of a damaged place: times, and the series as ``members`` or as a mask."""
LOST = (
    "SELECT kind, place, first_ms, last_ms, reason, lowest, members FROM damaged"
    " WHERE kind = 'changes' AND body NOT NULL"
)
"""Commits whose changes were set aside."""
MAX_REASON = 500  # characters
SHELF_MASK = (1 << 24) - 1  # the rest of a shelf's number is its chapter


class Damage(msgspec.Struct, frozen=True):
    """A place that cannot be read, and what was there: changes of these series in this time."""

    kind: Kind
    place: int
    first_ms: int
    last_ms: int
    reason: str
    numbers: frozenset[int]

    def touches(self, from_ms: int, to_ms: int, numbers: frozenset[int] | None) -> bool:
        """May something that is asked for be in it?"""
        is_near = self.first_ms < to_ms and self.last_ms >= from_ms
        return is_near and (numbers is None or not numbers.isdisjoint(self.numbers))


class DamagedPlaceError(DamagedBlockError):
    """Sealing met a damaged part of a commit."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.reason)
        self.damage = damage


def damage_at(kind: Kind, place: int, row: tuple[int, int, int, bytes, int], reason: str) -> Damage:
    """A row of ``THERE``."""
    first_ms, last_ms, lowest, held, mask = row
    base = (place & SHELF_MASK) << SHELF_BITS
    on_shelf = {base + bit for bit in range(1 << SHELF_BITS) if mask >> bit & 1}
    numbers = frozenset(on_shelf | numbers_in(lowest, held))
    return Damage(kind, place, first_ms, last_ms, reason, numbers)


def lost_of(row: tuple[str, int, int, int, str, int, bytes]) -> Damage:
    """A row of ``LOST``."""
    kind, place, first_ms, last_ms, reason, lowest, held = row
    return Damage(Kind(kind), place, first_ms, last_ms, reason, frozenset(numbers_in(lowest, held)))


def tell(damage: Damage) -> None:
    """For the log: what happened, what it means, what to do."""
    first, last = (
        f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M}"
        for ms in (damage.first_ms, damage.last_ms)
    )
    log.error(
        "A part of the history cannot be read any more (%s %d: %s). History has a gap there for"
        " %d series between %s and %s UTC; everything else goes on. The disk forgets what was"
        " written: put in a new one soon. A backup from before still has these readings.",
        damage.kind, damage.place, damage.reason, len(damage.numbers), first, last,
    )  # fmt: skip


# --- in the writer's thread, each in the caller's transaction -------------------------------------


def note(db: sqlite3.Connection, found: Iterable[Damage], now_ms: int) -> list[Damage]:
    """Write down what is damaged; answers what nobody knew."""
    return [damage for damage in found if _keep(db, damage, now_ms)]


def set_aside(db: sqlite3.Connection, damage: Damage, now_ms: int) -> bool:
    """Move a damaged part of a commit out of the log as it is; False: that was told already."""
    is_new = _keep(db, damage, now_ms)
    part = "body" if damage.kind is Kind.CHANGES else "rooms"
    db.execute(
        f"UPDATE damaged SET body = (SELECT {part} FROM log WHERE id = place)"  # noqa: S608
        " WHERE kind = ? AND place = ?",
        (damage.kind, damage.place),
    )
    db.execute(f"UPDATE log SET {part} = NULL WHERE id = ?", (damage.place,))  # noqa: S608
    return is_new


def _keep(db: sqlite3.Connection, damage: Damage, now_ms: int) -> bool:
    times = (damage.first_ms, damage.last_ms, now_ms)
    row = (damage.kind, damage.place, *times, *members(damage.numbers), damage.reason[:MAX_REASON])
    sql = "INSERT OR IGNORE INTO damaged VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"
    return db.execute(sql, row).rowcount > 0
