"""Puts together what is known of the disk when somebody asks; nothing of it is kept."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from hub.domain.views import CopyState
from hub.storage.rules import DAY_MS, Bounds, Pace, full_ms, growth, life_years, pace
from hub.store.extent import damaged_places, oldest_ms
from hub.store.reader import Question
from hub.store.wear import FILES

SHOWN_DAYS = 14
COMMITS = "wal"


class WearCounts(Protocol):
    """Bytes by day since 1970 and purpose (hub/store/wear.py)."""

    began_ms: int

    @property
    def since_start(self) -> Mapping[str, int]: ...

    def days(self) -> Mapping[int, Mapping[str, int]]: ...


class History(Protocol):
    """What the store says of itself."""

    @property
    def wear(self) -> WearCounts: ...

    def ask(self, ask: Callable[[Question], int | None]) -> Awaitable[int | None]: ...


class Card(msgspec.Struct, frozen=True):
    """``size`` None: that of the file system."""

    size: int | None
    rewrites: int


class Day(msgspec.Struct, frozen=True):
    """A day in UTC, and what was written on it."""

    number: int
    by_purpose: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.by_purpose.values())

    @property
    def by_file(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for purpose, count in self.by_purpose.items():
            file = FILES.get(purpose, COMMITS)
            found[file] = found.get(file, 0) + count
        return found


class Account(msgspec.Struct, frozen=True):
    """All of it at one moment. Sizes in bytes; None where it cannot be known (yet)."""

    now_ms: int
    database: int
    free: int
    card_size: int
    rewrites: int
    oldest_ms: int | None
    growth: float | None
    full_ms: int | None
    pace: Pace | None
    years: float | None
    days: Sequence[Day]
    """The newest first."""
    copies: Sequence[CopyState]
    damaged: int = 0
    """Places of the history that cannot be read any more."""


class Storage:
    """``copies``: mirrors and backups, as their own subjects know them."""

    def __init__(
        self,
        history: History,
        data: Path,
        card: Card,
        bounds: Bounds,
        now_ms: Callable[[], int],
        copies: Callable[[], Sequence[CopyState]] = tuple,
    ) -> None:
        self._history = history
        self._data = data
        self._card = card
        self._bounds = bounds
        self._now_ms = now_ms
        self._copies = copies

    async def account(self) -> Account:
        """Ask the store, the folder and the file system.

        Raises:
            QueryTooSlowError, StoreBusyError: the history has no time now.
        """
        now, wear = self._now_ms(), self._history.wear
        oldest = await self._history.ask(oldest_ms)
        damaged = await self._history.ask(damaged_places)
        size, free, whole = await asyncio.to_thread(_sizes, self._data)
        days = wear.days()
        totals = {day: sum(counts.values()) for day, counts in days.items()}
        today, card = now // DAY_MS, self._card.size or whole
        running = now - wear.began_ms
        found = pace(totals, today, sum(wear.since_start.values()), running)
        years = None
        if found is not None:
            years = life_years(found.bytes_a_day, card, self._card.rewrites)
        grown = growth(size, oldest, now)
        return Account(
            now_ms=now,
            database=size,
            free=free,
            card_size=card,
            rewrites=self._card.rewrites,
            oldest_ms=oldest,
            damaged=damaged or 0,
            growth=grown,
            full_ms=full_ms(now, size, free, grown, self._bounds),
            pace=found,
            years=years,
            days=[Day(n, days[n]) for n in range(today, today - SHOWN_DAYS, -1) if n in days],
            copies=self._copies(),
        )


def _sizes(data: Path) -> tuple[int, int, int]:
    """The history's files, what is free, and all of the file system; zeros if it is gone."""
    size = 0
    for path in data.glob("linli.db*"):
        try:
            size += path.stat().st_size
        except FileNotFoundError:  # a WAL that was just folded into the database
            continue
    try:
        system = os.statvfs(data)
    except OSError:  # a stick that was pulled out; the notice of the store says so
        return size, 0, 0
    return size, system.f_bavail * system.f_frsize, system.f_blocks * system.f_frsize
