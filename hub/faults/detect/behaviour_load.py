"""A hub that is too slow for long; a backup that keeps it busy for a minute is none.

The mean of how late it was, with a memory of five minutes and each lateness counted up to two
seconds: one long stop weighs no more than a short one, and only what goes on adds up.
"""

from __future__ import annotations

from math import exp

from hub.domain.fault import FaultKind, Subject, SubjectKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket

HUB = Subject(SubjectKind.HUB, "hub")
REMEMBERED_S = 300.0
MOST_S = 2.0
TOO_LATE_S, WELL_S = 0.7, 0.2
SPAN_S = 10.0  # one lateness stands for no more than this
CALM_S = 0.02  # not worth an exponential ten times a second


class Load:
    """How late this hub was lately."""

    __slots__ = ("_at_ms", "_docket", "_is_on", "_level", "_mean_s", "_since_ms")

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._at_ms = self._since_ms = 0
        self._level = self._mean_s = 0.0
        self._is_on: bool | None = None  # it may have been found before this start

    def lag(self, late_s: float, now_ms: int) -> None:
        """It did nothing for so long, up to now."""
        if self._is_on is None:
            self._is_on = self._docket.is_on(HUB, FaultKind.HUB_OVERLOADED)
            self._at_ms = now_ms
        if late_s < CALM_S and self._level < CALM_S and not self._is_on:
            self._at_ms = now_ms
            return
        pause_s = max((now_ms - self._at_ms) / 1000, late_s, 0.0)
        self._at_ms = now_ms
        span_s = min(pause_s, SPAN_S)
        weight = 1 - exp(-span_s / REMEMBERED_S)
        self._level *= exp((span_s - pause_s) / REMEMBERED_S)
        if self._level < CALM_S:
            self._since_ms = now_ms
        self._level += (min(late_s, MOST_S) - self._level) * weight
        self._mean_s += (late_s - self._mean_s) * weight
        is_on = self._level >= (WELL_S if self._is_on else TOO_LATE_S)
        if is_on is not self._is_on:
            self._is_on = is_on
            evidence: Params | None = {"lag_ms": round(self._mean_s * 1000)} if is_on else None
            self._docket.say(HUB, FaultKind.HUB_OVERLOADED, evidence, self._since_ms, now_ms)
