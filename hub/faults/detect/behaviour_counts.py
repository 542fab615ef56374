"""A counter that counts many more in than out, or the other way.

By night everybody is gone: what is left in the day's sum is what the counter missed. A counter
errs by a few in a hundred, and one of two doors may always have more in than out: what counts is
how far it is from its own usual. A counter that is set to zero has not seen everybody leave.
"""

from __future__ import annotations

from typing import Any

from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Key, Memory
from hub.faults.kinds import HOUR, MINUTE

QUIET_MS = 4 * HOUR  # nobody passes: everybody is gone
DAY_MS = 18 * HOUR  # the shortest time from one night to the next
FEWEST = 5  # people off
SHARE, SPREADS = 0.2, 3.0  # of those who came; times what it usually varies
DAYS = 3  # are looked at together
LEARNS = 0.1
LEAVE_AT_ONCE, GAP_MS = 2, 30 * MINUTE
"""A count that falls to zero from more was set to it, unless nobody listened for so long."""
FRESH: tuple[Any, ...] = (0.0, 0.0, 0, 0, 0, (), {}, 0, False)


class Count:
    """One counter. ``usual`` and ``spread``: its sum of a day, as a share of who came in."""

    __slots__ = (
        "_last",
        "came",
        "closes",
        "days",
        "ended_ms",
        "has_totals",
        "heard_ms",
        "is_found",
        "left",
        "passed_ms",
        "spread",
        "usual",
    )

    def __init__(self, kept: Any = None) -> None:
        usual, spread, came, left, ended_ms, days, last, heard_ms, closes = kept or FRESH
        self.usual: float = usual
        self.spread: float = spread
        self.came: int = came
        self.left: int = left
        self.ended_ms: int = ended_ms  # when the last day was summed up
        self.days: list[tuple[int, int]] = [(came, left) for came, left in days]
        self.passed_ms = 0
        self.is_found = False
        self.has_totals = False
        self.heard_ms: int = heard_ms
        self.closes: bool = closes  # its room closes by night
        self._last: dict[str, float] = dict(last)

    def kept(self) -> Any:
        learnt = round(self.usual, 3), round(self.spread, 3)
        summed = self.came, self.left, self.ended_ms, self.days
        return (*learnt, *summed, self._last, self.heard_ms, self.closes)

    def take(self, channel: str, value: float, now_ms: int) -> None:
        was = self._last.get(channel)
        self._last[channel] = value
        is_gap = now_ms - self.heard_ms > GAP_MS
        self.heard_ms = now_ms
        if was is None or value == was:
            self.passed_ms = self.passed_ms or now_ms
            return
        self.passed_ms = now_ms
        step = int(value - was)
        if channel != "people.count":
            self._passed(channel, max(step, 0))
        elif not self.has_totals and (value or was <= LEAVE_AT_ONCE or is_gap):
            self._passed("people.in" if step > 0 else "people.out", abs(step))

    def _passed(self, channel: str, people: int) -> None:
        if channel == "people.in":
            self.came += people
        else:
            self.left += people

    def is_quiet(self, now_ms: int) -> bool:
        return now_ms - self.passed_ms >= QUIET_MS and now_ms - self.ended_ms >= DAY_MS

    def end_day(self, now_ms: int) -> bool | None:
        """Everybody is gone. Answers whether too many are missing; None where too few passed."""
        self.ended_ms = now_ms
        came, left = self.came, self.left
        self.came = self.left = 0
        if came + left < FEWEST:
            return None
        self.days = [*self.days, (came, left)][-DAYS:]
        if self._is_off(came, left):
            return True
        many = [sum(each) for each in zip(*self.days, strict=True)]
        if not self.is_found and self._is_off(*many):
            return True
        if max(came, left) < 2 * FEWEST:
            return None
        self._learn((came - left) / max(came, left))
        return False

    def _is_off(self, came: int, left: int) -> bool:
        most = max(came, left)
        off = abs(came - left - self.usual * most)
        return off > max(FEWEST, SHARE * most, SPREADS * self.spread * most)

    def _learn(self, share: float) -> None:
        self.spread += (abs(share - self.usual) - self.spread) * LEARNS
        self.usual += (share - self.usual) * LEARNS


class Counts:
    """All counters of a house."""

    name = "counts"
    channels = frozenset({"people.count", "people.in", "people.out"})

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._counts: dict[tuple[str, str], Count] = {}

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        channel, part = key
        named = memory.id, part
        count = self._counts.get(named)
        if count is None:
            count = self._counts[named] = Count()
            count.ended_ms = now_ms
        if channel != "people.count":
            count.has_totals = True
        count.take(channel, value, now_ms)
        is_closed = memory.hours.is_closed
        count.closes = count.closes or is_closed
        if count.is_quiet(now_ms) and is_closed is count.closes:
            self._end_day(memory, part, count, now_ms)

    def _end_day(self, memory: Memory, part: str, count: Count, now_ms: int) -> None:
        since_ms = count.ended_ms
        is_off = count.end_day(now_ms)
        if is_off is None:
            return
        days = count.days if is_off and not count.is_found else []
        count.is_found = is_off
        evidence: Params | None = None
        if is_off:
            came, left = (sum(each) for each in zip(*(days or count.days), strict=True))
            evidence = {"in": came, "out": left, "days": len(days or count.days)}
        else:
            count.days.clear()
        subject = memory.part(("people.count", part))
        self._docket.say(subject, FaultKind.COUNTER_IMBALANCE, evidence, since_ms, now_ms)

    def kept(self) -> Any:
        return {f"{device}/{part}": count.kept() for (device, part), count in self._counts.items()}

    def restore(self, kept: Any) -> None:
        for name, one in (kept or {}).items():
            device, _, part = name.partition("/")
            self._counts[device, part] = Count(one)
