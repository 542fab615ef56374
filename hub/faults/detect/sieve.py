"""Which words of a device are worth a look: who speaks ten times a second says little new.

A figure that always moves is looked at once a second, a flag as often as it changes, and what is no
good value always. Whoever was silent for a while has some words in hand, so that two devices that
speak under one name, or an answer that comes twice, are both looked at. How often a device speaks
is counted elsewhere, word by word (``Memory.spoke``).
"""

from __future__ import annotations

from collections.abc import Sequence

from device_drivers.contract import Quality, Value
from edge.reading import Reading
from hub.faults.kinds import ANALOG, BATTERY, RADIO

EVERY_MS = 1_000
IN_HAND_MS = 4_000  # after a rest the next four are looked at however soon they come
MOST = 64  # channels of one device; of more each word is looked at
MOVING = ANALOG | BATTERY | RADIO
GOOD = Quality.GOOD


class Told:
    """What one channel said when it was looked at last, and from when on it is again."""

    __slots__ = ("due_ms", "is_moving", "value")

    def __init__(self, value: Value, due_ms: int, *, is_moving: bool) -> None:
        self.value = value
        self.due_ms = due_ms
        self.is_moving = is_moving


class Sieve:
    """One device."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: dict[tuple[str, str], Told] = {}

    def sift(self, readings: Sequence[Reading], now_ms: int) -> list[Reading]:
        """Those of one message that are worth a look."""
        found: list[Reading] = []
        for reading in readings:
            told = self._told.get((reading.channel, reading.part))
            if told is None:
                self._meet(reading, now_ms)
            elif reading.quality is GOOD:
                if now_ms >= told.due_ms:
                    told.due_ms = max(told.due_ms, now_ms - IN_HAND_MS) + EVERY_MS
                elif told.is_moving or reading.value == told.value:
                    continue
                told.value = reading.value
            found.append(reading)
        return found

    def _meet(self, reading: Reading, now_ms: int) -> None:
        if len(self._told) < MOST:
            key = reading.channel, reading.part
            due_ms = now_ms - IN_HAND_MS
            self._told[key] = Told(reading.value, due_ms, is_moving=key[0] in MOVING)
