"""The one clock. Stamps, rules, holds and commit intervals use it and scale with it.

What concerns a live connection (heartbeat, back-off, time-outs, quiet lines) uses the event
loop's own time instead, so that a demo that runs 20 times faster still talks to real ports.

A machine without a clock chip boots in the past. Until its time is trusted this clock does not
follow it: ``hold`` lets it count on by the machine's uptime, ``trust`` brings it to true time.
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
        self._wall = true_time
        self._true_time = true_time  # what we follow: the wall, or uptime while it is not trusted
        if monotonic is None:
            monotonic = time.monotonic if true_time is time.time else true_time
        self._monotonic = monotonic
        self._began_s = monotonic()
        self._origin_s = self._wall_origin_s = true_time()
        self._start_ms = self._origin_s * 1000 if start_ms is None else float(start_ms)
        self._speed = speed
        self._cruise = cruise
        behind_s = self._origin_s - self._start_ms / 1000
        catches_up = behind_s > 0 and speed > 1
        self._caught_up_after_s = behind_s / (speed - 1) if catches_up else 0.0
        self.is_trusted = True
        """Does it follow the machine's time? A made-up time is always trusted."""

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

    def hold(self, base_ms: int, since_ms: int, uptime: Callable[[], float]) -> None:
        """Do not follow the machine's time until ``trust``: count from ``base_ms`` instead.

        Not for a demo's time, which nobody sets.

        Args:
            base_ms: What this clock said, or says, when the machine was up for ``since_ms``.
            since_ms: An uptime; the same one after a restart within one boot keeps one time line.
            uptime: Seconds since the machine was started.
        """
        origin_s, since_s = base_ms / 1000, since_ms / 1000
        self._true_time = lambda: origin_s + (uptime() - since_s)
        self._origin_s, self._start_ms = origin_s, float(base_ms)
        self.is_trusted = False

    def trust(self) -> int:
        """Follow the machine's time from now on; answers by how many ms this clock jumped."""
        held_ms = self.now_ms()
        self._true_time = self._wall
        self._origin_s = self._wall()
        self._start_ms = self._origin_s * 1000
        self.is_trusted = True
        return int(self._start_ms) - held_ms

    def shift_s(self) -> float:
        """By how many seconds the machine's time was set since the start; slewing adds up too."""
        passed_s = self._monotonic() - self._began_s
        return self._wall() - self._wall_origin_s - passed_s

    def real_seconds(self, duration_ms: float) -> float:
        """True seconds until ``duration_ms`` of this clock have passed, at its present speed."""
        return max(duration_ms, 0.0) / 1000 / self.speed
