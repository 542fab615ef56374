"""What a value that moves by itself usually does: how long it rests, how far it steps, how much it
shakes.

    rest    how long it stays where it is: a thermometer that has not moved for long is stuck
    step    the farthest of its steps from one word to the next; a quantity has inertia
    shake   how much it turns to and fro; noise is that and no trend
    grain   the smallest of its steps: one to and fro is how its scale is made, and no shake
"""

from __future__ import annotations

from typing import Any, NamedTuple

from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.rest import NEAR_MS, Rest

HOUR = 3_600_000


class Nature(NamedTuple):
    """What is no news, whatever a sensor is used to: a step, and a shake."""

    step: float | None
    shake: float


NATURES = {
    "temperature": Nature(5.0, 0.45),
    "humidity": Nature(20.0, 2.0),
    "co2": Nature(1_200.0, 50.0),
    "illuminance": Nature(None, 200.0),  # a lamp is switched on
}
STEPS = 2.5  # times the farthest it used to make
SHAKES = 4.0
SPIKE = 5.0  # as much of one turn counts: it may be a glitch
LATELY, USUALLY = 0.08, 1 / 600
KNOWN_AFTER = 100
A_DAY = 6  # words that make a mean
A_DAY_LATER = 0.97  # of the worst day is left
CONFIRMED_BY = 3  # words that stay where it jumped to
QUIET_MS = 48 * HOUR
SPIKES, SPIKES_MS = 3, 24 * HOUR
DAYS_MS = 4 * 24 * HOUR  # listened to, before a shake is one too many
LIGHT = "illuminance"
RESTLESS = frozenset({LIGHT})
"""Clouds shake it as no fault does."""
DARK = 5.0  # lux


NOTHING: Any = ((), 0.0, 0.0, 0.0, 0.0, 0, ())


class Jump(NamedTuple):
    was: float
    now: float
    pause_ms: int
    at_ms: int
    limit: float


