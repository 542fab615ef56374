"""From a sensor's word to ``/api/v1/events``: how many milliseconds.

One process holds both ends, so one monotonic clock times them: it publishes a message at QoS 1
through a real Mosquitto, and reads the hub's event stream until the document with that message's
number arrives. Its own reading counts, so the figure is an upper bound. 300 devices share 200
messages a second in turn; each message is a new value, and a device speaks every 1.5 s, so that
none falls into the 250 ms in which a device's changes are merged: every message must be seen.

The first word of each device makes it known and is not timed, but must be seen as well. It is
measured as the machine is, and again with the cores kept awake.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.awake import cores_awake
from tests.bench.figures import Need, machine, quantile
from tests.bench.publisher import packet
from tests.bench.reference import DEVICES, centre
from tests.broker import Broker
from tests.running_hub import RunningHub

RATE = 200
COUNT = 3_000
SCRATCH = Path.cwd() / ".cache"
P50, P99 = Need(5, "ms"), Need(25, "ms")
NUMBER = re.compile(rb'"illuminance":\{"value":(\d+)')
CONNECT = b"\x10\x13\x00\x04MQTT\x04\x02\x00\x00\x00\x07latency"  # clean session, no keep-alive


@dataclass
class Stream:
    """What the event stream said, and when."""

    port: int
    seen: dict[int, float] = field(default_factory=dict)
    devices: int = 0
    rooms: int = 0
    resets: int = 0
    _writer: asyncio.StreamWriter | None = None

    async def run(self, is_open: asyncio.Event) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n\r\n"
        self._writer.write(head.encode())
        await reader.readuntil(b"\r\n\r\n")
        is_open.set()
        left = b""
        while data := await reader.read(1 << 20):
            now = time.monotonic()
            *events, left = (left + data).split(b"\n\n")
            for event in events:
                self._take(event, now)

    def _take(self, event: bytes, now: float) -> None:
        self.devices += b"event: device\n" in event
        self.rooms += b"event: room\n" in event
        self.resets += b"event: reset\n" in event
        for number in NUMBER.findall(event):
            self.seen.setdefault(int(number), now)


@contextlib.asynccontextmanager
async def connected(port: int) -> AsyncIterator[asyncio.StreamWriter]:
    """A sending MQTT connection; what the broker acknowledges is read and thrown away."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(CONNECT)
    assert (await reader.readexactly(4))[3] == 0, "the broker refused"

    async def forget() -> None:
        while await reader.read(65_536):
            pass

    forgetting = asyncio.create_task(forget())
    try:
        yield writer
    finally:
        forgetting.cancel()
        writer.close()


async def publish(writer: asyncio.StreamWriter, count: int) -> list[float]:
    """When each message was handed to the kernel, at a steady pace."""
    sent: list[float] = []
    begun = time.monotonic()
    for number in range(count):
        await asyncio.sleep(max(begun + number / RATE - time.monotonic(), 0))
        message = packet(number, DEVICES)
        sent.append(time.monotonic())
        writer.write(message)
    return sent


async def measure(folder: Path) -> str:
    """One run: what it gave, in words. Raises SystemExit if an event never came."""
    async with (
        Broker(inflight=1000) as broker,
        RunningHub(folder, centre(), broker.port, 1000) as hub,
        connected(broker.port) as writer,
    ):
        await hub.connected()
        stream, is_open = Stream(hub.port), asyncio.Event()
        listening = asyncio.create_task(stream.run(is_open))
        await is_open.wait()
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        sent = await publish(writer, COUNT)
        rate = COUNT / (time.monotonic() - begun)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(listening), 3)
        listening.cancel()
    missing = COUNT - len(stream.seen)
    if missing or stream.resets:
        raise SystemExit(f"bench_latency: {missing} never seen, {stream.resets} resets")
    late = [(stream.seen[n] - sent[n]) * 1000 for n in range(DEVICES, COUNT)]
    return (
        f"p50 {P50.verdict(quantile(late, 0.5))}, p99 {P99.verdict(quantile(late, 0.99))},"
        f" most {max(late):.1f} ms;\n    {COUNT} messages at {rate:.0f}/s, {missing} missing;"
        f" {stream.devices} device and {stream.rooms} room events"
    )


def run() -> None:
    SCRATCH.mkdir(exist_ok=True)
    print(f"latency, publish to event: {machine()}", flush=True)
    for awake in (False, True):
        with cores_awake(awake), tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
            found = asyncio.run(measure(Path(folder)))
            print(f"{'cores kept awake' if awake else 'as it is'}: {found}", flush=True)


if __name__ == "__main__":
    run()
