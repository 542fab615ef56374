"""A full or read-only disk: live state goes on, it is said once, and writing resumes by itself."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub.domain.views import StorageState
from hub.store import commits, writer
from hub.store.store import Store
from tests.store.making import Ledger, Time, catch_up, everything, feed, opened, report

SMALL = "size=2m"
HOURS = 40 * 24


def mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no small disk to fill: mount says {done.stderr.strip()}")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount("-t", "tmpfs", "-o", SMALL, "tmpfs", str(folder))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commits, "BACKOFF_S", (0.01, 0.05))


async def until(store: Store, failing: bool) -> None:
    """Wait for the loss, or for the recovery and all that waited for it."""
    async with asyncio.timeout(10):
        while (store.state().failing_since_ms is not None) is not failing or (
            not failing and store.is_due()
        ):
            store.look()
            await asyncio.sleep(0.01)


def fill(disk: Path) -> Path:
    """Take the last byte of a disk; remove the file to give it back."""
    ballast = disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)):
            pass
    return ballast


def keep(store: Store, time: Time, ledger: Ledger, number: int) -> None:
    """One urgent message with a receipt: 4 KB that do not pack, more than a page has left."""
    time.ms += 1_000
    noise = random.Random(number).randbytes(4096).hex()
    changes = store.live.apply(report("d", time.now, text=f"{number} {noise}"))
    store.append(changes, ledger.receipt(number), urgent=True)


async def numbers(store: Store) -> list[int]:
    return [int(str(item.value).split()[0]) for item in await everything(store)]


async def test_a_full_disk_is_said_once_and_loses_nothing(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    time, ledger, heard = Time(), Ledger(), list[StorageState]()
    store = await opened(disk, time, inflight=6)
    store.on_storage = heard.append
    for number in range(3):
        keep(store, time, ledger, number)
    await catch_up(store)
    assert ledger.numbers() == [0, 1, 2]

    ballast = fill(disk)
    for number in range(3, 30):
        keep(store, time, ledger, number)
    await until(store, failing=True)
    await asyncio.sleep(0.3)  # several attempts later
    assert str(store.live.by_device["d"][0].value).startswith("29 ")
    assert store.state().in_memory == 27
    assert await numbers(store) == list(range(30))
    # Half of the window stays unsettled; the rest went on, oldest first, unsaved.
    assert ledger.settled[3:] == [(number, 0) for number in range(3, 27)]

    ballast.unlink()
    await until(store, failing=False)
    assert ledger.numbers() == list(range(30))
    assert all(commit > 0 for _, commit in ledger.settled[27:])
    assert (store.state().in_memory, store.state().lost) == (0, 0)
    assert [state.failing_since_ms is None for state in heard] == [False, True]
    said = [r.getMessage() for r in caplog.records if r.name.startswith("hub.store")]
    assert [line[:24] for line in said] == ["The history cannot be wr", "The history is written a"]
    await store.close()

    store = await opened(disk, time)
    assert await numbers(store) == list(range(30))
    await store.close()


async def test_a_hub_starts_on_a_read_only_disk_with_what_it_knew(disk: Path) -> None:
    time = Time()
    store = await opened(disk, time)
    feed(store, report("d", time.now, contact=1))
    await store.close()
    mount("-o", "remount,ro", str(disk))

    time.ms += 60_000
    store = await opened(disk, time)
    assert store.state().failing_since_ms is not None
    assert store.live.by_device["d"][0].value == 1
    feed(store, report("d", time.now, contact=0), urgent=True)
    assert [item.value for item in await everything(store)] == [1, 0]
    mount("-o", "remount,rw", str(disk))
    await until(store, failing=False)
    await store.close()
    store = await opened(disk, time)
    assert [item.value for item in await everything(store)] == [1, 0]
    await store.close()


async def test_beyond_the_bound_the_oldest_are_dropped_and_counted(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commits, "MAX_WAITING", 100)
    monkeypatch.setattr(commits, "MAX_GROUP", 10)
    time, ledger = Time(), Ledger()
    store = await opened(disk, time)
    ballast = fill(disk)
    for number in range(305):
        keep(store, time, ledger, number)
    await until(store, failing=True)
    state = store.state()
    assert state.lost >= 200
    assert state.lost + state.in_memory == 305
    ballast.unlink()
    await until(store, failing=False)
    await store.close()
    store = await opened(disk, time)
    left = await numbers(store)
    assert len(left) == 305 - state.lost
    assert left == list(range(state.lost, 305))
    await store.close()


async def test_a_disk_that_is_nearly_full_loses_its_oldest_readings_and_goes_on(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WAL_COMMITS", 20)
    time, chance = Time(), random.Random(1)
    store = await opened(disk, time)
    for turn in range(HOURS):
        time.ms += 3_600_000
        text = chance.randbytes(3_000).hex()  # 40 days of it are more than the disk holds
        feed(store, report("d", time.now, temperature=turn, mode=text))
        await catch_up(store)
        if turn % 6 == 0:
            await store.upkeep.look()
            assert store.state() == StorageState(), "it deleted in time"
    kept = [item.value for item in await everything(store, channel="temperature")]
    assert kept == list(range(HOURS - len(kept), HOURS))
    assert 30 < len(kept) < HOURS - 24
    await store.close()
