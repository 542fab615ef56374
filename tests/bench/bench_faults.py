"""What watching for faults costs: CPU of ``hub.faults.detect`` for each reading, in this process.

3,000 devices that speak as they do in a busy house: four readings a message (a value that moves,
battery, radio, a flag), each device every five minutes, and time told between two messages as the
running hub does. Their rhythm is known. Then some of them fail, and each of these is found.

The cost is also given beside that of decoding the same payloads, which carries over to other
machines.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import msgspec

from device_drivers.catalogue.zigbee2mqtt import decode
from device_drivers.contract import Message, MqttPart
from edge.reading import Reading, TimeSource
from hub.domain.centre import Building, Centre, Device, Placement, Room
from hub.domain.events import Heard
from hub.domain.fault import FaultKind, Finding
from hub.faults.detect.watch import Detection
from tests.bench.figures import Need, machine

DEVICES, ROOMS = 3_000, 300
EVERY_MS = 300_000
DAY_MS = 86_400_000
LEARNT_DAYS = 3
MEASURED = 60_000
REPEATS = 3
FAILING = 30
NEED = Need(20, "us a reading")
BYTES = Need(600, "bytes a device are kept")


@dataclass
class Measured:
    detecting_s: float
    decoding_s: float
    readings: int
    found: int
    kept: int


def centre() -> Centre:
    rooms = tuple(
        Room(f"r{n}", {"en": f"r{n}"}, "main", n % 10, "meeting", 20) for n in range(ROOMS)
    )
    devices = tuple(
        Device(
            f"d{n}",
            "zigbee2mqtt",
            {"": Placement(room=f"r{n % ROOMS}")},
            "built",
            25 * 3_600_000,
            600_000,
        )
        for n in range(DEVICES)
    )
    return Centre("c", {"en": "c"}, "UTC", (Building("main", {"en": "m"}),), rooms, (), devices)


def payload(chance: Random, number: int) -> bytes:
    degrees = 21 + number % 7 + chance.gauss(0, 0.15)
    quality, is_open = chance.randint(90, 120), chance.random() < 0.5
    return (
        f'{{"temperature":{degrees:.1f},"battery":{60 + number % 30},'
        f'"linkquality":{quality},"contact":{str(is_open).lower()}}}'
    ).encode()


def messages(count: int, chance: Random) -> Iterator[tuple[int, int, bytes]]:
    """Device, moment and payload; devices take turns."""
    for number in range(count):
        at_ms = number * EVERY_MS // DEVICES + chance.randrange(20)
        yield number % DEVICES, at_ms, payload(chance, number % DEVICES)


def heard(device: int, at_ms: int, message: Message) -> Heard:
    name = f"d{device}"
    readings = tuple(
        Reading(
            name,
            sample.channel,
            sample.part,
            sample.value,
            sample.unit,
            sample.quality,
            sample.reason,
            at_ms,
            at_ms,
            TimeSource.HUB,
        )
        for sample in message.samples
    )
    return Heard(name, readings, at_ms, True, True)


def decoded(body: bytes) -> Message:
    message = decode(MqttPart("", body))
    assert isinstance(message, Message), "a payload was not understood"
    return message


def taught(found: list[Finding]) -> Detection:
    """A house whose devices have spoken for days."""
    detection, chance = Detection(centre(), 0, found.append), Random(1)
    for memory in detection.memories.values():
        for _ in range(LEARNT_DAYS * DAY_MS // EVERY_MS):
            memory.rhythm.learn(EVERY_MS + chance.randrange(-4_000, 4_000))
    return detection


def measure() -> Measured:
    found: list[Finding] = []
    detection = taught(found)
    drawn = list(messages(MEASURED, Random(2)))
    begun = time.process_time()
    understood = [decoded(body) for _, _, body in drawn]
    decoding_s = time.process_time() - begun
    events = [
        heard(device, at_ms, message)
        for (device, at_ms, _), message in zip(drawn, understood, strict=True)
    ]
    gc.collect()
    begun = time.process_time()
    for event in events:
        detection.advance(event.at_ms)
        detection.hear(event)
    detecting_s = time.process_time() - begun
    if found:
        raise SystemExit(f"bench_faults: found where nothing was wrong: {found[0]}")
    fail(detection, events[-DEVICES:])
    silent = [f for f in found if f.kind is FaultKind.SILENT and f.is_on]
    readings = sum(len(event.readings) for event in events)
    return Measured(detecting_s, decoding_s, readings, len(silent), len(detection.frame()))


def fail(detection: Detection, last: list[Heard]) -> None:
    """Some of them say nothing any more, and the others go on."""
    for turn in (1, 2, 3):
        for event in last[FAILING:]:
            at_ms = event.at_ms + turn * EVERY_MS
            detection.advance(at_ms)
            detection.hear(msgspec.structs.replace(event, at_ms=at_ms))


def run() -> None:
    print(f"faults: {machine()}; the best of {REPEATS}", flush=True)
    best = min((measure() for _ in range(REPEATS)), key=lambda m: m.detecting_s)
    if best.readings != 4 * MEASURED or best.found != FAILING:
        raise SystemExit(f"bench_faults: work is missing: {best}")
    each = best.detecting_s / best.readings * 1e6
    print(
        f"{DEVICES} devices: {NEED.verdict(each)}, {best.detecting_s / MEASURED * 1e6:.1f} us a"
        f" message, {best.detecting_s / best.decoding_s:.1f} x decoding"
        f" ({best.decoding_s / MEASURED * 1e6:.1f} us); {best.readings} readings,"
        f" {best.found} of {FAILING} silent ones found; {BYTES.verdict(best.kept / DEVICES)}",
        flush=True,
    )


if __name__ == "__main__":
    run()
