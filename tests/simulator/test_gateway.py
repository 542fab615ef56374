"""The simulator's way to a real Mosquitto, and its private one."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import aiomqtt
import pytest

from simulator import private_broker
from simulator.broker import QUEUE, Address, Gateway
from simulator.private_broker import NoBrokerError
from simulator.wires.mqtt import Publication
from tests.broker import Broker

WITHIN_S = 10


async def test_publications_and_the_bridge_arrive_and_it_says_goodbye() -> None:
    async with Broker() as broker:
        gateway = Gateway(Address(port=broker.port))
        greeted = asyncio.Event()
        async with aiomqtt.Client("127.0.0.1", broker.port) as hub:
            await hub.subscribe("zigbee2mqtt/#", qos=1)
            running = asyncio.create_task(gateway.run(["zigbee2mqtt"], greeted.set))
            gateway.publish(Publication("zigbee2mqtt/door", b'{"contact":true}'))
            messages = aiter(hub.messages)
            async with asyncio.timeout(WITHIN_S):
                await greeted.wait()
                heard = [await anext(messages) for _ in range(2)]
                running.cancel()
                heard.append(await anext(messages))
        assert [(str(m.topic), m.payload) for m in heard] == [
            ("zigbee2mqtt/bridge/state", b'{"state":"online"}'),
            ("zigbee2mqtt/door", b'{"contact":true}'),
            ("zigbee2mqtt/bridge/state", b'{"state":"offline"}'),
        ]
        with pytest.raises(asyncio.CancelledError):
            await running


async def test_it_comes_back_after_the_broker() -> None:
    async with Broker() as broker:
        gateway = Gateway(Address(port=broker.port))
        greetings: asyncio.Queue[None] = asyncio.Queue(10)
        running = asyncio.create_task(gateway.run([], lambda: greetings.put_nowait(None)))
        async with asyncio.timeout(WITHIN_S * 2):
            await greetings.get()
            await broker.kill()
            await broker.start()
            await greetings.get()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def test_a_broker_that_is_away_costs_the_oldest_and_no_memory() -> None:
    gateway = Gateway(Address())
    for number in range(QUEUE + 5):
        gateway.publish(Publication("t", str(number).encode()))
    assert gateway.dropped == 5


def test_a_private_mosquitto_comes_and_goes(tmp_path: Path) -> None:
    broker, port = private_broker.start(tmp_path)
    try:
        assert broker.is_running
        socket.create_connection(("127.0.0.1", port), timeout=2).close()
    finally:
        broker.stop()
    assert not broker.is_running
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=2)


async def test_amqtt_takes_its_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("amqtt")
    monkeypatch.setattr(private_broker, "mosquitto", lambda: None)
    broker, port = await asyncio.to_thread(private_broker.start, tmp_path)
    try:
        async with asyncio.timeout(WITHIN_S), aiomqtt.Client("127.0.0.1", port) as client:
            await client.subscribe("t", qos=1)
            await client.publish("t", b"heard", qos=1)
            assert (await anext(aiter(client.messages))).payload == b"heard"
    finally:
        broker.stop()
    assert broker.status is not None


def test_without_any_broker_the_remedy_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_broker, "mosquitto", lambda: None)
    monkeypatch.setattr(private_broker, "has_amqtt", lambda: False)
    with pytest.raises(NoBrokerError, match="apt-get install mosquitto"):
        private_broker.start(tmp_path)
