"""No piece of upkeep holds the writer longer than its time, however much there is to do."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from functools import partial
from itertools import count as counter
from pathlib import Path
from typing import Any

import pytest

from edge.reading import TimeSource
from hub.store import slices, upkeep
from hub.store.retention import Keep
from hub.store.slices import in_slice
from hub.store.store import Store
from tests.store.making import EVER, T0_MS, feed, report
from tests.store.test_sealing import HOUR, KEY, asked, count, played

QUEUED = TimeSource.QUEUED


def test_a_slice_ends_when_its_time_is_over() -> None:
    clock = (at * slices.SLICE_S / 3 for at in counter())
    assert list(in_slice(range(100), clock.__next__)) == [0, 1, 2]
    assert list(in_slice(range(2), lambda: 0.0)) == [0, 1]


def test_a_slice_that_has_no_time_does_one_thing_all_the_same() -> None:
    clock = counter(0.0, 1.0)
    assert list(in_slice("ab", clock.__next__)) == ["a"]
    assert list(in_slice("", clock.__next__)) == []


async def watched(store: Store, patch: pytest.MonkeyPatch) -> Counter[str]:
    """How many rows the largest transaction of each kind put in or took away."""
    most: Counter[str] = Counter()
    work = store.work

    async def weighed(purpose: str, operate: Callable[[sqlite3.Connection], Any]) -> Any:
        def one(db: sqlite3.Connection) -> Any:
            before = db.total_changes
            answer = operate(db)
            name = operate.func.__name__ if isinstance(operate, partial) else operate.__name__
            most[name] = max(most[name], db.total_changes - before)
            return answer

        return await work(purpose, one)

    patch.setattr(store, "work", weighed)
    return most


async def test_without_time_each_slice_is_one_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, store = await played(tmp_path, 60, keep=Keep(age_ms=30 * HOUR))
    before = await asked(store)
    monkeypatch.setattr(slices, "SLICE_S", 0.0)
    most = await watched(store, monkeypatch)
    await store.upkeep._seal_all()
    assert count(tmp_path, "chapters") >= 5
    assert (most["add_shelves"], most["delete_sealed"]) == (1, 1)
    assert await asked(store) == before
    await store.upkeep.look()
    assert most["delete_dropped"] == 1
    await store.close()


async def test_a_week_is_packed_before_the_writer_is_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is written of its hours meanwhile is not lost."""
    monkeypatch.setattr(upkeep, "LOOSE_MS", 12 * HOUR)
    monkeypatch.setattr(upkeep, "SETTLED_MS", 6 * HOUR)
    _, store = await played(tmp_path, 40)
    (first, *_) = await store.steps(KEY, T0_MS, EVER)
    (whole, *_) = await store.hours(KEY, T0_MS, EVER)
    work, is_late = store.work, False

    async def late(purpose: str, operate: Callable[[sqlite3.Connection], Any]) -> Any:
        nonlocal is_late
        if purpose == "hours" and not is_late:
            is_late = True
            feed(store, report("d1", first.change.observed_ms + 60_000, QUEUED, temperature=99))
            await store.mend()
            await store._commits.flush()
        return await work(purpose, operate)

    monkeypatch.setattr(store, "work", late)
    await store.upkeep._pack_weeks()
    (found, *_) = await store.hours(KEY, T0_MS, EVER)
    assert is_late
    assert (found.covered_ms, found.high) != (whole.covered_ms, whole.high)
    assert count(tmp_path, "weeks") > 0
    await store.close()
