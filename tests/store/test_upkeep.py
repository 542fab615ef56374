"""Sealing and deleting where something is wrong: the clock, the disk, a row."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.reading import TimeSource
from hub.store import writer
from hub.store.hours import read_hours
from hub.store.outbox import MirrorCursor
from hub.store.query import StoreBusyError
from hub.store.reader import Question, Reader
from hub.store.retention import Keep
from hub.store.rollup import HOUR_MS
from hub.store.store import DATABASE, Store
from tests.store.making import EVER, T0_MS, Time, catch_up, everything, feed, opened, report
from tests.store.test_sealing import HOUR, KEY, count, played

CENTURY = 80 * 365 * 24 * HOUR


async def lived(time: Time, store: Store, hours: int) -> None:
    """A device goes on to speak, and the upkeep looks each hour."""
    for turn in range(hours * 6):
        time.ms += 600_000
        feed(store, report("d1", time.now, temperature=turn % 7))
        await catch_up(store)
        if turn % 6 == 0:
            await store.upkeep.look()


async def test_a_minute_in_another_century_deletes_nothing(tmp_path: Path) -> None:
    time, store = await played(tmp_path, 60, keep=Keep(age_ms=10 * 24 * HOUR))
    await store.upkeep.look()
    before = await everything(store)
    for _ in range(2):
        time.ms += CENTURY
        feed(store, report("d1", time.now, temperature=99))
        time.ms += 700_000
        await catch_up(store)
        await store.upkeep.look()
        await store.upkeep.look()
        time.ms -= CENTURY
        await catch_up(store)
    await store.upkeep.look()
    after = await everything(store)
    assert [item for item in after if item.value != 99] == before
    await store.close()


async def test_a_minute_in_another_century_keeps_nothing_from_being_sealed_and_deleted(
    tmp_path: Path,
) -> None:
    time, store = await played(tmp_path, 30, keep=Keep(age_ms=48 * HOUR))
    time.ms += CENTURY
    feed(store, report("d1", time.now, temperature=99))
    time.ms += 700_000
    await catch_up(store)
    time.ms -= CENTURY
    await catch_up(store)
    await lived(time, store, 24 * 8)
    assert count(tmp_path, "log") < 40 * 6
    assert 3 <= count(tmp_path, "chapters") < 24
    left = [item for item in await everything(store) if item.device == "d1"]
    assert min(item.observed_ms for item in left) > time.now - 84 * HOUR
    assert not [item for item in left if item.value == 99]
    await store.close()


async def test_the_newest_chapter_stays_however_little_is_kept(tmp_path: Path) -> None:
    time, store = await played(tmp_path, 60, keep=Keep(age_ms=HOUR))
    await store.upkeep.look()
    assert count(tmp_path, "chapters") == 1
    feed(store, report("d1", T0_MS + HOUR, temperature=1))
    await store.close()
    store = await opened(tmp_path, time)
    assert min(item.observed_ms for item in await everything(store)) < time.now - 24 * HOUR
    await store.close()


def spoil(folder: Path, table: str) -> None:
    """One byte of the oldest row is another one."""
    db = sqlite3.connect(folder / DATABASE)
    with db:
        row_id, body = db.execute(
            f"SELECT id, body FROM {table} WHERE body IS NOT NULL ORDER BY id LIMIT 1"  # noqa: S608
        ).fetchone()
        middle = len(body) // 2
        spoilt = body[:middle] + bytes([body[middle] ^ 16]) + body[middle + 1 :]
        db.execute(f"UPDATE {table} SET body = ? WHERE id = ?", (spoilt, row_id))  # noqa: S608
    db.close()


async def test_a_damaged_row_of_the_log_does_not_stay_in_the_way(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, store = await played(tmp_path, 40)
    before = await everything(store)
    spoil(tmp_path, "log")
    await store.upkeep.look()
    assert count(tmp_path, "chapters") >= 2
    after = await everything(store)
    assert after
    assert {(i.number, i.observed_ms, i.tie) for i in after} < {
        (i.number, i.observed_ms, i.tie) for i in before
    }
    assert [r.getMessage()[:16] for r in caplog.records if r.levelname == "ERROR"] == [
        "A part of the hi"
    ]
    await store.close()


async def test_no_job_that_fails_stops_the_hub_or_the_other_jobs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, store = await played(tmp_path, 40)
    tried = 0

    async def busy() -> None:
        nonlocal tried
        tried += 1
        raise (StoreBusyError("64 questions") if tried < 3 else ValueError("a mistake of ours"))

    monkeypatch.setattr(store, "mend", busy)
    monkeypatch.setattr("hub.store.upkeep.LOOK_S", 0.0)
    task = asyncio.create_task(store.upkeep.run())
    async with asyncio.timeout(20):
        while tried < 5:  # noqa: ASYNC110 - each look is a round of the loop
            await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait((task,))
    assert task.cancelled()
    assert count(tmp_path, "chapters") >= 2
    said = [r.getMessage() for r in caplog.records if r.name == "hub.store.upkeep"]
    assert [("64 questions" in line, "mistake" in line) for line in said] == [
        (True, False),
        (False, True),
    ]
    await store.close()


async def test_a_wal_that_cannot_be_moved_does_not_undo_what_is_committed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    feed(store, report("d1", time.now, temperature=20))
    monkeypatch.setattr(writer, "WAL_COMMITS", 1)
    of = store.wear.of

    def full(purpose: str) -> object:
        if purpose == "moving":
            raise sqlite3.OperationalError("database or disk is full")
        return of(purpose)

    monkeypatch.setattr(store.wear, "of", full)
    time.ms += 60_000
    await catch_up(store)
    assert store.state().failing_since_ms is None
    assert store.commits == 1
    feed(store, report("d1", time.now, temperature=21))
    await store.close()
    assert count(tmp_path, "log") == 2


async def test_a_group_that_reached_the_disk_all_the_same_is_not_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.store.commits.BACKOFF_S", (0.0, 0.0))
    time = Time()
    store = await opened(tmp_path, time)
    store.live.silent_after["d1"] = HOUR_MS
    feed(store, report("d1", time.now, temperature=20))
    time.ms += HOUR_MS // 2
    feed(store, report("d1", time.now, temperature=20, humidity=1))
    await catch_up(store)
    work, failed = writer.Writer.work, 0

    def late(this: writer.Writer, purpose: str, *rest: object) -> object:
        nonlocal failed
        answer: object = work(this, purpose, *rest)  # type: ignore[arg-type]
        if purpose == "checkpoint" and not failed:
            failed += 1
            this.close()
            raise sqlite3.OperationalError("disk I/O error")
        return answer

    monkeypatch.setattr(writer.Writer, "work", late)
    time.ms = HOUR_MS + 11 * 60_000
    async with asyncio.timeout(20):
        while not failed or store.is_due():
            store.look()
            await asyncio.sleep(0.001)
    assert count(tmp_path, "hours") == 1
    assert [hour.covered_ms for hour in await store.hours(KEY, T0_MS, EVER)] == [HOUR_MS // 2]
    await store.close()


async def test_hours_that_are_written_meanwhile_do_not_count_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    for turn in range(7):
        time.ms = turn * 10 * 60_000
        feed(store, report("d1", time.now, temperature=20 + turn))
    before = await store.hours(KEY, T0_MS, T0_MS + HOUR)
    ask = store.ask

    async def slow(*args: object, **more: object) -> object:
        monkeypatch.setattr(store, "ask", ask)
        time.ms += 11 * 60_000
        await catch_up(store)  # a checkpoint
        return await ask(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "ask", slow)
    assert await store.hours(KEY, T0_MS, T0_MS + HOUR) == before
    assert count(tmp_path, "hours") == 1
    await store.close()


async def test_a_question_that_cannot_begin_leaves_the_connection_usable(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 1)
    await store.close()
    reader = Reader(tmp_path / DATABASE)
    db = reader.connection()
    assert db is not None

    def ask(upto: int = 10) -> Question:
        return Question(db, upto, (), {}, 2.0**60)

    db.set_authorizer(lambda *_: sqlite3.SQLITE_DENY if _[1] == "chapters" else sqlite3.SQLITE_OK)
    with pytest.raises(sqlite3.DatabaseError), ask():
        pass
    db.set_authorizer(None)
    with ask() as question:
        assert read_hours(question, 1, 0, EVER)[0] > 0
    reader.renew()
    assert reader.connection() is not db
    with pytest.raises(sqlite3.ProgrammingError):
        db.execute("SELECT 1")
    reader.close()


async def test_a_mirror_skips_nothing_where_its_chapter_was_deleted(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 48)
    await store.upkeep.look()
    outbox = store.mirrors.outbox
    cursor = MirrorCursor()
    while not cursor.shelf:
        cursor = (await outbox(cursor, 100)).cursor
    db = sqlite3.connect(tmp_path / DATABASE)
    with db:
        (last_id,) = db.execute("SELECT last_id FROM chapters WHERE id = 1").fetchone()
        db.execute("DELETE FROM chapters WHERE id = 1")
    db.close()
    batch = await outbox(cursor, 100)
    assert batch.changes
    assert batch.cursor == MirrorCursor(last_id, 1)
    await store.close()


async def test_a_wish_to_rewind_survives_a_crash(tmp_path: Path) -> None:
    time, store = await played(tmp_path / "a", 3)
    mirrors = store.mirrors
    mirrors.mirror_reached("m", MirrorCursor(store._commits.committed))
    time.ms += 700_000
    await catch_up(store)
    db = sqlite3.connect(tmp_path / "a" / DATABASE)
    with db:
        assert db.execute("UPDATE mirrors SET rewind_ms = 0").rowcount == 1
    db.close()
    assert await mirrors.mirror_rewound("m") == MirrorCursor(0)
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    await store.close()
    store = await opened(tmp_path / "b", time)
    assert store.mirrors.mirror_cursor("m") == MirrorCursor(0)
    assert await store.mirrors.mirror_rewound("m") is None
    await store.close()


async def test_a_queued_reading_does_not_hold_over_the_silence_behind_it(tmp_path: Path) -> None:
    """Newer than what the series knows, older than when its device spoke again."""
    time = Time()
    store = await opened(tmp_path, time)
    feed(store, report("d1", time.now, temperature=20, humidity=40))
    time.ms = 2 * HOUR
    feed(store, report("d1", time.now, humidity=41))
    feed(store, report("d1", T0_MS + HOUR, TimeSource.QUEUED, time.now, temperature=21))
    time.ms = 4 * HOUR
    feed(store, report("d1", time.now, humidity=42, temperature=22))
    steps = await store.steps(KEY, T0_MS + 1, T0_MS + 2 * HOUR)
    step = next(step for step in steps if step.change.value == 21)
    assert step.until_ms == T0_MS + HOUR
    assert await store.hours(KEY, T0_MS, T0_MS + 3 * HOUR) == []
    await store.close()
