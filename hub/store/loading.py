"""What a start reads: the checkpoint, the log after it, and what of that cannot be read any more.

A hub that stays away because of one bad sector is worse than one that lost a minute. So a commit
that is damaged is passed over: what ran may have ended in it, and its series say nothing until
they are heard again. The upkeep tells it and, when its time is sealed, sets it aside. In place of
a checkpoint that is damaged, the history is read (rebuilding.py); that, and what a broker may send
twice, is set aside at the start itself, because the next checkpoint writes over it.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

import msgspec

from hub.domain.series import SeriesKey
from hub.store.checkpoint import Frozen, Logged, unfreeze
from hub.store.damage import THERE, UNREADABLE, Damage, Kind, damage_at
from hub.store.members import numbers_in
from hub.store.migrations import LATEST, version
from hub.store.outbox import MirrorCursor, cursors
from hub.store.packing import RoomRow, inflate, unpack, unpack_rooms
from hub.store.reader import SEALED_UPTO
from hub.store.rebuilding import Remains, gather
from hub.store.restamp import Boot, boots_of, true_changes, true_rooms
from hub.store.wear import recent_days

log = logging.getLogger(__name__)

T = TypeVar("T")
_taken = msgspec.msgpack.Decoder(list[tuple[int, bytes]])
LOST_ROOMS = "SELECT place, lowest, members FROM damaged WHERE kind = 'rooms' AND place > ?"
"""Set aside, but not sealed yet."""


class Loaded(msgspec.Struct):
    """What a database holds that the hub needs at start."""

    keys: dict[int, SeriesKey] = {}
    checkpoint: Frozen | Remains | None = None
    checkpoint_id: int = 0
    log: list[Logged] = []
    """Commits after the checkpoint; where it is lost, all that are not sealed."""
    rooms: list[tuple[int, RoomRow]] = []
    """Room steps that are not sealed yet, with their commits."""
    last_id: int = 0
    alive_ms: int = 0
    deliveries: dict[int, bytes] = {}
    cursors: dict[str, MirrorCursor] = {}
    wear: list[tuple[int, str, int]] = []
    boots: list[Boot] = []
    damaged: dict[tuple[Kind, int], Damage] = {}
    """What of it cannot be read any more."""

    def sound(
        self, db: sqlite3.Connection, kind: Kind, place: int, read: Callable[[], T]
    ) -> T | Damage:
        """What is written there, or that it cannot be read."""
        try:
            return read()
        except UNREADABLE as error:
            row = db.execute(THERE[kind], (place,)).fetchone()
            found = self.damaged[kind, place] = damage_at(kind, place, row, str(error))
            return found


def load(db: sqlite3.Connection) -> Loaded:
    """Read what the hub needs at start: the checkpoint and the log after it.

    A database of an older schema, on a disk that cannot be written, is read as empty.
    """
    loaded = Loaded()
    if version(db) < LATEST:
        return loaded
    for number, *key in db.execute("SELECT number, device, channel, part FROM series"):
        loaded.keys[number] = SeriesKey(*key)
    live = db.execute("SELECT id, saved_ms, body FROM live").fetchone()
    if live is not None:
        loaded.checkpoint_id, loaded.alive_ms = live[:2]
        loaded.checkpoint = _checkpoint(db, loaded, *live)
    (sealed,) = db.execute(SEALED_UPTO).fetchone() or (0,)
    loaded.last_id = max(loaded.checkpoint_id, sealed)
    loaded.boots = boots_of(db)
    loaded.rooms = list(_unsealed_rooms(db, loaded, sealed))
    since = sealed if isinstance(loaded.checkpoint, Remains) else loaded.checkpoint_id
    loaded.log = list(_replayable(db, loaded, since))
    loaded.deliveries = _deliveries(db, loaded)
    loaded.cursors = cursors(db)
    loaded.wear = recent_days(db)
    return loaded


def _unsealed_rooms(
    db: sqlite3.Connection, loaded: Loaded, sealed: int
) -> Iterator[tuple[int, RoomRow]]:
    """Room steps of the log. Until when the one before a lost one held is not told."""
    aside = db.execute(LOST_ROOMS, (sealed,))
    lost = {place: numbers_in(lowest, held) for place, lowest, held in aside}
    unsure: set[int] = set()
    query = "SELECT id, rooms FROM log WHERE id > ? ORDER BY id"
    for row_id, packed in db.execute(query, (sealed,)):
        unsure.update(lost.get(row_id, ()))
        if packed is None:
            continue
        rows = loaded.sound(db, Kind.ROOMS, row_id, partial(unpack_rooms, packed))
        if isinstance(rows, Damage):
            unsure |= rows.numbers
            continue
        for row in true_rooms(loaded.boots, row_id, rows):
            is_unsure = row.number in unsure
            unsure.discard(row.number)
            yield row_id, msgspec.structs.replace(row, previous_until_ms=None) if is_unsure else row


def _checkpoint(
    db: sqlite3.Connection, loaded: Loaded, commit: int, saved_ms: int, body: bytes
) -> Frozen | Remains:
    found = loaded.sound(db, Kind.CHECKPOINT, commit, partial(unfreeze, body))
    return gather(db, loaded.keys, saved_ms) if isinstance(found, Damage) else found


def _replayable(db: sqlite3.Connection, loaded: Loaded, since: int) -> Iterator[Logged]:
    """Commits from there on, and what was written with them, each behind its own."""
    between = deque(_between(db, loaded, since))
    query = "SELECT id, saved_ms, rooms, body FROM log WHERE id > ? ORDER BY id"
    for row_id, saved_ms, rooms, body in db.execute(query, (since,)):
        while between and between[0][0] < row_id:
            yield between.popleft()[1]
        yield _logged(db, loaded, row_id, rooms, body)
        loaded.last_id = max(loaded.last_id, row_id)
        loaded.alive_ms = max(loaded.alive_ms, saved_ms)
    yield from (logged for _, logged in between)


def _between(db: sqlite3.Connection, loaded: Loaded, since: int) -> Iterator[tuple[int, Logged]]:
    """The pulse, and the place of a checkpoint that cannot be read, with their commits."""
    lost = loaded.checkpoint
    felt = db.execute("SELECT id, saved_ms, body FROM pulse WHERE id > ?", (since,)).fetchone()
    found = []
    if felt is not None:
        loaded.last_id = max(loaded.last_id, felt[0])
        loaded.alive_ms = max(loaded.alive_ms, felt[1])
        found.append((felt[0], Logged(pulse=_sound_pulse(felt[2]))))
    if isinstance(lost, Remains):
        found.append((loaded.checkpoint_id, Logged(unread_ms=lost.saved_ms)))
    return iter(sorted(found, key=lambda item: item[0]))


def _logged(
    db: sqlite3.Connection, loaded: Loaded, row_id: int, rooms: bytes | None, body: bytes | None
) -> Logged:
    columns, lost = None, frozenset[int]()
    if body is not None:
        found = loaded.sound(db, Kind.CHANGES, row_id, partial(unpack, body))
        if isinstance(found, Damage):
            lost = found.numbers
        else:
            columns = true_changes(loaded.boots, row_id, found)
    steps, lost_rooms = list[RoomRow](), frozenset[int]()
    if rooms is not None:
        said = loaded.sound(db, Kind.ROOMS, row_id, partial(unpack_rooms, rooms))
        steps, lost_rooms = ([], said.numbers) if isinstance(said, Damage) else (said, lost_rooms)
    return Logged(columns, steps, None, lost, lost_rooms)


def _sound_pulse(body: bytes) -> bytes | None:
    with contextlib.suppress(*UNREADABLE):
        inflate(body)
        return body
    log.error(
        "How long the last values held cannot be read any more. They are shown with a gap of ten"
        " minutes at most. The disk forgets what was written: put in a new one soon."
    )
    return None


def _deliveries(db: sqlite3.Connection, loaded: Loaded) -> dict[int, bytes]:
    confirmed = db.execute("SELECT max(confirmed) FROM deliveries").fetchone()[0] or 0
    known: dict[int, bytes] = {}
    query = "SELECT id, body FROM deliveries WHERE id > ? ORDER BY id"
    for row_id, body in db.execute(query, (confirmed,)):
        found = loaded.sound(db, Kind.DELIVERIES, row_id, partial(_taken.decode, body))
        if not isinstance(found, Damage):
            known.update(found)
    return known
