"""A start reads as much after two years as after three days."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from hub.store.hours import row_id, week_id
from hub.store.opening import open_database
from hub.store.reader import CHAPTER_BITS
from hub.store.store import DATABASE
from hub.store.wear import KEEP_DAYS, Wear
from hub.store.writer import PAGE_SIZE, Writer
from tests.store.making import T0_MS, Time, catch_up, feed, opened, report

HOUR = 3_600_000
DAY = 24 * HOUR
CHAPTERS = 4 * KEEP_DAYS
FEW_PAGES = 24  # the trees of a long history are deeper


async def lived(folder: Path) -> int:
    """Three days of some devices, sealed where they are old enough; when they were over."""
    time = Time()
    store = await opened(folder, time)
    for turn in range(3 * 24 * 6):
        time.ms = turn * 600_000
        for device in range(8):
            feed(store, report(f"d{device}", time.now, temperature=20 + turn % 7))
        await catch_up(store)
    await store.upkeep.look()
    await store.close()
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        # high numbers, as after years, in the short history too
        db.execute("UPDATE shelves SET id = id + ?", (CHAPTERS << CHAPTER_BITS,))
        db.execute("UPDATE chapters SET id = id + ?", (CHAPTERS,))
        db.commit()
    return time.now


def aged(folder: Path, older: Path) -> None:
    """The same with two years of chapters, shelves, hours, weeks and counts of bytes before it."""
    older.mkdir()
    shutil.copy(folder / DATABASE, older / DATABASE)
    with closing(sqlite3.connect(older / DATABASE)) as db:
        mask, body = db.execute("SELECT mask, body FROM shelves LIMIT 1").fetchone()
        for chapter in range(1, CHAPTERS + 1):
            begin = T0_MS - (CHAPTERS + 1 - chapter) * 6 * HOUR
            end = begin + 6 * HOUR - 1
            row = (chapter, 0, 0, begin, end, 1_000, end + DAY)
            db.execute("INSERT INTO chapters VALUES (?, ?, ?, ?, ?, ?, ?)", row)
            shelf = (chapter << CHAPTER_BITS, begin, end, mask, body)
            db.execute("INSERT INTO shelves VALUES (?, ?, ?, ?, ?)", shelf)
            db.execute("INSERT INTO hours VALUES (?, ?)", (row_id(900, begin), body))
        for week in range(KEEP_DAYS // 7):
            db.execute("INSERT INTO weeks VALUES (?, ?)", (week_id(900, week), body))
        today = T0_MS // DAY
        for day in range(today - KEEP_DAYS, today):
            rows = [(day, purpose, 1_000_000) for purpose in ("changes", "moving", "sealing")]
            db.executemany("INSERT INTO wear VALUES (?, ?, ?)", rows)
        db.commit()


def read_bytes() -> int:
    """What this thread has read, from the disk or from the kernel's memory of it."""
    io = Path(f"/proc/self/task/{threading.get_native_id()}/io")
    return int(io.read_text(encoding="ascii").split()[1])


def started(folder: Path, now_ms: int) -> tuple[int, int]:
    """Bytes read by a start, and how many commits it found to replay or to keep at hand."""
    wear = Wear(lambda: now_ms)
    writer = Writer(folder / DATABASE, wear)
    before = read_bytes()
    loaded, failure = open_database(writer, folder / DATABASE, now_ms)
    wear.load(loaded.wear)
    found = read_bytes() - before
    writer.close()
    assert failure is None
    return found, loaded.last_id


async def test_a_start_reads_as_much_after_two_years(tmp_path: Path) -> None:
    now_ms = await lived(tmp_path / "young")
    aged(tmp_path / "young", tmp_path / "old")
    young, young_id = started(tmp_path / "young", now_ms)
    old, old_id = started(tmp_path / "old", now_ms)
    sizes = [(tmp_path / name / DATABASE).stat().st_size for name in ("young", "old")]
    assert sizes[1] > sizes[0] + 1_000 * PAGE_SIZE, "the old one is not old"
    assert young_id == old_id > 100
    assert 0 < old - young <= FEW_PAGES * PAGE_SIZE, (young // PAGE_SIZE, old // PAGE_SIZE)
