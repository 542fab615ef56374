"""A sign of life to the outside: nobody in the house can tell the world that the house is dark.

It is sent only while the event loop turns, the disk takes what is written and the broker answers.
A watcher outside (docs/notify.md names some) calls people when it stays away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from hub.aside import in_thread
from hub.configuration.notify import HeartbeatSettings
from hub.notify import web
from hub.notify.letter import refused, unknown
from hub.notify.queue import Outcome, Result
from hub.notify.webhook import first_line

log = logging.getLogger(__name__)

WHOLE_S = 60.0


class Heartbeat:
    """By the event loop's own time: a demo that runs faster does not knock faster."""

    def __init__(
        self,
        settings: HeartbeatSettings,
        is_well: Callable[[], bool],
        now_ms: Callable[[], int],
    ) -> None:
        self._file = Path(settings.url_file)
        self._every_s = settings.every.total_seconds()
        self._is_well = is_well
        self._now_ms = now_ms
        self._asking: asyncio.Task[Outcome] | None = None
        self.last_ms: int | None = None
        """When the watcher last took one."""
        self.error = ""

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            if self._is_well():
                self._note(await self._beat())
            elif self.error != "not_well":
                self.error = "not_well"
                log.warning("The hub is not well, so its sign of life is held back")
            await asyncio.sleep(self._every_s)

    async def _beat(self) -> Outcome:
        if self._asking is not None and not self._asking.done():
            return unknown("too_slow")  # the last one hangs still
        self._asking = asyncio.create_task(in_thread(partial(_knock, self._file)))
        await asyncio.wait({self._asking}, timeout=WHOLE_S)
        return self._asking.result() if self._asking.done() else unknown("too_slow")

    def _note(self, outcome: Outcome) -> None:
        before, self.error = self.error, outcome.error
        if outcome.result is Result.SENT:
            self.last_ms = self._now_ms()
            if before:
                log.info("The sign of life arrives again")
        elif not before:
            log.warning("The sign of life does not arrive (%s)", outcome.error)


def _knock(file: Path) -> Outcome:
    url = first_line(file)
    return web.call("GET", url, None, {"User-Agent": "Linli"}) if url else refused("no_secret")
