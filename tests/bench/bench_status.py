"""``/api/v1/status`` of 100 rooms: how many a second one core answers, alone and beside messages.

wrk asks a real hub with a token, as a wall of screens would; the hub and a bare uvicorn application
that answers with a constant of the same size run on the same core, so the ratio carries over to
other machines, and so does the CPU a request takes in the hub's process. Meanwhile somebody else
reads along: each sampled answer must be a whole status, and a change must be in the very next one.

Beside 200 messages a second, which the same core takes, judges and stores, the figure is the 99th
percentile of the answers' time while 20 connections ask as fast as they are answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import msgspec
import psutil

from hub.api.documents import StatusDocument
from hub.domain.access import Role
from tests.access.closed_hub import ClosedHub
from tests.bench.figures import Need, machine
from tests.bench.publisher import publish
from tests.bench.reference import DEVICES, ROOMS, centre
from tests.broker import Broker, free_port
from tests.running_hub import READY_WITHIN_S
from tests.serving import executable

CONNECTIONS = 20
FOR_S = 8
RATE = 200
SCRATCH = Path.cwd() / ".cache"
PER_S, P99, OF_LIMIT = Need(3_000, "/s", True), Need(20, "ms"), Need(3, "x bare")
DONE = re.compile(r"(\d+) requests in ([\d.]+)s")
BAD = re.compile(r"(Non-2xx.*|Socket errors.*)")
TAIL = re.compile(r"99%\s+([\d.]+)(us|ms|s)\b")
MS = {"us": 0.001, "ms": 1.0, "s": 1000.0}
BARE = """
import sys, uvicorn
body = b"x" * int(sys.argv[2])
head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})
uvicorn.run(app, port=int(sys.argv[1]), loop="uvloop", http="httptools", ws="none",
            lifespan="off", access_log=False, log_level="warning")
"""


@dataclass(frozen=True)
class Load:
    """What wrk saw, and what it cost the one it asked."""

    answers: int
    took_s: float
    p99_ms: float
    cpu_s: float

    @property
    def per_s(self) -> float:
        return self.answers / self.took_s

    @property
    def cpu_us(self) -> float:
        return self.cpu_s / self.answers * 1e6

    def __str__(self) -> str:
        return f"{self.per_s:.0f}/s, {self.cpu_us:.0f} us CPU each, p99 {self.p99_ms:.1f} ms"


def one_core(pid: int) -> None:
    """The server has one, whoever else there is."""
    os.sched_setaffinity(pid, {0})


async def load(url: str, pid: int, headers: dict[str, str], connections: int) -> Load:
    """
    Raises:
        SystemExit: an answer was no success.
    """
    process = psutil.Process(pid)
    before = process.cpu_times()
    command = [executable("wrk", "wrk"), "-t1", f"-c{connections}", f"-d{FOR_S}s", "--latency"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    running = await asyncio.create_subprocess_exec(*command, url, stdout=subprocess.PIPE)
    said = (await running.communicate())[0].decode()
    after = process.cpu_times()
    if bad := BAD.search(said):
        raise SystemExit(f"bench_status: {bad[1]}")
    done, tail = DONE.search(said), TAIL.search(said)
    assert done, said
    assert tail, said
    cpu_s = after.user + after.system - before.user - before.system
    return Load(int(done[1]), float(done[2]), float(tail[1]) * MS[tail[2]], cpu_s)


@contextlib.contextmanager
def bare(size: int) -> Iterator[tuple[str, int]]:
    """The limit: a server that knows its answer already, whoever asks for what."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", BARE, str(port), str(size)])
    try:
        url, end = f"http://127.0.0.1:{port}/", time.monotonic() + READY_WITHIN_S
        while True:
            with contextlib.suppress(httpx.TransportError):
                assert len(httpx.get(url).content) == size
                break
            assert time.monotonic() < end, "the bare server does not answer"
            time.sleep(0.05)
        one_core(process.pid)
        yield url, process.pid
    finally:
        process.kill()
        process.wait()


