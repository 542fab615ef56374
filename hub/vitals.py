"""How the hub itself is: its clock, its links, its disk, its event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Histogram

from edge.clock import Clock
from hub.domain.events import ClockChanged
from hub.domain.views import CopyState, StorageState
from hub.intake import Intake
from hub.store.store import Store

LAG_EVERY_S = 0.1
CLOCK_SET_MS = 2_000
LAG_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5)


class Vitals:
    """Implements ``HubView`` for pages, and feeds the probes."""

    def __init__(self, clock: Clock, intake: Intake, store: Store) -> None:
        self.intake = intake
        self.is_ready = False
        self.clock_set = 0  # how often somebody set the machine's time since the start
        self.list_copies: Callable[[], Sequence[CopyState]] = tuple
        self.alerts: Callable[[], int] = lambda: 0
        self.on_lag: Callable[[float], None] = lambda _: None
        self.unknown_year: Callable[[], int | None] = lambda: None
        self._clock = clock
        self._store = store
        self.registry = CollectorRegistry()
        self._lag = Histogram(
            "linli_loop_lag_seconds",
            "How late the event loop is.",
            registry=self.registry,
            buckets=LAG_BUCKETS_S,
        )

    def now_ms(self) -> int:
        return self._clock.now_ms()

    def speed(self) -> float:
        return self._clock.speed

    def is_time_trusted(self) -> bool:
        return self._clock.is_trusted

    def note_clock(self, event: ClockChanged) -> None:
        """Count it if it was set, and not only found right."""
        self.clock_set += abs(event.shift_ms) > CLOCK_SET_MS

    def storage(self) -> StorageState:
        return self._store.state()

    def copies(self) -> Sequence[CopyState]:
        return self.list_copies()

    def commits(self) -> int:
        return self._store.commits

    def links_down(self) -> Mapping[str, str]:
        return self.intake.links_down

    async def watch_lag(self) -> None:
        """Measure by how much a short sleep overruns."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LAG_EVERY_S
            await asyncio.sleep(LAG_EVERY_S)
            late_s = max(loop.time() - due, 0.0)
            self._lag.observe(late_s)
            self.on_lag(late_s)
