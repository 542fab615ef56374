"""What judging rooms costs: CPU of ``hub.rooms.service`` for each reading, in this process.

The reference centre (100 rooms, 300 devices), its real messages through the real decoder and
stamp, and the service on a bus whose clock moves 5 ms a message. ``changing`` is the benches' load
(every door message is news), ``repeating`` says what was said before. The cost is also given as a
ratio to decoding the same payloads, which carries over to other machines.
"""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from device_drivers.catalogue.zigbee2mqtt import decode
from device_drivers.contract import Message, MqttPart
from edge.clock import Clock
from edge.stamp import Stamp
from hub import settings
from hub.bus import Bus
from hub.domain.centre import Centre
from hub.domain.events import Heard, RoomChanged
from hub.domain.views import RoomStep
from hub.rooms.service import RoomsService
from tests.bench.figures import Need, machine
from tests.bench.publisher import payload
from tests.bench.reference import DEVICES, ROOMS, centre
from tests.running_hub import config

COUNT = 60_000
REPEATS = 3
STEP_S = 0.005
BEGIN_S = 1_767_225_600.0
NEED = Need(60, "us a reading")


class NoHistory:
    """Nobody asks for the past here."""

    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        raise NotImplementedError


@dataclass
class Measured:
    decoding_s: float
    judging_s: float
    readings: int
    changes: int
    """Of rooms, told to the bus."""
    known: int
    """Rooms whose status is not unknown at the end."""


def reference_centre() -> Centre:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "centre.yaml"
        file.write_text(config(8080, 1883, centre()), encoding="utf-8")
        return settings.centre(settings.load(file))


def decoded(payloads: Sequence[bytes]) -> tuple[list[Message], float]:
    begun = time.process_time()
    found = [decode(MqttPart("", body)) for body in payloads]
    took = time.process_time() - begun
    messages = [message for message in found if isinstance(message, Message)]
    assert len(messages) == len(payloads), "a payload was not understood"
    return messages, took


async def measure(place: Centre, payloads: Sequence[bytes]) -> Measured:
    messages, decoding_s = decoded(payloads)
    now_s = BEGIN_S
    clock = Clock(true_time=lambda: now_s)
    bus = Bus()
    changed: list[RoomChanged] = []
    bus.subscribe(RoomChanged, changed.append)
    service = RoomsService(place, clock, bus, NoHistory(), ())
    changed.clear()
    stamps = [Stamp(f"d{n}", clock, ZoneInfo("UTC")) for n in range(DEVICES)]
    heard = []
    for number, message in enumerate(messages):
        now_s = BEGIN_S + number * STEP_S
        report = stamps[number % DEVICES].report(message)
        heard.append(Heard(report.device, report.readings, report.received_ms, True, True))
    gc.collect()
    begun = time.process_time()
    for event in heard:
        service.watch.advance(event.at_ms)  # what `run` does between two messages
        bus.publish(event)
    judging_s = time.process_time() - begun
    known = sum(state.status.value != "unknown" for state in service.states())
    readings = sum(len(event.readings) for event in heard)
    return Measured(decoding_s, judging_s, readings, len(changed), known)


def text(name: str, m: Measured) -> str:
    each = m.judging_s / m.readings * 1e6
    return (
        f"{name}: {NEED.verdict(each)}, {m.judging_s / COUNT * 1e6:.1f} us a message,"
        f" {m.judging_s / m.decoding_s:.1f} x decoding ({m.decoding_s / COUNT * 1e6:.1f} us);"
        f" {m.readings} readings in {COUNT} messages, {m.changes} changes of rooms,"
        f" {m.known} of {ROOMS} rooms known"
    )


def run() -> None:
    print(f"rooms: {machine()}; the best of {REPEATS}", flush=True)
    place = reference_centre()
    loads = {
        "changing": [payload(number, DEVICES) for number in range(COUNT)],
        "repeating": [payload(number % DEVICES, DEVICES) for number in range(COUNT)],
    }
    for name, payloads in loads.items():
        runs = [asyncio.run(measure(place, payloads)) for _ in range(REPEATS)]
        best = min(runs, key=lambda m: m.judging_s)
        if best.readings != 4 * COUNT or not best.changes or not best.known:
            raise SystemExit(f"bench_rooms: work is missing: {best}")
        print(text(name, best), flush=True)


if __name__ == "__main__":
    run()
