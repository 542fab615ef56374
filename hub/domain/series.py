"""The live state: the last known value of every channel of every device.

A ``Series`` is a step that is still running: the value, since when, and until when it was last
confirmed. Rules read it as evidence, the store keeps its changes, pages show it.
"""

from __future__ import annotations

from typing import NamedTuple

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource


class SeriesKey(NamedTuple):
    device: str
    channel: str
    part: str = ""


class Series:
    """One channel of one device: its running step. Mutable, owned by the live state."""

    __slots__ = (
        "count",
        "held_ms",
        "intake",
        "key",
        "live_ms",
        "number",
        "observed_ms",
        "quality",
        "reason",
        "received_ms",
        "restored",
        "tie",
        "time_source",
        "unit",
        "until_ms",
        "value",
    )

    def __init__(self, key: SeriesKey, number: int) -> None:
        self.key = key
        self.number = number
        self.value: Value = None
        self.unit = ""
        self.quality = Quality.BAD
        self.reason = "never_heard"
        self.observed_ms = 0  # the step began
        self.received_ms = 0
        self.until_ms = 0  # the step was last confirmed
        self.held_ms = 0  # it held at least so far: its device was heard, if only on other channels
        self.tie = 0  # see Change.tie
        self.count = 0  # readings in this step
        self.intake = 0  # the change that began the step; 0: none did yet
        self.time_source = TimeSource.HUB
        self.live_ms: int | None = None  # last heard live since this start; None: not since then
        self.restored = False
        """From before this start, or before a silence that a clock was set back behind. Nothing
        prolongs its step; what it says next begins a new one."""

    @property
    def is_good(self) -> bool:
        return self.quality is Quality.GOOD
