"""A whole hub in the test's own process, from intake to guard: everything but the ports."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from edge.clock import Clock
from edge.timekeeping import Timekeeper
from hub import fitting, planning, settings
from hub.lifetime import Parts
from hub.run import assemble
from hub.store.store import Store
from tests.running_hub import config

PORT = 18_080
"""Nobody listens there; it is the one in the hub's name."""
HOST = f"127.0.0.1:{PORT}"

Application = Callable[[Any, Any, Any], Any]


@dataclass
class WholeHub:
    parts: Parts
    clock: Clock
    web: Application
    client: httpx.AsyncClient


@contextlib.asynccontextmanager
async def whole_hub(folder: Path, centre: str, now: Callable[[], float]) -> AsyncIterator[WholeHub]:
    """``now``: the time in seconds, as the test says it is."""
    file = folder / "centre.yaml"
    file.write_text(config(PORT, None, centre))
    clock = Clock(true_time=now)
    store = await Store.open(folder / "data", clock)
    before = await planning.recalled(store, clock)
    files = fitting.Files(folder / "data", None)
    parts = assemble(settings.load(file), clock, Timekeeper("always"), store, before, files, PORT)
    web = served(parts.server.config.app)
    tasks = [asyncio.create_task(parts.tasks[name]()) for name in ("rooms", "devices")]
    transport = httpx.ASGITransport(web, client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url=f"http://{HOST}") as client:
        try:
            yield WholeHub(parts, clock, web, client)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            parts.access.close()
            await store.close()


def served(app: Any) -> Application:
    """What the server adds to a request."""

    async def ask(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "state": {}, "server": ("127.0.0.1", PORT)}, receive, send)

    return ask


def request_scope(path: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    """A GET as a server hands it over."""
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(b"host", HOST.encode()), *headers],
        "client": ("127.0.0.1", 2),
        "asgi": {"version": "3.0", "spec_version": "2.4"},
    }
