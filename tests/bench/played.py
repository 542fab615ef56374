"""Days of the reference centre, played through the store, with what was said written down beside.

``reference_day.py`` is played message by message with a pushed clock; commits, checkpoints and
sealing fall where they would in real time. Then the sealed part is cut anew, by the store's own
codec, at every sixth hour of UTC, so that whole days can be copied (``years.py``):

    6 h of day 0     sensors begin; not kept
    days 1 to N      sealed, four chapters each
    31 h more        sealed where the hot day is over; the rest is the hot log, as a hub has it

``truth.bin`` holds what the sensors of some devices, all rooms and two minutes a day of the whole
centre said, as it was handed to the store: answers are compared with it, not with the store.

``python -m tests.bench.played FOLDER DAYS`` plays there: a minute of CPU time a day.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import cast

import msgspec

from device_drivers.contract import Value
from edge.reading import Receipt
from hub.domain.room import RoomState
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store import axes, hours, migrations, packing, planes, room_shelf, sealer, shelf, writer
from hub.store.reader import CHAPTER_BITS, masks
from hub.store.room_shelf import rooms_of, shelve_rooms
from hub.store.shelf import Shelf, shelve
from hub.store.store import DATABASE, Store
from tests.bench import reference_day
from tests.bench.reference_day import DEVICES, MIDNIGHT_S, Centre
from tests.store.making import catch_up

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
SLOT_MS = 6 * HOUR_MS  # a chapter
FIRST_MS = MIDNIGHT_S * 1000 + DAY_MS  # of the days that are kept
WARM_S = 6 * 3600
TAIL_S = 31 * 3600  # a hot day, and a chapter that is not full yet
FIRST_COMMIT = 10_000_000  # room below for the commits of years
COMPARED = range(0, DEVICES, 10)
NOON_MS = 12 * HOUR_MS
PAGE_MS = 120_000  # from noon on, whole: 2,000 changes
TRUTH = "truth.bin"


class Truth(msgspec.Struct):
    """What was said. Times are those of the play."""

    end_ms: int
    series: dict[str, list[tuple[int, Value]]] = {}
    """``device channel`` to the times and values of its changes."""
    rooms: dict[str, list[tuple[int, str]]] = {}
    noon: list[tuple[int, int, int, str, str, Value]] = []
    """Time, tie, series, device, channel and value of all changes of two minutes each day."""
    changes: int = 0
    commits: int = 0


class Witness:
    """Stands before the store and writes down what it is given."""

    def __init__(self, store: Store, centre: Centre, truth: Truth) -> None:
        self.live = store.live
        self._store = store
        self._centre = centre
        self._truth = truth
        self._devices = frozenset(f"device-{n}" for n in COMPARED)

    def append(self, changes: Sequence[Change], receipt: Receipt | None, urgent: bool) -> None:
        self._truth.changes += len(changes)
        for change in changes:
            key, at = change.key, change.observed_ms
            if key.device in self._devices:
                said = self._truth.series.setdefault(f"{key.device} {key.channel}", [])
                said.append((at, change.value))
            if 0 <= at % DAY_MS - NOON_MS < PAGE_MS:
                row = (at, change.tie, change.number, key.device, key.channel, change.value)
                self._truth.noon.append(row)
        self._store.append(changes, receipt, urgent)

    def append_room(self, step: RoomState) -> None:
        said = self._truth.rooms.setdefault(step.room, [])
        if not said or said[-1][1] != step.status.value:
            said.append((int(self._centre.now_s * 1000), step.status.value))
        self._store.append_room(step)


async def play(folder: Path, days: int) -> None:
    """Play, cut and leave ``linli.db`` and ``truth.bin`` in a folder."""
    end_s = (days + 1) * DAY_MS // 1000 + TAIL_S
    centre, truth = Centre(WARM_S), Truth(MIDNIGHT_S * 1000 + end_s * 1000)
    store = await Store.open(folder, centre.clock, 1000)
    witness = cast(Store, Witness(store, centre, truth))
    upkeep_s = float(WARM_S)
    for _ in centre.play(witness, WARM_S, end_s):
        at = centre.now_s - MIDNIGHT_S
        if at - upkeep_s >= 3600:
            await store.upkeep.look()
            upkeep_s = at
        if store.is_due():
            await catch_up(store)
    await store.upkeep.look()
    truth.commits = store.commits
    keys = {series.number: series.key for series in store.live.series.values()}
    await store.close()
    if store.state().lost:
        raise SystemExit(f"played: {store.state().lost} changes were lost")
    with closing(sqlite3.connect(folder / DATABASE, isolation_level=None)) as db:
        cut(db, keys, days)
    truth.noon.sort()
    (folder / TRUTH).write_bytes(msgspec.msgpack.encode(truth))


# --- cutting ------------------------------------------------------------------------------------


def cut(db: sqlite3.Connection, keys: dict[int, SeriesKey], days: int) -> None:
    """Make chapters of exactly six hours, and give the log high numbers."""
    sealed_ms, last_id = db.execute("SELECT max(last_ms), max(last_id) FROM chapters").fetchone()
    if sealed_ms < FIRST_MS + days * DAY_MS:
        raise SystemExit("played: the last day is not sealed whole")
    edges = [*range(FIRST_MS, sealed_ms + 1, SLOT_MS), sealed_ms + 1]
    rooms = [row for (body,) in db.execute("SELECT body FROM room_chapters ORDER BY id")
             for row in rooms_of(body)]  # fmt: skip
    db.execute("BEGIN")
    db.execute("ALTER TABLE shelves RENAME TO old")
    db.execute(
        "CREATE TABLE shelves (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
        " last_ms INTEGER NOT NULL, mask INTEGER NOT NULL, body BLOB NOT NULL) STRICT"
    )
    db.execute("DELETE FROM chapters")
    db.execute("DELETE FROM room_chapters")
    for chapter, (begin, end) in enumerate(pairwise(edges), start=1):
        first = FIRST_COMMIT - len(edges) + chapter
        changes = sum(_cut_shelf(db, keys, (chapter, at), (begin, end)) for at in _shelves(keys))
        last = last_id + FIRST_COMMIT if end == edges[-1] else first
        row = (chapter, first, last, begin, end - 1, changes, end + DAY_MS)
        db.execute("INSERT INTO chapters VALUES (?, ?, ?, ?, ?, ?, ?)", row)
        said = [room for room in rooms if begin <= room.at_ms < end]
        if said:
            row_of_rooms = (chapter, said[0].at_ms, said[-1].at_ms, shelve_rooms(said))
            db.execute("INSERT INTO room_chapters VALUES (?, ?, ?, ?)", row_of_rooms)
    db.execute("DROP TABLE old")
    db.execute("UPDATE log SET id = id + ?", (FIRST_COMMIT,))
    db.execute("UPDATE live SET id = id + ?", (FIRST_COMMIT,))
    db.execute("UPDATE pulse SET id = id + ?", (FIRST_COMMIT,))
    db.execute("COMMIT")
    db.execute("VACUUM")


def _shelves(keys: dict[int, SeriesKey]) -> list[int]:
    return sorted({shelf.shelf_of(number) for number in keys})


def _cut_shelf(
    db: sqlite3.Connection,
    keys: dict[int, SeriesKey],
    place: tuple[int, int],
    span: tuple[int, int],
) -> int:
    """One shelf of a new chapter, out of the old ones it overlaps; how many changes it has."""
    chapter, at = place
    series: dict[int, list[Change]] = {}
    for body in _old(db, at, span):
        opened = Shelf(body)
        for number in opened.numbers:
            steps = opened.steps(number, keys[number], *span)
            series.setdefault(number, []).extend(step.change for step in steps)
    held = {number: changes for number, changes in series.items() if changes}
    if not held:
        return 0
    times = [change.observed_ms for changes in held.values() for change in changes]
    mask = masks(frozenset(held))[at]
    row = (chapter << CHAPTER_BITS | at, min(times), max(times), mask, shelve(held))
    db.execute("INSERT INTO shelves VALUES (?, ?, ?, ?, ?)", row)
    return len(times)


def _old(db: sqlite3.Connection, at: int, span: tuple[int, int]) -> Iterator[bytes]:
    sql = "SELECT body FROM old WHERE id & ? = ? AND last_ms >= ? AND first_ms < ? ORDER BY id"
    for (body,) in db.execute(sql, ((1 << CHAPTER_BITS) - 1, at, *span)):
        yield body


# --- the cache ----------------------------------------------------------------------------------


def played(cache: Path, days: int) -> Path:
    """A folder with the days, played now or before; a new form of the store plays them anew."""
    code = (axes, hours, migrations, packing, planes, room_shelf, sealer, shelf, writer)
    files = [Path(str(module.__file__)) for module in (*code, reference_day)] + [Path(__file__)]
    digest = hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:12]
    folder = cache / f"played-{days}-{digest}"
    if not (folder / TRUTH).exists():
        for old in cache.glob(f"played-{days}-*"):
            shutil.rmtree(old)
        memory = Path("/dev/shm")
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else cache) as making:
            command = [sys.executable, "-m", "tests.bench.played", making, str(days)]
            subprocess.run(command, check=True)
            half = folder.with_name(f"half-{os.getpid()}")
            shutil.copytree(making, half)
            half.rename(folder)
    return folder


def truth_of(folder: Path) -> Truth:
    return msgspec.msgpack.decode((folder / TRUTH).read_bytes(), type=Truth)


if __name__ == "__main__":
    asyncio.run(play(Path(sys.argv[1]), int(sys.argv[2])))
