"""A load for a recorded hub: every message has a number of its own, and every value is a change.

A raw publisher, because the recorded hub shall see bursts as a broker sends them: QoS 1 and QoS 0
in turn, telemetry, and now and then a door, which is an event.
"""

from __future__ import annotations

import asyncio
import json

DEVICES = 8
TOPIC = "zigbee2mqtt/light"
ROOMS = "rooms:\n  - {id: gym, name: {en: Gym}, floor: 4, kind: gym}\ndevices:\n" + "".join(
    f"  - {{id: light{n}, driver: zigbee2mqtt, room: gym, link: {{mqtt: {TOPIC}{n}}}}}\n"
    for n in range(DEVICES)
)
DOOR_EVERY = 50  # of eight devices four are doors


def temperature(number: int) -> float:
    """A value that differs from the one before, with all digits of a double."""
    return number / 7000


def payload(number: int) -> bytes:
    values: dict[str, object] = {"illuminance": number, "temperature": temperature(number)}
    if is_event(number):
        values["contact"] = number // (4 * DOOR_EVERY) % 2 == 0
    return json.dumps(values).encode()


def is_event(number: int) -> bool:
    return number % DOOR_EVERY == 0


def packet(number: int) -> bytes:
    """A PUBLISH; two of three at QoS 1."""
    qos = 1 if number % 3 else 0
    topic = f"{TOPIC}{number % DEVICES}".encode()
    rest = len(topic).to_bytes(2, "big") + topic
    if qos:
        rest += (number % 65_535 + 1).to_bytes(2, "big")
    rest += payload(number)
    assert len(rest) < 128
    return bytes([0x30 | qos << 1, len(rest)]) + rest


async def publish(port: int, numbers: range, rate: float) -> None:
    """Send them at that rate; ends when the broker has them all."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    name = b"load"
    writer.write(b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04" + name)
    await reader.readexactly(4)
    loop = asyncio.get_running_loop()
    began, confirmed = loop.time(), sum(1 for number in numbers if number % 3)
    for sent, number in enumerate(numbers):
        writer.write(packet(number))
        ahead = sent / rate - (loop.time() - began)
        if ahead > 0.01:
            await asyncio.sleep(ahead)
    await writer.drain()
    await reader.readexactly(4 * confirmed)
    writer.write(b"\xe0\x00")
    writer.close()
    await writer.wait_closed()
