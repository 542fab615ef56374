"""A real hub for which time runs fast: `linli run`, but for where its time comes from.

    python -m tests.flow.hub_in_haste CONFIG DATA SINCE SPEED

Its clock showed true time at SINCE (seconds since 1970) and has run SPEED times faster from then
on, also while the hub was down, so that a restart goes on in the same time. What concerns live
connections runs at true time, as ever.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from edge.clock import Clock
from hub.commands.run import set_up_logging
from hub.run import serve
from hub.settings import load
from tests.running_hub import RunningHub


class HastyHub(RunningHub):
    """Its time runs ``speed`` times faster, also while it is down."""

    def __init__(self, folder: Path, rest: str, broker: int | None, speed: float) -> None:
        super().__init__(folder, rest, broker)
        _, _, _, _, config, _, data = self.command
        fast = [str(time.time()), str(speed)]
        self.command = ["-m", "tests.flow.hub_in_haste", config, data, *fast]


async def main(config: Path, data: Path, since: float, speed: float) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    clock = Clock(true_time=lambda: since + (time.time() - since) * speed)
    await serve(load(config), clock, stop, data=data)


if __name__ == "__main__":
    set_up_logging("info")
    asyncio.run(main(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])))
