"""A load of Zigbee2MQTT messages at a set rate, at QoS 1, with every acknowledgement counted.

A process of its own on a raw socket, so that it takes little of the two cores that broker, hub and
load share: ``python -m tests.bench.publisher PORT RATE COUNT DEVICES``. The first 8 digits of
``illuminance`` are the message's number, so that a reader can tell one that is missing.
"""

from __future__ import annotations

import asyncio
import sys
import time

TICK_S = 0.005
WINDOW = 5_000  # not acknowledged by the broker yet


def payload(number: int, devices: int) -> bytes:
    """Doors and motion sensors in turn; battery slow, link quality and light always new."""
    turn = number // devices
    if number % devices % 2:
        word = b"true" if turn % 2 else b"false"
        first = b'{"contact":' + word
    else:
        word = b"true" if turn % 3 == 0 else b"false"
        first = b'{"occupancy":' + word
    return first + b',"battery":%d,"linkquality":%d,"illuminance":%d}' % (
        90 - turn // 100 % 50,
        60 + number * 7 % 100,
        number,
    )


def topic(number: int, devices: int) -> bytes:
    return b"zigbee2mqtt/d%d" % (number % devices)


def packet(number: int, devices: int) -> bytes:
    """One QoS 1 PUBLISH."""
    name = topic(number, devices)
    body = payload(number, devices)
    mid = number % 65_535 + 1
    rest = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + body
    assert len(rest) < 16_384
    size = (
        bytes([len(rest)]) if len(rest) < 128 else bytes([len(rest) % 128 | 128, len(rest) // 128])
    )
    return b"\x32" + size + rest


class Acknowledgements:
    """Counts PUBACKs, which are four bytes each."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._more = asyncio.Event()
        self.count = 0

    async def reached(self, count: int) -> None:
        """Wait until so many are acknowledged."""
        while self.count < count:
            self._more.clear()
            await self._more.wait()

    async def read(self) -> None:
        odd = 0
        while data := await self._reader.read(65_536):
            odd += len(data)
            self.count += odd // 4
            odd %= 4
            self._more.set()


async def publish(port: int, rate: float, count: int, devices: int) -> float:
    """Send; seconds until the last acknowledgement. Rate 0: as fast as the broker takes it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    name = b"load"
    writer.write(b"\x10" + bytes([12 + len(name)]) + b"\x00\x04MQTT\x04\x02\x00\x3c\x00")
    writer.write(bytes([len(name)]) + name)
    await reader.readexactly(4)
    heard = Acknowledgements(reader)
    reading = asyncio.create_task(heard.read())
    begun = time.monotonic()
    sent = 0
    while sent < count:
        due = count if rate == 0 else min(count, int((time.monotonic() - begun) * rate) + 1)
        due = min(due, heard.count + WINDOW, sent + 500)
        if due > sent:
            writer.write(b"".join(packet(number, devices) for number in range(sent, due)))
            sent = due
            await writer.drain()
        await asyncio.sleep(0 if rate == 0 and due > sent else TICK_S)
    await heard.reached(count)
    took = time.monotonic() - begun
    reading.cancel()
    writer.close()
    return took


if __name__ == "__main__":
    port_, rate_, count_, devices_ = sys.argv[1:5]
    print(asyncio.run(publish(int(port_), float(rate_), int(count_), int(devices_))))
