"""The long form of the outage tests: InfluxDB 1.6.7 killed again and again while history grows.

    python -m tests.soak.soak_mirror [ROUNDS]

Each round adds changes, kills the server at a random request (half of the time after it stored
it and before the answer), rewinds now and then, and starts it again. In the end every value at
every time must be there, once. A round takes about a second.
"""

from __future__ import annotations

import asyncio
import random
import sys
import tempfile
from pathlib import Path
from typing import Any

from hub.live import Change
from hub.mirror import rules, service
from hub.mirror.lines import LineWriter
from hub.mirror.service import State
from hub.store.outbox import MirrorCursor
from tests.bench.figures import machine
from tests.influxd import TOKEN, Influxd, Shim, new
from tests.mirror.making import CENTRE, NOON_MS, MemorySource, change, until
from tests.mirror.protocol import parse
from tests.mirror.trial import Trial

ROUNDS = 200
CHANGES = 3_000
WITHIN_S = 60.0


async def main(rounds: int) -> None:
    print(f"mirror, {rounds} kills: {machine()}", flush=True)
    rules.BACKOFF_S, service.POLL_S, service.WISH_S = (0.05, 0.2), 0.02, 0.05
    chance = random.Random(7)
    with tempfile.TemporaryDirectory(prefix="soak-mirror-") as name:
        folder = Path(name)
        token_file = folder / "token"
        token_file.write_text(TOKEN)
        with new(folder) as influxd, Shim(influxd) as shim:
            trial = Trial(shim.url, token_file)
            source = trial.source
            running = asyncio.create_task(trial.mirror.run())
            for number in range(rounds):
                source.commits += MemorySource(made(chance, number), commit=100).commits
                await one_round(trial, influxd, shim, chance)
            await until(
                lambda: source.wish is None and source.cursor.commit == len(source.commits),
                WITHIN_S,
            )
            running.cancel()
            await asyncio.wait({running})
            await trial.mirror.close()
            judge(trial, influxd.values("temperature"))


def made(chance: random.Random, number: int) -> list[Change]:
    first = number * CHANGES
    return [
        change(chance.randrange(400) / 10, NOON_MS + (first + at) * 100) for at in range(CHANGES)
    ]


async def one_round(trial: Trial, influxd: Influxd, shim: Shim, chance: random.Random) -> None:
    """A kill, perhaps a rewind, and a start."""
    if chance.random() < 0.3:
        trial.source.wish = MirrorCursor(chance.randrange(trial.source.cursor.commit + 1))
    if chance.random() < 0.5:
        shim.after = {shim.requests + chance.randrange(1, 3): influxd.kill}
    else:
        await asyncio.to_thread(influxd.kill)
    await until(lambda: trial.mirror.state is State.WAITING, WITHIN_S)
    shim.after = {}
    await asyncio.to_thread(influxd.start)
    await until(lambda: trial.mirror.state is not State.WAITING, WITHIN_S)


def judge(trial: Trial, found: dict[int, Any]) -> None:
    history = [item for group, _ in trial.source.commits for item in group]
    lines = LineWriter(CENTRE).lines(history)
    wanted = {point.at_ns: point.fields["value"] for point in map(parse, lines)}
    if found != wanted or trial.source.rejected:
        missing, more = len(wanted.keys() - found.keys()), len(found.keys() - wanted.keys())
        raise SystemExit(f"soak_mirror: {missing} missing, {more} too many, {len(found)} found")
    print(f"{len(found)} points, all there once; {trial.mirror.points} were acknowledged in all")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
