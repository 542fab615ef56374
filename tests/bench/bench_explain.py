"""Why was this room what it was? Asked of the reference centre after a long history.

100 rooms and 300 devices (``bench_days.py``) are lived through intake, rooms and store, and sealed
as time goes on; commits and sealing fall where they would in real time. Then random rooms are
asked about at random moments of the whole history, each with a visit and a pause in its day, and
every answer is compared with what was true and with what was said then.

``python -m tests.bench.bench_explain DAYS`` lives so many days; 30 if left out.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Reading, Report, TimeSource
from hub.bus import Bus
from hub.domain.events import RoomChanged
from hub.domain.room import Status
from hub.intake import Intake
from hub.rooms.explained import explained
from hub.rooms.service import RoomsService
from hub.store.store import DATABASE, Store
from tests.bench import bench_days
from tests.bench.bench_days import BEGIN_MS, DAY_MS, FREE_MS, HOUR_MS, IN_USE_MS, MINUTE_MS, ROOMS
from tests.bench.figures import Need, machine, quantile
from tests.store.making import catch_up

DAYS, ASKED = 30, 60
NEED = Need(1, "s")


@dataclass
class Lived:
    """The hub's clock stands where the last message was."""

    folder: Path
    now_ms: int = BEGIN_MS
    reports: int = 0
    clock: Clock = field(init=False)

    def __post_init__(self) -> None:
        self.clock = Clock(true_time=lambda: self.now_ms / 1000)

    async def live(self, days: int) -> Store:
        """So many days, and the time until the last of them is sealed as far as it will be."""
        store, bus = await Store.open(self.folder, self.clock), Bus()
        intake = Intake(self.clock, store.live, store, bus)
        bus.subscribe(RoomChanged, lambda event: store.append_room(event.state))
        place, known = bench_days.centre(), store.live.series.values()
        rooms = RoomsService(place, self.clock, bus, store, known, write=store.past.append)
        upkeep_ms = self.now_ms
        day = sorted(item for number in range(ROOMS) for item in bench_days.said_by_room(number))
        for begun_ms in range(BEGIN_MS, BEGIN_MS + days * DAY_MS, DAY_MS):
            for at_ms, device, value in day:
                self._go_on(rooms, begun_ms + at_ms)
                intake.report(self._report(device, value))
                self.reports += 1
                if store.is_due():
                    await catch_up(store)
                if self.now_ms - upkeep_ms >= HOUR_MS:
                    await store.upkeep.look()
                    upkeep_ms = self.now_ms
        return store

    def _go_on(self, rooms: RoomsService, to_ms: int) -> None:
        """What time alone changes, each at its moment."""
        agenda = rooms.watch.agenda
        while (due_ms := agenda.next_ms) is not None and due_ms <= to_ms:
            self.now_ms = max(due_ms, self.now_ms)
            rooms.watch.advance(self.now_ms)
        self.now_ms = to_ms

    def _report(self, device: str, value: int) -> Report:
        channel = device.rpartition("-")[2]
        said = (self.now_ms, self.now_ms, TimeSource.HUB)
        reading = Reading(device, channel, "", value, "1", Quality.GOOD, "", *said)
        return Report(device, (reading,), self.now_ms, True)


@dataclass
class Figures:
    wall_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    wrong: list[object] = field(default_factory=list)


async def ask(store: Store, days: int) -> Figures:
    """Random rooms, in the middle of their visit or of their pause, on any day."""
    random, found, place = Random(7), Figures(), bench_days.centre()
    for turn in range(ASKED):
        number, day = random.randrange(ROOMS), random.randrange(days)
        at, status = ((IN_USE_MS, Status.IN_USE), (FREE_MS, Status.FREE))[turn % 2]
        at_ms = BEGIN_MS + day * DAY_MS + number * MINUTE_MS + at
        begun, begun_cpu = time.perf_counter(), time.process_time()
        answer = await explained(store, place, f"r{number}", at_ms)
        found.cpu_s.append(time.process_time() - begun_cpu)
        found.wall_s.append(time.perf_counter() - begun)
        state = answer.state
        if state is None or state.status is not status or not answer.agrees or not answer.evidence:
            found.wrong.append((number, day, status, answer))
    return found


async def run(folder: Path, days: int) -> None:
    print(f"explain: {machine()}", flush=True)
    begun = time.monotonic()
    lived = Lived(folder)
    store = await lived.live(days)
    size_mb = (folder / DATABASE).stat().st_size / 1e6
    took_s = time.monotonic() - begun
    print(f"{days} days lived in {took_s:.0f} s: {lived.reports} reports, {size_mb:.1f} MB")
    found = await ask(store, days)
    await store.close()
    if found.wrong or lived.reports * DAYS != bench_days.REPORTS * days:
        raise SystemExit(f"explain: {lived.reports} reports, wrong: {found.wrong[:2]}")
    median, most = quantile(found.wall_s, 0.5), max(found.wall_s)
    print(
        f"one moment of one room: {NEED.verdict(most)} at most, median {median * 1000:.0f} ms,"
        f" CPU {quantile(found.cpu_s, 0.5) * 1000:.0f} ms; {ASKED} moments as they were"
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(run(Path(name), int(sys.argv[1]) if len(sys.argv) > 1 else DAYS))
