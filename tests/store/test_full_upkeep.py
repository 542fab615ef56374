"""A disk that is full while the history is sealed, packed and deleted: told once, and it heals."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from hub.store import upkeep
from hub.store.retention import Keep
from hub.store.store import Store
from tests.store.making import EVER, T0_MS, everything, opened
from tests.store.test_damage import HOUR, KEY, kept, played
from tests.store.test_failing_disk import disk, fill

__all__ = ["disk"]  # a fixture


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "Upkeep of the history" in r.getMessage()]


async def looked(store: Store, times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The upkeep as the hub runs it, without the minutes between."""
    rounds, enough = 0, asyncio.Event()

    async def at_once(_: float) -> None:
        nonlocal rounds
        rounds += 1
        if rounds >= times:
            enough.set()
            await asyncio.Event().wait()

    with monkeypatch.context() as patch:
        patch.setattr(asyncio, "sleep", at_once)
        task = asyncio.create_task(store.upkeep.run())
        await enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_upkeep_waits_for_room_and_loses_nothing(
    disk: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "LOOSE_MS", 12 * HOUR)
    monkeypatch.setattr(upkeep, "SETTLED_MS", 6 * HOUR)
    time, store = await played(disk, 40)
    whole, hours = await everything(store), await store.hours(KEY, T0_MS, EVER)
    ballast = fill(disk)
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        await looked(store, 3, monkeypatch)
    assert {line.split(")")[0].split("(")[1] for line in told(caplog)} >= {"seal_all", "pack_weeks"}
    assert len(told(caplog)) == len(set(told(caplog))), "each once, not each minute"
    assert kept(disk, "SELECT count(*) FROM chapters") == [(0,)]
    assert await everything(store) == whole
    assert await store.hours(KEY, T0_MS, EVER) == hours

    ballast.unlink()
    await looked(store, 1, monkeypatch)
    ((chapters,),) = kept(disk, "SELECT count(*) FROM chapters")
    assert chapters >= 2
    found = await everything(store)
    assert [(i.value, i.observed_ms, i.until_ms) for i in found] == [
        (i.value, i.observed_ms, i.until_ms) for i in whole
    ]
    await store.close()

    store = await opened(disk, time, keep=Keep(age_ms=30 * HOUR))
    ballast = fill(disk)
    await looked(store, 2, monkeypatch)
    ballast.unlink()
    await looked(store, 1, monkeypatch)
    ((left,),) = kept(disk, "SELECT count(*) FROM chapters")
    assert left < chapters
    counted = await store.hours(KEY, T0_MS, EVER)
    assert [(h.from_ms, h.covered_ms) for h in counted] == [
        (h.from_ms, h.covered_ms) for h in hours
    ]
    await store.close()
