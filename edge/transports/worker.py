"""Blocking calls that open things, away from the event loop.

Name look-ups, TCP, TLS and ``open()`` of a device can take long. The event loop's own executor is
joined when the program ends, so a broker that does not answer would hold up Ctrl-C; a daemon
thread of its own does not. What a call opens after its caller gave up is closed again.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
A = TypeVar("A")


async def in_thread(call: Callable[[], T], undo: Callable[[T], None], within_s: float) -> T:
    """Run ``call`` in a thread of its own.

    Args:
        call: What may block.
        undo: Closes what ``call`` opened, if nobody waits for it any more.
        within_s: How long to wait.

    Raises:
        TimeoutError: it took longer.
        Exception: whatever ``call`` raised.
    """
    opening = _Opening(call, undo)
    threading.Thread(target=opening.run, name="linli-open", daemon=True).start()
    try:
        async with asyncio.timeout(within_s):
            return await opening.answer
    except BaseException:
        opening.abandon()
        raise


class _Opening(Generic[T]):
    """One call, and whether somebody still waits for it."""

    def __init__(self, call: Callable[[], T], undo: Callable[[T], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._call = call
        self._undo = undo
        self._lock = threading.Lock()
        self._is_wanted = True
        self.answer: asyncio.Future[T] = self._loop.create_future()

    def run(self) -> None:
        """In the thread."""
        try:
            result = self._call()
        except Exception as error:  # noqa: BLE001 - raised again where it is awaited
            self._hand_over(self._fail, error)
            return
        if not self._hand_over(self._succeed, result):
            self._undo(result)

    def abandon(self) -> None:
        """On the loop: nobody waits any more."""
        with self._lock:
            self._is_wanted = False
        answer = self.answer
        if answer.done() and not answer.cancelled() and answer.exception() is None:
            self._undo(answer.result())

    def _hand_over(self, how: Callable[[A], None], what: A) -> bool:
        with self._lock:
            if self._is_wanted:
                self._loop.call_soon_threadsafe(how, what)
            return self._is_wanted

    def _succeed(self, result: T) -> None:
        if self.answer.done():  # cancelled between the thread's look and now
            self._undo(result)
        else:
            self.answer.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)
