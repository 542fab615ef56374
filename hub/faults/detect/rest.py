"""How long a value rests before it moves again, and when it has rested for too long.

Two clocks count it. Ours runs always; that of the room stands still while the room is closed,
because a house without people and heating hardly changes. Both count only while the sensor
speaks: what was not heard may have moved. A rest that is too long by either is one too many, and
in the dark only the room's counts: nobody lights a lamp in a closed house, Sunday or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.faults.detect.rhythm import DAY, Care, Rhythm

HOUR = 3_600_000
NEAR_MS = 150 * 60_000  # of a longer pause nobody knows what was in it
LEAST_MS = 6 * HOUR
LEAST_WORDS = 6
KNOWN_MS = 7 * DAY  # every day of a week is another one
CARE = Care(enough=6)  # one a day
HOURS_CARE = Care(enough=6, runs=0.5)
MENDED = 1.6  # times what was too long


class Rest:
    """``since_ms``: it rests since; ``is_stuck``: for too long, until it moves."""

    __slots__ = (
        "_heard_ms",
        "_heard_open_ms",
        "_open_since_ms",
        "_since_ms",
        "_words",
        "by_clock",
        "by_hours",
        "is_stuck",
        "since_ms",
    )

    def __init__(self, by_clock: Sequence[int] = (), by_hours: Sequence[int] = ()) -> None:
        self.by_clock = Rhythm(by_clock, CARE)
        self.by_hours = Rhythm(by_hours, HOURS_CARE)
        self.is_stuck = False
        self.begin(0, 0)

    def kept(self) -> tuple[list[int], list[int]]:
        return self.by_clock.kept(), self.by_hours.kept()

    def begin(self, now_ms: int, open_ms: int) -> None:
        """It has just moved. ``open_ms`` is the room's clock."""
        self.since_ms = self._since_ms = self._heard_ms = now_ms
        self._open_since_ms = self._heard_open_ms = open_ms
        self._words = 0

    def hear(self, now_ms: int, open_ms: int) -> None:
        """It said something, the same or not."""
        if now_ms - self._heard_ms > NEAR_MS:
            self._since_ms += now_ms - self._heard_ms
            self._open_since_ms += open_ms - self._heard_open_ms
        self._heard_ms, self._heard_open_ms = now_ms, open_ms
        self._words += 1

    def end(self, now_ms: int, open_ms: int, *, is_dark: bool) -> bool:
        """It moved; ``is_dark``: before. True if it was stuck until now."""
        was, self.is_stuck = self.is_stuck, False
        if not is_dark:
            _learn(self.by_clock, now_ms - self._since_ms)
        _learn(self.by_hours, open_ms - self._open_since_ms)
        self.begin(now_ms, open_ms)
        return was

    def is_too_long(self, *, is_dark: bool) -> bool:
        """As far as was heard."""
        if self._words < LEAST_WORDS:
            return False
        by_hours_ms = self._heard_open_ms - self._open_since_ms
        if _exceeds(by_hours_ms, self.by_hours, KNOWN_MS * HOURS_CARE.runs):
            return True
        by_clock_ms = self._heard_ms - self._since_ms
        return not is_dark and _exceeds(by_clock_ms, self.by_clock, KNOWN_MS)


def _learn(rhythm: Rhythm, rest_ms: int) -> None:
    """One that was hardly too long was none; of one far longer somebody mended the sensor."""
    is_long = rest_ms > LEAST_MS * MENDED
    if is_long and (limit_ms := rhythm.limit_ms()) is not None and rest_ms > limit_ms * MENDED:
        rhythm.broke()
    elif rest_ms > 0:
        rhythm.learn(rest_ms)


def _exceeds(rest_ms: int, rhythm: Rhythm, known_ms: float) -> bool:
    if rest_ms < LEAST_MS or rhythm.span_ms < known_ms:
        return False
    limit_ms = rhythm.limit_ms()
    return limit_ms is not None and rest_ms >= limit_ms
