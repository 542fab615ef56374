"""A store that keeps a while stays as large as it is, however long it runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from hub.domain.room import Status
from hub.store import loading, writer
from hub.store.reader import open_readonly
from hub.store.retention import Keep
from hub.store.store import DATABASE, Store
from tests.store.making import Time, catch_up, everything, feed, opened, report, room

HOUR = 3_600_000
DAY = 24 * HOUR
DEVICES = 6
WEEKS = 8
KEEP = Keep(age_ms=7 * DAY)


class Size(NamedTuple):
    """What a store has and holds at a moment."""

    file: int
    readings: int  # bytes of bodies
    for_good: int  # the same of hours, weeks and the rooms' history
    log_rows: int
    chapters: int
    in_memory: int
    read_at_start: int


async def lived(store: Store, time: Time, hours: range) -> None:
    """A report each half an hour, a room that changes each hour, upkeep each sixth hour."""
    for turn in range(hours.start * 2, hours.stop * 2):
        time.ms = turn * HOUR // 2
        for device in range(DEVICES):
            feed(store, report(f"d{device}", time.now, temperature=turn % 97 + device / 10))
        store.append_room(room("gym", Status.IN_USE if turn // 2 % 2 else Status.FREE))
        await catch_up(store)
        if turn % 12 == 0:
            await store.upkeep.look()
            await catch_up(store)


def size(folder: Path, store: Store) -> Size:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
        (rows,) = db.execute("SELECT count(*) FROM log").fetchone()
        (chapters,) = db.execute("SELECT count(*) FROM chapters").fetchone()
        readings = sum(bodies(db, table) for table in ("log", "shelves"))
        for_good = sum(bodies(db, table) for table in ("hours", "weeks", "room_chapters"))
    file = pages * writer.PAGE_SIZE
    memory, start = kept_in_memory(store), read_at_start(folder)
    return Size(file, readings, for_good, rows, chapters, memory, start)


def bodies(db: sqlite3.Connection, table: str) -> int:
    found = db.execute(f"SELECT ifnull(sum(length(body)), 0) FROM {table}").fetchone()  # noqa: S608
    return int(found[0])


def kept_in_memory(store: Store) -> int:
    """Hours that wait, running sums, series, and the steps of rooms that are not sealed."""
    rollups = store.live.rollups
    numbers = {key.part: number for number, key in store.keys().items() if key.device == ""}
    rooms = sum(len(store._rooms.hot(number)) for number in numbers.values())
    return len(rollups.finished) + len(rollups.sums) + len(store.live.series) + rooms


def read_at_start(folder: Path) -> int:
    """Commits that a start would replay, and room steps it would remember."""
    db = open_readonly(folder / DATABASE)
    assert db is not None
    with closing(db):
        loaded = loading.load(db)
    return len(loaded.log) + len(loaded.rooms)


def weeks(count: int) -> Iterator[range]:
    for week in range(count):
        yield range(week * 7 * 24, (week + 1) * 7 * 24)


async def test_size_memory_and_start_do_not_grow_with_age(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time, keep=KEEP)
    sizes = []
    for week in weeks(WEEKS):
        await lived(store, time, week)
        sizes.append(size(tmp_path, store))
    items = await everything(store, device="d0")
    gym = await store.room_steps("gym", 0, time.now)
    await store.close()
    settled, last = sizes[2], sizes[-1]
    assert last.chapters <= settled.chapters + 1
    assert last.log_rows <= settled.log_rows * 1.2
    assert last.in_memory <= settled.in_memory * 1.2
    assert last.read_at_start <= settled.read_at_start * 1.2
    assert last.readings <= settled.readings * 1.2
    more = last.for_good - settled.for_good
    assert last.file - settled.file <= 2 * more + 16 * writer.PAGE_SIZE, f"it grows: {sizes}"
    values = [item.value for item in items]
    last_turn = WEEKS * 7 * 24 * 2
    first = last_turn - len(values)
    assert values == [turn % 97 + 0.0 for turn in range(first, last_turn)]
    assert 7 * 48 <= len(values) <= 9 * 48, "a week, and what a chapter spans"
    assert len(gym) == WEEKS * 7 * 24, "the history of rooms is not deleted"
