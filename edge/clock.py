"""The one clock. Stamps, rules, holds and commit intervals use it and scale with it.

What concerns a live connection (heartbeat, back-off, time-outs, quiet lines) uses the event
loop's own time instead, so that a demo that runs 20 times faster still talks to real ports.
"""

from __future__ import annotations

import time
from collections.abc import Callable


class Clock:
    """Wall time in milliseconds since 1970 UTC, possibly shifted and faster than true time.

    ``start_ms`` and ``speed`` shape a demo's time: it begins there and runs that many times
    faster until it reaches true time; from then on it runs at ``cruise`` (1 is true time).
    """

    def __init__(
        self,
        start_ms: int | None = None,
        speed: float = 1.0,
        cruise: float = 1.0,
        true_time: Callable[[], float] = time.time,
        monotonic: Callable[[], float] | None = None,
    ) -> None:
        """``monotonic`` tells when ``true_time`` was set; a made-up time is never set."""
        self._true_time = true_time
        if monotonic is None:
            monotonic = time.monotonic if true_time is time.time else true_time
        self._monotonic = monotonic
        self._began_s = monotonic()
        self._origin_s = true_time()
        self._start_ms = self._origin_s * 1000 if start_ms is None else float(start_ms)
        self._speed = speed
        self._cruise = cruise
        behind_s = self._origin_s - self._start_ms / 1000
        catches_up = behind_s > 0 and speed > 1
        self._caught_up_after_s = behind_s / (speed - 1) if catches_up else 0.0

    def now_ms(self) -> int:
        """The time of this clock."""
        true_s = self._true_time()
        elapsed_s = true_s - self._origin_s
        if elapsed_s < self._caught_up_after_s:
            return int(self._start_ms + elapsed_s * self._speed * 1000)
        if self._cruise == 1.0 and self._caught_up_after_s:
            return int(true_s * 1000)
        head_ms = self._caught_up_after_s * self._speed * 1000
        tail_ms = (elapsed_s - self._caught_up_after_s) * self._cruise * 1000
        return int(self._start_ms + head_ms + tail_ms)

    @property
    def speed(self) -> float:
        """How many seconds of this clock pass in a true second, now."""
        elapsed_s = self._true_time() - self._origin_s
        return self._speed if elapsed_s < self._caught_up_after_s else self._cruise

    def shift_s(self) -> float:
        """By how many seconds true time was set since the start; slewing adds up here too."""
        passed_s = self._monotonic() - self._began_s
        return self._true_time() - self._origin_s - passed_s

    def real_seconds(self, duration_ms: float) -> float:
        """True seconds until ``duration_ms`` of this clock have passed, at its present speed."""
        return max(duration_ms, 0.0) / 1000 / self.speed
