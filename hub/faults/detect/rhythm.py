"""How often a device speaks, learnt from its own pauses, and how long a pause is one too many.

Pauses are counted in bins an eighth of an octave wide, so that a second and a day cost the same
few bytes. ``usual_ms`` is the pause that fills the device's quiet time: the heartbeat of a sensor
that also speaks when something happens. From there on the tail is followed step by step:

    chances     pauses that came near the usual one, in a week
    missed      those that were longer: a word was lost on the air (p)
    again ...   of these, those that were longer still; as unlikely as the first at least

A silence is one that would come by itself less than once in ``WEEKS_APART`` weeks. Pauses are
whole, so most limits lie far beyond that. A device that speaks once an hour and loses one word in
a hundred or fewer is missed after two of its pauses, one that speaks every five minutes after
three of them, one that loses every tenth word after five, and one that speaks only when people
come has no such limit below the configured one.

What a device was silent for because it was broken is not learnt, unless it happens again and
again: then it was set to another rhythm, and all is learnt anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

WEEK = 7 * 86_400_000
DAY = 86_400_000
WEEKS_APART = 50
UNIT_BITS = 6  # bins count in 64 ms: a radar that speaks ten times a second has one of its own
NARROW = 3  # 2**3 bins an octave
QUIET_SHARE = 0.8
"""The usual pause is as long as the longest of those that fill so much of the time."""
NEAR, MISSED = 0.6, 1.4  # of the usual pause
MARGIN = 0.15  # late, but not missed
PRIOR = 2.0
UNSEEN = 0.5  # words lost beside those that were: chance was kind, or the sample is small
ENOUGH = 12  # pauses of the usual length
REGULAR = 1.6  # a tail no longer than this, against its middle, is a clock's and nobody's habit
KNOWN_AFTER = {True: 2 * DAY, False: 5 * DAY}
"""A clock has shown itself in two days with their nights; habits need most of a week."""
FEWEST = 0.1  # of a pause that is nearly forgotten
MOST_STEPS = 40
FORGET_EVERY_MS = WEEK
KEPT_OF_A_WEEK = 0.8
STRIKES, CALM = 3, 3
"""Silences with less than so many usual pauses between them are another rhythm."""
SHORTEST_MS = 20_000
"""No silence below that: a broker, a radio and this hub may all take some seconds."""


def bin_of(pause_ms: int) -> int:
    """
    >>> bin_of(60_000) == bin_of(61_000), bin_of(60_000) < bin_of(70_000), bin_of(0)
    (True, True, 0)
    """
    units = pause_ms >> UNIT_BITS
    octave = units.bit_length() - 1 - NARROW
    return units if octave < 0 else ((octave + 1) << NARROW) + ((units >> octave) & 7)


def middle_of(number: int) -> float:
    """The pause in the middle of a bin, in ms."""
    octave, step = (number >> NARROW) - 1, number & 7
    low, width = (number, 1) if octave < 0 else ((8 + step) << octave, 1 << octave)
    return float((low + width / 2) * (1 << UNIT_BITS))


class Care(NamedTuple):
    """How sure one must be. ``weeks_apart``: false ones; ``enough``: pauses of the usual length;
    ``runs``: the share of all time in which its clock runs."""

    weeks_apart: int = WEEKS_APART
    enough: int = ENOUGH
    runs: float = 1.0


USUAL_CARE = Care()


class Rhythm:
    """The pauses of one device. ``pauses`` fade, so that the last weeks count most."""

    __slots__ = (
        "_calm",
        "_care",
        "_fresh",
        "_limit",
        "_since_limit",
        "pauses",
        "span_ms",
        "strikes",
        "usual_ms",
    )

    def __init__(self, kept: Sequence[int] = (), care: Care = USUAL_CARE) -> None:
        self._care = care
        self._begin(kept)

    def _begin(self, kept: Sequence[int] = ()) -> None:
        self.pauses: dict[int, float] = {
            number: tenths / 10 for number, tenths in zip(kept[1::2], kept[2::2], strict=True)
        }
        self.span_ms: float = kept[0] * 1000 if kept else 0
        self.usual_ms: float | None = None
        self.strikes = 0  # silences that ended by themselves, one after the other
        self._calm = 0
        self._fresh: float = 0  # since it last forgot
        self._since_limit = -1  # words since the limit was found; below 0: it must be
        self._limit: int | None = None

    def learn(self, pause_ms: int) -> None:
        """It spoke again after so long."""
        number = bin_of(pause_ms)
        pauses = self.pauses
        if number in pauses:
            pauses[number] += 1.0
        else:
            pauses[number] = 1.0
            self._since_limit = -1
        self.span_ms += pause_ms
        self._fresh += pause_ms
        if self._since_limit >= 0:
            self._since_limit += 1
        if self.strikes:
            self._calm += 1
            if self._calm >= CALM:
                self.strikes = 0
        if self._fresh > FORGET_EVERY_MS:
            self._forget()

    def broke(self) -> None:
        """A silence that was told ended by itself."""
        self.strikes, self._calm = self.strikes + 1, 0
        if self.strikes >= STRIKES:
            self._begin()

    def limit_ms(self) -> int | None:
        """The pause that is one too many; None while that is not known."""
        if self._since_limit < 0 or self._since_limit > 64:
            self._limit = self._find()
            self._since_limit = 0
        return self._limit

    def kept(self) -> list[int]:
        """What another one is made of: its time in seconds, then bins with tenths of pauses."""
        found = [round(self.span_ms / 1000)]
        for number, count in self.pauses.items():
            if count >= FEWEST:
                found += number, round(count * 10)
        return found

    def _forget(self) -> None:
        self._fresh = 0
        self.span_ms *= KEPT_OF_A_WEEK
        self.pauses = {
            number: count * KEPT_OF_A_WEEK
            for number, count in self.pauses.items()
            if count >= FEWEST
        }
        self._since_limit = -1

    def _find(self) -> int | None:
        ordered = sorted((middle_of(number), count) for number, count in self.pauses.items())
        usual = _filling(ordered, QUIET_SHARE)
        self.usual_ms = usual
        chances = _beyond(ordered, usual * NEAR)
        care = self._care
        if usual <= 0 or chances < care.enough:
            return None
        missed = _beyond(ordered, usual * MISSED)
        is_regular = usual <= REGULAR * _filling(ordered, 0.4) or missed * 10 < chances
        if self.span_ms < KNOWN_AFTER[is_regular] * care.runs:
            return None
        steps = _steps(ordered, usual, chances, self.span_ms / WEEK / care.weeks_apart)
        return max(round((steps + MARGIN) * usual), SHORTEST_MS)


def _steps(ordered: list[tuple[float, float]], usual: float, chances: float, spans: float) -> int:
    """How many usual pauses one must be long to come less than once in the weeks that one is to be
    apart; ``spans``: how much of them was listened to."""
    lost = (_beyond(ordered, usual * MISSED) + UNSEEN) / (chances + UNSEEN)
    left, before = chances / spans, chances
    for step in range(1, MOST_STEPS):
        now = _beyond(ordered, usual * (step + MISSED - 1))
        again = max((now + PRIOR * lost) / (before + PRIOR), lost)
        left, before = left * min(again, 1.0), now
        if left <= 1 and step > 1:
            return step
    return MOST_STEPS


def _filling(ordered: list[tuple[float, float]], share: float) -> float:
    """The pause up to which so large a share of the time is filled."""
    wanted = share * sum(middle * count for middle, count in ordered)
    for middle, count in ordered:
        wanted -= middle * count
        if wanted <= 0:
            return middle
    return 0.0


def _beyond(ordered: list[tuple[float, float]], pause_ms: float) -> float:
    return sum(count for middle, count in ordered if middle > pause_ms)
