"""What took some reading to draw, kept for a moment: an open page asks again at every change."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

FRESH_MS = 30_000
MOST = 64
Drawn = TypeVar("Drawn")


class Kept(Generic[Drawn]):
    """Belongs to the event loop. The oldest goes when there are too many."""

    def __init__(self, fresh_ms: int = FRESH_MS) -> None:
        self._fresh_ms = fresh_ms
        self._found: dict[Hashable, tuple[int, Drawn]] = {}

    async def get(self, key: Hashable, now_ms: int, draw: Callable[[], Awaitable[Drawn]]) -> Drawn:
        """What was drawn lately, or what is drawn now; an error of ``draw`` is the caller's."""
        known = self._found.get(key)
        if known is not None and 0 <= now_ms - known[0] < self._fresh_ms:
            return known[1]
        drawn = await draw()
        self._found.pop(key, None)
        self._found[key] = (now_ms, drawn)
        if len(self._found) > MOST:
            del self._found[next(iter(self._found))]
        return drawn
