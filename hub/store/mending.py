"""Hours that must be computed anew, because something was learned about them afterwards.

    note (a late reading, a clock that was set back) > dirty hours > run: steps > spans > HourRow

A late reading may change more than its own hour: in a gap it holds to the next reading, and the
step before may hold up to it. How far is found when the steps are read. An hour waits until the
running sums can add nothing to it any more; its new row is then handed to the roll-ups, where it
stands behind every row that it replaces, and is written with the next checkpoint.

Nothing is lost in a crash. The dirty hours are part of the checkpoint; late readings after it are
in the log, and noted again when it is replayed. To mend an hour twice is harmless.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from hub.store.planes import DamagedBlockError
from hub.store.rollup import HOUR_MS, HourRow
from hub.store.spans import Window, gaps, spans, sums

if TYPE_CHECKING:
    from hub.domain.series import Series, SeriesKey
    from hub.live import Change, LiveState
    from hub.store.shelf import Step

MAX_DIRTY = 50_000  # hours of series; a week of 300 of them
MAX_BACK_H = 24 * 31  # a clock that was set back by more was no clock before
MAX_RUN_MS = 24 * 7 * HOUR_MS  # of one series in one go: bounds the steps in memory
LONG = 1_000  # steps; more than that are summed in a thread


class Ask(Protocol):
    """The store's ``steps``."""

    def __call__(self, key: SeriesKey, from_ms: int, to_ms: int) -> Awaitable[Sequence[Step]]: ...


class Run(NamedTuple):
    """Dirty hours of one series that lie close together."""

    series: Series
    hours: tuple[int, ...]
    silent_after_ms: int


class Times(NamedTuple):
    """``kept_since_ms``: steps from before are gone, and hours from before stay as they are."""

    now_ms: int
    kept_since_ms: int = 0


class Reach(NamedTuple):
    """How far the running sums of a series are; to hours before ``settled_ms`` they add nothing.

    ``is_idle``: nothing runs, or the device is silent. What it says next may still begin anywhere.
    """

    since_ms: int | None
    is_idle: bool
    settled_ms: int


