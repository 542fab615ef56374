"""Makes a month of history of the reference centre, through the store's own door.

The store under an injected clock takes what 300 devices would have said in 30 days: temperature,
humidity, link quality and battery as they change, and 3,000 door and motion events a day between
7 and 22 o'clock, every second one with a new status of a room. Only changes are handed in, and of
the slow ones only each tenth of the reference day's (bench_bytes), or making it would take an hour;
commits, checkpoints, roll-ups and sealing fall where a real month would have put them, so that all
but the last day lies in sealed chapters.

``python -m tests.bench.month FOLDER`` makes it there, with ``made.json`` beside the database.
"""

from __future__ import annotations

import asyncio
import hashlib
import heapq
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Reading, Report, TimeSource
from hub.domain.room import Presence, RoomState, Status
from hub.store import hours, migrations, packing, planes, sealer, shelf, writer
from hub.store.store import DATABASE, Store
from tests.bench.reference import DEVICES, ROOMS
from tests.store.making import catch_up

DAYS = 30
DAY_S = 86_400
EVENTS = 3_000
THINNED = 10
EVERY_S = {"temperature": 100.0, "humidity": 66.0, "link.quality": 33.0, "battery.level": 50_000.0}
"""Seconds between two changes of one device, before thinning."""
UNITS = {"temperature": "Cel", "humidity": "%", "link.quality": "%", "battery.level": "%"}
FIRST = {"temperature": 21.0, "humidity": 48.0, "link.quality": 60.0, "battery.level": 90.0}
DOOR_OR_MOTION = ("motion", "contact")


@dataclass
class Made:
    """What the month holds, counted on its way in."""

    begin_ms: int
    end_ms: int
    by_device: list[int] = field(default_factory=lambda: [0] * DEVICES)
    by_day: list[int] = field(default_factory=lambda: [0] * DAYS)
    by_room: list[int] = field(default_factory=lambda: [0] * ROOMS)
    commits: int = 0
    lost: int = 0
    size: int = 0

    @property
    def rows(self) -> int:
        return sum(self.by_device)


class Month:
    """The centre's sensors, the pushed clock, and the store that takes what they say."""

    def __init__(self, begin_s: float) -> None:
        self.now_s = begin_s
        self.clock = Clock(true_time=lambda: self.now_s)
        self.made = Made(int(begin_s * 1000), int(begin_s * 1000) + DAYS * DAY_S * 1000)
        self._begin_s = begin_s
        self._random = random.Random(7)
        self._values = {(n, c): FIRST[c] for n in range(DEVICES) for c in FIRST}
        self._flags = [0] * DEVICES
        self._rooms: list[Status | None] = [None] * ROOMS
        self._due = [(begin_s + self._pause(c), n, c) for n in range(DEVICES) for c in FIRST]
        heapq.heapify(self._due)

    def _pause(self, channel: str) -> float:
        return self._random.expovariate(1 / (EVERY_S[channel] * THINNED))

    async def play(self, store: Store, days: int = DAYS) -> None:
        for day in range(days):
            begin = self._begin_s + day * DAY_S
            events = sorted(
                begin + self._random.uniform(7 * 3600, 22 * 3600) for _ in range(EVENTS)
            )
            looked_s = begin
            for turn, event_s in enumerate(events):
                await self._sensors_until(store, event_s)
                self._event(store, turn)
                if event_s - looked_s >= 3600:
                    await store.upkeep.look()
                    looked_s = event_s
            await self._sensors_until(store, begin + DAY_S)
            await store.upkeep.look()
        self.made.commits, self.made.lost = store.commits, store.state().lost

    async def _sensors_until(self, store: Store, end_s: float) -> None:
        while self._due[0][0] < end_s:
            self.now_s, device, channel = self._due[0]
            heapq.heapreplace(self._due, (self.now_s + self._pause(channel), device, channel))
            step = 0.1 if channel in ("temperature", "humidity") else 1
            value = self._values[device, channel] + self._random.choice((-step, step))
            self._values[device, channel] = value = round(min(max(value, 0), 100), 1)
            self._take(store, device, channel, value, UNITS[channel])
            if store.is_due():
                await catch_up(store)
        self.now_s = end_s
        if store.is_due():
            await catch_up(store)

    def _event(self, store: Store, turn: int) -> None:
        device = self._random.randrange(DEVICES)
        self._flags[device] ^= 1
        self._take(store, device, DOOR_OR_MOTION[device % 2], self._flags[device], "1")
        if turn % 2:
            room = self._random.randrange(ROOMS)
            status = Status.IN_USE if self._rooms[room] is Status.FREE else Status.FREE
            self._rooms[room] = status
            name = f"r{room}"
            store.append_room(
                RoomState(name, status, Presence.UNKNOWN, None, None, None, 0, 0, None, ())
            )
            self.made.by_room[room] += 1

    def _take(self, store: Store, device: int, channel: str, value: float, unit: str) -> None:
        ms, name = int(self.now_s * 1000), f"d{device}"
        reading = Reading(name, channel, "", value, unit, Quality.GOOD, "", ms, ms, TimeSource.HUB)
        changes = store.live.apply(Report(name, (reading,), ms, True))
        if changes:
            store.append(changes, None, channel in DOOR_OR_MOTION)
        self.made.by_device[device] += len(changes)
        self.made.by_day[(ms - self.made.begin_ms) // (DAY_S * 1000)] += len(changes)


async def make(folder: Path) -> None:
    """Write the database and ``made.json`` into a folder."""
    month = Month(int(time.time()) - DAYS * DAY_S)
    store = await Store.open(folder, month.clock, 1000)
    await month.play(store)
    await store.close()
    month.made.size = (folder / DATABASE).stat().st_size
    (folder / "made.json").write_text(json.dumps(asdict(month.made)), encoding="utf-8")


def month(cache: Path) -> tuple[Path, Made]:
    """The month, made now or taken from the cache; a new form of the store makes a new one."""
    forms = (hours, migrations, packing, planes, sealer, shelf, writer)
    code = [Path(str(module.__file__)).read_bytes() for module in forms]
    code.append(Path(__file__).read_bytes())
    folder = cache / f"month-{hashlib.sha256(b''.join(code)).hexdigest()[:12]}"
    if not (folder / "made.json").exists():
        for old in cache.glob("month-*"):
            shutil.rmtree(old)
        memory = Path("/dev/shm")
        with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else cache) as making:
            command = [sys.executable, "-m", "tests.bench.month", making]
            subprocess.run(command, check=True)
            half = folder.with_name(f"half-{os.getpid()}")
            shutil.copytree(making, half)
            half.rename(folder)
    return folder, Made(**json.loads((folder / "made.json").read_text(encoding="utf-8")))


if __name__ == "__main__":
    asyncio.run(make(Path(sys.argv[1])))
