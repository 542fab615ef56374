"""What rooms given to Home Assistant cost the hub, and whether sensors wait for it.

The reference centre, 100 rooms and 300 devices, takes the same load twice, first without and then
with ``publish:``. Need: nothing missing, at most 1 CPU second more for 10,000 messages at 200/s
(every motion sensor in every room changes its mind all the time, which no centre does), and a hub
that comes back says all its rooms within 2 s.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

import aiomqtt

from tests.bench.bench_ingest import SCRATCH, Load, cpu_s, taken
from tests.bench.figures import Need, machine
from tests.bench.reference import ROOMS, centre
from tests.broker import Broker
from tests.running_hub import RunningHub

LOAD = Load(200, 4_000, 1000)
ON = "publish: {homeassistant: {}}\n"
MORE = Need(1.0, "CPU s more per 10,000")
SAID = Need(2.0, "s until all rooms are said")
WITHIN_S = 30.0


class Field:
    """Counts states; ``online`` is set when the hub has said everything."""

    def __init__(self) -> None:
        self.states = 0
        self.online = asyncio.Event()

    async def run(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic = message.topic.value
            self.states += topic.endswith("/state")
            if topic.endswith("/status") and message.payload == b"online":
                self.online.set()


async def measure(rest: str, folder: Path) -> tuple[float, int, Field, float]:
    """CPU seconds for 10,000 messages, how many are missing, what was said, and when it was."""
    async with (
        Broker(inflight=LOAD.inflight) as broker,
        aiomqtt.Client("127.0.0.1", broker.port) as client,
        RunningHub(folder, rest + centre(), broker.port, LOAD.inflight) as hub,
    ):
        field = Field()
        watching = asyncio.create_task(field.run(client))
        await client.subscribe([("linli/+/rooms/+/state", 1), ("homeassistant/#", 1)])
        await client.subscribe("linli/+/status", 1)
        await hub.connected()
        said_s = 0.0
        if rest:
            hub.kill()
            field.online.clear()
            await hub.start()
            begun = time.monotonic()
            async with asyncio.timeout(WITHIN_S):
                await field.online.wait()
            said_s = time.monotonic() - begun
            await hub.connected()
        field.states = 0
        before = cpu_s(hub.pid)
        await taken(hub, broker.port, LOAD)
        used = cpu_s(hub.pid) - before
        values = {r["value"] for r in await hub.readings(channel="illuminance")}
        watching.cancel()
        return used * 10_000 / LOAD.count, LOAD.count - len(values), field, said_s


async def main() -> None:
    SCRATCH.mkdir(exist_ok=True)
    print(f"field: {machine()}", flush=True)
    found = []
    for rest in ("", ON):
        with tempfile.TemporaryDirectory(dir=SCRATCH) as folder:
            found.append(await measure(rest, Path(folder)))
    (without, lost, _, _), (with_, lost_too, field, said_s) = found
    print(
        f"{LOAD.count} messages at {LOAD.rate}/s, {ROOMS} rooms: {without:.2f} CPU s per 10,000"
        f" without, {with_:.2f} with, {MORE.verdict(with_ - without)}; {field.states} states"
        f" published; {lost} and {lost_too} missing; {SAID.verdict(said_s)}"
    )


if __name__ == "__main__":
    asyncio.run(main())
