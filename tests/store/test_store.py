"""Commits, restarts and questions, on real files with a clock that is pushed."""

from __future__ import annotations

import random
import shutil
import sqlite3
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import TimeSource
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.store.migrations import LATEST
from hub.store.query import (
    BadCursorError,
    QueryTooSlowError,
    ReadingItem,
    ReadingsQuery,
    StoreError,
)
from hub.store.store import DATABASE
from tests.store.making import (
    EVER,
    T0_MS,
    Ledger,
    Time,
    catch_up,
    everything,
    feed,
    opened,
    report,
    room,
)

MINUTE = 60_000


def said(items: list[ReadingItem]) -> list[tuple[str, object, int, int]]:
    return [(i.device, i.value, i.observed_ms - T0_MS, i.until_ms - T0_MS) for i in items]


async def test_telemetry_waits_a_minute_and_an_event_a_second(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    feed(store, report("d", time.now, temperature=20))
    time.ms += 50_000
    await catch_up(store)
    assert (store.commits, store.state().in_memory) == (0, 1)
    time.ms += 10_000
    await catch_up(store)
    assert (store.commits, store.state().in_memory) == (1, 0)

    feed(store, report("d", time.now, temperature=21))
    feed(store, report("d", time.now, contact=1), urgent=True)
    time.ms += 1_000
    await catch_up(store)
    assert (store.commits, store.state().in_memory) == (2, 0)
    await store.close()


async def test_half_the_window_commits_and_settles_in_order(tmp_path: Path) -> None:
    time, ledger = Time(), Ledger()
    store = await opened(tmp_path, time, inflight=10)
    for number in range(12):
        changes = store.live.apply(report("d", time.now, contact=number))
        store.append(changes, ledger.receipt(number), urgent=False)
        time.ms += 1
        if number == 3:
            await catch_up(store)
            assert ledger.settled == []
    await catch_up(store)
    assert ledger.numbers()[:5] == [0, 1, 2, 3, 4]
    await store.close()
    assert ledger.numbers() == list(range(12))
    commits = [commit for _, commit in ledger.settled]
    assert commits == sorted(commits)
    assert commits[0] >= 1


async def test_deliveries_are_known_until_they_are_confirmed(tmp_path: Path) -> None:
    time, ledger = Time(), Ledger()
    store = await opened(tmp_path, time, inflight=4)
    for mid in (1, 2, 3, 4):
        changes = store.live.apply(report("d", time.now, contact=mid))
        store.append(changes, ledger.receipt(mid, bytes([mid] * 8)), urgent=True)
        time.ms += 1
        if mid % 2 == 0:
            await catch_up(store)
    first, last = ledger.settled[0][1], ledger.settled[-1][1]
    assert first < last
    await store.close()

    store = await opened(tmp_path, time)
    assert store.known_deliveries() == {mid: bytes([mid] * 8) for mid in (1, 2, 3, 4)}
    store.confirmed(first)
    changes = store.live.apply(report("d", time.now, contact=9))
    store.append(changes, ledger.receipt(9, b"99999999"), urgent=True)
    await store.close()

    store = await opened(tmp_path, time)
    assert set(store.known_deliveries()) == {3, 4, 9}
    await store.close()


async def test_a_restart_restores_values_with_their_old_times(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    feed(store, report("d", time.now, contact=1, temperature=20.5))
    time.ms += 5 * MINUTE
    feed(store, report("d", time.now, contact=1, temperature=20.5))
    await store.close()

    time.ms += MINUTE
    store = await opened(tmp_path, time)
    series = store.live.series[SeriesKey("d", "contact")]
    assert (series.value, series.observed_ms, series.until_ms) == (1, T0_MS, T0_MS + 5 * MINUTE)
    assert (series.restored, series.live_ms, series.count) == (True, None, 2)
    assert store.live.heard == {"d": T0_MS + 5 * MINUTE}

    retained = report("d", time.now, TimeSource.RETAINED, contact=1)
    assert feed(store, retained) == ()
    assert series.restored
    (change,) = feed(store, report("d", time.now, contact=1))
    assert (change.previous_until_ms, change.after_gap) == (T0_MS + 5 * MINUTE, True)
    assert said(await everything(store, channel="contact")) == [
        ("d", 1, 0, 5 * MINUTE),
        ("d", 1, 6 * MINUTE, 6 * MINUTE),
    ]
    await store.close()


async def test_pending_changes_are_read_with_committed_ones(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    for value in range(5):
        feed(store, report("d", time.now, temperature=value))
        time.ms += 25_000
        await catch_up(store)
    assert store.state().in_memory > 0
    assert store.commits > 0
    items = await everything(store)
    assert said(items) == [("d", n, n * 25_000, n * 25_000) for n in range(5)]
    await store.close()


async def test_a_late_reading_stands_where_it_belongs(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    for minute, value in enumerate([1, 2, 3]):
        time.ms = minute * 2 * MINUTE
        feed(store, report("d", time.now, temperature=value))
        await catch_up(store)
    late = report("d", T0_MS + MINUTE, TimeSource.QUEUED, time.now, temperature=9)
    feed(store, late)
    for _ in range(2):
        items = await everything(store, limit=2)
        assert [item.value for item in items] == [1, 9, 2, 3]
        assert items[1].until_ms == items[1].observed_ms
        time.ms += 2 * MINUTE
        await catch_up(store)
    assert store.live.series[SeriesKey("d", "temperature")].value == 3
    await store.close()


async def filled(folder: Path, seed: int) -> tuple[Time, list[tuple[int, int, int]]]:
    """A database of 600 commits, some changes late."""
    time, chance, made = Time(), random.Random(seed), []
    store = await opened(folder, time)
    for turn in range(600):
        time.ms += 1_000
        name = f"d{chance.randrange(5)}"
        at, source = time.now, TimeSource.HUB
        if chance.random() < 0.1:
            at, source = at - chance.randrange(400_000), TimeSource.QUEUED
        message = report(name, at, source, time.now, contact=turn, temperature=turn // 50)
        for change in feed(store, message, urgent=True):
            made.append((change.observed_ms, change.tie, change.number))
        await catch_up(store)
    await store.close()
    return time, sorted(made)


async def test_paging_of_every_size_gives_the_same_sequence(tmp_path: Path) -> None:
    time, made = await filled(tmp_path, 5)
    store = await opened(tmp_path, time)
    feed(store, report("d0", time.now, contact=-1))  # and one that is not committed
    whole = await everything(store, limit=10_000)
    assert [(item.observed_ms, item.tie, item.number) for item in whole[:-1]] == made
    assert whole[-1].value == -1
    for size in (1, 2, 7, 100, 701):
        assert await everything(store, limit=size) == whole
    for name in ("d0", "d3"):
        expected = [item for item in whole if item.device == name]
        assert await everything(store, limit=13, device=name) == expected
        narrow = [item for item in expected if item.channel == "temperature"]
        assert await everything(store, 3, name, "temperature") == narrow
    await store.close()


async def test_a_range_holds_exactly_what_was_observed_in_it(tmp_path: Path) -> None:
    time, _ = await filled(tmp_path, 6)
    store = await opened(tmp_path, time)
    whole = await everything(store)
    for begin, end in ((0, 100_000), (90_000, 91_000), (350_000, 600_000), (700_000, 800_000)):
        page = await store.readings(ReadingsQuery(T0_MS + begin, T0_MS + end, limit=5_000))
        expected = [i for i in whole if T0_MS + begin <= i.observed_ms < T0_MS + end]
        assert list(page.items) == expected
    bad = await store.readings(ReadingsQuery(0, EVER, quality=Quality.BAD))
    assert bad.items == ()
    nobody = await store.readings(ReadingsQuery(0, EVER, device="nobody"))
    assert (nobody.items, nobody.next) == ((), None)
    with pytest.raises(BadCursorError):
        await store.readings(ReadingsQuery(0, EVER, cursor="1; DROP TABLE log"))
    await store.close()


values = st.integers() | st.floats(allow_nan=False) | st.text(max_size=8) | st.none()


@settings(max_examples=15, deadline=None)
@given(st.lists(values, min_size=1, max_size=20))
async def test_values_come_back_bit_equal(
    tmp_path_factory: pytest.TempPathFactory, sent: list[int | float | str | None]
) -> None:
    folder, time = tmp_path_factory.mktemp("values"), Time()
    store = await opened(folder, time)
    made = []
    for value in sent:
        time.ms += 7
        made += [change.value for change in feed(store, report("d", time.now, x=value))]
    await store.close()
    store = await opened(folder, time)
    back = [item.value for item in await everything(store)]
    assert [repr(value) for value in back] == [repr(value) for value in made]
    assert [type(value) for value in back] == [type(value) for value in made]
    await store.close()


async def test_a_hub_that_was_down_is_a_gap_in_the_history_of_a_room(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    store.append_room(room("gym", Status.FREE))
    time.ms = 10 * MINUTE
    store.append_room(room("gym", Status.FREE))
    store.append_room(room("gym", Status.IN_USE, 3))
    time.ms = 15 * MINUTE
    steps = [
        RoomStep(T0_MS, T0_MS + 10 * MINUTE, Status.FREE),
        RoomStep(T0_MS + 10 * MINUTE, T0_MS + 15 * MINUTE, Status.IN_USE, 3),
    ]
    assert await store.room_steps("gym", T0_MS, EVER) == steps
    await store.close()

    time.ms = 40 * MINUTE
    store = await opened(tmp_path, time)
    assert await store.room_steps("gym", T0_MS, EVER) == steps
    store.append_room(room("gym", Status.IN_USE, 3))
    time.ms = 41 * MINUTE
    await catch_up(store)
    again = RoomStep(T0_MS + 40 * MINUTE, T0_MS + 41 * MINUTE, Status.IN_USE, 3)
    assert await store.room_steps("gym", T0_MS, EVER) == [*steps, again]
    middle = await store.room_steps("gym", T0_MS + 12 * MINUTE, T0_MS + 14 * MINUTE)
    assert [(s.from_ms - T0_MS, s.to_ms - T0_MS) for s in middle] == [(12 * MINUTE, 14 * MINUTE)]
    assert await store.room_steps("hall", T0_MS, EVER) == []
    await store.close()


async def test_room_steps_are_found_behind_many_commits(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    store.append_room(room("cabin", Status.CLOSED))
    for turn in range(700):
        store.append_room(room("gym", Status.FREE if turn % 2 else Status.IN_USE))
        time.ms += 1_000
        await catch_up(store)
    gym = await store.room_steps("gym", T0_MS, EVER)
    assert len(gym) == 700
    assert all(a.to_ms == b.from_ms for a, b in pairwise(gym))
    cabin = await store.room_steps("cabin", T0_MS + 600_000, T0_MS + 650_000)
    assert cabin == [RoomStep(T0_MS + 600_000, T0_MS + 650_000, Status.CLOSED)]
    await store.close()


async def test_the_wal_stays_bounded(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    sizes = []
    for turn in range(60):
        for device in range(40):
            feed(
                store, report(f"d{device}", time.now, text=random.Random(turn).randbytes(500).hex())
            )
        time.ms += MINUTE
        await catch_up(store)
        sizes.append((tmp_path / f"{DATABASE}-wal").stat().st_size)
    assert store.commits >= 60
    assert max(sizes) < 5_000_000
    await store.close()
    assert not (tmp_path / f"{DATABASE}-wal").exists()


async def test_a_damaged_database_stops_the_start_with_a_remedy(tmp_path: Path) -> None:
    time, _ = await filled(tmp_path, 7)
    file = tmp_path / DATABASE
    whole = file.read_bytes()
    for damage in (b"not a database at all" * 100, whole[:100] + b"\xff" * (len(whole) - 100)):
        file.write_bytes(damage)
        with pytest.raises(StoreError, match=r"damaged.*Restore a backup"):
            await opened(tmp_path, time)
        assert file.read_bytes() == damage


async def test_a_newer_or_foreign_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    time, _ = await filled(tmp_path, 8)
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.execute("INSERT INTO migrations VALUES (?, 'from the future', 0)", (LATEST + 1,))
    db.close()
    with pytest.raises(StoreError, match=rf"schema {LATEST + 1}.*Install the newer"):
        await opened(tmp_path, time)

    other = tmp_path / "other"
    other.mkdir()
    with sqlite3.connect(other / DATABASE) as db:
        db.execute("CREATE TABLE recipes (title TEXT)")
    db.close()
    with pytest.raises(StoreError, match="not written by Linli"):
        await opened(other, time)


async def test_a_folder_that_cannot_be_made_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    with pytest.raises(StoreError, match=r"cannot be made.*storage\.path"):
        await opened(tmp_path / "file" / "data", Time())


async def test_two_hubs_never_share_a_folder(tmp_path: Path) -> None:
    """Each would take a commit of the other for its own, and acknowledge what is not kept."""
    store = await opened(tmp_path, Time())
    with pytest.raises(StoreError, match=r"Another hub uses.*storage\.path"):
        await opened(tmp_path, Time())
    await store.close()
    await (await opened(tmp_path, Time())).close()


async def test_after_a_crash_coverage_ends_at_the_last_checkpoint(tmp_path: Path) -> None:
    time, crashed = Time(), tmp_path / "crashed"
    store = await opened(tmp_path / "running", time)
    for minute in range(36):
        time.ms = minute * MINUTE
        feed(store, report("d", time.now, temperature=20, mode="a" if minute < 33 else "b"))
        if minute % 10 == 0:
            store.append_room(room("gym", Status.FREE if minute % 20 else Status.IN_USE))
        await catch_up(store)
    time.ms += 30_000
    whole = await store.hours(SeriesKey("d", "mode"), T0_MS, EVER)
    shutil.copytree(tmp_path / "running", crashed)  # what a killed process leaves behind
    await store.close()

    time.ms = 60 * MINUTE
    store = await opened(crashed, time)
    steady, mode = (store.live.series[SeriesKey("d", name)] for name in ("temperature", "mode"))
    assert (steady.value, steady.until_ms) == (20, T0_MS + 30 * MINUTE)
    assert (mode.value, mode.until_ms) == ("b", T0_MS + 33 * MINUTE)
    (hour,) = await store.hours(SeriesKey("d", "mode"), T0_MS, EVER)
    assert whole[0].shares == {"a": 33 * MINUTE, "b": 2 * MINUTE}
    assert hour.shares == {"a": 33 * MINUTE}
    last = (await store.room_steps("gym", T0_MS, EVER))[-1]
    assert T0_MS + 33 * MINUTE <= last.to_ms <= T0_MS + 36 * MINUTE
    await store.close()


async def test_a_question_that_takes_too_long_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    time, _ = await filled(tmp_path, 9)
    store = await opened(tmp_path, time)
    monkeypatch.setattr("hub.store.store.DEADLINE_S", -1.0)
    with pytest.raises(QueryTooSlowError, match="took too long"):
        await store.readings(ReadingsQuery(0, EVER))
    monkeypatch.undo()
    assert (await store.readings(ReadingsQuery(0, EVER, limit=5))).next is not None
    await store.close()