@contextlib.asynccontextmanager
async def asked_hub(folder: Path) -> AsyncIterator[tuple[ClosedHub, Broker, dict[str, str]]]:
    """The centre of the benches, and the header of a screen on its wall."""
    async with (
        Broker(inflight=1000) as broker,
        ClosedHub(folder, centre=centre(), broker=broker.port) as hub,
    ):
        headers = {"Authorization": f"Bearer {hub.token('wall', Role.ADMIN)}"}
        await hub.answers(200, "/api/v1/status", **headers)
        hub.client.headers.update(headers)
        one_core(hub.pid)
        yield hub, broker, headers


class Reader:
    """Reads along: whole answers, and the newest."""

    def __init__(self, hub: ClosedHub) -> None:
        self.read = 0
        self.newest = ""
        self._hub = hub

    async def run(self) -> None:
        while True:
            response = await self._hub.client.get("/api/v1/status")
            found = msgspec.json.decode(response.content, type=StatusDocument)
            assert len(found.rooms) == ROOMS, "a room is missing"
            assert found.as_of >= self.newest, "an older status came after a newer one"
            self.newest, self.read = found.as_of, self.read + 1
            await asyncio.sleep(0.05)


async def changes_are_seen(hub: ClosedHub) -> int:
    """What staff say of a room is in the next answer, in every language."""
    seen = 0
    for number in range(1, 21):
        room = f"r{number}"
        said = {"kind": "looked", "people": number % 9 + 1}
        path = f"/api/v1/rooms/{room}/overrides"
        response = await hub.client.post(path, json=said)
        assert response.status_code == 200, response.text
        for lang in ("en", "zh-CN", "zh-TW"):
            rooms = (await hub.get("/api/v1/status", lang=lang))["rooms"]
            found = next(item for item in rooms if item["id"] == room)
            assert found["override"] == response.json()["id"], "the answer is older than the change"
            seen += 1
    return seen


async def measure(folder: Path) -> None:
    async with asked_hub(folder) as (hub, broker, headers):
        status = f"{hub.url}/api/v1/status"
        seen = await changes_are_seen(hub)
        size = len((await hub.client.get(status)).content)
        async with asyncio.TaskGroup() as group:
            reader = Reader(hub)
            reading = group.create_task(reader.run())
            alone = await load(status, hub.pid, headers, CONNECTIONS)
            with bare(size) as (url, pid):
                limit = await load(url, pid, {}, CONNECTIONS)
            reading.cancel()
        print(f"alone: {PER_S.verdict(alone.per_s)}; {alone}; {size / 1024:.0f} KiB a status")
        print(f"  bare uvicorn, same size: {limit}")
        print(f"  CPU an answer: {OF_LIMIT.verdict(alone.cpu_us / limit.cpu_us)}")
        print(f"  {reader.read} answers read along, {seen} changes seen in the next answer")
        await beside_messages(hub, broker, headers)


async def beside_messages(hub: ClosedHub, broker: Broker, headers: dict[str, str]) -> None:
    await hub.connected()
    before = await hub.metric("linli_messages_total")
    count = RATE * (FOR_S + 2)
    async with asyncio.TaskGroup() as group:
        reader = Reader(hub)
        reading = group.create_task(reader.run())
        publishing = group.create_task(publish(broker.port, RATE, count, DEVICES))
        beside = await load(f"{hub.url}/api/v1/status", hub.pid, headers, CONNECTIONS)
        await publishing
        reading.cancel()
    heard = await hub.metric("linli_messages_total") - before
    if heard < count:
        raise SystemExit(f"bench_status: {count - heard:.0f} of {count} messages were not heard")
    print(f"beside {RATE} messages/s: p99 {P99.verdict(beside.p99_ms)}; {beside}")
    print(f"  {reader.read} answers read along, {heard:.0f} messages heard")


def run() -> None:
    SCRATCH.mkdir(exist_ok=True)
    print(f"status of {ROOMS} rooms: {machine()}", flush=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
        asyncio.run(measure(Path(folder)))


if __name__ == "__main__":
    run()
