"""The long form of tests/flow/test_power_cut.py: 2,000 cuts, kill -9 in between, cuts after cuts.

    python -m tests.soak.soak_power_cut [--cuts N] [--seed N]

1. One folder through six starts: a clock that passes five days in 20 s, stopped by SIGTERM, then
   five plain ones under load, killed at random moments. 1,800 cuts.
2. Ten of the disks that came of it are given to a hub again, which is recorded in turn, killed and
   cut at 20 moments: what it repaired must not be lost by the next cut.

Takes half an hour on two cores. Fails, and says which cuts, if anything that was promised is lost.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tests.broker import Broker
from tests.powercut import load
from tests.powercut.cuts import Cut, cuts, moments
from tests.powercut.disk import unpack
from tests.powercut.recorded_hub import RecordedHub
from tests.powercut.trial import Run, Verdict, assert_complete, judged, replayed

HOURS, SECONDS = 120, 20
KILLED = 5
LONG, SHORT = 6_000, 1_500  # messages of the first start, and of each other one
AGAIN = 10
WINDOW = 50


async def first_life(folder: Path, chance: random.Random) -> tuple[Path, list[Run]]:
    """Six starts on one folder."""
    async with Broker(inflight=WINDOW) as broker:
        hub = RecordedHub(folder, load.ROOMS, broker.port, inflight=WINDOW)
        hub.module = ["tests.powercut.quick_hub", str(HOURS), str(SECONDS)]
        async with hub:
            await hub.connected()
            await load.publish(broker.port, range(1, LONG), rate=LONG / SECONDS)
            await hub.stop()
            hub.module = ["hub.cli", "run"]
            for start in range(KILLED):
                await hub.start()
                begin = LONG + start * SHORT
                numbers = range(begin, begin + SHORT)
                sending = asyncio.create_task(load.publish(broker.port, numbers, rate=500))
                await asyncio.sleep(chance.uniform(0.5, 4.0))  # any moment of the load will do
                hub.kill()
                await sending
            recordings = await hub.recordings()
    first, *others = recordings
    return hub.data, [Run(first, HOURS * 3600 / SECONDS), *(Run(calls) for calls in others)]


async def next_life(folder: Path, files: dict[str, bytes], begin: int) -> tuple[Path, list[Run]]:
    """A hub on a disk that was cut off."""
    async with Broker(inflight=WINDOW) as broker:
        hub = RecordedHub(folder, load.ROOMS, broker.port, inflight=WINDOW)
        unpack(files.items(), hub.data)
        async with hub:
            await hub.connected()
            await load.publish(broker.port, range(begin, begin + SHORT), rate=1_000)
            hub.kill()
            recordings = await hub.recordings()
    return hub.data, [Run(calls) for calls in recordings]


def some_cuts(root: Path, runs: Sequence[Run], chance: random.Random) -> list[Cut]:
    """Disks of the last start, for another life."""
    disk, last = replayed(root, runs[:-1]), runs[-1].calls
    return list(cuts(disk, last, moments(last, root, AGAIN, chance)[:AGAIN], chance))


def tell(name: str, verdict: Verdict, began: float) -> int:
    print(
        f"{name}: {verdict.cuts} cuts, {len(verdict.failures)} failures, "
        f"{time.monotonic() - began:.0f} s",
        flush=True,
    )
    for failure in verdict.failures[:20]:
        print(f"    {failure[:300]}")
    return len(verdict.failures)


def main() -> int:
    parser = argparse.ArgumentParser(description="Cut the power of a recorded hub, many times.")
    parser.add_argument("--cuts", type=int, default=2_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    arguments = parser.parse_args()
    chance, began = random.Random(arguments.seed), time.monotonic()
    print(f"power cuts, seed {arguments.seed}")
    with tempfile.TemporaryDirectory(prefix="linli-cuts-") as name:
        root, runs = asyncio.run(first_life(Path(name), chance))
        assert_complete(root, replayed(root, runs))
        verdict = judged(root, runs, arguments.cuts * 9 // 10, arguments.seed)
        failures = tell("six starts", verdict, began)
        total = verdict.cuts
        for number, cut in enumerate(some_cuts(root, runs, chance)):
            with tempfile.TemporaryDirectory(prefix="linli-again-") as again:
                begin = LONG + (KILLED + 1 + number) * SHORT
                place, lives = asyncio.run(next_life(Path(again), cut.files, begin))
                assert_complete(place, replayed(place, lives, cut.files))
                share = arguments.cuts // 10 // AGAIN
                verdict = judged(place, lives, share, arguments.seed, first=cut.files)
                failures += tell(f"again, from call {cut.calls}", verdict, began)
                total += verdict.cuts
    print(f"{total} cuts, {failures} failures")
    return 1 if failures or total < arguments.cuts * 9 // 10 else 0


if __name__ == "__main__":
    sys.exit(main())
