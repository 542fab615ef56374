"""Bits that a card forgot: what can be read is told, what cannot is a gap that says so."""

from __future__ import annotations

import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.store.damage import Damage
from hub.store.export import History
from hub.store.query import ReadingsQuery
from hub.store.retention import Keep
from hub.store.spans import Window
from hub.store.store import DATABASE, Store
from tests.store.making import EVER, T0_MS, Time, catch_up, everything, feed, opened, report, room

MINUTE, HOUR = 60_000, 3_600_000
AT_ONE = f"SELECT id, body FROM log WHERE first_ms = {T0_MS + HOUR}"  # noqa: S608
KEY = SeriesKey("d1", "temperature")
OTHER = SeriesKey("d40", "temperature")


async def played(folder: Path, hours: int) -> tuple[Time, Store]:
    """Two shelves of devices that speak every ten minutes and change every twenty."""
    time = Time()
    store = await opened(folder, time)
    for turn in range(hours * 6):
        time.ms = turn * 10 * MINUTE
        for device in range(41):
            value = turn // 2 + device * device % 97 / 10  # long enough for a checksum
            feed(store, report(f"d{device}", time.now, temperature=value, mode=turn // 72))
        store.append_room(room("gym", Status.IN_USE if turn % 2 else Status.FREE))
        await catch_up(store)
    return time, store


def spoil(folder: Path, table: str, where: str, column: str = "body") -> int:
    """Flip a bit in the middle of each such body; how many there were."""
    with closing(sqlite3.connect(folder / DATABASE)) as db, db:
        rows = db.execute(f"SELECT id, {column} FROM {table} WHERE {where}").fetchall()  # noqa: S608
        for row_id, body in rows:
            bad = bytearray(body)
            bad[len(bad) // 2] ^= 0x10
            db.execute(f"UPDATE {table} SET {column} = ? WHERE id = ?", (bytes(bad), row_id))  # noqa: S608
    return len(rows)


def kept(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        return db.execute(sql).fetchall()


async def ends(store: Store, key: SeriesKey) -> dict[int, int]:
    """By the hour and minute of a step: how many minutes it held."""
    steps = await store.steps(key, T0_MS, EVER)
    return {
        (s.change.observed_ms - T0_MS) // MINUTE: ((s.until_ms or 0) - s.change.observed_ms)
        // MINUTE
        for s in steps
    }


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno == logging.ERROR]


async def test_a_damaged_commit_is_a_gap_before_and_after_sealing_and_is_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _, store = await played(tmp_path, 40)
    (bad,) = kept(tmp_path, AT_ONE)
    whole = await everything(store)
    rooms = await store.room_steps("gym", T0_MS, EVER)
    assert spoil(tmp_path, "log", f"id = {bad[0]}") == 1

    async def look() -> None:
        items = await everything(store)
        assert {i.observed_ms for i in whole} - {i.observed_ms for i in items} == {T0_MS + HOUR}
        told = await ends(store, KEY)
        assert (told[20], told[40], told[80]) == (10, 0, 10)
        assert (await ends(store, SeriesKey("d1", "mode")))[0] == 710
        page = await store.readings(ReadingsQuery(T0_MS, T0_MS + 2 * HOUR, "d1"))
        assert page.damaged == ((T0_MS + HOUR, T0_MS + HOUR),)
        assert (await store.readings(ReadingsQuery(T0_MS, T0_MS + HOUR, "d1"))).damaged == ()
        assert await store.room_steps("gym", T0_MS, EVER) == rooms

    await look()
    await store.upkeep.look()
    assert len(kept(tmp_path, "SELECT 1 FROM chapters")) >= 3
    await look()
    ((kind, place, body),) = kept(tmp_path, "SELECT kind, place, body FROM damaged")
    assert (kind, place, len(body)) == ("changes", bad[0], len(bad[1]))
    await store.upkeep.look()
    assert len(errors(caplog)) == 1
    assert "put in a new one" in errors(caplog)[0]
    await store.close()


async def test_a_damaged_shelf_fails_nothing_but_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, store = await played(tmp_path, 48)
    await store.upkeep.look()
    whole = await everything(store)
    hours = await store.hours(KEY, T0_MS, EVER)
    assert spoil(tmp_path, "shelves", "id = 2 << 24") == 1
    ((first, last),) = kept(tmp_path, "SELECT first_ms, last_ms FROM shelves WHERE id = 2 << 24")

    items = await everything(store)
    gone = [item for item in whole if item not in items]
    shelf = [i for i in whole if i.number < 32 and first <= i.observed_ms <= last]
    before = [i for i in gone if i not in shelf]
    assert {i.observed_ms for i in before if i.channel == "temperature"} == {first - 20 * MINUTE}
    assert len(items) == len(whole) - len(shelf)
    told = await ends(store, KEY)
    assert told[(first - T0_MS) // MINUTE - 20] == 0
    assert (await ends(store, OTHER))[(first - T0_MS) // MINUTE - 20] == 10
    page = await store.readings(ReadingsQuery(T0_MS, EVER, "d1", limit=10_000))
    assert page.damaged == ((first, last),)
    assert (await store.readings(ReadingsQuery(T0_MS, EVER, "d40", limit=10_000))).damaged == ()
    assert await store.hours(KEY, T0_MS, EVER) == hours

    await store.upkeep.look()
    await store.upkeep.look()
    await store.close()
    store = await opened(tmp_path, time)
    await everything(store)
    await store.upkeep.look()
    assert len(errors(caplog)) == 1
    await store.close()


async def test_hours_are_not_counted_anew_from_what_is_left(tmp_path: Path) -> None:
    time, store = await played(tmp_path, 48)
    await store.upkeep.look()
    hours = await store.hours(KEY, T0_MS, EVER)
    spoil(tmp_path, "shelves", "id = 2 << 24")
    number = store.live.series[KEY].number
    store.live.mending.mark(number, T0_MS + 8 * HOUR, T0_MS + 9 * HOUR)
    time.ms += HOUR
    await store.mend()
    assert store.live.mending.given_up == 2
    assert (await store.hours(KEY, T0_MS, EVER))[: len(hours) - 1] == hours[:-1]
    await store.close()


async def test_damaged_rooms_are_a_gap(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 60)
    await store.upkeep.look()
    whole = await store.room_steps("gym", T0_MS, EVER)
    assert spoil(tmp_path, "room_chapters", "id = 2") == 1
    ((first, last),) = kept(tmp_path, "SELECT first_ms, last_ms FROM room_chapters WHERE id = 2")
    found = await store.room_steps("gym", T0_MS, EVER)
    behind = last + 10 * MINUTE
    assert found == [step for step in whole if step.to_ms < first or step.from_ms >= behind]
    await store.upkeep.look()
    assert kept(tmp_path, "SELECT kind, place FROM damaged") == [("room_shelf", 2)]
    await store.close()


async def test_a_mirror_is_told_and_goes_on(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 48)
    await store.upkeep.look()
    spoil(tmp_path, "shelves", "id = 2 << 24")
    (hot,) = kept(tmp_path, "SELECT id FROM log WHERE body NOT NULL ORDER BY id LIMIT 1 OFFSET 5")
    spoil(tmp_path, "log", f"id = {hot[0]}")
    met: list[Damage] = []
    sent, cursor = 0, store.mirrors.mirror_cursor("m")
    while True:
        batch = await store.mirrors.outbox(cursor, 400)
        met += batch.damaged
        sent += len(batch.changes)
        if batch.cursor == cursor:
            break
        cursor = batch.cursor
    assert [(d.kind, d.place) for d in met] == [("shelf", 2 << 24), ("changes", hot[0])]
    assert sent == len(await everything(store))
    await store.close()


async def test_an_export_goes_on_behind_damage(tmp_path: Path) -> None:
    _, store = await played(tmp_path, 40)
    (bad,) = kept(
        tmp_path, "SELECT id FROM log WHERE body NOT NULL ORDER BY id DESC LIMIT 1 OFFSET 30"
    )
    spoil(tmp_path, "log", f"id = {bad[0]}")
    await store.upkeep.look()
    spoil(tmp_path, "shelves", "id = 1 << 24")
    items = [(i.number, i.observed_ms, i.until_ms) for i in await everything(store)]
    await store.close()
    with History(tmp_path / DATABASE) as history:
        told = history.changes(Window(T0_MS, EVER), None)
        found = [(t.change.number, t.change.observed_ms, t.until_ms) for t in told]
    assert found == items


async def test_what_was_set_aside_goes_with_its_chapter(tmp_path: Path) -> None:
    time, store = await played(tmp_path, 40)
    spoil(tmp_path, "log", f"first_ms = {T0_MS + HOUR}")
    await store.upkeep.look()
    spoil(tmp_path, "shelves", "id = 1 << 24")
    await everything(store)
    await store.upkeep.look()
    assert len(kept(tmp_path, "SELECT 1 FROM damaged")) == 2
    await store.close()
    time.ms += 10 * HOUR
    store = await opened(tmp_path, time, keep=Keep(age_ms=30 * HOUR))
    await store.upkeep.look()
    assert kept(tmp_path, "SELECT kind FROM damaged") == []
    await store.close()
