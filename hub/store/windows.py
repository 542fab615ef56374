"""What a channel said in each minute, hour or day.

Minutes come from the steps of the series, hours and days from stored hours. Where a window cuts an
hour in two (its ends, or days of zones with half hours) the steps of that hour decide, unless
nothing happened in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

from hub.domain.series import SeriesKey
from hub.store.query import Hour
from hub.store.rollup import HOUR_MS, HourRow, both
from hub.store.shelf import Step
from hub.store.spans import Span, Window, spans, sums


class Source(Protocol):
    """The store. ``steps`` gives the ones around the time too, as ``spans`` wants them."""

    def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> Awaitable[Sequence[Hour]]: ...

    def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> Awaitable[Sequence[Step]]: ...


class Wanted(NamedTuple):
    """A series, and how long its device may say nothing and still hold what it said."""

    key: SeriesKey
    silent_after_ms: int


async def by_steps(source: Source, wanted: Wanted, windows: Sequence[Window]) -> list[HourRow]:
    """Sums for short windows. Windows are in order and touch.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    if not windows:
        return []
    span = Window(windows[0].from_ms, windows[-1].to_ms)
    silence = wanted.silent_after_ms
    steps = await source.steps(wanted.key, span.from_ms - silence, span.to_ms + silence)
    return await asyncio.to_thread(lambda: sums(0, spans(steps, *span, silence), windows))


async def by_hours(
    source: Source, wanted: Wanted, windows: Sequence[Window], now_ms: int
) -> list[HourRow]:
    """Sums for windows of hours and more. Windows are in order and touch.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    if not windows:
        return []
    begin, end = windows[0].from_ms, windows[-1].to_ms
    hours = {
        hour.from_ms: _row(hour)
        for hour in await source.hours(wanted.key, begin - begin % HOUR_MS, end)
    }
    pieces: dict[int, list[Span]] = {}
    silence = wanted.silent_after_ms
    for hour in sorted(cut_hours(windows, hours, now_ms)):
        stop = hour + HOUR_MS
        steps = await source.steps(wanted.key, hour - silence, stop + silence)
        pieces[hour] = spans(steps, hour, stop, silence)
    return await asyncio.to_thread(
        lambda: [_total(window, hours, pieces) for window in windows],
    )


def cut_hours(
    windows: Iterable[Window], hours: Mapping[int, HourRow], now_ms: int
) -> frozenset[int]:
    """The hours of which a window wants a part, and of which only the steps know that part."""
    edges = {edge for window in windows for edge in window if edge % HOUR_MS and edge < now_ms}
    cut = {edge - edge % HOUR_MS for edge in edges}
    return frozenset(hour for hour in cut if hour in hours and not _is_even(hours[hour]))


def _total(
    window: Window, hours: Mapping[int, HourRow], pieces: Mapping[int, Sequence[Span]]
) -> HourRow:
    total = HourRow(0, window.from_ms, 0, None, None, None)
    for hour in range(window.from_ms - window.from_ms % HOUR_MS, window.to_ms, HOUR_MS):
        row = hours.get(hour)
        if row is None:
            continue
        part = Window(max(hour, window.from_ms), min(hour + HOUR_MS, window.to_ms))
        if hour in pieces:
            (row,) = sums(0, pieces[hour], [part])
        elif _is_even(row):
            row = _part(row, part.to_ms - part.from_ms)
        total = both(total, row) if total.covered_ms else row
    return total


def _is_even(row: HourRow) -> bool:
    """The same all the time: then each part of it is known."""
    if row.covered_ms != HOUR_MS:
        return False
    if row.shares:
        return row.mean is None and HOUR_MS in row.shares.values()
    return row.mean is not None and row.low == row.high


def _part(row: HourRow, duration_ms: int) -> HourRow:
    shares = dict.fromkeys(row.shares, duration_ms)
    return HourRow(0, row.hour_ms, duration_ms, row.mean, row.low, row.high, shares)


def _row(hour: Hour) -> HourRow:
    return HourRow(0, hour.from_ms, hour.covered_ms, hour.mean, hour.low, hour.high, hour.shares)
