"""Statistics of a span of days, put together in a reader's thread and kept for a minute."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeVar

from hub.domain.centre import Centre
from hub.domain.fault import Alert, FaultKind
from hub.domain.views import HubView
from hub.statistics import rows, rules
from hub.statistics.rules import Figures, Reports, Span
from hub.store.reader import Question
from hub.web.kept import Kept

DAY_MS = 86_400_000
FRESH_MS = 60_000
T = TypeVar("T")


class Store(Protocol):
    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...


class Statistics(NamedTuple):
    """``cells``: by building and kind; ``None`` is what belongs to no building."""

    since_ms: int
    until_ms: int
    whole: Figures
    by_kind: list[tuple[FaultKind, Figures]]
    by_building: list[tuple[str | None, Figures]]
    cells: list[tuple[tuple[str | None, FaultKind], Figures]]
    reports: Reports


class StatisticsService:
    def __init__(self, centre: Centre, store: Store, hub: HubView) -> None:
        self.centre = centre
        self._store = store
        self._hub = hub
        self._of_room = {room.id: room.building for room in centre.rooms}
        self._of_device = {
            device.id: self._of_room[place.room]
            for device in centre.devices
            for place in device.places.values()
            if place.room in self._of_room
        }
        self._kept: Kept[Statistics] = Kept(FRESH_MS)

    async def of(self, span: Span) -> Statistics:
        """
        Raises:
            QueryTooSlowError, StoreBusyError
        """
        now_ms = self._hub.now_ms()

        async def draw() -> Statistics:
            return await self._store.ask(lambda question: self._drawn(question, span, now_ms))

        return await self._kept.get(span, now_ms, draw)

    def _building(self, alert: Alert) -> str | None:
        """Of its room; of a wire where all that hangs on it is in one."""
        if alert.room is not None:
            return self._of_room.get(alert.room)
        known = {self._of_device.get(device) for device in alert.devices}
        return known.pop() if len(known) == 1 else None

    def _drawn(self, question: Question, span: Span, now_ms: int) -> Statistics:
        since_ms = now_ms - span * DAY_MS
        kept = rows.kept(question, since_ms)
        cases = rules.cases(kept.raised, kept.orders, self._building, since_ms)
        return Statistics(
            since_ms,
            now_ms,
            rules.figures(cases),
            rules.parted((case.kind, case) for case in cases),
            rules.parted((case.building, case) for case in cases),
            rules.parted(((case.building, case.kind), case) for case in cases),
            rules.reports(kept.reports),
        )
