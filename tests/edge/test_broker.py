"""The broker that the other tests stand on."""

from __future__ import annotations

import aiomqtt
import pytest

from tests.broker import Broker


async def _remembered(port: int) -> bytes:
    async with aiomqtt.Client("127.0.0.1", port) as client:
        await client.subscribe("kept/#", qos=1)
        await client.publish("kept/end", b"end", qos=1)
        async for message in client.messages:
            return bytes(message.payload) if isinstance(message.payload, bytes) else b""
    raise AssertionError("the connection ended")


@pytest.mark.parametrize(("persistence", "expected"), [(True, b"one"), (False, b"end")])
async def test_it_remembers_over_a_stop_only_with_persistence(
    persistence: bool, expected: bytes
) -> None:
    async with Broker(persistence=persistence) as broker:
        async with aiomqtt.Client("127.0.0.1", broker.port) as client:
            await client.publish("kept/a", b"one", qos=1, retain=True)
        await broker.stop()
        await broker.start()
        assert await _remembered(broker.port) == expected


async def test_a_port_that_is_held_is_named_in_the_error() -> None:
    async with Broker() as first:
        second = Broker(port=first.port)
        try:
            with pytest.raises(RuntimeError, match="Address already in use"):
                await second.start()
        finally:
            await second.__aexit__(None, None, None)
