"""A checkpoint that the card forgot: the hub starts from the history, and says so once."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.store.export import History
from hub.store.store import DATABASE, Store
from tests.store.hours_told import compare_hours
from tests.store.making import EVER, T0_MS, Ledger, Time, catch_up, everything, feed, opened, report
from tests.store.making import room as said
from tests.store.test_damage import HOUR, MINUTE, errors, kept, spoil
from tests.store.told import plain

OLD, STEADY, BUSY = (SeriesKey(name, "temperature") for name in ("old", "steady", "busy"))


async def lived(folder: Path, hours: int = 40) -> tuple[Time, Store]:
    """One device that spoke once, one that always says the same, one that always changes.

    The chapters hold all but the last day; the last twenty minutes came behind a checkpoint.
    """
    time = Time()
    store = await opened(folder, time)
    feed(store, report("old", time.now, temperature=17))
    store.append_room(said("hall", Status.FREE))
    for turn in range(hours * 12 + 4):
        time.ms = turn * 5 * MINUTE
        feed(store, report("steady", time.now, temperature=20, humidity=40 + turn // 36))
        feed(store, report("busy", time.now, temperature=turn))
        if turn % 12 == 0:
            store.append_room(said("gym", Status.IN_USE if turn % 24 else Status.FREE, turn))
        await catch_up(store)
        if turn % 72 == 71:
            await store.upkeep.look()
    return time, store


async def cut(folder: Path) -> tuple[Time, Path, Path]:
    """The folder as a power cut leaves it, and once more with a damaged checkpoint."""
    time, store = await lived(folder / "before")
    for place in ("sound", "damaged"):
        shutil.copytree(folder / "before", folder / place)
    await store.close()
    assert spoil(folder / "damaged", "live", "1") == 1
    return time, folder / "sound", folder / "damaged"


async def test_the_hub_starts_with_everything_that_was_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, sound, damaged = await cut(tmp_path)
    (behind,) = kept(sound, "SELECT count(*) FROM log WHERE id > (SELECT id FROM live)")
    assert behind[0] > 0, "something came behind the checkpoint"
    ours, theirs = await opened(damaged, time), await opened(sound, time)
    for key, series in theirs.live.series.items():
        found = ours.live.series[key]
        assert (found.value, found.observed_ms) == (series.value, series.observed_ms)
        assert series.until_ms - 10 * MINUTE <= found.until_ms <= series.until_ms
        assert found.restored
    for place in ("gym", "hall"):
        steps = await theirs.room_steps(place, T0_MS, EVER)
        assert await ours.room_steps(place, T0_MS, EVER) == steps
    fields = [(i.number, i.observed_ms, i.value, i.tie) for i in await everything(theirs)]
    assert [(i.number, i.observed_ms, i.value, i.tie) for i in await everything(ours)] == fields
    assert len(errors(caplog)) == 1
    assert "started from the history" in errors(caplog)[0]
    await ours.close()
    await theirs.close()


async def test_it_is_kept_as_it_is_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, _, damaged = await cut(tmp_path)
    ((commit, body),) = kept(damaged, "SELECT id, body FROM live")
    for turn in range(3):
        store = await opened(damaged, time)
        await store.upkeep.look()
        shutil.copytree(damaged, tmp_path / f"again{turn}")
        await store.close()
        damaged = tmp_path / f"again{turn}"
    assert len(errors(caplog)) == 1
    kind = "SELECT place, body FROM damaged WHERE kind = 'checkpoint'"
    assert kept(damaged, kind) == [(commit, body)]
    store = await opened(damaged, time)
    await store.close()
    store = await opened(damaged, time)
    assert kept(damaged, "SELECT length(body) > 0 FROM live") == [(1,)]
    await store.close()


async def test_its_hours_are_counted_anew(tmp_path: Path) -> None:
    time, sound, damaged = await cut(tmp_path)
    ours, theirs = await opened(damaged, time), await opened(sound, time)
    since = time.now
    for store in (ours, theirs):
        time.ms = since - T0_MS
        for _ in range(24):
            time.ms += 5 * MINUTE
            for device in ("steady", "busy"):
                feed(store, report(device, time.now, temperature=20))
            await catch_up(store)
        await store.upkeep.look()
    for key in (STEADY, BUSY):
        number = ours.live.series[key].number
        assert number not in ours.live.mending.dirty
        before = await theirs.hours(key, T0_MS, EVER)
        after = await ours.hours(key, T0_MS, EVER)
        assert len(after) == len(before) == 43
        missing = {
            b.from_ms: b.covered_ms - a.covered_ms
            for b, a in zip(before, after, strict=True)
            if a.covered_ms != b.covered_ms
        }
        assert set(missing) <= {since // HOUR * HOUR - HOUR, since // HOUR * HOUR}
        assert all(0 < ms <= 10 * MINUTE for ms in missing.values())
        steps = await ours.steps(key, T0_MS, EVER)
        await compare_hours(ours, ours.live.series[key], steps, time.now)
    await ours.close()
    await theirs.close()


async def test_without_a_pulse_what_was_written_of_hours_stays(tmp_path: Path) -> None:
    time, sound, damaged = await cut(tmp_path)
    spoil(damaged, "pulse", "1")
    ours, theirs = await opened(damaged, time), await opened(sound, time)
    time.ms += 2 * HOUR
    await catch_up(ours)
    await ours.upkeep.look()
    before, after = await theirs.hours(STEADY, T0_MS, EVER), await ours.hours(STEADY, T0_MS, EVER)
    written = [hour for hour in before if hour.from_ms < T0_MS + 39 * HOUR]
    assert after[: len(written)] == written
    assert ours.live.series[OLD].value == 17
    await ours.close()
    await theirs.close()


async def test_what_is_damaged_in_the_chapters_too_stays_unknown(tmp_path: Path) -> None:
    time, _, damaged = await cut(tmp_path)
    assert spoil(damaged, "shelves", "1") > 0
    assert spoil(damaged, "room_chapters", "1") > 0
    store = await opened(damaged, time)
    assert store.live.series[OLD].intake == 0
    assert store.live.series[BUSY].value == 40 * 12 + 2, "the last one was not committed"
    feed(store, report("old", time.now, temperature=18))
    store.append_room(said("hall", Status.IN_USE))
    await catch_up(store)
    items = [item for item in await everything(store) if item.device == "old"]
    assert [item.value for item in items] == [18]
    await store.close()


async def test_an_export_reads_it_all_the_same(tmp_path: Path) -> None:
    _, sound, damaged = await cut(tmp_path)
    told = []
    for folder in (sound, damaged):
        with History(folder / DATABASE) as history:
            told.append([plain_of(history, key) for key in (OLD, BUSY)])
    assert told[0] == told[1]


def plain_of(history: History, key: SeriesKey) -> list[object]:
    return [plain(step)[0] for step in history.steps(key, T0_MS, EVER)]


async def test_damaged_deliveries_are_no_obstacle(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, ledger = Time(), Ledger()
    store = await opened(tmp_path / "before", time)
    for mid in range(1, 4):
        time.ms += MINUTE
        changes = store.live.apply(report("d", time.now, temperature=mid))
        store.append(changes, ledger.receipt(mid), urgent=True)
        time.ms += 1_000
        await catch_up(store)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    await store.close()
    with closing(sqlite3.connect(tmp_path / "after" / DATABASE)) as db, db:
        db.execute(
            "UPDATE deliveries SET body = x'c1' WHERE id = (SELECT min(id) + 1 FROM deliveries)"
        )
    caplog.clear()
    for _ in range(2):
        store = await opened(tmp_path / "after", time)
        assert sorted(store.known_deliveries()) == [1, 3]
        await store.upkeep.look()
        (told,) = errors(caplog)
        assert "may be in the history twice" in told
        await store.close()
    told_of = "SELECT kind, body FROM damaged"
    assert kept(tmp_path / "after", told_of) == [("deliveries", b"\xc1")]
