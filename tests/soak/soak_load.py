"""Hours of mixed load on the real hub with a real broker, and every fault we can make.

    python -m tests.soak.soak_load [MINUTES]      (120 where nothing is said)

A publisher sends numbered messages at QoS 1, now a trickle, now a flood. Meanwhile the hub is
killed, stopped and started; the broker is stopped and started (it keeps its queue on disk, as a
broker set up for us does); the disk is filled to the last byte and freed again (root only: a small
disk is mounted). Full disk and kill -9 never overlap: what a hub settles unsaved on a full disk is
lost with it, and hub/store/store.py says so.

At the end everything the broker acknowledged is read back through the API; values and their order
are compared device by device. Anything lost, doubled or out of order fails. Memory, the loop's lag
and the size of the database are printed as they go.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import aiomqtt
import httpx

from tests.bench.bench_ingest import Memory
from tests.bench.figures import Need, machine, quantile
from tests.broker import Broker
from tests.flow.test_full_disk import fill
from tests.running_hub import RunningHub

DEVICES = 30
MINUTES = 120.0
SEED = 20261122
WINDOW = 1_000
RATES = (5, 50, 200, 600)  # messages a second, a while each
LOOK_S = 5.0
QUIET_S = 180.0  # within which everything must have arrived at the end
DISK = "512m"
LAG, RISE = Need(50, "ms"), Need(40, "MiB")
SCRATCH = Path.cwd() / ".cache"


def centre() -> str:
    devices = (
        f"  - {{id: light{n}, driver: zigbee2mqtt, room: gym,"
        f" link: {{mqtt: zigbee2mqtt/light{n}}}}}"
        for n in range(DEVICES)
    )
    head = ("rooms:", "  - {id: gym, name: {en: Gym}, floor: 4, kind: gym}", "devices:")
    return "\n".join((*head, *devices)) + "\n"


class Load:
    """Sends numbers and remembers which the broker acknowledged; a number is sent until it is."""

    def __init__(self, port: int, chance: random.Random) -> None:
        self._port = port
        self._chance = chance
        self.sent = 0
        self.rate = 0
        self.again = 0

    async def run(self, end: float) -> None:
        while time.monotonic() < end:
            self.rate = self._chance.choice(RATES)
            until = min(end, time.monotonic() + self._chance.uniform(5, 20))
            try:
                async with aiomqtt.Client("127.0.0.1", self._port) as client:
                    await self._send(client, until)
            except aiomqtt.MqttError:
                self.again += 1  # the broker is away
                await asyncio.sleep(0.5)

    async def _send(self, client: aiomqtt.Client, until: float) -> None:
        begun, first = time.monotonic(), self.sent
        while time.monotonic() < until:
            await self._one(client, self.sent)
            self.sent += 1
            ahead = (self.sent - first) / self.rate - (time.monotonic() - begun)
            if ahead > 0:
                await asyncio.sleep(ahead)

    async def _one(self, client: aiomqtt.Client, number: int) -> None:
        """Acknowledged, or an error; then the same number is sent again and is no change."""
        body = b'{"illuminance":%d,"linkquality":%d}' % (number, number % 200)
        await client.publish(f"zigbee2mqtt/light{number % DEVICES}", body, qos=1, timeout=20)


class Faults:
    """What goes wrong, one thing at a time."""

    def __init__(
        self, hub: RunningHub, broker: Broker, load: Load, chance: random.Random, can_fill: bool
    ) -> None:
        self.count: Counter[str] = Counter()
        self.lock = asyncio.Lock()
        """Held while the hub is away."""
        self._hub = hub
        self._broker = broker
        self._load = load
        self._chance = chance
        self._kinds: list[Callable[[], Awaitable[None]]] = [
            self.kill,
            self.stop,
            self.restart_broker,
        ]
        if can_fill:
            self._kinds.append(self.full_disk)

    async def run(self, end: float, every_s: float) -> None:
        turn = 0
        while True:
            await asyncio.sleep(self._chance.uniform(0.5, 1.5) * every_s)
            if time.monotonic() > end:
                return
            kind = self._kinds[turn % len(self._kinds)]
            turn += 1
            await kind()
            self.count[kind.__name__] += 1

    async def kill(self) -> None:
        async with self.lock:
            self._hub.kill()
            await asyncio.sleep(self._chance.uniform(0, 3))
            await self._hub.start()

    async def stop(self) -> None:
        async with self.lock:
            await self._hub.stop(30)
            await self._hub.start()

    async def restart_broker(self) -> None:
        await self._broker.stop()
        await asyncio.sleep(self._chance.uniform(0, 3))
        await self._broker.start()

    async def full_disk(self) -> None:
        """Then wait until it is said and healed, so that no kill falls in between."""
        ballast = self._hub.data / "ballast"
        fill(ballast)
        with contextlib.suppress(AssertionError):  # a trickle may not need the disk so soon
            await self._hub.until(self._storage("failing"), self._chance.uniform(5, 20), 0.2)
            self.count["failing"] += 1
        ballast.unlink()
        await self._hub.until(self._storage("ok"), 60, 0.2)

    def _storage(self, state: str) -> Callable[[], Awaitable[bool]]:
        async def is_so() -> bool:
            return bool((await self._hub.get("/readyz"))["storage"] == state)

        return is_so


class Watch:
    """Memory of each life of the hub after its first half minute, and the answers of the API."""

    def __init__(self, hub: RunningHub, lock: asyncio.Lock) -> None:
        self.first_mib = 0.0
        self.last_mib = 0.0
        self.felt_ms: list[float] = []
        self._hub = hub
        self._lock = lock

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            async with self._lock:
                with contextlib.suppress(httpx.TransportError):
                    await self._look()

    async def _look(self) -> None:
        self.last_mib = Memory(self._hub.pid).mib()
        self.first_mib = self.first_mib or self.last_mib
        begun = time.monotonic()
        await self._hub.get("/api/v1/status")
        self.felt_ms.append((time.monotonic() - begun) * 1000)
        size = sum(file.stat().st_size for file in self._hub.data.glob("linli.db*")) / 1e6
        print(
            f"    {self.last_mib:.0f} MiB, database {size:.1f} MB,"
            f" status in {self.felt_ms[-1]:.1f} ms, loop lag p99 {await lag_ms(self._hub):.0f} ms",
            flush=True,
        )


async def lag_ms(hub: RunningHub) -> float:
    """Upper bound of the bucket that holds the 99th percentile of this life's lag."""
    text = (await hub.client.get("/metrics")).text
    found: list[tuple[float, float]] = []
    for line in text.splitlines():
        if line.startswith('linli_loop_lag_seconds_bucket{le="'):
            bound, _, count = line.partition('{le="')[2].partition('"} ')
            found.append((float(bound), float(count)))
    total = max((count for _, count in found), default=0.0)
    return 1000 * next((le for le, count in sorted(found) if count >= 0.99 * total), 0.0)


