"""One thread beside the event loop, for calls that block; it can always be left behind.

A pool's threads are waited for when Python ends, so one request to a server that never answers
would keep a stopped hub alive. This thread is a daemon: what it does at the end is lost, and
nothing it does must be kept.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")


class Worker:
    """Started with the first call; calls wait for each other."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._jobs: queue.SimpleQueue[tuple[Callable[[], Any], Future[Any]] | None]
        self._jobs = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    async def call(self, job: Callable[[], Result]) -> Result:
        """What the job answers or raises. Cancelling the wait does not end the job."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
            self._thread.start()
        done: Future[Result] = Future()
        self._jobs.put((job, done))
        return await asyncio.wrap_future(done)

    async def close(self, within_s: float) -> bool:
        """End the thread after its present job; False if it had to be left behind."""
        if self._thread is None:
            return True
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join, within_s)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (task := self._jobs.get()) is not None:
            job, done = task
            if not done.set_running_or_notify_cancel():
                continue
            try:
                done.set_result(job())
            except BaseException as error:  # noqa: BLE001 - it is raised again where it is awaited
                done.set_exception(error)