class Analog:
    """One channel of one device."""

    __slots__ = (
        "_day",
        "_is_spoilt",
        "_least",
        "_loud",
        "_stayed",
        "_step",
        "_turn",
        "channel",
        "days",
        "far",
        "farthest",
        "grain",
        "heard_ms",
        "is_drifting",
        "is_noisy",
        "jump",
        "jumped",
        "loudest",
        "neighbours",
        "noisy_ms",
        "rest",
        "seen",
        "shake",
        "spikes",
        "usual_shake",
        "value",
    )

    def __init__(self, channel: str, kept: Any) -> None:
        rest, farthest, grain, usual, loudest, seen, days = kept or NOTHING
        self.channel = channel
        self.rest = Rest(*rest)
        self.grain: float = grain
        self.farthest: float = farthest
        self.usual_shake: float = usual
        self.loudest: float = loudest
        self.seen: int = seen
        self.value: float | None = None
        self.heard_ms = 0
        self.shake: float = usual
        self.is_noisy = False
        self.noisy_ms = 0
        self.jump: Jump | None = None  # not confirmed yet
        self.jumped: Jump | None = None
        self.spikes: list[int] = []
        self._stayed = 0
        self._turn = 0.0  # its last step
        self._loud = self._step = 0.0  # the most that it shook, and stepped, in the running day
        self._least = 0.0  # its smallest step of the running day
        self._is_spoilt = False  # something was wrong on the running day
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
            round(self.grain, 2),
            round(self.usual_shake, 4),
            round(self.loudest, 4),
            self.seen,
            self.days,
        )

    def stand(self, kind: FaultKind, evidence: Params, now_ms: int) -> None:
        """It was found before this start."""
        if kind is FaultKind.STUCK:
            self.rest.is_stuck, self.rest.since_ms = True, now_ms
            self.value = _number(evidence.get("value"))
        elif kind is FaultKind.NOISE:
            self.is_noisy, self.noisy_ms = True, now_ms
            least = NATURES[self.channel].shake / SHAKES
            self.shake = max(self.usual_shake, least) * (_number(evidence.get("times")) or SHAKES)
        elif kind is FaultKind.DRIFT:
            self.is_drifting = True
        elif kind is FaultKind.JUMP:
            was, now = _number(evidence.get("from")), _number(evidence.get("to"))
            if was is not None and now is not None:
                self.jumped = Jump(was, now, 0, now_ms, abs(now - was) / 2)

    @property
    def times(self) -> float:
        """How much more it shakes than it used to."""
        least = NATURES[self.channel].shake / SHAKES
        return round(self.shake / max(self.usual_shake, least), 1)

    def end_day(self) -> float | None:
        """The mean of the day, where it was heard enough. What it did on a day on which something
        was wrong with it is not what it usually does."""
        (total, words), self._day = self._day, [0.0, 0.0]
        if not self._is_spoilt:
            self.loudest = max(self.loudest * A_DAY_LATER, self._loud)
            self.farthest = max(self.farthest * A_DAY_LATER, self._step)
            if self._least:
                self.grain = min(self._least, self.grain * 2 or self._least)
        self._loud = self._step = self._least = 0.0
        self._is_spoilt = self.is_noisy or self.jumped is not None
        return total / words if words >= A_DAY else None

    @property
    def is_dark(self) -> bool:
        return self.channel == LIGHT and self.value is not None and self.value < DARK

    def take(self, value: float, now_ms: int, open_ms: int) -> tuple[FaultKind, ...]:
        """Answers which kinds may be judged otherwise now. ``open_ms``: its room's clock."""
        is_dark = self.is_dark
        was, self.value = self.value, value
        pause_ms, self.heard_ms = now_ms - self.heard_ms, now_ms
        if was is None:
            self.rest.begin(now_ms, open_ms)
            return ()
        self.rest.hear(now_ms, open_ms)
        if self.jump is None and self.jumped is None and not self.is_noisy:
            self._day[0] += value
            self._day[1] += 1
        self.seen = min(self.seen + 1, 100_000)
        step = value - was
        found: tuple[FaultKind, ...] = ()
        if step and self.rest.end(now_ms, open_ms, is_dark=is_dark):
            found = (FaultKind.STUCK,)
        if pause_ms <= NEAR_MS:
            found += self._shaken(step, now_ms) + self._stepped(was, value, pause_ms, now_ms)
        return found

    def _shaken(self, step: float, now_ms: int) -> tuple[FaultKind, ...]:
        turn = 0.0
        if step * self._turn < 0:
            grain = self.grain or self._least
            turn = 2 * max(0.0, min(abs(step), abs(self._turn)) - grain)
        self._turn = step
        usual = self.usual_shake
        nature = NATURES[self.channel].shake
        self.shake += (min(turn, SPIKE * max(usual, nature)) - self.shake) * LATELY
        was = self.is_noisy
        is_known = self.seen >= KNOWN_AFTER and self.rest.by_clock.span_ms >= DAYS_MS
        if is_known and self.channel not in RESTLESS:
            limit = max(SHAKES * usual, 1.7 * self.loudest, nature)
            self.is_noisy = self.shake > (limit * 0.6 if was else limit)
        if not self.is_noisy:
            self.usual_shake += (turn - usual) * max(USUALLY, 1 / (self.seen + 1))
            self._loud = max(self._loud, self.shake)
            if step:
                self._least = min(abs(step), self._least or abs(step))
        if was is self.is_noisy:
            return ()
        self._is_spoilt = True
        self.noisy_ms = now_ms
        return (FaultKind.NOISE,)

    def _stepped(
        self, was: float, value: float, pause_ms: int, now_ms: int
    ) -> tuple[FaultKind, ...]:
        natural = NATURES[self.channel].step
        if natural is None:
            return ()
        if self.is_noisy:
            return self._calm_down()
        if self.jump is not None or self.jumped is not None:
            return self._after(value, now_ms)
        size = abs(value - was)
        limit = max(natural, STEPS * self.farthest)
        if size > limit and self.seen >= KNOWN_AFTER:
            if self._is_home(value - was):
                return ()
            self.jump, self._stayed = Jump(was, value, pause_ms, now_ms, limit), 0
            return ()
        self._step = max(self._step, min(size, natural))
        return ()

    def _calm_down(self) -> tuple[FaultKind, ...]:
        """What shakes makes steps of every size: they are no news beside that."""
        was, self.jump, self.jumped = self.jumped, None, None
        return (FaultKind.JUMP,) if was is not None else ()

    def _is_home(self, step: float) -> bool:
        """Did it drift, and steps back to where its neighbours are? Somebody mended it."""
        is_nearer = step * self.far < 0 and abs(step + self.far) < abs(step) / 2
        return self.is_drifting and is_nearer

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
        self.jump, self.jumped, self._stayed, self._is_spoilt = None, jump, 0, True
        return (FaultKind.JUMP,)


def _number(told: object) -> float | None:
    return float(told) if isinstance(told, int | float) else None
