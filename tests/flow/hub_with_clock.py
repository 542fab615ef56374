"""A real hub whose machine's clock the test sets: `linli run`, but for where its time comes from.

    python -m tests.flow.hub_with_clock CONFIG DATA WALL

WALL is a file of one float64: by how many seconds this machine's wall clock is wrong. It is mapped
into memory, so that the test sets the clock of a running hub by writing there. Uptime, boot id and
the marker file that says "the time is right now" are the machine's own.
"""

from __future__ import annotations

import asyncio
import mmap
import signal
import struct
import sys
import time
from pathlib import Path

from edge.clock import Clock
from edge.timekeeping import Timekeeper
from hub.commands.run import set_up_logging
from hub.run import serve
from hub.settings import load

WRONG = struct.Struct("<d")


class Wall:
    """A wall clock that can be set."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._memory = mmap.mmap(file.fileno(), WRONG.size)

    def __call__(self) -> float:
        (wrong_s,) = WRONG.unpack(self._memory)
        return time.time() + float(wrong_s)


async def main(config: Path, data: Path, wall: Path) -> None:
    settings = load(config)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock = Clock(true_time=Wall(wall), monotonic=time.monotonic)
    keeper = Timekeeper(settings.clock.trust, settings.clock.marker)
    await serve(settings, clock, stop, data=data, keeper=keeper)


if __name__ == "__main__":
    set_up_logging("info")
    asyncio.run(main(*map(Path, sys.argv[1:])))
