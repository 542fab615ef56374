"""What goes wrong with sensors, and a seeded hand that lets it happen now and then.

Failures begin only after the first minutes, a few at a time, and every one of them ends: a
maintenance list that never empties teaches nobody anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from random import Random
from typing import Protocol

MINUTE = 60_000
QUIET_START = 13 * MINUTE  # the quick ten minutes, and some to look round
BETWEEN = (3 * MINUTE, 8 * MINUTE)
LASTS = (6 * MINUTE, 20 * MINUTE)
AT_ONCE = 3  # more would no longer look like a well-kept house


class Fault(StrEnum):
    """How a device can fail."""

    SILENT = "silent"  # it says nothing any more, and nobody else says so
    STUCK = "stuck"  # it goes on saying the same
    LOW_BATTERY = "low_battery"
    OFFLINE = "offline"  # its gateway says that it is gone
    UNPLUGGED = "unplugged"  # its cable was pulled
    STUCK_AT_0 = "stuck_at_0"  # it sees nobody, whoever is there
    STUCK_AT_1 = "stuck_at_1"  # it sees somebody in an empty room
    BAD = "bad"  # it sends what is no value
    FLAPPING = "flapping"  # it says one thing and the other, every few seconds


FROZEN = (Fault.STUCK, Fault.STUCK_AT_0, Fault.STUCK_AT_1)
MUTE = (Fault.SILENT, Fault.OFFLINE)
FLAPS_S = (1, 20)


class Breakable(Protocol):
    """A device that can fail and be repaired."""

    @property
    def possible_faults(self) -> tuple[Fault, ...]: ...

    @property
    def fault(self) -> Fault | None: ...

    def break_down(self, fault: Fault, now_ms: int) -> None: ...

    def repair(self, now_ms: int) -> None: ...


class Misfortune:
    """Breaks devices and repairs what it broke. What people break by hand it leaves alone."""

    def __init__(self, devices: Sequence[Breakable], seed: int, start_ms: int) -> None:
        self._devices = devices
        self._random = Random(f"faults/{seed}")
        self._next_ms = start_ms + QUIET_START
        self._repairs: dict[int, int] = {}

    def advance(self, now_ms: int) -> None:
        """Repair what is due, and break something if its time has come."""
        for index in [index for index, due in self._repairs.items() if due <= now_ms]:
            del self._repairs[index]
            self._devices[index].repair(now_ms)
        if now_ms >= self._next_ms:
            self._next_ms = now_ms + self._random.randint(*BETWEEN)
            self._strike(now_ms)

    def _strike(self, now_ms: int) -> None:
        healthy = [index for index, device in enumerate(self._devices) if device.fault is None]
        if not healthy or len(self._repairs) >= AT_ONCE:
            return
        index = self._random.choice(healthy)
        device = self._devices[index]
        device.break_down(self._random.choice(device.possible_faults), now_ms)
        self._repairs[index] = now_ms + self._random.randint(*LASTS)
