"""How often one address may ask for what everybody may: a bucket of requests that fills up again.

The table is bounded: whoever asked longest ago is forgotten first, and begins with a full bucket.
An attacker with many addresses costs memory for the table and nothing more.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import NamedTuple

from hub.api.addresses import place_of

MOST = 4_000


class _Bucket(NamedTuple):
    left: float
    at_s: float


class Pace:
    """``burst`` requests at once, and ``per_s`` on and on."""

    def __init__(
        self, burst: int, per_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._burst = burst
        self._per_s = per_s
        self._monotonic = monotonic
        self._buckets: dict[str, _Bucket] = {}

    def wait_s(self, address: str) -> int:
        """0: this request may pass, and is counted. Else after how many seconds one may."""
        now_s, place = self._monotonic(), place_of(address)
        left, at_s = self._buckets.pop(place, _Bucket(self._burst, now_s))
        left = min(left + (now_s - at_s) * self._per_s, self._burst)
        passes = left >= 1
        if len(self._buckets) >= MOST:
            del self._buckets[next(iter(self._buckets))]
        self._buckets[place] = _Bucket(left - passes, now_s)
        return 0 if passes else max(math.ceil((1 - left) / self._per_s), 1)

    def __len__(self) -> int:
        return len(self._buckets)
