"""With the access list that we ship: both accounts get what they need, and nobody else anything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiomqtt
import pytest

from tests.broker import Broker, free_port
from tests.field.trial import CENTRE, CONFIG, STATE, WITHIN_S
from tests.running_hub import RunningHub, config

ACCESS_LIST = Path(__file__).parents[2] / "config/mosquitto/linli.acl"
ACCOUNTS = ("hub", "homeassistant", "stranger")


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    """It asks for a password and heeds our list."""
    guarded = Broker(config=["allow_anonymous false"], port=free_port())
    passwords, rights = guarded.folder / "passwords", guarded.folder / "rights"
    for account in ACCOUNTS:
        flags = ["-b"] if passwords.exists() else ["-b", "-c"]
        making = await asyncio.create_subprocess_exec(
            "mosquitto_passwd", *flags, str(passwords), account, f"secret-{account}"
        )
        assert await making.wait() == 0
    rights.write_text(ACCESS_LIST.read_text())
    for file in (passwords, rights):
        file.chmod(0o600)
    guarded.config = (*guarded.config, f"password_file {passwords}", f"acl_file {rights}")
    async with guarded:
        yield guarded


@pytest.fixture
async def hub(broker: Broker, tmp_path: Path) -> AsyncIterator[RunningHub]:
    running = RunningHub(tmp_path, CENTRE, broker.port)
    secret = tmp_path / "password"
    secret.write_text("secret-hub\n")
    text = config(running.port, broker.port, CENTRE)
    account = f"mqtt: {{username: hub, password_file: {secret}, "
    (tmp_path / "centre.yaml").write_text(text.replace("mqtt: {", account, 1))
    async with running:
        yield running


@contextlib.asynccontextmanager
async def account(broker: Broker, name: str) -> AsyncIterator[aiomqtt.Client]:
    async with aiomqtt.Client(
        "127.0.0.1", broker.port, username=name, password=f"secret-{name}"
    ) as client:
        yield client


async def hears(client: aiomqtt.Client, topics: set[str]) -> None:
    """Wait until something came on each."""
    left = set(topics)
    async with asyncio.timeout(WITHIN_S):
        async for message in client.messages:
            left.discard(message.topic.value)
            if not left:
                return


async def test_home_assistant_reads_rooms_and_its_birth_is_heard(
    broker: Broker, hub: RunningHub
) -> None:
    wanted = {CONFIG.format("trial", "gym"), STATE.format("trial", "gym"), "linli/trial/status"}
    async with account(broker, "homeassistant") as client:
        await client.subscribe([("homeassistant/#", 1), ("linli/#", 1)])
        await hears(client, wanted)
        await client.publish("homeassistant/status", "online", qos=1)
        await hears(client, wanted)


async def test_a_room_that_is_gone_is_taken_away(broker: Broker, hub: RunningHub) -> None:
    gone = CONFIG.format("trial", "old")
    async with account(broker, "homeassistant") as client:
        await client.subscribe(gone, qos=1)
        await client.publish(gone, "{}", qos=1, retain=True)
        hub.kill()
        await hub.start()
        async with asyncio.timeout(WITHIN_S):
            bodies = [bytes(message.payload or b"") async for message in first(client, 2)]
    assert bodies == [b"{}", b""]


async def test_a_stranger_hears_only_himself(broker: Broker, hub: RunningHub) -> None:
    async with account(broker, "stranger") as client:
        await client.subscribe([("#", 1)])
        async with account(broker, "homeassistant") as other:
            await other.subscribe("linli/trial/status")
            await hears(other, {"linli/trial/status"})
        await client.publish("tele/stranger/LWT", "Online", qos=1)
        async with asyncio.timeout(WITHIN_S):
            heard = [message.topic.value async for message in first(client, 1)]
    assert heard == ["tele/stranger/LWT"]  # its own word, and nothing before it


async def first(client: aiomqtt.Client, count: int) -> AsyncIterator[aiomqtt.Message]:
    """So many messages, and no more."""
    async for message in client.messages:
        yield message
        count -= 1
        if not count:
            return
