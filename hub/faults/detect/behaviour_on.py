"""A door that is open, or somebody who is seen, all the time the house is shut.

Who wedges a door open while the floor dries shuts it before people come. So what counts is nine
hours of closed time, or five and being on still when the room opens; and more than this one ever
did, since a window that is left open each summer night is no fault. A room that never closes is
measured against what it did alone.

Only what was said counts: a sensor that fell silent while it was on may have changed long since.
"""

from __future__ import annotations

from typing import Any

import msgspec

from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Key, Memory
from hub.faults.kinds import DAY, HOUR

LONG_MS = 9 * HOUR  # of closed time
UNTIL_OPENING_MS = 5 * HOUR
ABOVE_USUAL = 1.5
FORGOTTEN = 0.98  # each time that it goes off
NEVER_CLOSED_MS, NEVER_CLOSED_TIMES, ENOUGH = DAY, 3.0, 20
GAP_MS = 3 * HOUR  # whoever was away for longer does not know what was between


class Flag(msgspec.Struct, array_like=True):
    """One of them. ``closed_ms``: how long it was on in closed hours; ``stretch_ms``: of these,
    since its room last closed. ``longest``: what it ever did and ended itself.

    ``was_closed``, ``open_ms``: its room at its last word; its clock begins anew with each start.
    """

    on_ms: int = 0
    heard_ms: int = 0
    times: int = 0
    closed_ms: int = 0
    stretch_ms: int = 0
    was_closed: bool = False
    value: float = 0.0
    longest_ms: float = 0.0
    longest_closed_ms: float = 0.0
    open_ms: int | None = None
    is_found: bool = False

    def forget_start(self) -> None:
        """What only holds until the hub is started anew."""
        self.open_ms, self.is_found = None, False

    def begin(self, now_ms: int) -> None:
        """It is on now, and was not, or nobody knows whether it was."""
        self.on_ms, self.closed_ms, self.stretch_ms = now_ms, 0, 0

    def end(self, now_ms: int) -> None:
        """It is off now."""
        self.times += 1
        self.longest_ms = max(self.longest_ms * FORGOTTEN, now_ms - self.on_ms)
        self.longest_closed_ms = max(self.longest_closed_ms * FORGOTTEN, self.closed_ms)

    def go_on(self, now_ms: int, open_ms: int, *, is_closed: bool) -> bool:
        """It is still on. Answers whether that is too long."""
        closed_ms = self._closed_ms(now_ms, open_ms, is_closed=is_closed)
        self.closed_ms += closed_ms
        self.stretch_ms += closed_ms
        is_at_opening = not is_closed and self.stretch_ms >= UNTIL_OPENING_MS
        if not is_closed:
            self.stretch_ms = 0
        is_long = is_at_opening or self.closed_ms >= LONG_MS
        return is_long and self.closed_ms > ABOVE_USUAL * self.longest_closed_ms

    def _closed_ms(self, now_ms: int, open_ms: int, *, is_closed: bool) -> int:
        """How long its room was closed since its last word. After a start its clock begins anew."""
        pause_ms = now_ms - self.heard_ms
        if self.open_ms is None:
            return pause_ms if is_closed and self.was_closed else 0
        return max(pause_ms - open_ms + self.open_ms, 0)

    def is_longer_than_ever(self, now_ms: int) -> bool:
        """In a room that never closes."""
        lasted_ms = now_ms - self.on_ms
        limit_ms = max(NEVER_CLOSED_MS, NEVER_CLOSED_TIMES * self.longest_ms)
        return self.times >= ENOUGH and lasted_ms >= limit_ms

    def hear(self, now_ms: int, open_ms: int, *, is_closed: bool) -> None:
        self.heard_ms, self.open_ms, self.was_closed = now_ms, open_ms, is_closed


class StuckOn:
    """All flags of a house that can be stuck."""

    name = "on"
    channels = frozenset({"contact", "motion", "presence", "occupancy"})

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._flags: dict[str, Flag] = {}

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        name = f"{memory.id}/{key[0]}/{key[1]}"
        flag = self._flags.get(name)
        if flag is None:
            flag = self._flags[name] = Flag()
        was, flag.value = flag.value, value
        open_ms = memory.hours.open_ms(now_ms)
        if not value:
            if was:
                flag.end(now_ms)
            if was or not flag.heard_ms:
                flag.is_found = False
                self._docket.say(memory.part(key), FaultKind.STUCK_ON, None, now_ms, now_ms)
        elif not was or now_ms - flag.heard_ms > max(GAP_MS, memory.silent_after_ms):
            flag.begin(now_ms)
        elif not flag.is_found:
            self._weigh(memory, key, flag, open_ms, now_ms)
        flag.hear(now_ms, open_ms, is_closed=memory.hours.is_closed)

    def _weigh(self, memory: Memory, key: Key, flag: Flag, open_ms: int, now_ms: int) -> None:
        hours = memory.hours
        if hours.ever_closed:
            flag.is_found = flag.go_on(now_ms, open_ms, is_closed=hours.is_closed)
            counted_ms = flag.closed_ms
        else:
            flag.is_found = flag.is_longer_than_ever(now_ms)
            counted_ms = now_ms - flag.on_ms
        if flag.is_found:
            channel, part = key
            named = f"{channel}.{part}" if part else channel
            evidence: Params = {"channel": named, "hours": round(counted_ms / HOUR, 1)}
            subject, kind = memory.part(key), FaultKind.STUCK_ON
            self._docket.say(subject, kind, evidence, flag.on_ms, now_ms)

    def kept(self) -> Any:
        return self._flags

    def restore(self, kept: Any) -> None:
        self._flags = msgspec.convert(kept or {}, dict[str, Flag])
        for flag in self._flags.values():
            flag.forget_start()