@contextlib.contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """A disk of its own for the data, if we may mount one."""
    data = folder / "data"
    data.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(data)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        print("no right to mount a small disk: it is never full here", flush=True)
        yield False
        return
    try:
        yield True
    finally:
        subprocess.run(["umount", "-l", str(data)], check=True)


async def values(hub: RunningHub) -> AsyncIterator[tuple[str, list[int]]]:
    """What each device said, in the order of the API."""
    for n in range(DEVICES):
        items = await hub.readings(
            device=f"light{n}", channel="illuminance", **{"from": "2020-01-01T00:00:00Z"}
        )
        yield f"light{n}", [int(item["value"]) for item in items]


async def problems(hub: RunningHub, sent: int) -> list[str]:
    """How what is read differs from what was acknowledged."""
    found = []
    async for device, said in values(hub):
        n = int(device.removeprefix("light"))
        expected = list(range(n, sent, DEVICES))
        if said != expected:
            lost, strange = set(expected) - set(said), set(said) - set(expected)
            doubled = len(said) - len(set(said))
            found.append(
                f"{device}: {len(lost)} lost, {doubled} doubled, {len(strange)} strange,"
                f" in order: {said == sorted(said)}"
            )
    return found


async def soak(folder: Path, minutes: float, can_fill: bool) -> list[str]:
    chance = random.Random(SEED)
    end = time.monotonic() + minutes * 60
    async with (
        Broker(inflight=WINDOW, persistence=True, config=["autosave_interval 1"]) as broker,
        RunningHub(folder, centre(), broker.port, WINDOW) as hub,
    ):
        await hub.connected()
        load = Load(broker.port, chance)
        faults = Faults(hub, broker, load, chance, can_fill)
        watch = Watch(hub, faults.lock)
        watching = asyncio.create_task(watch.run())
        sending = asyncio.create_task(load.run(end))
        await faults.run(end, min(60.0, minutes * 60 / 8))
        await sending
        watching.cancel()
        await arrived(hub, load.sent)
        await hub.stop(30)
        await hub.start()
        found = await problems(hub, load.sent)
        told(load, faults, watch)
        return found


async def arrived(hub: RunningHub, sent: int) -> None:
    """Wait until the last number is live and nothing waits for the disk any more."""
    last, device = sent - 1, f"light{(sent - 1) % DEVICES}"

    async def is_there() -> bool:
        channels = (await hub.get(f"/api/v1/devices/{device}"))["channels"]
        return bool(channels.get("illuminance", {}).get("value") == last)

    await hub.until(is_there, QUIET_S, 0.5)


def told(load: Load, faults: Faults, watch: Watch) -> None:
    done = ", ".join(f"{count} x {kind}" for kind, count in faults.count.items())
    felt = quantile(watch.felt_ms or [0.0], 0.99)
    print(
        f"{load.sent} messages acknowledged, {load.again} times the broker was away; {done};\n"
        f"memory {watch.first_mib:.0f} MiB at first, {watch.last_mib:.0f} at last:"
        f" {RISE.verdict(watch.last_mib - watch.first_mib)} more; status p99 {LAG.verdict(felt)}",
        flush=True,
    )


def main(minutes: float) -> None:
    SCRATCH.mkdir(exist_ok=True)
    print(f"load, {minutes:g} minutes: {machine()}", flush=True)
    with tempfile.TemporaryDirectory(dir=SCRATCH) as name, small_disk(Path(name)) as can_fill:
        found = asyncio.run(soak(Path(name), minutes, can_fill))
    if found:
        raise SystemExit("soak_load:\n" + "\n".join(found))


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else MINUTES)
