"""A process that stores as fast as it may and says what was settled, until it is killed.

    python -m tests.store.killed_writer FOLDER FIRST

Prints ``settled NUMBER`` for each receipt, unbuffered; the parent believes only what it read.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from edge.clock import Clock
from edge.reading import Delivery
from hub.store.store import Store
from tests.store.making import report


class Shout:
    def __init__(self, number: int) -> None:
        self.delivery: Delivery | None = Delivery(number % 65_535 + 1, number.to_bytes(8, "big"))
        self._number = number

    def settle(self, commit: int) -> None:
        os.write(1, f"settled {self._number} {commit}\n".encode())


async def write(folder: Path, first: int) -> None:
    clock = Clock()
    store = await Store.open(folder, clock, inflight=20)
    os.write(1, b"ready\n")
    for number in range(first, first + 100_000):
        changes = store.live.apply(report(f"d{number % 3}", clock.now_ms(), count=number))
        store.append(changes, Shout(number), urgent=number % 7 == 0)
        await asyncio.sleep(0.0005)


if __name__ == "__main__":
    asyncio.run(write(Path(sys.argv[1]), int(sys.argv[2])))
