"""Write a small database of the present schema, to be kept beside this file.

    python -m tests.databases.make tests/databases/v1.db

Run it once for each released schema, before the next one changes anything; never again for an
old one. What it stores is what ``test_databases.py`` expects of every file here.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from edge.reading import TimeSource
from hub.domain.room import Status
from hub.store.store import DATABASE
from tests.store.making import Ledger, Time, catch_up, feed, opened, report, room

MINUTE = 60_000
VALUES = (0, 1, -7, 21.4, -0.0, 1e-9, 2**70, "heat", "暖", None, 5e300)


async def write(folder: Path) -> None:
    """One device that says something every 10 minutes, a late reading, a room, a receipt."""
    time, ledger = Time(), Ledger()
    store = await opened(folder, time, inflight=2)
    store.append_room(room("gym", Status.FREE))
    for turn, value in enumerate(VALUES):
        time.ms = turn * 10 * MINUTE
        feed(store, report("probe", time.now, mode=value, temperature=20 + turn // 4))
        await catch_up(store)
    late = report("probe", time.now - 95 * MINUTE, TimeSource.QUEUED, time.now, mode="late")
    feed(store, late)
    time.ms += MINUTE
    store.append_room(room("gym", Status.IN_USE, 4))
    changes = store.live.apply(report("door", time.now, contact=1))
    store.append(changes, ledger.receipt(77, b"digest77"), urgent=True)
    await store.close()


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(write(Path(name)))
        shutil.copy(Path(name) / DATABASE, target)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
