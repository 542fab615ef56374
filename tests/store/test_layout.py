"""An answer does not depend on where the changes are kept: in memory, in the log, in shelves."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.store.store import Store
from tests.store.making import T0_MS, Time, catch_up, feed, opened, report
from tests.store.plug import HOUR, small
from tests.store.told import plain

KEY = SeriesKey("d1", "temperature")


async def steps_from(store: Store, hours: int) -> list[object]:
    found = await store.steps(KEY, T0_MS + hours * HOUR, T0_MS + (hours + 1) * HOUR)
    return [plain(step) for step in found]


@pytest.mark.parametrize("seed", range(4))
async def test_the_step_that_runs_at_a_time_is_the_same_in_every_place(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small(monkeypatch)
    time, chance = Time(), random.Random(seed)
    store = await opened(tmp_path, time)
    for turn in range(60):
        time.ms += chance.choice((600_000, 600_000, 2 * HOUR, -HOUR))
        ago = chance.choice((0, 0, 3 * HOUR))
        source = TimeSource.DEVICE if ago else TimeSource.HUB
        feed(store, report("d1", time.now - ago, source, time.now, temperature=turn))
        if chance.random() < 0.4:
            await catch_up(store)
    asked = range(-4, 60)
    fresh = [await steps_from(store, hour) for hour in asked]
    time.ms += 1000
    store.look()
    await catch_up(store)
    assert [await steps_from(store, hour) for hour in asked] == fresh
    time.ms += 48 * HOUR
    await store.close()
    store = await opened(tmp_path, time)
    logged = [await steps_from(store, hour) for hour in asked]
    await store.upkeep.look()
    assert [await steps_from(store, hour) for hour in asked] == logged
    await store.close()
