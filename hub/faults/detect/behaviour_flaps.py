"""A contact or an eye that says one thing and the other, again and again.

A canteen's door at noon does so too: so what counts is the most that this one ever did in ten
minutes, and how long it stays open each time. A door closer takes its own few seconds whoever
passes, and a loose contact any number of them.
"""

from __future__ import annotations

from collections import deque
from math import log
from typing import Any

from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Key, Memory
from hub.faults.kinds import DAY, HOUR, MINUTE

WITHIN_MS = 10 * MINUTE
FEWEST = 20
ABOVE_USUAL = 1.5
CALM = 0.4  # of what was too much
UNKNOWN = {"contact": 70}  # the most of one that is not known yet; else:
UNKNOWN_EYE = 25
KNOWN_AFTER_MS = 3 * DAY
FORGOTTEN = 0.998  # of its most, each hour in which it moves
LATELY, USUALLY = 1 / 8, 1 / 200
OTHERWISE = log(2.5)  # times as long, or as short, as it usually stays open
LONGEST_S = 120.0  # a door that is left open is none that closes itself


class Flaps:
    """One flag. ``most``: changes in ten minutes, of what passed without complaint."""

    __slots__ = (
        "began_ms",
        "changes",
        "hour_most",
        "hour_ms",
        "is_found",
        "lately",
        "most",
        "on_ms",
        "usually",
        "value",
    )

    def __init__(self, now_ms: int, kept: Any = None) -> None:
        most, usually, began_ms = kept or (0.0, None, now_ms)
        self.most: float = most
        self.usually: float | None = usually  # logarithm of the seconds that it stays on
        self.lately: float | None = usually
        self.began_ms: int = began_ms
        self.changes: deque[int] = deque(maxlen=256)
        self.hour_ms, self.hour_most = now_ms, 0  # of the hour that is not learnt yet
        self.value: float | None = None
        self.on_ms: int | None = None
        self.is_found = False

    def kept(self) -> Any:
        usually = None if self.usually is None else round(self.usually, 2)
        return round(self.most, 1), usually, self.began_ms

    def change(self, value: float, now_ms: int) -> None:
        self.changes.append(now_ms)
        if value:
            self.on_ms = now_ms
        elif self.on_ms is not None:
            self._stayed((now_ms - self.on_ms) / 1000)

    def _stayed(self, on_s: float) -> None:
        said = log(min(max(on_s, 0.2), LONGEST_S))
        if self.usually is None or self.lately is None:
            self.usually = self.lately = said
            return
        self.lately += (said - self.lately) * LATELY
        if not self.is_found:
            self.usually += (said - self.usually) * USUALLY

    def count(self, now_ms: int) -> int:
        changes = self.changes
        while changes and changes[0] <= now_ms - WITHIN_MS:
            changes.popleft()
        return len(changes)

    def limit(self, channel: str, now_ms: int) -> float:
        """So many changes are too many."""
        if now_ms - self.began_ms < KNOWN_AFTER_MS:
            return max(UNKNOWN.get(channel, UNKNOWN_EYE), ABOVE_USUAL * self.most)
        if channel == "contact" and self._is_otherwise:
            return FEWEST
        return max(FEWEST, ABOVE_USUAL * self.most)

    @property
    def _is_otherwise(self) -> bool:
        """Does it stay on for another time than usual?"""
        if self.usually is None or self.lately is None:
            return False
        return abs(self.lately - self.usually) > OTHERWISE

    def learn(self, count: int, now_ms: int) -> None:
        """Only of hours that passed without complaint."""
        if self.is_found:
            self.hour_ms, self.hour_most = now_ms, 0
            return
        if now_ms - self.hour_ms >= HOUR:
            self.most = max(self.most * FORGOTTEN, self.hour_most)
            self.hour_ms, self.hour_most = now_ms, 0
        self.hour_most = max(self.hour_most, count)


class Flapping:
    """All flags of a house that can flap."""

    name = "flaps"
    channels = frozenset({"contact", "motion", "presence", "occupancy"})

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._flaps: dict[str, Flaps] = {}
        self._kept: dict[str, Any] = {}

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        name = f"{memory.id}/{key[0]}/{key[1]}"
        flaps = self._flaps.get(name)
        if flaps is None:
            flaps = self._flaps[name] = Flaps(now_ms, self._kept.pop(name, None))
            self._docket.say(memory.part(key), FaultKind.FLAPPING, None, now_ms, now_ms)
        was, flaps.value = flaps.value, value
        if was is None or was == value:
            if flaps.is_found:
                self._judge(memory, key, flaps, now_ms)
            return
        flaps.change(value, now_ms)
        self._judge(memory, key, flaps, now_ms)

    def _judge(self, memory: Memory, key: Key, flaps: Flaps, now_ms: int) -> None:
        count, limit = flaps.count(now_ms), flaps.limit(key[0], now_ms)
        is_found = count >= limit * (CALM if flaps.is_found else 1)
        if is_found is not flaps.is_found:
            flaps.is_found = is_found
            evidence: Params | None = None
            if is_found:
                evidence = {"changes": count, "minutes": WITHIN_MS // MINUTE}
            since_ms = flaps.changes[0] if flaps.changes else now_ms
            self._docket.say(memory.part(key), FaultKind.FLAPPING, evidence, since_ms, now_ms)
        flaps.learn(count, now_ms)

    def kept(self) -> Any:
        return self._kept | {name: flaps.kept() for name, flaps in self._flaps.items()}

    def restore(self, kept: Any) -> None:
        self._kept = dict(kept or {})