class Mending:
    """The dirty hours. Everything runs on the event loop, long sums apart."""

    def __init__(self) -> None:
        self.dirty: dict[int, set[int]] = {}
        self.count = 0
        self.given_up = 0  # hours that stay as they are: too many, or their steps are gone
        self.mended = 0
        self._notes: dict[int, int] = {}  # by series, while it is mended: notes that came meanwhile

    def note(self, change: Change, counted_ms: int) -> None:
        """Remember what a change says about the past, if it does.

        ``counted_ms``: how far the running sums have counted the step before. They are ahead of the
        change where a clock was set back, or where a queued reading lies between what its series
        said last and what its device said last of other things.
        """
        number, begin = change.number, change.observed_ms
        if change.is_late:
            self.mark(number, begin, begin)
        elif change.previous_until_ms is not None:
            end = max(change.previous_until_ms, counted_ms)
            if end > begin:
                self.mark(number, begin, end)

    def mark(self, number: int, from_ms: int, to_ms: int) -> None:
        """The hours from that time to that one are wrong."""
        first = from_ms - from_ms % HOUR_MS
        hours = range(first, to_ms + 1, HOUR_MS)
        self.given_up += max(len(hours) - MAX_BACK_H, 0)
        for hour in hours[-MAX_BACK_H:]:
            self._add(number, hour)
        if number in self._notes:
            self._notes[number] += 1

    def saved(self) -> list[tuple[int, list[int]]]:
        """Series and their dirty hours, counted from 1970; for the checkpoint."""
        return [
            (number, sorted(hour // HOUR_MS for hour in hours))
            for number, hours in self.dirty.items()
        ]

    def restore(self, saved: Iterable[tuple[int, list[int]]]) -> None:
        for number, hours in saved:
            for hour in hours:
                self._add(number, hour * HOUR_MS)

    async def run(self, live: LiveState, ask: Ask, times: Times) -> None:
        """Mend what can be mended now; the rest stays dirty. One run at a time.

        ``ask(key, from_ms, to_ms)`` gives the steps as ``spans`` wants them.

        Raises:
            QueryTooSlowError, StoreBusyError: the store could not answer; what is left stays dirty.
        """
        for run in list(self._runs(live)):
            try:
                await self._mend(live, run, ask, times)
            except DamagedBlockError:  # of one series; its hours stay, the others are mended
                for hour in run.hours:
                    self._forget(run.series.number, hour)
                self.given_up += len(run.hours)

    def _add(self, number: int, hour: int) -> None:
        if hour in self.dirty.get(number, ()):
            return
        if self.count >= MAX_DIRTY:
            self.given_up += 1
            return
        self.dirty.setdefault(number, set()).add(hour)
        self.count += 1

    def _forget(self, number: int, hour: int) -> None:
        hours = self.dirty.get(number, set())
        if hour in hours:
            hours.remove(hour)
            self.count -= 1
        if not hours:
            self.dirty.pop(number, None)

    def _runs(self, live: LiveState) -> Iterator[Run]:
        for series in list(live.series.values()):
            hours = sorted(self.dirty.get(series.number, ()))
            while hours:
                part = tuple(hour for hour in hours if hour < hours[0] + MAX_RUN_MS)
                yield Run(series, part, live.silence_ms(series.key.device))
                hours = hours[len(part) :]

    async def _mend(self, live: LiveState, run: Run, ask: Ask, times: Times) -> None:
        number = run.series.number
        was = _reach(live, run, times.now_ms)
        if run.hours[0] + HOUR_MS > was.settled_ms:
            return
        margin = 2 * run.silent_after_ms + HOUR_MS
        self._notes[number] = 0
        try:
            end = run.hours[-1] + HOUR_MS  # behind it lie whole hours that it may reach into
            steps = await ask(run.series.key, run.hours[0] - margin, end + margin)
            if len(steps) > LONG:
                rows = await asyncio.to_thread(_rows, run, steps)
            else:
                rows = _rows(run, steps)
            is_news = self._notes[number] > 0
        finally:
            del self._notes[number]
        if is_news or (was.is_idle and _reach(live, run, times.now_ms) != was):
            return  # what was read is not all that is known by now: next time
        for row in rows:
            self._settle(live, row, was.settled_ms, times.kept_since_ms)

    def _settle(self, live: LiveState, row: HourRow, settled_ms: int, kept_since_ms: int) -> None:
        if row.hour_ms + HOUR_MS > settled_ms:
            self._add(row.number, row.hour_ms)
            return
        self._forget(row.number, row.hour_ms)
        if row.hour_ms < kept_since_ms:
            self.given_up += 1
            return
        live.rollups.correct(row)
        self.mended += 1


def _reach(live: LiveState, run: Run, now_ms: int) -> Reach:
    """How far the running sums are, once they count all that is known."""
    number = run.series.number
    live.rollups.cover(number, live.held_ms(run.series))
    live.rollups.close(number, now_ms)
    sums = live.rollups.sums.get(number)
    since = None if sums is None else sums.since_ms
    is_idle = since is None or now_ms - since > run.silent_after_ms
    settled = now_ms if since is None or is_idle else min(since, now_ms)
    return Reach(since, is_idle, settled - settled % HOUR_MS)


def _rows(run: Run, steps: Sequence[Step]) -> list[HourRow]:
    """The dirty hours, and those that their late readings reach into."""
    dirty = set(run.hours)
    touched = _touched(run, steps) - dirty
    number, first = run.series.number, min(touched | dirty)
    found = spans(steps, first, max(touched | dirty) + HOUR_MS, run.silent_after_ms)
    hours = sorted(touched | dirty)
    rows = sums(number, found, [Window(hour, hour + HOUR_MS) for hour in hours])
    return [
        msgspec.structs.replace(row, replaces=True)
        for row in rows
        if row.covered_ms or row.hour_ms in dirty
    ]


def _touched(run: Run, steps: Sequence[Step]) -> set[int]:
    """Hours that late readings in a gap reach into, if they or what they reach to may be new."""
    dirty, silence = set(run.hours), run.silent_after_ms
    free = gaps(steps)
    ends = [gap.to_ms for gap in free]
    touched: set[int] = set()
    for step in steps:
        at = step.change.observed_ms
        gap = free[bisect_right(ends, at)]  # the last one ends in the far future
        if not step.change.is_late or gap.from_ms > at:
            continue
        begin, end = max(gap.from_ms, at - silence), min(gap.to_ms, at + silence)
        if not dirty.isdisjoint(ms - ms % HOUR_MS for ms in (at, begin, end)):
            touched.update(range(begin - begin % HOUR_MS, end, HOUR_MS))
    return touched
