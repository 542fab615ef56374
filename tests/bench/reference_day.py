"""The reference centre as the store sees it: sensors that wander, and a clock that is pushed.

300 devices report temperature, humidity, battery and link quality every 10 s, values that move
slowly; 3,000 door and motion events a day happen between 7 and 22 o'clock, every second one
changes the status of a room. With ``jitter_ms`` reports come that much early or late (gaussian),
as real ones do.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Delivery, Reading, Receipt, Report, TimeSource
from hub.domain.room import Presence, RoomState, Status
from hub.live import Change
from hub.store.store import Store

DEVICES = 300
EVENTS = 3_000
ROOMS = 30
PERIOD_S = 10
DAY_S = 86_400
MIDNIGHT_S = 1_767_225_600
MOVES = (
    ("temperature", 0.10),
    ("humidity", 0.15),
    ("link.quality", 0.30),
    ("battery.level", 0.0002),
)
UNITS = {"temperature": "Cel", "humidity": "%", "link.quality": "%", "battery.level": "%"}
FIRST = {"temperature": 21.0, "humidity": 48.0, "link.quality": 60.0, "battery.level": 90.0}


@dataclass
class Count:
    """What was handed to the store."""

    messages: int = 0
    changes: int = 0
    receipts: int = 0
    settled: int = 0
    last_commit: int = 0
    kept: list[Change] = field(default_factory=list)
    """Changes of the times that are compared one by one."""


class Note:
    """A receipt that counts."""

    def __init__(self, count: Count, mid: int) -> None:
        self.delivery: Delivery | None = Delivery(mid, random.randbytes(8))
        self._count = count

    def settle(self, commit: int) -> None:
        self._count.settled += 1
        self._count.last_commit = max(self._count.last_commit, commit)


class Centre:
    """``play`` pushes the clock message by message and yields when a commit may be due."""

    def __init__(
        self, from_s: float, qos: int = 0, jitter_ms: float = 0, keep: range = range(0)
    ) -> None:
        """``keep``: seconds since the first midnight whose changes are remembered."""
        self.now_s = MIDNIGHT_S + from_s
        self.clock = Clock(true_time=lambda: self.now_s)
        self.count = Count()
        self._qos = qos
        self._jitter_s = jitter_ms / 1000
        self._keep = keep
        self._random = random.Random(7)
        self._values = [dict(FIRST) for _ in range(DEVICES)]
        self._flags = [0] * DEVICES
        self._rooms = 0

    def play(self, store: Store, from_s: int, to_s: int) -> Iterator[None]:
        """Hand everything of that time to the store."""
        events = self._events(from_s, to_s)
        event_s = next(events, 1e18)
        for tick in range(from_s * DEVICES // PERIOD_S, to_s * DEVICES // PERIOD_S):
            at = tick * PERIOD_S / DEVICES
            while event_s <= at:
                self._to(event_s)
                self._event(store)
                event_s = next(events, 1e18)
                yield
            self._to(at + self._random.gauss(0, self._jitter_s) if self._jitter_s else at)
            self._take(store, self._report(tick % DEVICES), False)
            yield
        self._to(to_s)
        yield

    def _to(self, at: float) -> None:
        """Time never goes back, whatever the jitter."""
        self.now_s = max(self.now_s, MIDNIGHT_S + at)

    def _events(self, from_s: int, to_s: int) -> Iterator[float]:
        for day in range(from_s // DAY_S, to_s // DAY_S + 1):
            chooser = random.Random(day)
            open_s, close_s = day * DAY_S + 7 * 3600, day * DAY_S + 22 * 3600
            times = sorted(chooser.uniform(open_s, close_s) for _ in range(EVENTS))
            yield from (at for at in times if from_s <= at < to_s)

    def _report(self, index: int) -> Report:
        values = self._values[index]
        for channel, chance in MOVES:
            if self._random.random() < chance:
                step = 0.1 if channel in ("temperature", "humidity") else 1
                value = values[channel] + self._random.choice((-step, step))
                values[channel] = round(min(max(value, 0), 100), 1)
        return self._made(index, [(c, v, UNITS[c]) for c, v in values.items()])

    def _event(self, store: Store) -> None:
        index = self._random.randrange(DEVICES)
        self._flags[index] ^= 1
        channel = "contact" if index % 2 else "motion"
        self._take(store, self._made(index, [(channel, self._flags[index], "1")]), True)
        self._rooms += 1
        if self._rooms % 2:
            status = Status.FREE if self._rooms % 4 == 1 else Status.IN_USE
            name = f"room-{self._random.randrange(ROOMS)}"
            store.append_room(
                RoomState(name, status, Presence.UNKNOWN, None, None, None, 0, 0, None, ())
            )

    def _made(self, index: int, samples: list[tuple[str, float, str]]) -> Report:
        ms, name = int(self.now_s * 1000), f"device-{index}"
        readings = tuple(
            Reading(name, channel, "", value, unit, Quality.GOOD, "", ms, ms, TimeSource.HUB)
            for channel, value, unit in samples
        )
        self.count.messages += 1
        receipt: Receipt | None = None
        if self._qos:
            receipt = Note(self.count, self.count.messages % 65_535 + 1)
            self.count.receipts += 1
        return Report(name, readings, ms, True, receipt)

    def _take(self, store: Store, report: Report, urgent: bool) -> None:
        changes = store.live.apply(report)
        self.count.changes += len(changes)
        if int(self.now_s) - MIDNIGHT_S in self._keep:
            self.count.kept += changes
        if changes:
            store.append(changes, report.receipt, urgent)
        elif report.receipt is not None:
            report.receipt.settle(0)
