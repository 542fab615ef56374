"""The real hub on a clock that runs through more than a day in some seconds.

    python -m tests.powercut.quick_hub HOURS SECONDS --config FILE --data FOLDER

It begins so many hours ago and is at true time after so many seconds: what happens once an hour or
a day (checkpoints, hours, sealing) then happens while somebody records. What is done every so many
true seconds or bytes is done sooner, for the same reason; nothing else differs from ``linli run``.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from pathlib import Path

from edge.clock import Clock
from hub.run import serve
from hub.settings import load
from hub.store import upkeep, writer

WAL_BYTES = 300_000
LOOK_S = 0.3


async def main(hours: float, seconds: float, config: Path, data: Path) -> None:
    writer.WAL_BYTES, upkeep.LOOK_S = WAL_BYTES, LOOK_S
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    behind_s = hours * 3600
    clock = Clock(int((time.time() - behind_s) * 1000), speed=1 + behind_s / seconds)
    await serve(load(config), clock, stop, data=data)


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[4]), Path(sys.argv[6])))
