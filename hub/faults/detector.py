"""What the service needs of a detector: ``hub/faults/detect/watch.py``, or a test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from hub.domain.events import ClockChanged, FrameDiscarded, Heard, LinkChanged
from hub.domain.fault import Finding
from hub.domain.room import RoomState
from hub.faults.rows import Recalled


class Detector(Protocol):
    """``hub/faults/detect/watch.py``."""

    @property
    def next_ms(self) -> int | None: ...

    def hear(self, event: Heard) -> None: ...

    def discard(self, event: FrameDiscarded) -> None: ...

    def link(self, event: LinkChanged) -> None: ...

    def room(self, state: RoomState) -> None: ...

    def clock_set(self, event: ClockChanged) -> None: ...

    def forget(self, device: str) -> None: ...

    def lag(self, seconds: float, now_ms: int) -> None: ...

    def advance(self, now_ms: int) -> None: ...

    def frame(self) -> bytes: ...


Detect = Callable[[Callable[[Finding], None], Recalled, int], Detector]
"""Makes the detector: whom it tells, what stood before this start, and now."""
