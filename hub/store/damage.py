"""What cannot be read any more: passed over, told once, and kept as it is.

    a question meets it > left out, and the answer says so > (upkeep) table ``damaged``, one ERROR

A card forgets bits. A body that fails its checksum is never read as something else: the steps in
it are a gap, and a step before it ends where it began, since what ended it is not known. Nobody
else suffers: other series, other times, mirrors and sealing go on.

A damaged shelf stays where it is. A damaged part of a commit is moved into ``damaged``, byte by
byte, when its time is sealed; from then on the table is what keeps the gap a gap. No chapter goes
across such a commit, so inside a chapter every change is followed by the one that came next.

Hours that cannot be read are counted anew from the readings, as far as these are kept, and their
block is set aside when its week is packed. A start passes over damaged commits too, and does
without a checkpoint (loading.py).
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
    """What was damaged: a part of a commit, a sealed block, hours. ``place``: its row's number."""

    CHANGES = "changes"
    ROOMS = "rooms"
    SHELF = "shelf"
    ROOM_SHELF = "room_shelf"
    MARKS = "marks"
    HOURS = "hours"
    WEEK = "week"
    CHECKPOINT = "checkpoint"
    DELIVERIES = "deliveries"


UNREADABLE = (DamagedBlockError, msgspec.MsgspecError, LookupError, OverflowError)
"""Without a checksum (a short body) damage may also look like this."""
THERE = {
    Kind.CHANGES: "SELECT first_ms, last_ms, lowest, members, 0, 0 FROM log WHERE id = ?",
    Kind.ROOMS: "SELECT first_ms, last_ms, lowest, members, 0, 0 FROM log WHERE id = ?",
    Kind.SHELF: "SELECT first_ms, last_ms, 0, x'', id & 0xFFFFFF, mask FROM shelves WHERE id = ?",
    Kind.ROOM_SHELF: "SELECT first_ms, last_ms, 0, x'', 0, 0 FROM room_chapters WHERE id = ?",
    Kind.MARKS: "SELECT first_ms, last_ms, 0, x'', 0, 0 FROM mark_chapters WHERE id = ?",
    Kind.HOURS: "SELECT (id >> 16 & 0x3FFFFF) * 3600000, (id >> 16 & 0x3FFFFF) * 3600000 + 3599999,"
    " 0, x'', id >> 38, 0xFFFFFFFF FROM hours WHERE id = ?",
    Kind.WEEK: "SELECT (id & 0xFFFF) * 604800000, (id & 0xFFFF) * 604800000 + 604799999,"
    " 0, x'', id >> 16, 0xFFFFFFFF FROM weeks WHERE id = ?",
    Kind.CHECKPOINT: "SELECT saved_ms, saved_ms, 0, x'', 0, 0 FROM live WHERE id = ?",
    Kind.DELIVERIES: "SELECT ifnull(l.first_ms, 0), ifnull(l.last_ms, 0), 0, x'', 0, 0"
    " FROM deliveries d LEFT JOIN log l ON l.id = d.id WHERE d.id = ?",
}
"""What its row says of a damaged place: times, and the series as ``members`` or by shelf and mask.

Which of the 32 series of its shelf an hour or a week held, only what was damaged knew.
"""
PART = {
    Kind.CHANGES: ("SELECT body FROM log WHERE id = ?", "UPDATE log SET body = NULL WHERE id = ?"),
    Kind.ROOMS: ("SELECT rooms FROM log WHERE id = ?", "UPDATE log SET rooms = NULL WHERE id = ?"),
    Kind.HOURS: ("SELECT body FROM hours WHERE id = ?", "DELETE FROM hours WHERE id = ?"),
    Kind.WEEK: ("SELECT body FROM weeks WHERE id = ?", "DELETE FROM weeks WHERE id = ?"),
    # its row stays: what is written with the next checkpoint must not be written twice
    Kind.CHECKPOINT: (
        "SELECT body FROM live WHERE id = ?", "UPDATE live SET body = x'' WHERE id = ?"
    ),
    Kind.DELIVERIES: (
        "SELECT body FROM deliveries WHERE id = ?", "DELETE FROM deliveries WHERE id = ?"
    ),
}  # fmt: skip
"""What of a damaged place is kept, and how it leaves where it was."""
AT_START = (Kind.CHECKPOINT, Kind.DELIVERIES)
"""What nobody but a start reads; it is soon written over."""
TOLD = (
    "A part of the history cannot be read any more (%s %d: %s). History has a gap there for"
    " %d series between %s and %s UTC; everything else goes on. The disk forgets what was"
    " written: put in a new one soon. A backup from before still has these readings."
)
TOLD_COUNTED = (
    "Hours of the history cannot be read any more (%s %d: %s). For up to %d series between %s and"
    " %s UTC they are counted anew from the readings; where these are not kept any more, charts"
    " have a gap. The disk forgets what was written: put in a new one soon."
)
TOLD_CHECKPOINT = (
    "The checkpoint that the hub starts from cannot be read any more (%s %d: %s). It has started"
    " from the history instead, and nothing of that is lost: values are those of before the start,"
    " with a gap of ten minutes at most before %s UTC, and the hours around it are counted anew."
    " The disk forgets what was written: put in a new one soon."
)
TOLD_DELIVERIES = (
    "Which messages of the broker are kept already cannot be read any more (%s %d: %s). What the"
    " broker sends again of that moment may be in the history twice; nothing is lost. The disk"
    " forgets what was written: put in a new one soon."
)
COUNTED = (Kind.HOURS, Kind.WEEK)
"""What can be counted anew from the readings, while these are kept."""
LOST = (
    "SELECT kind, place, first_ms, last_ms, reason, lowest, members FROM damaged"
    " WHERE kind = 'changes' AND body NOT NULL"
)
"""Commits whose changes were set aside."""
MAX_REASON = 500  # characters


