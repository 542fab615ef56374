"""The charge of a battery over weeks, and the day on which it will be empty.

    readings > the best of each day > a line through the days (Theil-Sen) > days left

Cold makes a battery look emptier for some hours and no battery looks fuller than it is, so the
best of a day counts. The line is the middle of the slopes between all pairs of days, so a day that
was measured badly moves it little. A battery that only tells its voltage is measured against the
best voltage it ever had; one that only tells whether it is low is believed after half a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

DAY = 86_400_000
HOUR = 3_600_000
MOST_DAYS = 42
FEWEST_DAYS = 8
RECENT_DAYS = 12  # the end of a lithium cell is much steeper than its life
LOW, EMPTY = 15.0, 4.0  # per cent
WARN_DAYS, WARN_BELOW = 14, 50.0
ASKS_FOR_MS = 12 * HOUR  # a cold night is shorter
REPLACED_BY, FRESH = 20.0, 40.0
"""A new battery is better than the old one by so much, and at least so good."""
DEAD_SHARE = 0.82  # of its best voltage; nothing runs below
UNKNOWN = -1


class Battery:
    """``is_low`` stays until a better battery, or a day's better level, shows itself."""

    __slots__ = (
        "_asked_ms",
        "_last_two",
        "_replies",
        "_volts",
        "asks",
        "best",
        "days",
        "days_left",
        "is_low",
        "level",
        "since_ms",
        "today_ms",
    )

    def __init__(self, kept: Any) -> None:
        days, best, is_low, asks, volts = kept or ([], None, False, False, 0.0)
        self.days: list[tuple[int, float]] = [(at, level) for at, level in days]
        self.today_ms: int | None = None
        self.best: float | None = best  # of the running day; the days before are in ``days``
        self.level: float | None = best  # as it is now, dips apart
        self.days_left: int = UNKNOWN
        self.is_low = is_low
        self.since_ms = 0
        self.asks = asks
        self._asked_ms: int | None = None
        self._replies = 0  # how often in a row it said the same of itself
        self._volts = volts  # the best it ever had
        self._last_two: tuple[float, float] | None = None

    def kept(self) -> Any:
        if self.level is None and not self.asks:
            return None
        return self.days, self.level, self.is_low, self.asks, self._volts

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

    def is_better_than(self, level: float | None) -> bool:
        """Is it another battery than the one that had this level?"""
        now = self._last_two and min(self._last_two)
        return now is not None and now >= max(FRESH, (level or 0.0) + REPLACED_BY)

    def _ask(self, asks: bool, now_ms: int) -> None:
        if asks is not self.asks:
            self.asks, self._asked_ms, self._replies = asks, now_ms, 0
        self._replies += 1
        if self._replies < 2:
            return
        if asks and now_ms - (self._asked_ms or now_ms) >= ASKS_FOR_MS:
            self.is_low = True
        elif not asks and (self.level is None or self.level > LOW):
            self.is_low = self.is_low and self.level is not None

    def _measure(self, level: float, now_ms: int) -> None:
        before = self._last_two[1] if self._last_two else level
        self._last_two = before, level
        if self.level is not None and self.is_better_than(self.level):
            self.days, self.best, self.level, self.is_low = [], None, level, False
            self.days_left, self.today_ms = UNKNOWN, now_ms
        if self.today_ms is None:
            self.today_ms = now_ms
        if now_ms - self.today_ms >= DAY:
            self._end_day(now_ms)
        steady = min(before, level)  # one reading alone is no best of a day
        self.best = steady if self.best is None else max(self.best, steady)
        yesterday = self.days[-1][1] if self.days else None
        is_young = now_ms - self.today_ms < DAY / 2
        self.level = max(self.best, yesterday) if is_young and yesterday else self.best
        if self.level <= LOW or max(before, level) <= EMPTY:
            self.is_low = True

    def _end_day(self, now_ms: int) -> None:
        if self.best is not None and self.today_ms is not None:
            self.days.append((self.today_ms, round(self.best, 1)))
            del self.days[:-MOST_DAYS]
            self.days_left = forecast(self.days)
            is_near = self.days_left != UNKNOWN and self.days_left <= WARN_DAYS
            if is_near and self.best <= WARN_BELOW:
                self.is_low = True
        self.today_ms, self.best = now_ms, None

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
