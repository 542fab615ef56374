"""kill -9 at random moments: what was settled is there, in order, once."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time as true_time
from pathlib import Path

from edge.clock import Clock
from hub.store.store import Store
from tests.store.making import everything

KILLS = 8


def write_and_kill(folder: Path, first: int, after_s: float) -> list[tuple[int, int]]:
    """Numbers that were settled before the writer died, with their commits."""
    command = [sys.executable, "-m", "tests.store.killed_writer", str(folder), str(first)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        true_time.sleep(after_s)
        writer.send_signal(signal.SIGKILL)
        lines = [line.split() for line in writer.stdout if line.endswith("\n")]
    return [(int(line[1]), int(line[2])) for line in lines if len(line) == 3]


async def test_what_was_settled_survives_kill_9_in_order_and_once(tmp_path: Path) -> None:
    chance = random.Random()
    first, settled = 1, list[int]()
    for _ in range(KILLS):
        told = write_and_kill(tmp_path, first, chance.uniform(0.02, 0.5))
        settled += [number for number, _ in told]
        store = await Store.open(tmp_path, Clock())
        stored = [int(item.value) for item in await everything(store) if item.value is not None]

        assert stored == sorted(set(stored))
        assert set(settled) <= set(stored)
        # Nothing in between is missing either: a commit holds all that came before it.
        run = [number for number in stored if number >= first]
        assert run == list(range(first, first + len(run)))
        # Whatever was stored and never confirmed is known, should the broker send it again.
        known = store.known_deliveries()
        for number in run:
            assert known[number % 65_535 + 1] == number.to_bytes(8, "big")
        assert all(
            series.restored and series.live_ms is None for series in store.live.series.values()
        )
        first = (stored[-1] if stored else 0) + 1
        await store.close()
    assert len(settled) > 20
