"""A hub that publishes, a broker, and a stranger who reads what is kept there."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import aiomqtt

from tests.broker import Broker

ON = "publish: {homeassistant: {}}\n"
OTHER_PREFIX = "publish: {homeassistant: {prefix: home/ha}}\n"
GYM = "  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}\n"
LANE = "  - {id: lane, name: {en: Lane}, floor: -1, kind: corridor}\n"
DEVICES = """\
devices:
  - {id: gym-pir, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/gym_pir}}
  - {id: gym-count, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/gym_count}}
"""
CENTRE = f"{ON}rooms:\n{GYM}{LANE}{DEVICES}"
WITHIN_S = 15.0

CONFIG = "homeassistant/device/linli_{}/{}/config"
STATE = "linli/{}/rooms/{}/state"


async def say(broker: Broker, topic: str, payload: Any, *, retain: bool = False) -> None:
    body = payload if isinstance(payload, str | bytes) else json.dumps(payload)
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(topic, body, qos=1, retain=retain)


class Watcher:
    """Subscribed to everything; remembers what came, and what the broker keeps."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        """Topic to its last retained payload, as a newcomer would find it."""
        self.heard: list[tuple[str, bytes]] = []
        self._news = asyncio.Event()

    def document(self, topic: str) -> Any:
        """What is kept there; None if nothing is."""
        body = self.kept.get(topic)
        return None if body is None else json.loads(body)

    async def until(self, claim: Callable[[Mapping[str, bytes]], Any]) -> Any:
        """Wait until it holds of what is kept; what it answered."""
        async with asyncio.timeout(WITHIN_S):
            while not (found := claim(self.kept)):
                self._news.clear()
                await self._news.wait()
        return found

    async def status(self, centre: str, expected: bytes) -> None:
        await self.until(lambda kept: kept.get(f"linli/{centre}/status") == expected)

    async def read(self, client: aiomqtt.Client) -> None:
        async for message in client.messages:
            topic, payload = message.topic.value, bytes(message.payload or b"")
            if topic.startswith(("linli/", "home")) and "/hub/" not in topic:
                self.heard.append((topic, payload))
                self.kept[topic] = payload
                if not payload:
                    del self.kept[topic]
                self._news.set()


@contextlib.asynccontextmanager
async def watching(broker: Broker) -> AsyncIterator[Watcher]:
    """From now on, beginning with what is kept already."""
    watcher = Watcher()
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.subscribe([("linli/#", 1), ("homeassistant/#", 1), ("home/#", 1)])
        reading = asyncio.create_task(watcher.read(client))
        try:
            yield watcher
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
