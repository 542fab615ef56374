"""Durations as people write them: 90s, 10m, 25h, 7d."""

from __future__ import annotations

import re
from datetime import timedelta

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
FORM = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)")
LONGEST_S = 10 * 366 * UNITS["d"]


def parse_duration(value: object) -> timedelta:
    """Read a duration.

    Raises:
        ValueError: it is not a number followed by ms, s, m, h or d, or it is zero.

    >>> parse_duration("25h") == timedelta(hours=25)
    True
    """
    if isinstance(value, timedelta):
        return value
    match = FORM.fullmatch(str(value).strip())
    if match is None or float(match[1]) == 0:
        raise ValueError("a duration is a number and a unit, for example 90s, 10m or 25h")
    seconds = float(match[1]) * UNITS[match[2]]
    if seconds > LONGEST_S:
        raise ValueError("that is longer than ten years")
    return timedelta(seconds=seconds)


def write_duration(duration: timedelta) -> str:
    """The form with the largest unit that is whole.

    >>> write_duration(timedelta(hours=25)), write_duration(timedelta(days=730))
    ('25h', '730d')
    """
    seconds = duration.total_seconds()
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if seconds % UNITS[unit] == 0)
    return f"{seconds / UNITS[unit]:g}{unit}"
