"""When is it calm? From the same weekday of the last weeks, or nothing at all.

A day is cut into quarters of an hour; of each the mean number of people is known, or nothing. A
meal is a run of quarters in which people usually come. Within it, calm is where usually at most
``CALM`` of the busiest quarter's people are; what is told is the range of all days seen, so that a
reader is promised nothing that a day among them broke.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from hub.domain.views import RoomStep

QUARTER_MS = 15 * 60_000
WEEKS = 8
FEWEST_DAYS = 4  # in three days nothing is usual
MEAL = 0.2  # of the busiest quarter: fewer are the cook and the cleaner
CALM = 0.6
SHORTEST, LONGEST = 2, 4  # quarters; who comes at the end of a shorter one comes too late
BUSY = 5  # people; where fewer come it is always calm, and nobody needs advice

Day = Sequence[float | None]
"""People by quarter of an hour."""


class Calm(NamedTuple):
    """Quarters from ``begin`` to before ``end``: ``low`` to ``high`` people on each of ``days``."""

    begin: int
    end: int
    low: int
    high: int
    days: int


class Quarter(NamedTuple):
    usual: float
    low: float
    high: float
    days: int


def quarters(steps: Iterable[RoomStep], from_ms: int, count: int) -> list[float | None]:
    """Mean people of each quarter; None where less than half of it was counted."""
    counted, people = [0.0] * count, [0.0] * count
    for step in steps:
        if step.people is None:
            continue
        first = max(step.from_ms - from_ms, 0) // QUARTER_MS
        last = min((step.to_ms - from_ms - 1) // QUARTER_MS, count - 1)
        for at in range(first, last + 1):
            begin = from_ms + at * QUARTER_MS
            span = min(step.to_ms, begin + QUARTER_MS) - max(step.from_ms, begin)
            counted[at] += span
            people[at] += span * step.people
    return [
        number / known if known >= QUARTER_MS / 2 else None
        for known, number in zip(counted, people, strict=True)
    ]


def calmest(days: Sequence[Day], open_quarters: Iterable[int]) -> Calm | None:
    """The calmest stretch that is still to come; None where nothing honest can be said.

    ``open_quarters``: those of today that are not over and in which the room is open.
    """
    usual = [_usual([day[at] for day in days]) for at in range(min(map(len, days), default=0))]
    top = max((quarter.usual for quarter in usual if quarter), default=0.0)
    if top < BUSY:
        return None
    still = frozenset(open_quarters)
    found = [
        run
        for run in _runs(usual, still, MEAL * top, CALM * top)
        if max(quarter.high for quarter in run[1]) < top
    ]
    if not found:
        return None
    begin, run = min(
        found, key=lambda item: (sum(q.usual for q in item[1]) / len(item[1]), item[0])
    )
    low, high = min(quarter.low for quarter in run), max(quarter.high for quarter in run)
    fewest = min(quarter.days for quarter in run)
    return Calm(begin, begin + len(run), int(low), -int(-high // 1), fewest)


def _usual(seen: Sequence[float | None]) -> Quarter | None:
    known = [people for people in seen if people is not None]
    if len(known) < FEWEST_DAYS:
        return None
    return Quarter(median(known), min(known), max(known), len(known))


def _runs(
    usual: Sequence[Quarter | None], still: frozenset[int], least: float, most: float
) -> Iterable[tuple[int, list[Quarter]]]:
    """Every stretch of calm quarters that is as long as one may be."""
    fits = [
        quarter if quarter is not None and at in still and least <= quarter.usual <= most else None
        for at, quarter in enumerate(usual)
    ]
    for length in range(SHORTEST, LONGEST + 1):
        for begin in range(len(fits) - length + 1):
            run = [quarter for quarter in fits[begin : begin + length] if quarter is not None]
            if len(run) == length:
                yield begin, run
