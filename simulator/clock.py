"""The clock the simulator is handed: the demo's own time, possibly faster than true time."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What people, doors and sensors live by. The hub beside us lives by the same one."""

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC."""

    @property
    def speed(self) -> float:
        """Seconds of this clock in a true second, now."""

    def real_seconds(self, duration_ms: float) -> float:
        """True seconds until so much of this clock has passed."""
