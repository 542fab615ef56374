"""``/api/v1/events``: what 200 clients cost, how soon each of them hears of a change, and what one
that stops reading does to the others.

A real hub of 100 rooms, asked with a token. Its memory is looked at before the clients come and
when all are there and have heard changes. A change is what staff say of a room: the time runs from
before the request to each client's own reading of the event, in one process with one clock, so it
is an upper bound. Then a tenth of the clients stop reading while 200 messages a second go by: the
memory must stay bounded, and the others must hear as soon as before.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import uvloop

from hub.domain.access import Role
from tests.access.closed_hub import ClosedHub
from tests.bench.figures import Need, machine, quantile
from tests.bench.publisher import publish
from tests.bench.reference import DEVICES, ROOMS, centre
from tests.broker import Broker

CLIENTS = 200
SLOW = 20
CHANGES = 40
APART_S = 0.1
RATE = 200
FOR_S = 15
SCRATCH = Path.cwd() / ".cache"
MEMORY, P99, SLOW_MEMORY = Need(60, "MiB"), Need(300, "ms"), Need(60, "MiB")
OVERRIDE = re.compile(rb'"override":(\d+)')


@dataclass
class Client:
    """One stream, and when it heard of each change."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    seen: dict[int, float] = field(default_factory=dict)
    events: int = 0
    resets: int = 0

    async def read(self) -> None:
        """Little is done with each event: 200 readers share a process with the clock."""
        left = b""
        while data := await self.reader.read(1 << 16):
            now = time.monotonic()
            whole, _, left = (left + data).rpartition(b"\n\n")
            self.events += whole.count(b"id: ")
            self.resets += whole.count(b"event: reset")
            for number in OVERRIDE.findall(whole):
                self.seen.setdefault(int(number), now)


async def connect(hub: ClosedHub, token: str) -> Client:
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    head = f"GET /api/v1/events?lang=en HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\n"
    writer.write(f"{head}Authorization: Bearer {token}\r\n\r\n".encode())
    status = await reader.readuntil(b"\r\n\r\n")
    assert status.startswith(b"HTTP/1.1 200"), status
    return Client(reader, writer)


def resident_mib(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 2**20


async def change(hub: ClosedHub, number: int) -> tuple[int, float]:
    """What somebody saw in a room: its number, and when he began to say it."""
    begun = time.monotonic()
    path = f"/api/v1/rooms/r{number % ROOMS}/overrides"
    response = await hub.client.post(path, json={"kind": "looked", "people": number % 9 + 1})
    assert response.status_code == 200, response.text
    return int(response.json()["id"]), begun


async def changes(hub: ClosedHub, clients: list[Client], first: int) -> list[float]:
    """How late each client heard of each change, in ms.

    Raises:
        SystemExit: one never heard.
    """
    told = []
    for number in range(first, first + CHANGES):
        told.append(await change(hub, number))
        await asyncio.sleep(APART_S)
    await asyncio.sleep(1)
    missing = sum(number not in client.seen for number, _ in told for client in clients)
    if missing:
        raise SystemExit(f"bench_sse: {missing} of {len(told) * len(clients)} never heard")
    return [(client.seen[number] - begun) * 1000 for number, begun in told for client in clients]


async def measure(folder: Path) -> None:
    async with (
        Broker(inflight=1000) as broker,
        ClosedHub(folder, centre=centre(), broker=broker.port) as hub,
    ):
        token = hub.token("program", Role.STAFF)
        hub.client.headers["Authorization"] = f"Bearer {token}"
        await hub.answers(200, "/api/v1/status")
        await hub.connected()
        await publish(broker.port, RATE, 4 * DEVICES, DEVICES)  # what it keeps of devices is there
        before = resident_mib(hub.pid)
        clients = [await connect(hub, token) for _ in range(CLIENTS)]
        reading = {client.writer: asyncio.create_task(client.read()) for client in clients}
        late = await changes(hub, clients, 0)
        grown = resident_mib(hub.pid) - before
        print(f"{CLIENTS} clients: {MEMORY.verdict(grown)} more ({before:.0f} before)")
        print(f"  a change at every client: p99 {P99.verdict(quantile(late, 0.99))},", end=" ")
        print(f"p50 {quantile(late, 0.5):.1f} ms, most {max(late):.1f} ms, {len(late)} heard")
        await with_slow_ones(hub, broker, clients, reading)
        for client in clients:
            client.writer.close()


async def with_slow_ones(
    hub: ClosedHub,
    broker: Broker,
    clients: list[Client],
    reading: dict[asyncio.StreamWriter, asyncio.Task[None]],
) -> None:
    """Some stop reading; for the others nothing changes."""
    slow, others = clients[:SLOW], clients[SLOW:]
    for client in slow:
        reading[client.writer].cancel()
    before, cpu = resident_mib(hub.pid), psutil.Process(hub.pid).cpu_times()
    events = sum(client.events for client in others)
    words = map(str, (broker.port, RATE, RATE * FOR_S, DEVICES))
    publisher = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.publisher", *words, stdout=subprocess.DEVNULL
    )
    late = await changes(hub, others, CHANGES)
    assert await publisher.wait() == 0, "the publisher failed"
    await asyncio.sleep(1)
    after = psutil.Process(hub.pid).cpu_times()
    spent = after.user + after.system - cpu.user - cpu.system
    sent = sum(client.events for client in others) - events
    grown = resident_mib(hub.pid) - before
    print(f"{SLOW} of them stop reading, {RATE} messages/s: {SLOW_MEMORY.verdict(grown)} more")
    print(f"  a change at every other client: p99 {P99.verdict(quantile(late, 0.99))},", end=" ")
    print(f"{sum(client.resets for client in others)} resets")
    print(f"  {sent} events sent, {spent / sent * 1e6:.0f} us CPU of the hub for each, all in all")


def run() -> None:
    SCRATCH.mkdir(exist_ok=True)
    print(f"event stream: {machine()}", flush=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        uvloop.run(measure(Path(folder)))


if __name__ == "__main__":
    run()
