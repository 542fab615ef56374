"""How many bytes a day of the reference centre writes to the card.

300 devices report temperature, humidity, battery and link quality every 10 s, values that move
slowly; 3,000 door and motion events happen between 7 and 22 o'clock, every second one changes the
status of a room. The clock is injected and advanced message by message, so that commits and
checkpoints fall where they would in real time. The figure is ``write_bytes`` of the process that
does it (``/proc/self/io``: pages the kernel had to write for it), on a real disk.

QoS 1 gives each report a receipt that must be settled; what is settled is confirmed every 30 s,
as the heartbeat does. With the broker's default window of 20 a commit holds ten messages, which
is the price of that window: one hour around noon is played and multiplied.
"""

from __future__ import annotations

import asyncio
import json
import random
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Delivery, Reading, Report, TimeSource
from hub.domain.room import Presence, RoomState, Status
from hub.store.packing import unpack
from hub.store.query import ReadingsQuery
from hub.store.store import DATABASE, Store
from tests.bench.figures import Need, machine
from tests.store.making import catch_up

DEVICES = 300
EVENTS = 3_000
ROOMS = 30
PERIOD_S = 10
DAY_S = 86_400
MIDNIGHT_S = 1_767_225_600
NEED = Need(100, "MB a day")
SCRATCH = Path("/var/tmp")  # tmpfs would count nothing
MOVES = (("temperature", 0.10), ("humidity", 0.15), ("link.quality", 0.30), ("battery", 0.0002))
UNITS = {"temperature": "Cel", "humidity": "%", "link.quality": "1", "battery": "%"}


@dataclass
class Played:
    """What one run did. ``seconds`` is the part of the day that was played."""

    qos: int
    inflight: int
    seconds: int
    written: int = 0
    messages: int = 0
    changes: int = 0
    receipts: int = 0
    settled: int = 0
    commits: int = 0
    rows_read_back: int = 0
    hour_read_back: int = 0
    hour_made: int = 0
    lost: int = 0
    size: int = 0
    cpu_s: float = 0.0


class Receipt:
    def __init__(self, centre: Centre, mid: int) -> None:
        self.delivery: Delivery | None = Delivery(mid, random.randbytes(8))
        self._centre = centre

    def settle(self, commit: int) -> None:
        self._centre.played.settled += 1
        self._centre.last_commit = max(self._centre.last_commit, commit)


class Centre:
    """Sensors that wander, a clock that is pushed, and the store under test."""

    def __init__(self, played: Played, from_s: int) -> None:
        self.played = played
        self.now_s = float(MIDNIGHT_S + from_s)
        self.clock = Clock(true_time=lambda: self.now_s)
        self.last_commit = 0
        self._random = random.Random(7)
        self._values: list[dict[str, float]] = [
            {"temperature": 21.0, "humidity": 48.0, "link.quality": 120, "battery": 90}
            for _ in range(DEVICES)
        ]
        self._flags = [0] * DEVICES

    def report(self, index: int) -> Report:
        values = self._values[index]
        for channel, chance in MOVES:
            if self._random.random() < chance:
                step = 0.1 if channel in ("temperature", "humidity") else 1
                values[channel] = round(values[channel] + self._random.choice((-step, step)), 1)
        return self._made(index, [(c, v, UNITS[c]) for c, v in values.items()])

    def event(self, index: int) -> Report:
        self._flags[index] ^= 1
        channel = "contact" if index % 2 else "motion"
        return self._made(index, [(channel, self._flags[index], "1")])

    def _made(self, index: int, samples: list[tuple[str, float, str]]) -> Report:
        ms, name = int(self.now_s * 1000), f"device-{index}"
        readings = tuple(
            Reading(name, channel, "", value, unit, Quality.GOOD, "", ms, ms, TimeSource.HUB)
            for channel, value, unit in samples
        )
        self.played.messages += 1
        receipt = Receipt(self, self.played.messages % 65_535 + 1) if self.played.qos else None
        self.played.receipts += receipt is not None
        return Report(name, readings, ms, True, receipt)


