"""What a value that moves by itself usually does: how long it rests, how far it steps, how much it
shakes.

    rest    a Rhythm of its moves: a thermometer that has not moved for long is stuck
    step    the farthest of its steps from one word to the next; a quantity has inertia
    shake   how much it turns to and fro; noise is that and no trend
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.rhythm import Rhythm

MINUTE = 60_000
HOUR = 60 * MINUTE


class Nature(NamedTuple):
    """What is no news, whatever a sensor is used to: a step, and a shake."""

    step: float | None
    shake: float


NATURES = {
    "temperature": Nature(5.0, 0.35),
    "humidity": Nature(20.0, 2.0),
    "co2": Nature(1_200.0, 50.0),
    "illuminance": Nature(None, 200.0),  # a lamp is switched on
}
NEAR_MS = 150 * MINUTE  # words further apart tell of no step
STEPS = 2.5  # times the farthest it used to make
FAR_FORGOTTEN = 0.9998  # at each word
SHAKES = 4.0
LATELY, USUALLY = 0.08, 1 / 600
KNOWN_AFTER = 100
A_DAY = 6  # words that make a mean
A_DAY_LATER = 0.97  # of the loudest day is left
CONFIRMED_BY = 3  # words that stay where it jumped to
QUIET_MS = 48 * HOUR
SPIKES, SPIKES_MS = 3, 24 * HOUR
DAYS_MS = 4 * 24 * HOUR  # listened to, before a shake is one too many
RESTLESS = frozenset({"illuminance"})
"""Clouds shake it as no fault does."""


class Jump(NamedTuple):
    was: float
    now: float
    pause_ms: int
    at_ms: int
    limit: float


class Analog:
    """One channel. ``moved_ms``: it last said something else than before."""

    __slots__ = (
        "_day",
        "_loud",
        "_stayed",
        "_turn",
        "channel",
        "days",
        "far",
        "farthest",
        "heard_ms",
        "is_drifting",
        "is_noisy",
        "is_stuck",
        "jump",
        "jumped",
        "loudest",
        "moved_ms",
        "neighbours",
        "noisy_ms",
        "rest",
        "said_since",
        "seen",
        "shake",
        "spikes",
        "usual_shake",
        "value",
    )

    def __init__(self, channel: str, kept: Any) -> None:
        rest, farthest, usual, loudest, seen, days = kept or ((), 0.0, 0.0, 0.0, 0, ())
        self.channel = channel
        self.rest = Rhythm(rest)
        self.farthest, self.usual_shake, self.loudest, self.seen = farthest, usual, loudest, seen
        self.value: float | None = None
        self.heard_ms = self.moved_ms = 0
        self.said_since = 0  # words since it moved
        self.is_stuck = False
        self.shake: float = usual
        self.is_noisy = False
        self.noisy_ms = 0
        self.jump: Jump | None = None  # not confirmed yet
        self.jumped: Jump | None = None
        self.spikes: list[int] = []
        self._stayed = 0
        self._turn = 0.0  # its last step
        self._loud = 0.0  # the most that it shook in the running day
        self._day = [0.0, 0.0]  # the sum of the running day, and how many
        self.days: list[tuple[float, float]] = [(mean, off) for mean, off in days]
        """Of each day its mean, and how far that was from its neighbours'."""
        self.is_drifting = False
        self.far = 0.0  # how much further from its neighbours than usual
        self.neighbours = 0

    def kept(self) -> Any:
        return (
            self.rest.kept(),
            round(self.farthest, 3),
            round(self.usual_shake, 4),
            round(self.loudest, 4),
            self.seen,
            self.days,
        )

    def stand(self, kind: FaultKind, evidence: Params, now_ms: int) -> None:
        """It was found before this start."""
        if kind is FaultKind.STUCK:
            self.is_stuck, self.moved_ms = True, now_ms
            self.value = _number(evidence.get("value"))
        elif kind is FaultKind.NOISE:
            self.is_noisy, self.noisy_ms = True, now_ms
            self.shake = self.usual_shake * (_number(evidence.get("times")) or SHAKES)
        elif kind is FaultKind.DRIFT:
            self.is_drifting = True
        elif kind is FaultKind.JUMP:
            was, now = _number(evidence.get("from")), _number(evidence.get("to"))
            if was is not None and now is not None:
                self.jumped = Jump(was, now, 0, now_ms, abs(now - was) / 2)

    def end_day(self) -> float | None:
        """The mean of the day, where it was heard enough."""
        (total, words), self._day = self._day, [0.0, 0.0]
        if not self.is_noisy:
            self.loudest = max(self.loudest * A_DAY_LATER, self._loud)
        self._loud = 0.0
        return total / words if words >= A_DAY else None

    def take(self, value: float, now_ms: int) -> tuple[FaultKind, ...]:
        """Answers which kinds may be judged otherwise now."""
        was, self.value = self.value, value
        pause_ms, self.heard_ms = now_ms - self.heard_ms, now_ms
        if was is None:
            self.moved_ms = now_ms
            return ()
        self.said_since += 1
        if self.jump is None and self.jumped is None and not self.is_noisy:
            self._day[0] += value
            self._day[1] += 1
        self.seen = min(self.seen + 1, 100_000)
        step = value - was
        found: tuple[FaultKind, ...] = ()
        if step:
            found = self._move(now_ms)
        if pause_ms <= NEAR_MS:
            found += self._shaken(step, now_ms) + self._stepped(was, value, pause_ms, now_ms)
        return found

    def _move(self, now_ms: int) -> tuple[FaultKind, ...]:
        rest_ms, self.moved_ms = now_ms - self.moved_ms, now_ms
        self.said_since = 0
        if self.is_stuck:
            self.is_stuck = False
            self.rest.broke()
            return (FaultKind.STUCK,)
        self.rest.learn(rest_ms)
        return ()

    def _shaken(self, step: float, now_ms: int) -> tuple[FaultKind, ...]:
        turn = 2 * min(abs(step), abs(self._turn)) if step * self._turn < 0 else 0.0
        self._turn = step
        usual = self.usual_shake
        nature = NATURES[self.channel].shake
        self.shake += (min(turn, 8 * max(usual, nature)) - self.shake) * LATELY
        was = self.is_noisy
        is_known = self.seen >= KNOWN_AFTER and self.rest.span_ms >= DAYS_MS
        if is_known and self.loudest and self.channel not in RESTLESS:
            limit = max(SHAKES * usual, 1.7 * self.loudest, nature)
            self.is_noisy = self.shake > (limit * 0.6 if was else limit)
        if not self.is_noisy:
            self.usual_shake += (turn - usual) * max(USUALLY, 1 / (self.seen + 1))
            self._loud = max(self._loud, self.shake)
        if was is self.is_noisy:
            return ()
        self.noisy_ms = now_ms
        return (FaultKind.NOISE,)

    def _stepped(
        self, was: float, value: float, pause_ms: int, now_ms: int
    ) -> tuple[FaultKind, ...]:
        natural = NATURES[self.channel].step
        if natural is None:
            return ()
        if self.jump is not None or self.jumped is not None:
            return self._after(value, now_ms)
        size = abs(value - was)
        limit = max(natural, STEPS * self.farthest)
        if size > limit and self.seen >= KNOWN_AFTER:
            if self._is_home(value - was):
                return ()
            self.jump, self._stayed = Jump(was, value, pause_ms, now_ms, limit), 0
            return ()
        self.farthest = max(self.farthest * FAR_FORGOTTEN, min(size, natural))
        return ()

    def _is_home(self, step: float) -> bool:
        """Does it step back to where its neighbours are? Somebody mended it."""
        return step * self.far < 0 and abs(step + self.far) < abs(step) / 2

    def _after(self, value: float, now_ms: int) -> tuple[FaultKind, ...]:
        """It has just jumped: does it stay there?"""
        jump = self.jump or self.jumped
        if jump is None:
            return ()
        is_back = abs(value - jump.was) < abs(value - jump.now)
        self._stayed = 0 if is_back is (self.jumped is None) else self._stayed + 1
        if self.jumped is not None:
            is_over = self._stayed >= CONFIRMED_BY or now_ms - jump.at_ms > QUIET_MS
            if is_over:
                self.jumped = None
                return (FaultKind.JUMP,)
            return ()
        if is_back:
            self.jump = None
            self.spikes = [at for at in self.spikes if now_ms - at < SPIKES_MS] + [now_ms]
            if len(self.spikes) < SPIKES:
                return ()
            self.spikes.clear()
        elif self._stayed < CONFIRMED_BY:
            return ()
        self.jump, self.jumped, self._stayed = None, jump, 0
        return (FaultKind.JUMP,)


def _number(told: object) -> float | None:
    return float(told) if isinstance(told, int | float) else None
