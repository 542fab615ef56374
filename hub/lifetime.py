"""How long each part lives: all start together, and stop in the order that loses nothing."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass

from edge.service import Edge
from hub.access.service import Access
from hub.server import Server
from hub.store.store import Store
from hub.vitals import Vitals

log = logging.getLogger(__name__)

YOUNG = 10_000
"""Objects that are made before garbage is looked for: messages make none that is not freed at once,
and with Python's 700 it would be looked for hundreds of times a second."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What lives as long as the hub. ``tasks`` run by name until they are cancelled."""

    store: Store
    edge: Edge
    vitals: Vitals
    server: Server
    tasks: Mapping[str, Callable[[], Coroutine[object, object, None]]]
    access: Access


async def live(
    parts: Parts,
    listener: socket.socket,
    stop: asyncio.Event,
    ready: Callable[[str], None],
) -> None:
    """Run everything until ``stop`` is set; ``ready`` is told the address once it answers."""
    host, port = listener.getsockname()[:2]
    async with asyncio.TaskGroup() as group:
        group.create_task(parts.server.serve(sockets=[listener]), name="web")
        acquiring = group.create_task(parts.edge.run(stop), name="edge")
        tasks = [group.create_task(run(), name=name) for name, run in parts.tasks.items()]
        try:
            await parts.server.listening.wait()
            parts.vitals.is_ready = True
            gc.collect()
            gc.freeze()  # what lives as long as the hub need not be walked each time
            gc.set_threshold(YOUNG)
            address = f"{parts.server.scheme}://{host}:{port}"
            log.info("Serving on %s", address)
            ready(address)
            await stop.wait()
            await acquiring  # from here on nothing new comes in
        finally:
            parts.vitals.is_ready = False
            await _end(tasks)  # what they reached is kept with the last commit
            parts.access.close()
            # what came in is committed, and only then may the broker forget it
            await parts.store.close()
            await parts.edge.finish()
            parts.server.should_exit = True


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
