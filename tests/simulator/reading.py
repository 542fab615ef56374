"""Reads simulated bytes as the hub does: through the real drivers."""

from __future__ import annotations

from datetime import datetime
from itertools import chain
from pathlib import Path

from device_drivers.contract import Discard, Message, MqttDriver, MqttPart, SerialDriver, Value
from device_drivers.registry import drivers
from device_drivers.topics import subscriptions, subtopic
from hub.commands.simulate import describe
from hub.settings import load
from simulator.centre import Centre
from simulator.wires.mqtt import Publication

DEMO = Path(__file__).parents[2] / "config" / "demo.yaml"
MORNING_MS = int(datetime.fromisoformat("2026-11-18T10:00:00+08:00").timestamp() * 1000)
"""A working hour in Shanghai, so that nobody's day is moved."""


def demo_centre() -> Centre:
    centre, skipped = describe(load(DEMO))
    assert skipped == []
    return centre


def from_serial(name: str, data: bytes) -> list[Message | Discard]:
    driver = drivers()[name]
    assert isinstance(driver, SerialDriver)
    framer = driver.framing()
    found = chain(framer.feed(data), framer.idle())
    return [item if isinstance(item, Discard) else driver.decode(item) for item in found]


def from_mqtt(name: str, device: str, publication: Publication) -> Message | Discard | None:
    driver = drivers()[name]
    assert isinstance(driver, MqttDriver)
    for bound in subscriptions(driver, device).values():
        part = subtopic(bound, publication.topic)
        if part is not None:
            return driver.decode(MqttPart(part, publication.payload))
    raise AssertionError(f"the hub would not subscribe to {publication.topic}")


def values(message: Message | Discard | None) -> dict[str, Value]:
    assert isinstance(message, Message)
    return {f"{s.channel}.{s.part}".rstrip("."): s.value for s in message.samples}
