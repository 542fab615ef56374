"""Hourly sums of every series: covered time, time-weighted mean, least, greatest, shares of words.

A step counts from the moment it was observed to the moment the next one was, as long as its
device did not fall silent in between; where it did, it counts until the device last spoke. Time
that nothing covers is not in the sums at all, so a chart can show a gap as a gap. Only good
values count. Repeats cost nothing here: a step is added when it ends, and at a checkpoint.

An hour may be finished twice (a device that speaks once an hour belongs to the hour before as
well); rows of the same hour are added up when they are read. Where a late reading or a clock that
was set back changed what is known of an hour, ``hub/store/mending.py`` computes it anew, and its
row takes the place of all rows before it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import msgspec

from device_drivers.contract import Value

HOUR_MS = 3_600_000
MAX_WORDS = 16  # of one series in one hour; what a sensor says beyond that is a text, not a state
MAX_FINISHED = 200_000  # hours that wait for the disk: a week of 1,200 series


class HourRow(msgspec.Struct, frozen=True, array_like=True):
    """One series in one hour, by UTC. ``mean`` and bounds are None where the values are words.

    The same shape serves for other stretches of time; ``hour_ms`` is then where they begin.
    """

    number: int
    hour_ms: int
    covered_ms: int
    mean: float | None
    low: int | float | None
    high: int | float | None
    shares: dict[str, int] = {}  # milliseconds by word
    replaces: bool = False  # what was known of this hour before is wrong


class Sums(msgspec.Struct, array_like=True):
    """The running hour of one series. ``since_ms`` None: nothing runs, the device is silent."""

    hour_ms: int
    since_ms: int | None = None
    value: Value = None  # None: what runs now is not good, and does not count
    covered_ms: int = 0
    weighted: float = 0.0
    low: int | float | None = None
    high: int | float | None = None
    shares: dict[str, int] = {}


class Rollups:
    def __init__(self) -> None:
        self.sums: dict[int, Sums] = {}
        self.finished: list[HourRow] = []
        self.dropped = 0  # finished hours given up because the disk was away for days

    def turn(self, number: int, at_ms: int, value: Value) -> None:
        """A new step begins; the one before counts up to here if it was still running."""
        sums = self.sums.get(number)
        if sums is None:
            sums = self.sums[number] = Sums(_hour(at_ms))
        else:
            self._cover(number, sums, at_ms)
        sums.since_ms, sums.value = at_ms, value if counts(value) else None

    def pause(self, number: int, at_ms: int) -> None:
        """The device fell silent after ``at_ms``; nothing counts until the next step."""
        if (sums := self.sums.get(number)) is not None:
            self._cover(number, sums, at_ms)
            sums.since_ms = None

    def cover(self, number: int, to_ms: int) -> None:
        """The running step counts at least up to here."""
        if (sums := self.sums.get(number)) is not None:
            self._cover(number, sums, to_ms)

    def finish_before(self, now_ms: int) -> None:
        """Close the hours that are over, also those of devices that say nothing more."""
        hour = _hour(now_ms)
        for number, sums in self.sums.items():
            if sums.hour_ms < hour:
                self._finish(number, sums, hour)

    def close(self, number: int, now_ms: int) -> None:
        """Finish the hour of one series if it is over, so that nothing of it is in the making."""
        sums, hour = self.sums.get(number), _hour(now_ms)
        if sums is not None and sums.hour_ms < hour:
            self._finish(number, sums, hour)

    def move(self, base_ms: int, shift_ms: int) -> None:
        """Times from ``base_ms`` on were wrong. Their hours are given up here and found anew."""
        first = _hour(base_ms)
        self.finished = [row for row in self.finished if row.hour_ms < first]
        for number, sums in self.sums.items():
            if sums.hour_ms < first:
                continue
            since = sums.since_ms
            since = since if since is None or since < base_ms else since + shift_ms
            hour = _hour(base_ms + shift_ms if since is None else since)
            self.sums[number] = Sums(hour, since, sums.value)

    def correct(self, row: HourRow) -> None:
        """Keep a row that takes the place of those before it."""
        self._keep(row)

    def running(self, number: int) -> HourRow | None:
        sums = self.sums.get(number)
        return row_of(number, sums) if sums is not None and sums.covered_ms else None

    def fresh(self, number: int) -> list[HourRow]:
        """What is not handed to the disk yet: finished hours of all series, and the running one."""
        running = self.running(number)
        return [*self.finished, *([running] if running is not None else [])]

    def _cover(self, number: int, sums: Sums, to_ms: int) -> None:
        since = sums.since_ms
        if since is None or to_ms <= since:
            return
        while since < to_ms:
            hour = _hour(since)
            if hour != sums.hour_ms:
                self._finish(number, sums, hour)
            end = min(hour + HOUR_MS, to_ms)
            add(sums, end - since)
            since = end
        sums.since_ms = to_ms

    def _finish(self, number: int, sums: Sums, hour_ms: int) -> None:
        if sums.covered_ms:
            self._keep(row_of(number, sums))
        sums.hour_ms, sums.covered_ms, sums.weighted = hour_ms, 0, 0.0
        sums.low = sums.high = None
        sums.shares = {}

    def _keep(self, row: HourRow) -> None:
        if len(self.finished) >= MAX_FINISHED:
            self.finished.pop(0)
            self.dropped += 1
        self.finished.append(row)


def merge(rows: Iterable[HourRow]) -> list[HourRow]:
    """One row for each hour, in order of time. The order of rows counts: a later one may replace.

    A merged row replaces if one of its parts did, so that packing rows together keeps their force.

    >>> merge([HourRow(1, 0, 3000, 2.0, 1, 3), HourRow(1, 0, 1000, 6.0, 6, 6)])[0].mean
    3.0
    >>> merge([HourRow(1, 0, 3000, 2.0, 1, 3), HourRow(1, 0, 1000, 6.0, 6, 6, {}, True)])[0].mean
    6.0
    """
    hours: dict[int, HourRow] = {}
    for row in rows:
        known = None if row.replaces else hours.get(row.hour_ms)
        hours[row.hour_ms] = row if known is None else both(known, row)
    return [hours[hour] for hour in sorted(hours)]


def both(a: HourRow, b: HourRow) -> HourRow:
    """The sum of two rows, at the place of the first."""
    shares = dict(a.shares)
    for word, ms in b.shares.items():
        shares[word] = shares.get(word, 0) + ms
    covered = a.covered_ms + b.covered_ms
    if a.mean is None or b.mean is None:
        known = a if b.mean is None else b
        mean, low, high = known.mean, known.low, known.high
        return HourRow(a.number, a.hour_ms, covered, mean, low, high, shares, a.replaces)
    mean = (a.mean * a.covered_ms + b.mean * b.covered_ms) / covered
    low = min(bound for bound in (a.low, b.low) if bound is not None)
    high = max(bound for bound in (a.high, b.high) if bound is not None)
    return HourRow(a.number, a.hour_ms, covered, mean, low, high, shares, a.replaces)


def _hour(ms: int) -> int:
    return ms - ms % HOUR_MS


def counts(value: Value) -> bool:
    """Numbers that can be added up, and words short and clean enough to be states."""
    if isinstance(value, str):
        return len(value) <= 64 and value.isprintable()
    return value is not None and math.isfinite(value) and abs(value) < 2**63


def add(sums: Sums, duration_ms: int) -> None:
    """The value of the sums held that long; 0 ms move the bounds and nothing else."""
    value = sums.value
    if value is None:
        return
    sums.covered_ms += duration_ms
    if isinstance(value, str):
        if duration_ms and (value in sums.shares or len(sums.shares) < MAX_WORDS):
            sums.shares[value] = sums.shares.get(value, 0) + duration_ms
        return
    sums.weighted += value * duration_ms
    sums.low = value if sums.low is None or value < sums.low else sums.low
    sums.high = value if sums.high is None or value > sums.high else sums.high


def row_of(number: int, sums: Sums) -> HourRow:
    words = sum(sums.shares.values())
    counted = sums.covered_ms - words
    mean = None if sums.low is None or counted <= 0 else sums.weighted / counted
    return HourRow(
        number, sums.hour_ms, sums.covered_ms, mean, sums.low, sums.high, dict(sums.shares)
    )
