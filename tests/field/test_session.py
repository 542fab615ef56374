"""One connection by itself, where a whole hub would show too little."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator

import aiomqtt
import pytest

from hub.field import session
from hub.field.session import AGAIN_S, Session, Write, end
from hub.field.topics import Topics
from tests.broker import Broker
from tests.field.trial import WITHIN_S, watching

HERE = Topics("homeassistant", "trial")
STATE = HERE.state("gym")


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker() as running:
        yield running


@contextlib.asynccontextmanager
async def talking(broker: Broker, states: dict[str, Write]) -> AsyncIterator[Session]:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        talk = Session(client, HERE, [HERE], {}, states, lambda: None)
        running = asyncio.create_task(talk.run())
        try:
            yield talk
        finally:
            await end({running}, AGAIN_S)


async def test_a_room_that_flickers_is_said_as_it_is_when_it_is_sent(broker: Broker) -> None:
    now = 0

    def written() -> bytes:
        return str(now).encode()

    async with watching(broker) as watcher, talking(broker, {STATE: written}) as talk:
        await watcher.status("trial", b"online")
        for _ in range(1000):
            now += 1
            talk.say(STATE, written)
        await watcher.until(lambda kept: kept[STATE] == b"1000")
    assert len([topic for topic, _ in watcher.heard if topic == STATE]) == 2


async def test_a_state_is_said_again_before_it_expires(
    broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "REFRESH_S", 0.1)
    async with watching(broker) as watcher, talking(broker, {STATE: lambda: b"{}"}):
        await watcher.until(lambda _: watcher.heard.count((STATE, b"{}")) > 3)


async def test_a_broker_that_keeps_our_words_from_us_is_told_of(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(session, "ECHO_WITHIN_S", 0.1)
    deaf = Broker()
    rights = deaf.folder / "rights"
    rights.write_text("topic write #\n")
    rights.chmod(0o600)
    deaf.config = (f"acl_file {rights}",)
    with caplog.at_level(logging.WARNING):
        async with deaf, talking(deaf, {}), asyncio.timeout(WITHIN_S):
            while not caplog.records:  # noqa: ASYNC110 - a log has no event
                await asyncio.sleep(0.01)
    assert "linli/trial/hub/echo" in caplog.text
