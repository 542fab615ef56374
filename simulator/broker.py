"""The way to the broker: one connection for all simulated MQTT devices, as one gateway has.

Devices never wait: what they publish goes into a bounded queue, and where the broker is away for
long the oldest is dropped, as a gateway would. Zigbee2MQTT's last will is the connection's.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Iterable
from contextlib import suppress

import aiomqtt
import msgspec

from simulator.wires import zigbee2mqtt
from simulator.wires.mqtt import Publication

log = logging.getLogger(__name__)

QUEUE = 4000  # some minutes of a large centre
BACKOFF_CEILING_S = 15.0
TIMEOUT_S = 10.0
FAREWELL_S = 1.0


class Address(msgspec.Struct, frozen=True):
    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = None


class Gateway:
    """Publishes for everybody."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._bases: tuple[str, ...] = ()
        self._queue: asyncio.Queue[Publication] = asyncio.Queue(QUEUE)
        self.dropped = 0
        self._unsent: Publication | None = None  # what the connection broke under

    def publish(self, publication: Publication) -> None:
        """Queue it; never waits, never raises."""
        if self._queue.full():
            self._queue.get_nowait()
            self.dropped += 1
        self._queue.put_nowait(publication)

    async def run(self, bases: Iterable[str], connected: Callable[[], None]) -> None:
        """Stay connected until cancelled; ``connected`` is told each time.

        ``bases`` are the Zigbee2MQTT instances it stands for.
        """
        self._bases = tuple(bases)
        failures = 0
        while True:
            try:
                async with self._client() as client:
                    failures = 0
                    await self._serve(client, connected)
            except aiomqtt.MqttError as error:
                if not failures:  # once, not per attempt
                    log.warning("The broker is away, the simulated sensors wait for it: %s", error)
            failures += 1
            await asyncio.sleep(
                random.uniform(0.1, min(BACKOFF_CEILING_S, 2.0 ** min(failures, 8)))
            )

    async def _serve(self, client: aiomqtt.Client, connected: Callable[[], None]) -> None:
        for base in self._bases:
            await _send(client, zigbee2mqtt.bridge(base, online=True))
        connected()
        lost = asyncio.create_task(_until_lost(client))
        drained = asyncio.create_task(self._drain(client))
        try:
            done, _ = await asyncio.wait((lost, drained), return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        except asyncio.CancelledError:
            with suppress(aiomqtt.MqttError, TimeoutError):
                await asyncio.wait_for(self._say_goodbye(client), FAREWELL_S)
            raise
        finally:
            lost.cancel()
            drained.cancel()
            await asyncio.gather(lost, drained, return_exceptions=True)

    async def _drain(self, client: aiomqtt.Client) -> None:
        while True:
            if self._unsent is None:
                self._unsent = await self._queue.get()
            await _send(client, self._unsent)
            self._unsent = None

    async def _say_goodbye(self, client: aiomqtt.Client) -> None:
        """A broker sends no will for who leaves in good order."""
        for base in self._bases:
            await _send(client, zigbee2mqtt.bridge(base, online=False))

    def _client(self) -> aiomqtt.Client:
        will = None
        if self._bases:
            last = zigbee2mqtt.bridge(self._bases[0], online=False)
            will = aiomqtt.Will(last.topic, last.payload, qos=1, retain=True)
        return aiomqtt.Client(
            self._address.host,
            self._address.port,
            username=self._address.username,
            password=self._address.password,
            will=will,
            timeout=TIMEOUT_S,
        )


async def _send(client: aiomqtt.Client, what: Publication) -> None:
    await client.publish(what.topic, what.payload, qos=what.qos, retain=what.retain)


async def _until_lost(client: aiomqtt.Client) -> None:
    """Nobody talks to us; listening is how a lost connection is noticed at once. Raises then."""
    async for _ in client.messages:
        pass
