"""How long a card lives, and when the disk is full. Pure: numbers in, numbers out.

A card is worn out when all of it has been written ``rewrites`` times, on average: the controller
spreads the writes. 500 is what makers give for the cheapest cells (TLC); better cards have more.
What reaches the cells is more than what we write, by ``AMPLIFICATION``:

- Times 4, from the size of things: the kernel gives a card pages of 4 KiB, and a card programs
  pages of effectively 8 to 16 KiB (Linaro's survey of flash cards). Most of our writes are one or
  two pages and then a sync, so nothing else shares the card's page.
- Times 2 is an assumption, not a measurement: the file system's journal, which nobody attributes,
  and what the card copies to free a block.

So a forecast is an order of magnitude. It is useful because it is either far too long to worry
about, or alarming.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

DAY_MS = 86_400_000
YEAR_DAYS = 365.25
BUDGET = 60_000_000
"""Bytes a day, everything included (QoS 0, the reference centre)."""
AMPLIFICATION = 8
RECENT_DAYS = 7
YOUNG_MS = 3_600_000
"""A hub that runs for less than an hour has written mostly what a start costs."""


class Basis(StrEnum):
    """What a pace was taken from."""

    DAYS = "days"
    START = "start"


class Pace(msgspec.Struct, frozen=True):
    """Bytes a day; ``amount`` is the number of full days, or of hours since the start."""

    bytes_a_day: float
    basis: Basis
    amount: int

    @property
    def is_within_budget(self) -> bool:
        return self.bytes_a_day <= BUDGET


def pace(days: Mapping[int, int], today: int, since_start: int, running_ms: int) -> Pace | None:
    """The mean of the last seven full days, or what came since the start where there is none.

    Args:
        days: Bytes by day since 1970. The first one is never full, and today is not over.
        today: The day that runs.
        since_start: Bytes since the hub was started.
        running_ms: How long ago that was.

    Returns:
        None within the first hour.
    """
    first = min(days, default=today)
    full = [days[day] for day in range(today - RECENT_DAYS, today) if day in days and day > first]
    if full:
        return Pace(sum(full) / len(full), Basis.DAYS, len(full))
    if running_ms < YOUNG_MS:
        return None
    return Pace(since_start * DAY_MS / running_ms, Basis.START, running_ms // 3_600_000)


def life_years(bytes_a_day: float, card_size: int, rewrites: int) -> float | None:
    """Years until a card of this size is worn out; None where nothing is written.

    >>> round(life_years(60e6, 32_000_000_000, 500))
    91
    """
    if bytes_a_day <= 0:
        return None
    return card_size * rewrites / (bytes_a_day * AMPLIFICATION) / YEAR_DAYS


def growth(size: int, oldest_ms: int | None, now_ms: int) -> float | None:
    """Bytes a day by which the history has grown; None within its first day.

    It is too high at first: what is younger than a day is not sealed yet, and larger.
    """
    if oldest_ms is None or now_ms - oldest_ms < DAY_MS:
        return None
    return size * DAY_MS / (now_ms - oldest_ms)


class Bounds(msgspec.Struct, frozen=True):
    """What retention allows, in bytes and milliseconds."""

    size: int
    age_ms: int


def full_ms(
    now_ms: int, size: int, free: int, bytes_a_day: float | None, bounds: Bounds
) -> int | None:
    """When the disk will be full; None if retention stops the growth before, or nobody knows."""
    if not bytes_a_day:
        return None
    at_most = min(bounds.size, bytes_a_day * bounds.age_ms / DAY_MS)
    if at_most - size <= free:
        return None
    return now_ms + int(free / bytes_a_day * DAY_MS)