async def play(played: Played, folder: Path, from_s: int) -> None:
    centre = Centre(played, from_s)
    store = await Store.open(folder, centre.clock, played.inflight)
    chooser = random.Random(11)
    times = sorted(chooser.uniform(7 * 3600, 22 * 3600) for _ in range(EVENTS))
    events = [t for t in times if from_s <= t < from_s + played.seconds]
    next_event, heartbeat = 0, 0.0
    for tick in range(played.seconds * DEVICES // PERIOD_S):
        at = from_s + tick * PERIOD_S / DEVICES
        centre.now_s = MIDNIGHT_S + at
        take(centre, store, centre.report(tick % DEVICES), False)
        while next_event < len(events) and events[next_event] <= at:
            take(centre, store, centre.event(chooser.randrange(DEVICES)), True)
            if next_event % 2:
                store.append_room(room_state(f"room-{chooser.randrange(ROOMS)}", next_event))
            next_event += 1
        if at - heartbeat > 30:
            store.confirmed(centre.last_commit)
            heartbeat = at
        if store.is_due():
            await catch_up(store)
    await store.close()
    played.commits, played.lost = store.commits, store.state().lost


def take(centre: Centre, store: Store, report: Report, urgent: bool) -> None:
    changes = store.live.apply(report)
    centre.played.changes += len(changes)
    noon = (MIDNIGHT_S + 12 * 3600) * 1000
    centre.played.hour_made += len(changes) if noon <= report.received_ms < noon + 600_000 else 0
    if changes:
        store.append(changes, report.receipt, urgent)
    elif report.receipt is not None:
        report.receipt.settle(0)


def room_state(room: str, turn: int) -> RoomState:
    status = Status.FREE if turn % 4 == 1 else Status.IN_USE
    return RoomState(room, status, Presence.UNKNOWN, None, None, None, 0, 0, None, ())


async def read_back(played: Played, folder: Path, centre_clock: Clock) -> None:
    db = sqlite3.connect(folder / DATABASE)
    for (body,) in db.execute("SELECT body FROM log"):
        columns = unpack(body).changes
        played.rows_read_back += len(columns.number) if columns else 0
    db.close()
    noon = (MIDNIGHT_S + 12 * 3600) * 1000
    store = await Store.open(folder, centre_clock)
    cursor: str | None = None
    while True:
        query = ReadingsQuery(noon, noon + 600_000, limit=1000, cursor=cursor)
        page = await store.readings(query)
        played.hour_read_back += len(page.items)
        cursor = page.next
        if cursor is None:
            break
    await store.close()


def child(qos: int, inflight: int, from_s: int, seconds: int) -> None:
    """Play in this process, and print what was done as JSON."""
    played = Played(qos, inflight, seconds)
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="bench-bytes-") as name:
        folder, before = Path(name), written()
        asyncio.run(play(played, folder, from_s))
        played.written = written() - before
        played.cpu_s = time.process_time()
        played.size = (folder / DATABASE).stat().st_size
        end = Clock(true_time=lambda: float(MIDNIGHT_S + from_s + seconds))
        asyncio.run(read_back(played, folder, end))
    print(json.dumps(asdict(played)))


def written() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def measure(qos: int, inflight: int, from_s: int, seconds: int) -> Played:
    arguments = [str(n) for n in (qos, inflight, from_s, seconds)]
    command = [sys.executable, "-m", "tests.bench.bench_bytes", "--child", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    played = Played(**json.loads(done.stdout.splitlines()[-1]))
    problems = [
        played.lost > 0 and "changes were dropped",
        played.settled != played.receipts and "receipts were not settled",
        played.rows_read_back != played.changes and "the log does not hold every change",
        played.hour_read_back != played.hour_made and "a query does not give every change",
        played.commits < played.seconds / 70 and "too few commits",
        played.messages < played.seconds * DEVICES // PERIOD_S and "too few messages",
    ]
    if any(problems):
        raise SystemExit(f"bench_bytes: {[p for p in problems if p]} in {played}")
    return played


def per_day_mb(played: Played) -> float:
    return played.written * DAY_S / played.seconds / 1e6


def text(name: str, played: Played, figure: str) -> str:
    return (
        f"{name}: {figure};\n    {played.messages} messages in {played.seconds / 3600:.0f} h,"
        f" {played.changes} changes, {played.commits} commits, file {played.size / 1e6:.1f} MB,"
        f" {played.cpu_s:.0f} CPU s, {played.lost} lost, all read back"
    )


def run() -> None:
    """Measure three ways of delivery; the need holds for QoS 0."""
    print(f"bytes written: {machine()}", flush=True)
    day = measure(0, 1000, 0, DAY_S)
    print(text("QoS 0", day, NEED.verdict(per_day_mb(day))), flush=True)
    for inflight, from_s, seconds in ((1000, 0, DAY_S), (20, 12 * 3600 - 1800, 3600)):
        played = measure(1, inflight, from_s, seconds)
        figure = f"{per_day_mb(played):.0f} MB a day"
        print(text(f"QoS 1, window {inflight}", played, figure), flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(*(int(argument) for argument in sys.argv[2:6]))
    else:
        run()
