"""A device's own clock against ours.

What it says is late by the way it took, and that way may be long; it is never early. So the best
of some words tells how far its clock is behind, and all of them must be ahead for it to be ahead.
"""

from __future__ import annotations

from collections import deque

WORDS = 5
BEHIND_MS, AHEAD_MS = 300_000, 120_000
"""Many displays show minutes only; a clock that is a minute off misleads nobody."""


class OwnClock:
    """``off_ms``: ahead where positive; None while nothing is known."""

    __slots__ = ("_offsets", "is_wrong", "off_ms", "since_ms")

    def __init__(self) -> None:
        self._offsets: deque[int] = deque(maxlen=WORDS)
        self.is_wrong = False
        self.off_ms: int | None = None
        self.since_ms = 0

    def take(self, off_ms: int, now_ms: int) -> bool:
        """True if it is judged otherwise now.

        >>> clock = OwnClock()
        >>> [clock.take(-3_600_000, 0) for _ in range(5)]
        [False, False, False, False, True]
        """
        self._offsets.append(off_ms)
        if len(self._offsets) < WORDS:
            return False
        best, worst = max(self._offsets), min(self._offsets)
        self.off_ms = best if best < 0 else worst
        was = self.is_wrong
        ease = 2 if was else 1
        self.is_wrong = best * ease < -BEHIND_MS or worst * ease > AHEAD_MS
        if self.is_wrong and not was:
            self.since_ms = now_ms
        return was is not self.is_wrong

    def forget(self) -> None:
        """Our own clock was set: what was compared with it says nothing."""
        self._offsets.clear()
