"""A database of every released schema opens, migrates and gives back what was stored."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from edge.reading import TimeSource
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.store.migrations import LATEST, version
from hub.store.store import DATABASE
from tests.databases.make import MINUTE, VALUES
from tests.store.making import EVER, T0_MS, Time, everything, opened

HERE = Path(__file__).parent
RELEASED = sorted(HERE.glob("v*.db"))


def test_every_released_schema_is_kept() -> None:
    assert [file.stem for file in RELEASED] == [f"v{number}" for number in range(1, LATEST + 1)]


@pytest.mark.parametrize("released", RELEASED, ids=lambda file: file.stem)
async def test_a_released_database_gives_back_what_was_stored(
    released: Path, tmp_path: Path
) -> None:
    shutil.copy(released, tmp_path / DATABASE)
    end = (len(VALUES) - 1) * 10 * MINUTE
    store = await opened(tmp_path, Time(end + 60 * MINUTE))

    items = await everything(store, device="probe", channel="mode")
    late = next(item for item in items if item.value == "late")
    assert (late.observed_ms, late.time_source) == (T0_MS + end - 95 * MINUTE, TimeSource.QUEUED)
    back = [item for item in items if item is not late]
    assert [repr(item.value) for item in back] == [repr(value) for value in VALUES]
    times = [T0_MS + turn * 10 * MINUTE for turn in range(len(VALUES))]
    assert [item.observed_ms for item in back] == [item.until_ms for item in back] == times

    temperature = SeriesKey("probe", "temperature")
    hours = await store.hours(temperature, T0_MS, EVER)
    assert [hour.covered_ms for hour in hours] == [60 * MINUTE, 40 * MINUTE]
    assert hours[0].mean == pytest.approx((40 * 20 + 20 * 21) / 60)
    series = store.live.series[temperature]
    assert (series.value, series.until_ms, series.restored) == (22, T0_MS + end, True)
    assert store.live.heard == {"probe": T0_MS + end, "door": T0_MS + end + MINUTE}
    assert store.known_deliveries() == {77: b"digest77"}
    assert await store.room_steps("gym", 0, EVER) == [
        RoomStep(T0_MS, T0_MS + end + MINUTE, Status.FREE)
    ]  # the second status began in the moment of the stop
    await store.close()
    with sqlite3.connect(tmp_path / DATABASE) as db:
        assert version(db) == LATEST
    db.close()
