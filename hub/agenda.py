"""What must be looked at again when time alone may have changed it.

A heap of due times, one per key. A later due time waits its turn: the earlier look will find it
and plan again, so a sensor that speaks ten times a second costs no entry each time.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections.abc import Callable

from edge.clock import Clock

LONGEST_WAIT_S = 1.0
"""A demo's clock may change its pace while we wait."""


class Agenda:
    def __init__(self, look: Callable[[str, int], int | None]) -> None:
        """``look(key, now_ms)`` answers when to look again, or None."""
        self._look = look
        self._heap: list[tuple[int, str]] = []
        self._planned: dict[str, int] = {}
        self._wake = asyncio.Event()

    def plan(self, key: str, due_ms: int | None) -> None:
        """Look at ``key`` at that time, or earlier if that is planned already."""
        planned = self._planned.get(key)
        if due_ms is None or (planned is not None and planned <= due_ms):
            return
        self._planned[key] = due_ms
        heapq.heappush(self._heap, (due_ms, key))
        if self._heap[0][1] == key:
            self._wake.set()

    def run_due(self, now_ms: int) -> None:
        """Look at everything whose time has come."""
        while self._heap and self._heap[0][0] <= now_ms:
            due, key = heapq.heappop(self._heap)
            if self._planned.get(key) == due:
                del self._planned[key]
                again = self._look(key, now_ms)
                # never twice in the same millisecond, whatever a rule answers
                self.plan(key, None if again is None else max(again, now_ms + 1))

    def is_due(self, now_ms: int) -> bool:
        """Has the time of something come? Much asked, and seldom so."""
        return bool(self._heap) and self._heap[0][0] <= now_ms

    @property
    def next_ms(self) -> int | None:
        """When something is due; it may turn out that nothing is."""
        return self._heap[0][0] if self._heap else None

    async def run(self, clock: Clock) -> None:
        """Run until cancelled."""
        while True:
            now = clock.now_ms()
            self.run_due(now)
            wait_s = LONGEST_WAIT_S
            if self._heap:
                wait_s = min(wait_s, clock.real_seconds(self._heap[0][0] - now))
            self._wake.clear()
            # not wait_for: before Python 3.12 it can swallow a cancellation
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(max(wait_s, 0.001)):
                    await self._wake.wait()