There = tuple[int, int, int, bytes, int, int]


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


def damage_at(kind: Kind, place: int, row: There, reason: str) -> Damage:
    """A row of ``THERE``."""
    first_ms, last_ms, lowest, held, shelf, mask = row
    base = shelf << SHELF_BITS
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
    where = (damage.kind, damage.place, damage.reason)
    if damage.kind is Kind.CHECKPOINT:
        log.error(TOLD_CHECKPOINT, *where, first)
    elif damage.kind is Kind.DELIVERIES:
        log.error(TOLD_DELIVERIES, *where)
    else:
        text = TOLD_COUNTED if damage.kind in COUNTED else TOLD
        log.error(text, *where, len(damage.numbers), first, last)


# --- in the writer's thread, each in the caller's transaction -------------------------------------


def note(db: sqlite3.Connection, found: Iterable[Damage], now_ms: int) -> list[Damage]:
    """Write down what is damaged; answers what nobody knew."""
    return [damage for damage in found if _keep(db, damage, now_ms)]


def set_aside(db: sqlite3.Connection, damage: Damage, now_ms: int) -> bool:
    """Move what is damaged out of its table as it is; False: that was told already."""
    is_new = _keep(db, damage, now_ms)
    read, take_away = PART[damage.kind]
    (body,) = db.execute(read, (damage.place,)).fetchone()
    keep = "UPDATE damaged SET body = ? WHERE kind = ? AND place = ? AND body IS NULL"
    db.execute(keep, (body, damage.kind, damage.place))
    db.execute(take_away, (damage.place,))
    return is_new


def _keep(db: sqlite3.Connection, damage: Damage, now_ms: int) -> bool:
    times = (damage.first_ms, damage.last_ms, now_ms)
    row = (damage.kind, damage.place, *times, *members(damage.numbers), damage.reason[:MAX_REASON])
    sql = "INSERT OR IGNORE INTO damaged VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)"
    return db.execute(sql, row).rowcount > 0
