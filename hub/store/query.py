"""What can be asked of the store, what comes back, and how it can fail."""

from __future__ import annotations

import re

import msgspec

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey

MAX_LIMIT = 10_000
CURSOR = re.compile(r"(-?[0-9]{1,16})\.([0-9]{1,9})\.([0-9]{1,9})")


class StoreError(Exception):
    """The database cannot be used at all; the message says what, the effect and the remedy."""


class BadCursorError(ValueError):
    """A cursor that did not come from here."""


class QueryTooSlowError(Exception):
    """A query passed its deadline; a narrower range will do better."""


class StoreBusyError(Exception):
    """Too many queries wait already."""


class ReadingsQuery(msgspec.Struct, frozen=True):
    """Changes observed in ``from_ms <= t < to_ms``."""

    from_ms: int
    to_ms: int
    device: str | None = None
    channel: str | None = None
    quality: Quality | None = None
    limit: int = 100
    cursor: str | None = None


class ReadingItem(msgspec.Struct, frozen=True):
    """One step. ``until_ms``: last confirmed."""

    device: str
    channel: str
    part: str
    value: Value
    unit: str
    quality: Quality
    reason: str
    observed_ms: int
    received_ms: int
    time_source: TimeSource
    until_ms: int
    number: int
    tie: int


class ReadingsPage(msgspec.Struct, frozen=True):
    """``damaged``: stretches (first and last time) of which something cannot be read any more."""

    items: tuple[ReadingItem, ...]
    next: str | None
    damaged: tuple[tuple[int, int], ...] = ()


class Hour(msgspec.Struct, frozen=True):
    """One hour of one series. ``mean`` is weighted by time; ``shares`` are milliseconds by word."""

    key: SeriesKey
    from_ms: int
    covered_ms: int
    mean: float | None
    low: int | float | None
    high: int | float | None
    shares: dict[str, int]


def write_cursor(item: ReadingItem) -> str:
    return f"{item.observed_ms}.{item.tie}.{item.number}"


def read_cursor(cursor: str) -> tuple[int, int, int]:
    """Time, tie and series of the last item of a page.

    Raises:
        BadCursorError: it is none of ours, or holds numbers that SQLite cannot.

    >>> read_cursor("1767225600000.0.77")
    (1767225600000, 0, 77)
    """
    found = CURSOR.fullmatch(cursor)
    if found is None:
        raise BadCursorError("this cursor did not come from this hub")
    return int(found[1]), int(found[2]), int(found[3])
