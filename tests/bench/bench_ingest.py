"""CPU, memory and rate of the whole path: broker to committed row, live state and event stream.

Need: a centre of 300 devices on a Raspberry Pi, whose core does a third of this machine's. Limits:
at most 1.5 CPU seconds for 10,000 QoS 1 messages at 2,000/s and 3.5 at 200/s, 8,000/s sustained
with nothing lost, 90 MiB of memory idle and 120 under load. A ratio to a bare paho loop that only
parses JSON is measured in the same run.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.bench.reference import DEVICES, centre
from tests.broker import Broker
from tests.running_hub import RunningHub

MIB = 1024 * 1024
ASK_EVERY_S = 0.25  # seldom: each question costs the hub a millisecond of what is measured


@dataclass
class Load:
    rate: int
    count: int
    inflight: int


@dataclass
class Figure:
    load: Load
    cpu_per_10k: float
    floor_per_10k: float
    rate: float
    rss_mib: float
    idle_mib: float
    events: int
    commits: int
    missing: int
    doubled: int


def cpu_s(pid: int) -> float:
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


async def publish(port: int, load: Load) -> float:
    """Seconds the load took."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.publisher",
        str(port), str(load.rate), str(load.count), str(DEVICES),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, _ = await process.communicate()
    assert process.returncode == 0, "the load itself failed"
    return float(output)


class Listener:
    """One client of the event stream that only counts."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.events = 0

    async def run(self) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        host = f"127.0.0.1:{self._port}"
        writer.write(f"GET /api/v1/events HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        while data := await reader.read(1 << 20):
            self.events += data.count(b"\nevent: ")


async def measure(load: Load, folder: Path) -> Figure:
    """One load through a real broker into a real hub, read back and compared."""
    config = ["max_queued_messages 200000"]
    async with (
        Broker(inflight=load.inflight, config=config) as broker,
        RunningHub(folder, centre(), broker.port, load.inflight) as hub,
    ):
        await hub.connected()
        process = psutil.Process(hub.pid)
        idle = process.memory_info().rss / MIB
        listener = Listener(hub.port)
        listening = asyncio.create_task(listener.run())
        await asyncio.sleep(0.5)
        before, begun = cpu_s(hub.pid), time.monotonic()
        await publish(broker.port, load)

        async def all_taken() -> bool:
            return await counter(hub, "linli_messages_total") >= load.count

        await hub.until(all_taken, 120, ASK_EVERY_S)
        took = time.monotonic() - begun

        async def all_committed() -> bool:
            return await counter(hub, "linli_storage_in_memory") == 0

        await hub.until(all_committed, 90, ASK_EVERY_S)
        used = cpu_s(hub.pid) - before
        rss = process.memory_info().rss / MIB
        commits = int(await counter(hub, "linli_storage_commits_total"))
        listening.cancel()
        numbers = sorted([r["value"] for r in await hub.readings(channel="illuminance")])
        floor = await bare_loop(broker.port, load)
        return Figure(
            load,
            used * 10_000 / load.count,
            floor * 10_000 / load.count,
            load.count / took,
            rss,
            idle,
            listener.events,
            commits,
            load.count - len(set(numbers)),
            len(numbers) - len(set(numbers)),
        )


async def counter(hub: RunningHub, name: str) -> float:
    text = (await hub.client.get("/metrics")).text
    line = next((line for line in text.splitlines() if line.startswith(f"{name} ")), None)
    assert line is not None, f"no metric {name}"
    return float(line.split()[1])


async def bare_loop(port: int, load: Load) -> float:
    """CPU seconds of a process that only receives the same load and parses its JSON."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.bare_paho", str(port), str(load.count),
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    await publish(port, load)
    return float(await process.stdout.readline())


async def main(loads: list[Load]) -> list[Figure]:
    figures = []
    for load in loads:
        with tempfile.TemporaryDirectory(dir=Path.cwd() / ".cache") as folder:
            figures.append(await measure(load, Path(folder)))
            print(line(figures[-1]), flush=True)
    return figures


def line(f: Figure) -> str:
    offered = f"{f.load.rate}/s" if f.load.rate else "all at once"
    return (
        f"{offered:>12}, window {f.load.inflight:>4}: {f.cpu_per_10k:5.2f} CPU s per 10,000"
        f" ({f.cpu_per_10k / f.floor_per_10k:4.1f} x bare paho), {f.rate:6.0f}/s,"
        f" {f.idle_mib:.0f} MiB idle, {f.rss_mib:.0f} MiB after, {f.events} events,"
        f" {f.commits} commits, {f.missing} missing, {f.doubled} doubled"
    )


LOADS = [
    Load(2_000, 40_000, 1000),
    Load(200, 4_000, 1000),
    Load(2_000, 40_000, 20),
    Load(200, 4_000, 20),
    Load(0, 100_000, 1000),
]


def run() -> dict[str, Any]:
    (Path.cwd() / ".cache").mkdir(exist_ok=True)
    figures = asyncio.run(main(LOADS))
    for figure in figures:
        assert figure.missing == figure.doubled == 0, "work is missing"
    return {"ingest": figures}


if __name__ == "__main__":
    LOADS[:] = [LOADS[int(n)] for n in sys.argv[1:]] or LOADS
    run()
