"""The live state without its checkpoint, where the card forgot it.

Every change is in the history, and every step of a room. So the last step of each series is looked
for in the sealed chapters, the latest first, and the log is replayed from its beginning instead of
from the checkpoint. Only what stood nowhere else is lost: how long running steps had held since
the last pulse (ten minutes at most; a gap), how often they were repeated, and the sums of hours
that were not on the disk yet. These hours are counted anew from the readings.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

import msgspec

from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.packing import RoomRow
from hub.store.planes import DamagedBlockError
from hub.store.reader import CHAPTER_BITS, EVER_MS
from hub.store.shelf import SHELF_BITS, Shelf, rooms_of

SHELVES = (
    "SELECT id, mask FROM shelves WHERE id >= (SELECT min(id) FROM chapters) << :bits"
    " AND id < ((SELECT max(id) FROM chapters) + 1) << :bits ORDER BY id DESC"
)
SHELF = "SELECT body FROM shelves WHERE id = ?"
ROOMS = "SELECT body FROM room_chapters ORDER BY id DESC"
SOME_INTAKE = 1  # sealed history does not keep the intakes


class Remains(msgspec.Struct):
    """What is known without the checkpoint of that time: the last sealed step of everything."""

    saved_ms: int
    steps: list[Change]
    rooms: list[RoomRow]


def gather(db: sqlite3.Connection, keys: Mapping[int, SeriesKey], saved_ms: int) -> Remains:
    """Look for the last steps in sealed history. What is damaged there stays unknown."""
    rooms = {number for number, key in keys.items() if not key.device}
    series = {number: key for number, key in keys.items() if number not in rooms}
    return Remains(saved_ms, _last_steps(db, series), _last_rooms(db, rooms))


def _last_steps(db: sqlite3.Connection, keys: Mapping[int, SeriesKey]) -> list[Change]:
    found: dict[int, Change | None] = {}  # None: it cannot be read, and what is older is not it
    for shelf_id, mask in db.execute(SHELVES, {"bits": CHAPTER_BITS}).fetchall():
        base = (shelf_id & (1 << CHAPTER_BITS) - 1) << SHELF_BITS
        held = [n for n in range(base, base + (1 << SHELF_BITS)) if mask >> n - base & 1]
        asked = [number for number in held if number in keys and number not in found]
        if asked:
            try:
                shelf = Shelf(db.execute(SHELF, (shelf_id,)).fetchone()[0])
                last = {number: _last_step(shelf, number, keys[number]) for number in asked}
            except DamagedBlockError:
                found.update(dict.fromkeys(asked))
                continue
            found.update((number, step) for number, step in last.items() if step is not None)
            if len(found) == len(keys):
                break
    return [step for step in found.values() if step is not None]


def _last_step(shelf: Shelf, number: int, key: SeriesKey) -> Change | None:
    """None: it has only late ones here."""
    steps = shelf.steps(number, key, -EVER_MS, EVER_MS)
    held = [step.change for step in steps if not step.change.is_late]
    return msgspec.structs.replace(held[-1], intake=SOME_INTAKE) if held else None


def _last_rooms(db: sqlite3.Connection, wanted: set[int]) -> list[RoomRow]:
    found: dict[int, RoomRow] = {}
    for (body,) in db.execute(ROOMS):
        try:
            last = {row.number: row for row in rooms_of(body, None)}
        except DamagedBlockError:
            break
        found = last | found
        if wanted <= found.keys():
            break
    return list(found.values())
