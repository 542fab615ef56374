"""A client of the stream that stops reading: bounded in memory, and left in the end."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from fastapi import FastAPI

from hub import server
from hub.api import events
from hub.api.stream import QUEUE, Broadcaster

EVENT = b'{"padding": "%s"}' % (b"x" * 2_000)
WITHIN_S = 30


async def until_left(broadcaster: Broadcaster) -> None:
    """Say more and more, until nobody listens any more."""
    number = 0
    while broadcaster.clients:
        for _ in range(QUEUE):
            number += 1
            broadcaster.changed("room", f"r{number}")
        await asyncio.sleep(0.02)


async def test_who_takes_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LEFT_AFTER_MS", 300)
    broadcaster = Broadcaster(lambda name, item, language: EVENT)
    app = FastAPI()
    app.include_router(events.routes(broadcaster))
    with server.listen("127.0.0.1", 0) as listener:
        port = listener.getsockname()[1]
        web = server.Server(app, broadcaster.close)
        serving = asyncio.create_task(web.serve(sockets=[listener]))
        await web.listening.wait()
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: x\r\n\r\n")
        assert await reader.readuntil(b"beat")
        assert broadcaster.clients == 1
        async with asyncio.timeout(WITHIN_S):
            await until_left(broadcaster)
        web.should_exit = True
        await serving
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
