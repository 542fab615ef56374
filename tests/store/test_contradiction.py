"""A database whose parts disagree: told in a sentence, like any other damage."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Reading, Report, TimeSource
from hub.store.query import StoreError
from hub.store.store import Store


async def test_a_checkpoint_that_contradicts_the_tables_is_told_as_damage(tmp_path: Path) -> None:
    store = await Store.open(tmp_path, Clock())
    reading = Reading("d", "co2", "", 400, "ppm", Quality.GOOD, "", 1, 1, TimeSource.HUB)
    store.append(store.live.apply(Report("d", (reading,), 1, True)), None, urgent=False)
    await store.close()
    with closing(sqlite3.connect(tmp_path / "linli.db")) as db, db:
        db.execute("DELETE FROM series")
    with pytest.raises(StoreError, match="damaged"):
        await Store.open(tmp_path, Clock())
    with pytest.raises(StoreError, match="damaged"):  # and the folder was let go
        await Store.open(tmp_path, Clock())
