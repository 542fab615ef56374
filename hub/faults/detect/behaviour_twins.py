"""Two devices that speak under one name: what they measure goes to and fro between two levels.

    82 31 82 82 31 82 31    a battery that is full, empty, full, empty
    21.3 25.1 21.4 25.1     two thermometers in two rooms

Noise has no levels, a step has no return, night and day return twice a day, and a coarse battery
goes to and fro by its own step. So each level must be met again, closely, many times in a day.
"""

from __future__ import annotations

from math import exp
from typing import Any

from device_drivers.channels import CHANNELS
from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Key, Memory
from hub.faults.kinds import HOUR

APART = {"battery.level": 4.0, "temperature": 1.8}
"""How far two levels are apart, at least."""
COARSE = 3.0  # a device of larger steps than this is only believed from two of them on
MET = 0.25  # of what is between the levels
REMEMBERED_MS = 24 * HOUR
ENOUGH = 7.0
STRANGE = 0.3  # of what is remembered is left where a value belongs to neither level
ALONE_WORDS, ALONE_MS = 12, 8 * HOUR


class Levels:
    """One channel. ``here`` is the level of its last word, ``there`` the other one."""

    __slots__ = ("fine", "here", "is_found", "returned_ms", "returns", "since_ms", "there", "words")

    def __init__(self, fine: float = 100.0) -> None:
        self.fine = fine  # the smallest step that it ever made
        self.here: float | None = None
        self.there: float | None = None
        self.returns = 0.0  # times that a level was met again, those long ago counting less
        self.returned_ms = self.since_ms = 0
        self.words = 0  # since then
        self.is_found = False

    def take(self, value: float, apart: float, now_ms: int) -> bool:
        """Answers whether it is to be judged anew."""
        here, there = self.here, self.there
        self.words += 1
        if here is None:
            self.here = value
            return False
        step = abs(value - here)
        if step and step < self.fine:
            self.fine = step
        if there is not None and abs(here - there) >= self._least(apart):
            near = max(MET * abs(here - there), 1.1 * self.fine)
            if abs(value - there) <= near:
                self._return(value, now_ms)
                return True
            if step > near:
                self.returns *= STRANGE
        if step >= self._least(apart):
            self.there = here
        self.here = value
        return self.is_found and self._is_alone(now_ms)

    def _least(self, apart: float) -> float:
        return apart if self.fine <= COARSE else max(apart, 2 * self.fine + 1)

    def _return(self, value: float, now_ms: int) -> None:
        if self.returns < 1:
            self.since_ms = now_ms
        self.returns *= exp((self.returned_ms - now_ms) / REMEMBERED_MS)
        self.returns += 1
        self.here, self.there = value, self.here
        self.returned_ms, self.words = now_ms, 0

    def _is_alone(self, now_ms: int) -> bool:
        """Only one of them has been heard for long."""
        return self.words >= ALONE_WORDS and now_ms - self.returned_ms >= ALONE_MS


class Twins:
    """All devices of a house."""

    name = "twins"
    channels = frozenset(APART)

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._levels: dict[str, Levels] = {}

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        name = f"{memory.id}/{key[0]}/{key[1]}"
        levels = self._levels.get(name)
        if levels is None:
            levels = self._levels[name] = Levels()
        if levels.here is None:
            levels.is_found = self._docket.is_on(memory.subject, FaultKind.DUPLICATE)
        if levels.take(value, APART[key[0]], now_ms):
            self._judge(memory, key, levels, now_ms)

    def _judge(self, memory: Memory, key: Key, levels: Levels, now_ms: int) -> None:
        if not levels.is_found and levels.returns >= ENOUGH:
            levels.is_found = True
        elif levels.is_found and levels.words >= ALONE_WORDS:
            levels.is_found, levels.returns = False, 0.0
        else:
            return
        evidence: Params | None = None
        if levels.is_found and levels.here is not None and levels.there is not None:
            first, second = sorted((levels.here, levels.there))
            unit = CHANNELS[key[0]].symbol
            evidence = {"first": f"{first:.1f} {unit}", "second": f"{second:.1f} {unit}"}
        subject, kind = memory.subject, FaultKind.DUPLICATE
        self._docket.say(subject, kind, evidence, levels.since_ms or now_ms, now_ms)

    def kept(self) -> Any:
        return {name: round(levels.fine, 2) for name, levels in self._levels.items()}

    def restore(self, kept: Any) -> None:
        self._levels = {name: Levels(fine) for name, fine in (kept or {}).items()}
