"""The times of a device in few bytes: periods, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import add

import msgspec

FINE = 65_536  # parts of a millisecond in a period


class Axis(msgspec.Struct, array_like=True):
    """The times of one device: periods, and what is left over.

    A device with a steady clock keeps to a grid, however late each report is; what is left over is
    then the distance to the grid. One that sleeps between reports has no grid, and what is left
    over is of each gap.
    """

    count: int
    first_ms: int
    period: int  # in 1/65536 ms
    is_grid: bool


def spaced(times: Sequence[int]) -> tuple[Axis, list[int], list[int]]:
    """The times of a device as periods and what is left over: by a grid, if that leaves less."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    period = _period(gaps)
    if period == 0:
        return Axis(len(times), times[0], 0, False), [0] * len(times), [0, *gaps]
    many = [0, *((gap + period // 2) // period for gap in gaps)]
    rest = [0, *(gap - n * period for gap, n in zip(gaps, many[1:], strict=True))]
    grid = _grid(times, list(accumulate(many)))
    far = [ms - at for ms, at in zip(times, unspaced(grid, many, [0] * len(many)), strict=True)]
    if sum(map(abs, far)) < sum(map(abs, rest)):
        return grid, many, far
    return Axis(len(times), times[0], period * FINE, False), many, rest


def unspaced(axis: Axis, periods: Sequence[int], rest: Sequence[int]) -> list[int]:
    """The opposite of ``spaced``."""
    first, period = axis.first_ms, axis.period
    if axis.is_grid:
        nth = accumulate(periods)
        return [first + n * period // FINE + odd for n, odd in zip(nth, rest, strict=True)]
    # there are a few different ones, and a page of all devices unpacks hundreds of axes
    whole = {n: n * period // FINE for n in set(periods)}
    gaps = map(add, map(whole.__getitem__, periods), rest)
    return list(accumulate(gaps, initial=first))[1:]


def _period(gaps: Sequence[int]) -> int:
    """The time between two reports, if there is such a thing; else 0."""
    if len(gaps) < 8:
        return 0
    period = sorted(gaps)[len(gaps) // 4]
    near = sorted(gap for gap in gaps if 2 * gap < 3 * period)
    return near[len(near) // 2]


def _grid(times: Sequence[int], nth: Sequence[int]) -> Axis:
    """The straight line through the times, by least squares."""
    middle, mean = sum(nth) / len(nth), sum(times) / len(times)
    across = sum((n - middle) * (ms - mean) for n, ms in zip(nth, times, strict=True))
    period = across / (sum((n - middle) ** 2 for n in nth) or 1)
    return Axis(len(times), round(mean - middle * period), round(period * FINE), True)
