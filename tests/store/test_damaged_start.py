"""Bits that the card forgot while the power was cut: the hub starts all the same."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.store.query import ReadingsQuery
from hub.store.store import Store
from tests.store.making import EVER, T0_MS, Time, catch_up, everything, feed, opened, report, room
from tests.store.test_damage import errors, kept, spoil

MINUTE = 60_000
SECOND = SeriesKey("d1", "temperature")


async def cut_off(folder: Path) -> tuple[Time, Path]:
    """Five commits of three devices behind the checkpoint, as a power cut leaves them."""
    time = Time()
    store = await opened(folder / "before", time)
    for turn in range(6):
        time.ms = turn * MINUTE
        for device in range(3):
            value = 20 + turn + device / 10 if device != 2 or turn == 0 else 20.2
            feed(store, report(f"d{device}", time.now, temperature=value), urgent=True)
        store.append_room(room("gym", Status.IN_USE if turn % 2 else Status.FREE, turn))
        time.ms += 1_000
        await catch_up(store)
    place = folder / "after"
    shutil.copytree(folder / "before", place)
    await store.close()
    return time, place


async def test_a_damaged_commit_behind_the_checkpoint_is_passed_over_and_told_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, place = await cut_off(tmp_path)
    at = T0_MS + 3 * MINUTE
    assert spoil(place, "log", f"first_ms = {at}") == 1
    caplog.clear()

    store = await opened(place, time)
    temperature = [i for i in await everything(store) if i.device == "d1"]
    assert [(i.observed_ms - T0_MS) // MINUTE for i in temperature] == [0, 1, 2, 4, 5]
    assert temperature[2].until_ms == temperature[2].observed_ms, "nobody knows how long it held"
    page = await store.readings(ReadingsQuery(T0_MS, EVER, "d1"))
    assert page.damaged == ((at, at),)
    assert store.live.series[SECOND].value == 25.1
    await store.upkeep.look()
    (told,) = errors(caplog)
    assert "3 series between 2026-01-01 00:03 and 2026-01-01 00:03" in told
    await store.close()

    store = await opened(place, time)
    await store.upkeep.look()
    assert len(errors(caplog)) == 1
    await store.close()


async def test_a_lost_last_change_is_not_what_holds_now(tmp_path: Path) -> None:
    time, place = await cut_off(tmp_path)
    spoil(place, "log", f"first_ms = {T0_MS + 5 * MINUTE}")
    store = await opened(place, time)
    live = store.live
    known = max(change.intake for change in live.series.values())
    assert live.next_intake > known + 5_000, "what was lost had numbers too"
    await hours_stop_at(store, 5 * MINUTE)
    time.ms += MINUTE
    feed(store, report("d1", time.now, temperature=30))
    await catch_up(store)
    items = [i for i in await everything(store) if i.device == "d1"]
    assert [(i.value, i.observed_ms == i.until_ms) for i in items[-2:]] == [
        (24.1, True),
        (30, True),
    ]
    await store.close()


async def hours_stop_at(store: Store, ms: int) -> None:
    (hour,) = await store.hours(SECOND, T0_MS, EVER)
    assert hour.covered_ms <= ms


async def test_damaged_rooms_in_the_log_are_a_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, place = await cut_off(tmp_path)
    at = T0_MS + 3 * MINUTE
    assert spoil(place, "log", f"first_ms = {at}", "rooms") == 1
    caplog.clear()
    store = await opened(place, time)
    store.append_room(room("gym", Status.UNKNOWN))
    await catch_up(store)
    steps = await store.room_steps("gym", T0_MS, EVER)
    begun = [((s.from_ms - T0_MS) // MINUTE, (s.to_ms - T0_MS) // MINUTE) for s in steps]
    assert begun[:3] == [(0, 1), (1, 2), (4, 5)]
    assert len(await everything(store)) == 6 * 2 + 1
    await store.upkeep.look()
    assert len(errors(caplog)) == 1
    assert kept(place, "SELECT kind FROM damaged") == [("rooms",)]
    await store.close()


async def test_the_last_room_step_is_not_prolonged_over_a_lost_one(tmp_path: Path) -> None:
    time, place = await cut_off(tmp_path)
    spoil(place, "log", f"first_ms = {T0_MS + 5 * MINUTE}", "rooms")
    store = await opened(place, time)
    time.ms += 10 * MINUTE
    store.append_room(room("gym", Status.UNKNOWN))
    steps = await store.room_steps("gym", T0_MS, EVER)
    assert [(s.to_ms - T0_MS) // MINUTE for s in steps] == [1, 2, 3, 4]
    await store.close()


async def test_a_damaged_pulse_is_a_short_gap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time = Time()
    store = await opened(tmp_path / "before", time)
    feed(store, report("d1", time.now, temperature=20), urgent=True)
    for _ in range(15):
        time.ms += MINUTE
        feed(store, report("d1", time.now, temperature=20))
        await catch_up(store)
    shutil.copytree(tmp_path / "before", tmp_path / "after")
    await store.close()
    assert spoil(tmp_path / "after", "pulse", "1") == 1
    caplog.clear()
    store = await opened(tmp_path / "after", time)
    assert [i.value for i in await everything(store)] == [20]
    assert len(errors(caplog)) == 1
    await store.close()
