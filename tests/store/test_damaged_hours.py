"""Hours that the card forgot: counted anew from the readings, or a gap; told once either way."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.store import upkeep
from hub.store.query import Hour
from hub.store.retention import Keep
from hub.store.store import Store
from tests.store.making import EVER, T0_MS, Time, catch_up, opened
from tests.store.test_damage import HOUR, KEY, OTHER, errors, kept, played, spoil

DAY = 24 * HOUR


def plain(hours: list[Hour], since_ms: int = T0_MS) -> list[tuple[object, ...]]:
    """Without the means, which a packed week keeps to seven digits."""
    return [(h.from_ms, h.covered_ms, h.low, h.high) for h in hours if h.from_ms >= since_ms]


async def settle(time: Time, store: Store) -> None:
    """A checkpoint writes what was counted."""
    time.ms += HOUR
    await catch_up(store)


async def test_a_damaged_hour_is_counted_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    time, store = await played(tmp_path, 30)
    await store.upkeep.look()
    whole = await store.hours(KEY, T0_MS, EVER)
    (bad,) = kept(tmp_path, "SELECT id FROM hours ORDER BY id LIMIT 1 OFFSET 5")
    assert spoil(tmp_path, "hours", f"id = {bad[0]}") == 1

    found = await store.hours(KEY, T0_MS, EVER)
    gone = [hour for hour in whole if hour not in found]
    assert [hour.from_ms for hour in gone] == [T0_MS + 5 * HOUR]
    await store.upkeep.look()
    assert await store.hours(KEY, T0_MS, EVER) == whole
    await settle(time, store)
    await store.close()
    store = await opened(tmp_path, time)
    assert (await store.hours(KEY, T0_MS, EVER))[: len(whole) - 1] == whole[:-1]
    await store.upkeep.look()
    (told,) = errors(caplog)
    assert "counted anew" in told
    await store.close()


async def test_packing_sets_a_damaged_hour_aside_and_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOSE_MS", 12 * HOUR)
    monkeypatch.setattr(upkeep, "SETTLED_MS", 6 * HOUR)
    _, store = await played(tmp_path, 30)
    whole = await store.hours(KEY, T0_MS, EVER)
    (bad,) = kept(tmp_path, "SELECT id FROM hours ORDER BY id LIMIT 1 OFFSET 5")
    spoil(tmp_path, "hours", f"id = {bad[0]}")
    await store.upkeep.look()
    assert kept(tmp_path, "SELECT count(*) FROM weeks") == [(3,)]
    assert kept(tmp_path, "SELECT kind, place, body NOT NULL FROM damaged") == [
        ("hours", bad[0], 1)
    ]
    await store.mend()
    assert plain(await store.hours(KEY, T0_MS, EVER)) == plain(whole)
    assert len(errors(caplog)) == 1
    await store.close()


async def test_a_damaged_week_is_counted_anew_as_far_as_readings_go(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOSE_MS", 12 * HOUR)
    monkeypatch.setattr(upkeep, "SETTLED_MS", 6 * HOUR)
    time, store = await played(tmp_path, 48)
    await store.upkeep.look()
    whole, other = await store.hours(KEY, T0_MS, EVER), await store.hours(OTHER, T0_MS, EVER)
    await store.close()
    store = await opened(tmp_path, time, keep=Keep(age_ms=40 * HOUR))
    await store.upkeep.look()
    ((first,),) = kept(tmp_path, "SELECT last_ms FROM chapters ORDER BY id LIMIT 1")
    assert first > T0_MS, "the oldest readings are gone"
    (bad,) = kept(tmp_path, "SELECT id FROM weeks ORDER BY id LIMIT 1")
    assert spoil(tmp_path, "weeks", f"id = {bad[0]}") == 1

    assert len(await store.hours(KEY, T0_MS, EVER)) < len(whole) // 2
    assert await store.hours(OTHER, T0_MS, EVER) == other
    await store.upkeep.look()
    found = await store.hours(KEY, T0_MS, EVER)
    assert plain(found, first) == plain(whole, first)
    assert T0_MS not in {h.from_ms for h in found}, "a gap, where nothing is left to count"
    await store.upkeep.look()
    assert len(errors(caplog)) == 1
    assert kept(tmp_path, "SELECT kind FROM damaged") == [("week",)]
    await store.close()
