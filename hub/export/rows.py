"""What is exported, a piece at a time: readings, sums of channels, the history of a room.

Readings come in order of time, as one stream. Sums come series by series, each in order of time:
the sums of a centre by the minute would otherwise be held for all series at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import islice
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hub.api.summaries import summary
from hub.api.times import SumStep, cut
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.export.lines import Lines, RoomDocument, Stamp
from hub.rooms.history import Usage, shared_out, stretches
from hub.store.export import History
from hub.store.query import Hour
from hub.store.rollup import HOUR_MS
from hub.store.shelf import Step
from hub.store.spans import Window
from hub.store.windows import Wanted, by_hours, by_steps

AT_A_TIME = 1_000


class Piece(NamedTuple):
    """``share``: how far that is, of 1."""

    body: bytes
    rows: int
    share: float


Pieces = Generator[Piece, None, None]


class Form(NamedTuple):
    """How rows are written, and on whose clocks a day begins."""

    lines: Lines
    stamp: Stamp
    zone: ZoneInfo


class SeriesSource:
    """The history as the sums of devices ask for it."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Hour]:
        return self._history.hours(key, from_ms, to_ms)

    async def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Step]:
        return self._history.steps(key, from_ms, to_ms)


class RoomSource:
    """The history as the rooms ask for it."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        return self._history.room_steps(room, from_ms, to_ms)


def readings(
    history: History, span: Window, numbers: frozenset[int] | None, lines: Lines
) -> Pieces:
    """Changes in order of time; None: of all series."""
    with closing(history.changes(span, numbers)) as found:
        while some := list(islice(found, AT_A_TIME)):
            share = _share(some[-1].change.observed_ms, span)
            yield Piece(lines.readings(some), len(some), share)


def sums(
    history: History, wanted: Sequence[Wanted], span: Window, step: SumStep, form: Form
) -> Pieces:
    """Minutes, hours or days of each series."""
    source = SeriesSource(history)
    with asyncio.Runner() as runner:
        for nth, series in enumerate(wanted):
            first = _first_hour(history, series.key, span) if step != "minute" else span.from_ms
            rest = Window(first, span.to_ms)
            while rest.from_ms < rest.to_ms:
                found = cut(rest, step, form.zone, AT_A_TIME)
                asked = (
                    by_steps(source, series, found.windows)
                    if step == "minute"
                    else by_hours(source, series, found.windows, span.to_ms)
                )
                rows = runner.run(asked)
                documents = [
                    summary(series.key, window, row, form.stamp)
                    for window, row in zip(found.windows, rows, strict=True)
                ]
                rest = Window(span.to_ms if found.next_ms is None else found.next_ms, span.to_ms)
                share = (nth + _share(rest.from_ms, span)) / len(wanted)
                yield Piece(form.lines.documents(documents), len(documents), share)


def room(history: History, name: str, span: Window, step: SumStep | None, form: Form) -> Pieces:
    """A room's stretches, or its minutes, hours or days."""
    source = RoomSource(history)
    with asyncio.Runner() as runner:
        first = runner.run(stretches(source, name, span, 1)).steps
        at = first[0].from_ms if first else span.to_ms
        while at < span.to_ms:
            rest = Window(at, span.to_ms)
            if step is None:
                page = runner.run(stretches(source, name, rest, AT_A_TIME))
                documents = [_stretch(name, stretch, form.stamp) for stretch in page.steps]
                end = page.next_ms
            else:
                found = cut(rest, step, form.zone, AT_A_TIME)
                usages = runner.run(shared_out(source, name, found.windows))
                pairs = zip(found.windows, usages, strict=True)
                documents = [_shares(name, window, usage, form.stamp) for window, usage in pairs]
                end = found.next_ms
            at = span.to_ms if end is None else end
            yield Piece(form.lines.documents(documents), len(documents), _share(at, span))


def _share(at_ms: int, span: Window) -> float:
    return (at_ms - span.from_ms) / max(span.to_ms - span.from_ms, 1)


def _first_hour(history: History, key: SeriesKey, span: Window) -> int:
    """What lies before a series was first heard need not be told."""
    found = history.hours(key, span.from_ms - span.from_ms % HOUR_MS, span.to_ms)
    return max(found[0].from_ms, span.from_ms) if found else span.to_ms


def _stretch(name: str, stretch: RoomStep, stamp: Stamp) -> RoomDocument:
    return RoomDocument(
        room=name,
        from_=stamp(stretch.from_ms),
        to=stamp(stretch.to_ms),
        status=stretch.status.value,
        people_mean=stretch.people,
        covered=1.0,
    )


def _shares(name: str, window: Window, usage: Usage, stamp: Stamp) -> RoomDocument:
    return RoomDocument(
        room=name,
        from_=stamp(window.from_ms),
        to=stamp(window.to_ms),
        share=usage.shares(),
        people_mean=usage.people_mean(),
        covered=round(usage.covered_ms / (window.to_ms - window.from_ms), 6),
    )
