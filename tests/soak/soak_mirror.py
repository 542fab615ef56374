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

from hub.mirror import rules, service
from hub.mirror.lines import LineWriter
from hub.mirror.service import State
from hub.store.outbox import MirrorCursor
from tests.bench.figures import machine
from tests.influxd import TOKEN, Shim, new
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
            running = asyncio.create_task(trial.mirror.run())
            source, told = trial.source, 0
            for _ in range(rounds):
                made = [
                    change(chance.randrange(400) / 10, NOON_MS + (told + at) * 100)
                    for at in range(CHANGES)
                ]
                told += CHANGES
                if chance.random() < 0.5:
                    shim.after = {shim.requests + chance.randrange(1, 3): influxd.kill}
                source.commits += MemorySource(made, commit=100).commits
                if chance.random() < 0.3:
                    source.wish = MirrorCursor(chance.randrange(source.cursor.commit + 1))
                if not shim.after:
                    await asyncio.to_thread(influxd.kill)
                await until(lambda: trial.mirror.state is State.WAITING, WITHIN_S)
                shim.after = {}
                await asyncio.to_thread(influxd.start)
                await until(lambda: trial.mirror.state is not State.WAITING, WITHIN_S)
            await until(
                lambda: source.wish is None and source.cursor.commit == len(source.commits),
                WITHIN_S,
            )
            running.cancel()
            await asyncio.wait({running})
            await trial.mirror.close()
            lines = LineWriter(CENTRE).lines(
                [item for group, _ in source.commits for item in group]
            )
            wanted = {point.at_ns: point.fields["value"] for point in map(parse, lines)}
            found = influxd.values("temperature")
    if found != wanted or source.rejected:
        missing, more = len(wanted.keys() - found.keys()), len(found.keys() - wanted.keys())
        raise SystemExit(f"soak_mirror: {missing} missing, {more} too many, {len(found)} found")
    print(f"{len(found)} points, all there once; {trial.mirror.points} were acknowledged in all")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))
