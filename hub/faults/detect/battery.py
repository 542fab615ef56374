"""The charge of a battery over weeks, and the day on which it will be empty.

    readings > the best of six hours > the best of a day > a line through the days > days left

Cold makes a battery look emptier for some hours and no battery looks fuller than it is, so the
best counts, and times of a day are only compared with the same of another. The line through the
days (Theil-Sen) is the middle of the slopes between all pairs of them, so a day that was measured
badly moves it little. A lithium cell holds its level for a year and loses it in two days: that
is seen from one day to the next.

A battery that only tells its voltage is measured against the best voltage it ever had; one that
only tells whether it is low is believed after half a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

HOUR = 3_600_000
DAY = 24 * HOUR
SPAN, SPANS_A_DAY = 6 * HOUR, 4
MOST_DAYS, MOST_SPANS = 42, 10
FEWEST_DAYS = 8
RECENT_DAYS = 12
LOW, EMPTY = 15.0, 4.0  # per cent
WARN_DAYS, WARN_BELOW = 14, 50.0
FALLS_BY, FALLS_TO, FALLS_DAYS = 20.0, 60.0, 5.0
"""Within a day or two, and empty within so many days if it goes on."""
LEAP = 12.0  # more than a coarse step of ten
PLUNGES_BY, PLUNGE_DAYS = 18.0, 7
"""No well battery loses that in a week, cold or told in steps; and some feed no radio at 40 %."""
FELL = 15.0  # before a line through the days is believed: more than a coarse step and a dip
ASKS_FOR_MS = 12 * HOUR  # a cold night is shorter
REPLACED_BY, FRESH = 20.0, 40.0
"""A new battery is better than the old one by so much, and at least so good."""
DEAD_SHARE = 0.82  # of its best voltage; nothing runs below
UNKNOWN = -1


class Battery:
    """``is_low`` stays until a better battery shows itself."""

    __slots__ = (
        "_asked_ms",
        "_last_two",
        "_leapt_ms",
        "_replies",
        "_volts",
        "asks",
        "best",
        "days",
        "days_left",
        "is_low",
        "level",
        "since_ms",
        "span_ms",
        "spans",
    )

    def __init__(self, kept: Any) -> None:
        days, spans, level, is_low, asks, volts = kept or ([], [], None, False, False, 0.0)
        self.days: list[tuple[int, float]] = [(at, level) for at, level in days]
        self.spans: list[float] = list(spans)  # the best of six hours each, the newest last
        self.span_ms: int | None = None  # the running one began
        self.best: float | None = None  # of the running one
        self.level: float | None = level  # as it is now, dips apart
        self.days_left: int = UNKNOWN
        self.is_low: bool = is_low
        self.since_ms = 0
        self.asks: bool = asks
        self._asked_ms: int | None = None
        self._replies = 0  # how often in a row it said the same of itself
        self._volts: float = volts  # the best it ever had
        self._leapt_ms: int | None = None  # it last rose from one word to the next
        self._last_two: tuple[float, float] | None = None

    def kept(self) -> Any:
        if self.level is None and not self.asks:
            return None
        level = None if self.level is None else round(self.level, 1)
        return self.days, self.spans, level, self.is_low, self.asks, self._volts

    @property
    def was_poor(self) -> bool:
        """Would its end explain a silence?"""
        return self.is_low or (self.level is not None and self.level <= LOW)

    def take(self, channel: str, value: float, now_ms: int) -> bool:
        """True if it is judged otherwise now."""
        was = self.is_low
        if channel == "battery.low":
            self._ask(value == 1, now_ms)
        elif channel == "battery.level":
            self._measure(float(value), now_ms)
        elif self.level is None or self._volts:  # a level, where it tells one, is better
            self._volts = max(self._volts, value)
            share = value / self._volts if self._volts else 1.0
            self._measure(max(0.0, (share - DEAD_SHARE) / (1 - DEAD_SHARE) * 100), now_ms)
        if self.is_low and not was:
            self.since_ms = now_ms
        return was is not self.is_low

    def _ask(self, asks: bool, now_ms: int) -> None:
        if asks is not self.asks:
            self.asks, self._asked_ms, self._replies = asks, now_ms, 0
        self._replies += 1
        if self._replies < 2:
            return
        if not asks:
            self.is_low = self.is_low and self.level is not None
        elif self._asked_ms is None or now_ms - self._asked_ms >= ASKS_FOR_MS:
            self.is_low = True

    def _measure(self, level: float, now_ms: int) -> None:
        before = self._last_two[1] if self._last_two else level
        self._last_two = before, level
        if level > before + LEAP:
            self._leapt_ms = now_ms
        if self.level is not None and level >= max(FRESH, self.level + REPLACED_BY):
            if before < max(FRESH, self.level + REPLACED_BY):
                return  # once is a slip, or another device under this name
            self._begin_anew()  # somebody changed it
        if self.span_ms is None or now_ms - self.span_ms >= SPAN:
            self._end_span(now_ms)
        self.best = level if self.best is None else max(self.best, level)
        if max(before, level) <= EMPTY:
            self._begin_anew()  # it is empty, however full it was this morning
            self.best = max(before, level)
        self.level = max([self.best, *self.spans[-2:]])
        if self.level <= LOW:
            self.is_low = True

    def _begin_anew(self) -> None:
        """What it was before says nothing of it any more."""
        self.days, self.spans, self.best = [], [], None
        self.days_left, self.is_low = UNKNOWN, False

    def _end_span(self, now_ms: int) -> None:
        if self.best is not None and self.span_ms is not None:
            self.spans.append(self.best)
            del self.spans[:-MOST_SPANS]
            self._see_fall(now_ms)
            self._see_plunge(now_ms)
            if not self.days or now_ms - self.days[-1][0] >= DAY:
                self._end_day(now_ms)
        self.span_ms, self.best = now_ms, None

    def _see_fall(self, now_ms: int) -> None:
        """Against the same hours of the day before, in this span and in the one before. One that
        leaps up and down is no battery that falls: two devices speak under its name."""
        leapt = self._leapt_ms is not None and now_ms - self._leapt_ms < 3 * DAY
        if leapt or len(self.spans) < SPANS_A_DAY + 2:
            return
        for days in (1, 2):
            self._fell(days)

    def _fell(self, days: int) -> None:
        """So much that it is empty soon, against so many days ago."""
        ago = days * SPANS_A_DAY
        if len(self.spans) < ago + 2:
            return
        falls = [self.spans[-ago - n] - self.spans[-n] for n in (1, 2)]
        level, a_day = self.spans[-1], falls[0] / days
        if falls[0] < FALLS_BY or falls[1] <= 0 or level > FALLS_TO:
            return
        if level - EMPTY <= a_day * FALLS_DAYS:
            self.is_low, self.days_left = True, int((level - EMPTY) / a_day)

    def _end_day(self, now_ms: int) -> None:
        best = max(self.spans[-SPANS_A_DAY:])
        self.days.append((now_ms, round(best, 1)))
        del self.days[:-MOST_DAYS]
        self.days_left = forecast(self.days)
        is_near = self.days_left != UNKNOWN and self.days_left <= WARN_DAYS
        fell = max(level for _, level in self.days[-RECENT_DAYS:]) - best
        if is_near and best <= WARN_BELOW and fell >= FELL:
            self.is_low = True

    def _see_plunge(self, now_ms: int) -> None:
        """The best of the last day against that of the week."""
        if self._leapt_ms is not None and now_ms - self._leapt_ms < PLUNGE_DAYS * DAY:
            return
        best = max(self.spans[-SPANS_A_DAY:])
        fell = max((level for _, level in self.days[-PLUNGE_DAYS:]), default=best) - best
        if fell < PLUNGES_BY or best > FALLS_TO:
            return
        self.is_low = True
        if self.days_left == UNKNOWN:
            self.days_left = int((best - EMPTY) / fell * PLUNGE_DAYS)

    def move(self, base_ms: int, by_ms: int) -> None:
        """What was kept before this start lies so much further back, or nearer, than it seemed."""
        self.days = [(at - by_ms if at < base_ms else at, level) for at, level in self.days]


def forecast(days: Sequence[tuple[int, float]]) -> int:
    """In how many days it is empty; UNKNOWN where nothing says that it falls.

    >>> forecast([(day * DAY, 60.0 - 2 * day) for day in range(20)])
    10
    >>> forecast([(day * DAY, 60.0) for day in range(20)])
    -1
    """
    if len(days) < FEWEST_DAYS:
        return UNKNOWN
    level = median(level for _, level in days[-3:])
    fall = max(-_slope(days), -_slope(days[-RECENT_DAYS:]))
    if fall <= 0.05:
        return UNKNOWN
    return max(0, int((level - EMPTY) / fall))


def _slope(days: Sequence[tuple[int, float]]) -> float:
    """Per cent a day: the middle of the slopes between all pairs of days."""
    slopes = [
        (level - before) / ((at - earlier) / DAY)
        for index, (at, level) in enumerate(days)
        for earlier, before in days[:index]
        if at > earlier
    ]
    return median(slopes) if slopes else 0.0
