"""Decisions 5 and 6 at the level of the disk: the plug is pulled at 200 moments of a real hub.

Two runs on one folder, recorded under load over MQTT at QoS 1 and 0: one whose clock passes 48
hours in five seconds (checkpoints, hours, sealing), stopped by SIGTERM, and a plain ``linli run``,
killed. Every disk of tests/powercut/disk.py is opened by SQLite and by the hub. The long form is
tests/soak/soak_power_cut.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sqlite3
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest

from hub.store.store import DATABASE
from tests.broker import Broker
from tests.powercut import load
from tests.powercut.cuts import cuts, moments, without_syncs
from tests.powercut.disk import Disk, unpack
from tests.powercut.recorded_hub import RecordedHub, whole
from tests.powercut.recording import command, read
from tests.powercut.trial import Run, assert_complete, judged, replayed

CUTS, SEED = 200, 20261122
HOURS, SECONDS = 48, 5
FIRST, LAST = range(1, 900), range(900, 1_500)
WINDOW = 30
ENOUGH = 540  # messages of the last: some are still on their way, however slow the machine


async def is_loaded(hub: RecordedHub) -> bool:
    return await hub.metric("linli_messages_total") >= ENOUGH


async def recorded(folder: Path) -> tuple[Path, list[Run]]:
    async with Broker(inflight=WINDOW) as broker:
        hub = RecordedHub(folder, load.ROOMS, broker.port, inflight=WINDOW)
        hub.module = ["tests.powercut.quick_hub", str(HOURS), str(SECONDS)]
        async with hub:
            await hub.connected()
            await load.publish(broker.port, FIRST, rate=len(FIRST) / SECONDS)
            await hub.stop()
            hub.module = ["hub.cli", "run"]
            await hub.start()
            await hub.connected()
            await load.publish(broker.port, LAST, rate=1_000)
            await hub.until(partial(is_loaded, hub))
            hub.kill()
            first, second = await hub.recordings()
    return hub.data, [Run(first, HOURS * 3600 / SECONDS), Run(second)]


@pytest.mark.timeout(150)
async def test_the_plug_is_pulled_at_200_moments_and_nothing_promised_is_lost(
    tmp_path: Path,
) -> None:
    root, runs = await recorded(tmp_path)
    disk = replayed(root, runs)
    assert_complete(root, disk)
    for run in runs:
        acknowledged = [p for p in run.duty().promises if p.acknowledged is not None]
        assert len(acknowledged) > 300, "too little load to prove anything"
    syncs = [name for run in runs for name in syncs_of(root, run)]
    assert syncs.count("linli.db") > 2, "the WAL was never moved into the database"
    assert chapters(disk, tmp_path / "seen"), "nothing was sealed"

    verdict = await asyncio.to_thread(judged, root, runs, CUTS, SEED)
    assert verdict.cuts >= CUTS - 2
    assert verdict.failures == []

    # The same hub, had it never synced: the harness must see that.
    careless = await asyncio.to_thread(judged, root, runs[1:], 10, SEED, without_syncs)
    assert len(careless.failures) > 3


def chapters(disk: Disk, folder: Path) -> int:
    """How many chapters were sealed in the end."""
    unpack(disk.seen().items(), folder)
    with contextlib.closing(sqlite3.connect(folder / DATABASE)) as db:
        return int(db.execute("SELECT count(*) FROM chapters").fetchone()[0])


def syncs_of(root: Path, run: Run) -> list[str]:
    disk = Disk(root)
    return [name for call in run.calls if (name := disk.apply(call)) is not None]


TOY = """
import os, sys
folder, is_careful, is_atomic = sys.argv[1], "careful" in sys.argv, "atomic" in sys.argv
for number in range(1, 30):
    name = folder + ("/fresh" if is_atomic else "/counter")
    file = os.open(name, os.O_CREAT | os.O_RDWR | os.O_TRUNC)
    os.write(file, b"%06d" % number * 1000)
    if is_careful:
        os.fsync(file)
    os.close(file)
    if is_atomic:
        os.rename(name, folder + "/counter")
    if is_careful:
        place = os.open(folder, os.O_RDONLY)
        os.fsync(place)
        os.close(place)
    os.write(1, b"%d\\n" % number)
"""


def toy_failures(folder: Path, *how: str) -> int:
    """How many of its disks lack what a small program called saved, or hold half of it."""
    trace, data = folder / "calls", folder / "data"
    data.mkdir()
    program = [sys.executable, "-c", TOY, str(data), *how]
    with subprocess.Popen(command(trace, program), stdout=subprocess.DEVNULL) as toy:
        toy.wait()
    asyncio.run(whole(trace, toy.pid))
    calls, chance, failures = read(trace), random.Random(SEED), 0
    for cut in cuts(Disk(data), calls, moments(calls, data, 100, chance), chance):
        said = [c for c in calls if c.name == "write" and c.arguments[0] == "1"]
        saved = max((int(c.strings[0]) for c in said if c.began < cut.line), default=0)
        with tempfile.TemporaryDirectory() as name:
            unpack(cut.files.items(), Path(name))
            counter = Path(name, "counter")
            text = counter.read_bytes() if counter.exists() else b""
        parts = {text[at : at + 6] for at in range(0, len(text), 6)}
        is_whole = len(text) == 6000 and len(parts) == 1
        failures += not (is_whole and int(text[:6]) >= saved) if saved else 0
    return failures


@pytest.mark.parametrize(
    ("how", "is_safe"),
    [(("careful", "atomic"), True), (("careful",), False), (("atomic",), False), ((), False)],
    ids=["fsync and rename", "overwritten in place", "renamed, never synced", "never synced"],
)
def test_the_harness_tells_a_careful_program_from_a_careless_one(
    tmp_path: Path, how: tuple[str, ...], is_safe: bool
) -> None:
    assert (toy_failures(tmp_path, *how) == 0) is is_safe
