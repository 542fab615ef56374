"""What a room teaches about itself, from the words of its sensors alone.

Three durations are learnt, all from the moments that are judged anyway, so a replay of the same
words learns the same. Nothing is kept over a restart: the first hours begin with the defaults.
"""

from __future__ import annotations

from dataclasses import dataclass

MINUTE = 60_000

LATE_MS = 10_000
"""A door's word may come so long after that of the sensor behind it."""

MOTION_HOLD_MS = 10 * MINUTE
HOLD_BOUNDS_MS = (5 * MINUTE, 30 * MINUTE)
MARGIN = 1.25  # a hold is so much longer than the longest stillness it must outlast
EASING = 0.01  # of the way down, each time somebody stirred earlier
TELLING_MS = MINUTE  # shorter stillness says nothing about the longest

USUAL_DELAY_MS = 90_000
LONGEST_DELAY_MS = 3 * MINUTE  # a sensor that clears later than that is not read as a delay
ALIKE_MS = 3_000
TIMES_ALIKE = 3


@dataclass(slots=True)
class Hold:
    """How long a room must be still before stillness means something.

    Longer at once when people who were there kept still for longer; shorter only little by little.
    """

    hold_ms: int = MOTION_HOLD_MS

    def learn(self, still_ms: int) -> None:
        """Somebody was in the room all the time, and nothing moved for so long."""
        if still_ms < TELLING_MS:
            return
        low, high = HOLD_BOUNDS_MS
        wanted = min(max(round(still_ms * MARGIN), low), high)
        if wanted < self.hold_ms:
            wanted = self.hold_ms - round((self.hold_ms - wanted) * EASING)
        self.hold_ms = wanted


FIRST_LAG_MS = MINUTE
LONGEST_LAG_MS = 3 * MINUTE
LAG_EASING = 0.2


@dataclass(slots=True)
class Lag:
    """How long after the last one left a radar may go on seeing him.

    Wider at once when it was slower and the room was entered anew; narrower little by little.
    """

    lag_ms: int = FIRST_LAG_MS

    def learn(self, tail_ms: int) -> None:
        """It saw somebody so long after he may have left, and nobody until a door moved again."""
        wanted = round(tail_ms * MARGIN) + LATE_MS
        if tail_ms > LONGEST_LAG_MS:
            return
        if wanted < self.lag_ms:
            wanted = self.lag_ms - round((self.lag_ms - wanted) * LAG_EASING)
        self.lag_ms = wanted


@dataclass(slots=True)
class Delay:
    """How long a motion sensor goes on saying "motion" after the last one.

    A single movement shows it: the sensor says "motion" for just its delay and never for less. So
    it is the shortest sight, once that was seen a few times. Where people never keep still it shows
    when the last one leaves: the sensor says "motion" for so long after the door opened.
    """

    shortest_ms: int = LONGEST_DELAY_MS
    times: int = 0

    def learn(self, sight_ms: int) -> None:
        """A sight began and ended, with nothing missed between."""
        if sight_ms < self.shortest_ms - ALIKE_MS:
            self.shortest_ms, self.times = sight_ms, 1
        elif sight_ms <= self.shortest_ms + ALIKE_MS and self.shortest_ms < LONGEST_DELAY_MS:
            self.shortest_ms = min(self.shortest_ms, sight_ms)
            self.times += 1

    @property
    def known_ms(self) -> int:
        """Never longer than a sight that was seen; longer than usual only if it was seen often."""
        if self.times >= TIMES_ALIKE:
            return self.shortest_ms
        return min(self.shortest_ms, USUAL_DELAY_MS)
