"""Questions to a long history, timed, and each answer compared with what was said.

Each is asked of many series, rooms and times in turn, so that no cache helps more than it would a
person who looks around. Times are of the store's answer as its caller waits for it.
"""

from __future__ import annotations

import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from edge.clock import Clock
from hub.domain.series import SeriesKey
from hub.store.query import ReadingItem, ReadingsQuery
from hub.store.rollup import HOUR_MS
from hub.store.store import Store
from tests.bench.figures import quantile
from tests.bench.played import COMPARED, DAY_MS, NOON_MS
from tests.bench.years import Told

PAGE = 1_000
DENSE = "link.quality"  # changes at each third report
MOVING = ("temperature", "humidity", "link.quality")


@dataclass
class Asked:
    """How long one kind of question took, and what came back."""

    wall_ms: list[float] = field(default_factory=list)
    cpu_ms: list[float] = field(default_factory=list)
    rows: int = 0
    wrong: int = 0

    @property
    def ms(self) -> float:
        return quantile(self.wall_ms, 0.5)

    @property
    def cpu(self) -> float:
        return quantile(self.cpu_ms, 0.5)

    def timed(self, begun: tuple[float, float]) -> None:
        wall, cpu = stamp()
        self.wall_ms.append((wall - begun[0]) * 1000)
        self.cpu_ms.append((cpu - begun[1]) * 1000)

    def compared(self, found: list[object], said: list[object]) -> None:
        self.rows += len(found)
        self.wrong += not said or found != said


def stamp() -> tuple[float, float]:
    """Seconds on the wall, and of this process on a core."""
    return time.monotonic(), time.process_time()


def clock_at(ms: int) -> Clock:
    return Clock(true_time=lambda: ms / 1000)


def rss_mib() -> float:
    return float(psutil.Process().memory_info().rss / 1024 / 1024)


async def hours(store: Store, told: Told, end_ms: int, days: int) -> Asked:
    """One series by the hour."""
    asked, end = Asked(), end_ms - end_ms % HOUR_MS - HOUR_MS  # the running one is not whole
    begin = end - days * DAY_MS
    for device in COMPARED:
        channel = MOVING[device // 10 % 3]
        name = f"device-{device}"
        begun = stamp()
        found = await store.hours(SeriesKey(name, channel, ""), begin, end)
        asked.timed(begun)
        asked.rows += len(found)
        asked.wrong += [hour.from_ms for hour in found] != [*range(begin, end, HOUR_MS)]
        for hour in found:
            mean, low, high = told.hour(f"{name} {channel}", hour.from_ms)
            is_mean = hour.mean is not None and math.isclose(hour.mean, mean, rel_tol=1e-6)
            is_whole = hour.covered_ms == HOUR_MS
            asked.wrong += not is_mean or not is_whole or (hour.low, hour.high) != (low, high)
    return asked


async def rooms(store: Store, told: Told, end_ms: int, days: int) -> Asked:
    """The statuses of one room."""
    asked, begin = Asked(), end_ms - days * DAY_MS
    for room in told.truth.rooms:
        begun = stamp()
        found = await store.room_steps(room, begin, end_ms)
        asked.timed(begun)
        steps = [(step.from_ms, step.status.value) for step in found]
        asked.compared([*steps], [*told.room(room, begin, end_ms)])
    return asked


async def pages(store: Store, told: Told, day_ms: int, times: int = 5) -> Asked:
    """A thousand changes of all devices at noon of a day."""
    asked, said = Asked(), told.noon(day_ms)
    begin = day_ms - day_ms % DAY_MS + NOON_MS
    for _ in range(times):
        begun = stamp()
        page = await store.readings(ReadingsQuery(begin, begin + DAY_MS, limit=PAGE))
        asked.timed(begun)
        asked.compared([as_said(item) for item in page.items], [*said[:PAGE]])
    return asked


async def dense(store: Store, told: Told, end_ms: int, days: int, device: int) -> Asked:
    """Every change of a lively series."""
    asked, name, begin = Asked(), f"device-{device}", end_ms - days * DAY_MS
    begun = stamp()
    query = ReadingsQuery(begin, end_ms, name, DENSE, limit=10_000)
    found = [(i.observed_ms, i.value) async for i in whole(store, query)]
    asked.timed(begun)
    asked.compared([*found], [*told.changes(f"{name} {DENSE}", begin, end_ms)])
    return asked


async def whole(store: Store, query: ReadingsQuery) -> AsyncIterator[ReadingItem]:
    """All pages."""
    cursor: str | None = None
    while True:
        page = await store.readings(
            ReadingsQuery(
                query.from_ms,
                query.to_ms,
                query.device,
                query.channel,
                limit=query.limit,
                cursor=cursor,
            )
        )
        for item in page.items:
            yield item
        cursor = page.next
        if cursor is None:
            return


def as_said(item: ReadingItem) -> tuple[object, ...]:
    return (item.observed_ms, item.tie, item.number, item.device, item.channel, item.value)


async def opened(folder: Path, now_ms: int) -> tuple[Store, Asked]:
    """A store on a long history, and what it took to open it."""
    asked, begun = Asked(), stamp()
    store = await Store.open(folder, clock_at(now_ms), 1000)
    asked.timed(begun)
    await store.upkeep.look()  # as it does once a minute
    return store, asked
