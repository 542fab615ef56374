"""How a room was used: its stretches page by page, and what share of a time each status had.

Both read the store a month at a time, so that a year neither fills the memory nor holds the event
loop. Where a clock was set back stretches may overlap; the newer one wins, and nothing counts
twice.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import NamedTuple, Protocol

from hub.domain.room import Status
from hub.domain.views import RoomStep
from hub.store.spans import Window

MONTH_MS = 31 * 86_400_000
MOST_MONTHS = 4  # in one go, where little happens
FEW = 200  # stretches in one go; below that more time is read next


class Source(Protocol):
    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]: ...


class RawPage(NamedTuple):
    """``next_ms``: where the next page begins."""

    steps: list[RoomStep]
    next_ms: int | None


class Usage:
    """What is known of a room in one window."""

    __slots__ = ("by_status", "counted_ms", "people_ms")

    def __init__(self) -> None:
        self.by_status: dict[Status, int] = {}
        self.counted_ms = 0  # with a number of people
        self.people_ms = 0  # that number times the time it stood

    @property
    def covered_ms(self) -> int:
        return sum(self.by_status.values())

    def add(self, step: RoomStep, duration_ms: int) -> None:
        self.by_status[step.status] = self.by_status.get(step.status, 0) + duration_ms
        if step.people is not None:
            self.counted_ms += duration_ms
            self.people_ms += step.people * duration_ms

    def shares(self) -> dict[str, float]:
        """Of the covered time; they add up to 1."""
        covered = self.covered_ms
        return {status.value: round(ms / covered, 6) for status, ms in self.by_status.items()}

    def people_mean(self) -> float | None:
        return round(self.people_ms / self.counted_ms, 6) if self.counted_ms else None


class Usages:
    """Windows in order that do not overlap; stretches are added to those they touch."""

    def __init__(self, windows: Sequence[Window]) -> None:
        self.found = [Usage() for _ in windows]
        self._windows = windows
        self._ends = [window.to_ms for window in windows]

    def add(self, steps: Iterable[RoomStep]) -> None:
        windows = self._windows
        for step in steps:
            at = bisect_right(self._ends, step.from_ms)
            while at < len(windows) and windows[at].from_ms < step.to_ms:
                begin, end = windows[at]
                self.found[at].add(step, min(step.to_ms, end) - max(step.from_ms, begin))
                at += 1


def trimmed(steps: Iterable[RoomStep]) -> list[RoomStep]:
    """In order and without overlaps. ``steps`` come in the order in which they were noticed."""
    found: list[RoomStep] = []
    for step in steps:
        while found and found[-1].from_ms >= step.from_ms:
            found.pop()
        if found and found[-1].to_ms > step.from_ms:
            last = found.pop()
            found.append(RoomStep(last.from_ms, step.from_ms, last.status, last.people))
        found.append(step)
    return found


async def stretches(source: Source, room: str, span: Window, limit: int) -> RawPage:
    """The first stretches of a time, as many as asked for.

    Raises:
        UnknownRoomError, QueryTooSlowError, StoreBusyError
    """
    found: list[RoomStep] = []
    async for begin, steps in _months(source, room, span):
        if found and steps and _is_same(found[-1], steps[0], begin):
            last = found.pop()
            found.append(RoomStep(last.from_ms, steps[0].to_ms, last.status, last.people))
            steps = steps[1:]
        found += steps
        if len(found) > limit:
            return RawPage(found[:limit], found[limit].from_ms)
    return RawPage(found, None)


async def shared_out(source: Source, room: str, windows: Sequence[Window]) -> Sequence[Usage]:
    """What is known of each window. Windows are in order and touch.

    Raises:
        UnknownRoomError, QueryTooSlowError, StoreBusyError
    """
    usages = Usages(windows)
    if windows:
        span = Window(windows[0].from_ms, windows[-1].to_ms)
        async for _, steps in _months(source, room, span):
            await asyncio.to_thread(usages.add, steps)
    return usages.found


async def _months(
    source: Source, room: str, span: Window
) -> AsyncIterator[tuple[int, list[RoomStep]]]:
    """When each part of the time begins, and its stretches, cut where the part ends."""
    at, months = span.from_ms, 1
    while at < span.to_ms:
        end = min(at + months * MONTH_MS, span.to_ms)
        steps = trimmed(await source.steps(room, at, end))
        yield at, steps
        months = min(2 * months, MOST_MONTHS) if len(steps) < FEW else 1
        at = end


def _is_same(before: RoomStep, after: RoomStep, cut_ms: int) -> bool:
    """One stretch that was only cut by our reading in parts."""
    return before.to_ms == cut_ms == after.from_ms and (before.status, before.people) == (
        after.status,
        after.people,
    )
