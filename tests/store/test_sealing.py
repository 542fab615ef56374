"""What is older than the hot day is sealed, and nobody who asks can tell."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from edge.reading import TimeSource
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.store import sealer
from hub.store.query import ReadingItem, ReadingsQuery
from hub.store.reader import Question
from hub.store.retention import Keep
from hub.store.store import DATABASE, Store
from tests.store.making import EVER, T0_MS, Time, catch_up, everything, feed, opened, report, room

HOUR = 3_600_000
KEY = SeriesKey("d1", "temperature")


async def played(
    folder: Path, hours: int, seed: int = 3, keep: Keep | None = None
) -> tuple[Time, Store]:
    """Some devices over some hours: a report each ten minutes, late ones, a room."""
    time, chance = Time(), random.Random(seed)
    store = await opened(folder, time, keep=keep)
    for turn in range(hours * 6):
        time.ms = turn * 600_000 + chance.randrange(1_000)
        for device in range(40):
            if chance.random() < 0.5:
                value = round(20 + chance.random() * 3, 1)
                feed(store, report(f"d{device}", time.now, temperature=value, mode="heat"))
        if chance.random() < 0.2:
            at = time.now - chance.randrange(40 * HOUR)
            feed(store, report("d1", at, TimeSource.QUEUED, time.now, temperature=turn))
        status = Status.IN_USE if turn % 3 else Status.FREE
        store.append_room(room("gym", status))
        await catch_up(store)
    return time, store


async def asked(store: Store) -> tuple[list[ReadingItem], list[ReadingItem], object, object]:
    """Everything that questions answer."""
    steps = await store.steps(KEY, T0_MS + 5 * HOUR, T0_MS + 40 * HOUR)
    return (
        await everything(store, limit=977),
        await everything(store, limit=13, device="d1"),
        await store.room_steps("gym", T0_MS + 3 * HOUR, EVER),
        [(s.change.observed_ms, s.change.tie, s.change.value, s.until_ms) for s in steps],
    )


def count(folder: Path, table: str) -> int:
    db = sqlite3.connect(folder / DATABASE)
    try:
        return int(db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])  # noqa: S608
    finally:
        db.close()


async def test_sealed_history_answers_like_the_log(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 60)
    before = await asked(store)
    rows = count(tmp_path, "log")
    await store.upkeep.look()
    assert count(tmp_path, "chapters") >= 5
    assert 0 < count(tmp_path, "log") < rows
    assert await asked(store) == before
    await store.close()


async def test_sealed_history_answers_like_the_log_after_a_restart(tmp_path: Path) -> None:
    time, store = await played(tmp_path, 50, seed=4)
    await store.upkeep.look()
    before = await asked(store)
    await store.close()
    store = await opened(tmp_path, time)
    after = await asked(store)
    assert after[0] == before[0]
    assert after[3] == before[3]
    feed(store, report("d1", time.now + 1, temperature=-5))
    assert (await everything(store))[-1].value == -5
    await store.close()


async def test_a_crash_at_any_slice_loses_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = await played(tmp_path, 40)
    whole = await asked(store)
    work, allowed = store.work, 0

    async def until_the_plug_is_pulled(purpose: str, operate: object) -> object:
        nonlocal allowed
        allowed -= 1
        if allowed < 0:
            raise OSError("pulled")
        return await work(purpose, operate)  # type: ignore[arg-type]

    monkeypatch.setattr(store, "work", until_the_plug_is_pulled)
    pulled = 0
    while True:
        allowed = pulled
        try:
            await store.upkeep.look()
        except OSError:
            pulled += 1
            assert await asked(store) == whole
        else:
            break
    assert pulled >= 4
    assert await asked(store) == whole
    assert count(tmp_path, "chapters") >= 2
    await store.close()


async def test_what_came_after_the_last_checkpoint_stays_in_the_log(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 40)
    assert store.may_seal_before() <= store._commits.committed + 1
    await store.upkeep.look()
    db = sqlite3.connect(tmp_path / DATABASE)
    sealed, live = db.execute(
        "SELECT (SELECT max(last_id) FROM chapters), (SELECT id FROM live)"
    ).fetchone()
    db.close()
    assert sealed <= live
    await store.close()


async def test_a_long_log_is_sealed_earlier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealer, "HOT_ROWS", 20)
    monkeypatch.setattr(sealer, "CHAPTER_MS", HOUR)
    _, store = await played(tmp_path, 8)
    before = await asked(store)
    await store.upkeep.look()
    assert count(tmp_path, "chapters") >= 3
    assert await asked(store) == before
    await store.close()


async def test_old_readings_are_deleted_and_hours_and_rooms_stay(tmp_path: Path) -> None:
    time, store = await played(tmp_path, 24 * 5, keep=Keep(age_ms=48 * HOUR))
    rooms = await store.room_steps("gym", T0_MS, EVER)
    await store.upkeep.look()
    hours = await store.hours(KEY, T0_MS, EVER)
    assert hours[0].from_ms < T0_MS + HOUR
    time.ms += 12 * HOUR
    await catch_up(store)
    await store.upkeep.look()
    oldest = (await everything(store))[0].observed_ms
    assert time.now - 60 * HOUR < oldest + 40 * HOUR  # late ones lie where they came in
    assert count(tmp_path, "chapters") < 24 * 5 // 6
    again = await store.hours(KEY, T0_MS, EVER)
    assert [(h.from_ms, h.covered_ms, h.low, h.high) for h in again] == [
        (h.from_ms, h.covered_ms, h.low, h.high) for h in hours
    ]
    # packed with their week meanwhile, in which a mean has seven digits
    assert [h.mean for h in again] == pytest.approx([h.mean for h in hours], rel=1e-6)
    assert (await store.room_steps("gym", T0_MS, EVER))[: len(rooms) - 1] == rooms[:-1]
    await store.close()


async def test_the_size_is_kept_by_deleting_the_oldest(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 24 * 4, keep=Keep(size=120_000))
    before = await everything(store)
    await store.upkeep.look()
    after = await everything(store)
    assert 0 < len(after) < len(before)
    kept = set(after)
    assert after == [item for item in before if item in kept]
    await store.close()


async def test_a_mirror_that_lacks_something_is_waited_for_only_so_long(tmp_path: Path) -> None:
    keep = Keep(age_ms=24 * HOUR, wait_for_mirrors_ms=48 * HOUR)
    time, store = await played(tmp_path, 24 * 3, keep=keep)
    store.mirrors.mirror_cursor("influxdb")
    before = await everything(store)
    await store.upkeep.look()
    assert store.upkeep.waits_for_mirrors
    assert await everything(store) == before
    time.ms += 48 * HOUR
    await catch_up(store)
    await store.upkeep.look()
    assert len(await everything(store)) < len(before)
    await store.close()


async def test_a_page_of_all_devices_lets_others_run_while_it_opens_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not between its items alone: before the first one it opens every series of a chapter."""
    _, store = await played(tmp_path, 40)
    await store.upkeep.look()
    looked, check = 0, Question.check

    def counted(question: Question) -> None:
        nonlocal looked
        looked += 1
        check(question)

    monkeypatch.setattr(Question, "check", counted)
    page = await store.readings(ReadingsQuery(T0_MS, EVER, limit=1))
    assert len(page.items) == 1
    assert looked >= len(store.live.series)
    await store.close()
