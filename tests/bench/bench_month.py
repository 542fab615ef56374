"""A hub with a month of history: how soon it serves, what it needs, how prompt it stays.

The real hub is started on a month of the reference centre (``month.py`` says what is in it, and
makes it once; it is kept under ``.cache/``). Then one client reads, page after page: months of
single devices, days of all devices, months of single rooms, each for a while and each compared
with what was written. Meanwhile the hub's own histogram of its loop's lag is read, and a second
connection asks ``/healthz`` every 20 ms, which is what another client would feel: it holds the lag,
the answer itself and this program's own delays, and so is an upper bound.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from hub.store.store import DATABASE
from tests.bench.bench_ingest import Memory
from tests.bench.figures import Need, machine, quantile
from tests.bench.month import DAY_S, DAYS, Made, month
from tests.bench.reference import DEVICES, ROOMS, centre
from tests.broker import Broker
from tests.running_hub import RunningHub

CACHE = Path.cwd() / ".cache"
STARTS = 5
READ_S = 15.0  # each kind of reading: 150 looks of the hub at its own lag
START, IDLE, LOADED, LAG = Need(2, "s"), Need(90, "MiB"), Need(120, "MiB"), Need(20, "ms")
NEXT = re.compile(rb'"next":"([^"]+)"\}$')
BUCKET = re.compile(r'^linli_loop_lag_seconds_bucket\{le="([^"]+)"\} (\S+)$', re.MULTILINE)


@dataclass(frozen=True)
class Question:
    """One thing to read to its last page, and how many items it must give."""

    path: str
    parameters: dict[str, str]
    items: int


@dataclass
class Reading:
    """What one kind of reading did."""

    pages: int = 0
    items: int = 0
    wrong: int = 0
    questions: int = 0
    seconds: float = 0.0
    slowest_s: float = 0.0
    felt_ms: list[float] = field(default_factory=list)
    lag: dict[float, float] = field(default_factory=dict)

    def lag_ms(self) -> float:
        """Upper bound of the bucket that holds the 99th percentile of the hub's own lag."""
        total = self.lag[float("inf")]
        assert total >= 100, f"the hub looked at its lag {total} times only"
        return 1000 * next(le for le, count in sorted(self.lag.items()) if count >= 0.99 * total)


def stamp(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat().replace("+00:00", "Z")


def questions(made: Made) -> dict[str, list[Question]]:
    def during(begin_ms: int, end_ms: int, **rest: str) -> dict[str, str]:
        return {"from": stamp(begin_ms), "to": stamp(end_ms), **rest}

    whole = (made.begin_ms, made.end_ms)
    day_ms = DAY_S * 1000
    days = [made.begin_ms + n * day_ms for n in range(DAYS)]
    devices = [
        Question("readings", during(*whole, device=f"d{n}"), made.by_device[n])
        for n in range(DEVICES)
    ]
    by_day = [
        Question("readings", during(at, at + day_ms), made.by_day[n]) for n, at in enumerate(days)
    ]
    rooms = [Question(f"rooms/r{n}/history", during(*whole), made.by_room[n]) for n in range(ROOMS)]
    return {
        "a device's month, pages of 1,000": devices,
        "all devices' day, pages of 1,000": by_day,
        "all devices' day, pages of 10,000": [
            Question(q.path, {**q.parameters, "limit": "10000"}, q.items) for q in by_day
        ],
        "a room's month": rooms,
    }


async def ask(hub: RunningHub, question: Question, done: Reading, end: float) -> bool:
    """Read to the last page, or until the time is over; True if it was read whole."""
    parameters, items = dict(question.parameters), 0
    while time.monotonic() < end:
        begun = time.monotonic()
        answer = await hub.client.get(f"/api/v1/{question.path}", params=parameters)
        done.slowest_s = max(done.slowest_s, time.monotonic() - begun)
        assert answer.status_code == 200, answer.text
        done.pages += 1
        items += answer.content.count(b'{"from":' if "history" in question.path else b'{"device":')
        more = NEXT.search(answer.content)
        if more is None:
            done.items += items
            done.questions += 1
            done.wrong += items != question.items
            return True
        parameters["cursor"] = more[1].decode()
    done.items += items
    return False


async def felt(port: int, found: list[float]) -> None:
    """Ask for ``/healthz`` every 20 ms; milliseconds each answer took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        begun = time.monotonic()
        writer.write(f"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        await reader.readuntil(b'"}')
        found.append((time.monotonic() - begun) * 1000)
        await asyncio.sleep(0.02)


async def lag(hub: RunningHub) -> dict[float, float]:
    text = (await hub.client.get("/metrics")).text
    return {float(le): float(count) for le, count in BUCKET.findall(text)}


async def read(hub: RunningHub, asked: list[Question]) -> Reading:
    """Read for a while, one client, one page after the other."""
    done, before = Reading(), await lag(hub)
    probe = asyncio.create_task(felt(hub.port, done.felt_ms))
    begun = time.monotonic()
    for question in asked * 1000:
        if not await ask(hub, question, done, begun + READ_S):
            break
    done.seconds = time.monotonic() - begun
    probe.cancel()
    after = await lag(hub)
    done.lag = {le: count - before[le] for le, count in after.items()}
    return done


def text(name: str, done: Reading) -> str:
    return (
        f"{name}: loop lag p99 {LAG.verdict(done.lag_ms())} by the hub's histogram,"
        f" of {done.lag[float('inf')]:.0f} looks;\n    /healthz beside it p50"
        f" {quantile(done.felt_ms, 0.5):.1f}, p99 {quantile(done.felt_ms, 0.99):.1f} ms;"
        f" {done.pages / done.seconds:.1f} pages/s, the slowest {done.slowest_s * 1000:.0f} ms;"
        f" {done.pages} pages, {done.items} items, {done.questions} read whole, {done.wrong} wrong"
    )


async def started(folder: Path, kept: Path, port: int) -> AsyncIterator[tuple[RunningHub, float]]:
    """Hubs on copies of the month, one after the other, and the seconds each took to /readyz."""
    for number in range(STARTS):
        place = folder / str(number)
        (place / "data").mkdir(parents=True)
        shutil.copy(kept / DATABASE, place / "data" / DATABASE)
        hub = RunningHub(place, centre(), port, 1000)
        begun = time.monotonic()
        async with hub:
            yield hub, time.monotonic() - begun
        shutil.rmtree(place)


async def measure(folder: Path, kept: Path, made: Made) -> int:
    """Start, idle, read; how many answers were wrong."""
    took, wrong = [], 0
    async with Broker(inflight=1000) as broker:
        async for hub, seconds in started(folder, kept, broker.port):
            took.append(seconds)
            if len(took) < STARTS:
                continue
            await hub.connected()
            await asyncio.sleep(2)
            all_s = ", ".join(f"{s:.2f}" for s in sorted(took))
            print(f"start to /readyz: {START.verdict(quantile(took, 0.5))}, all: {all_s}")
            memory = Memory(hub.pid)
            print(f"memory, idle: {IDLE.verdict(memory.mib())}", flush=True)
            watching = asyncio.create_task(memory.watch())
            for name, asked in questions(made).items():
                done = await read(hub, asked)
                wrong += done.wrong
                print(text(name, done), flush=True)
            watching.cancel()
            print(f"memory, at most while reading: {LOADED.verdict(memory.peak_mib)}")
    return wrong


def run() -> None:
    CACHE.mkdir(exist_ok=True)
    kept, made = month(CACHE)
    print(f"month: {machine()}", flush=True)
    print(
        f"{made.rows} changes and {sum(made.by_room)} statuses of rooms in {made.commits} commits,"
        f" {made.size / 1e6:.0f} MB, {made.lost} lost"
    )
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        wrong = asyncio.run(measure(Path(folder), kept, made))
    if wrong or made.lost:
        raise SystemExit(f"bench_month: {wrong} answers miss items, {made.lost} lost")


if __name__ == "__main__":
    run()
