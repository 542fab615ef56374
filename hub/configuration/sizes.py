"""Amounts of data as people write them: 500MB, 4GB."""

from __future__ import annotations

import re

from pydantic_core import PydanticCustomError

UNITS = {"kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000, "TB": 1_000_000_000_000}
FORM = re.compile(r"(\d{1,9}(?:\.\d{1,3})?) ?(kB|MB|GB|TB)")


def parse_size(value: object) -> int:
    """Read an amount of data, in bytes.

    Raises:
        PydanticCustomError: it is not a number followed by kB, MB, GB or TB, or it is zero.

    >>> parse_size("4GB")
    4000000000
    """
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    match = FORM.fullmatch(str(value).strip())
    size = round(float(match[1]) * UNITS[match[2]]) if match else 0
    if not size:
        raise PydanticCustomError("bad_size", "no amount of data")
    return size


def write_size(size: int) -> str:
    """The shortest form, in the largest unit that it reaches.

    >>> write_size(4_000_000_000), write_size(1_500_000), write_size(12)
    ('4GB', '1.5MB', '0.012kB')
    """
    unit = max((name for name in UNITS if UNITS[name] <= size), key=UNITS.__getitem__, default="kB")
    return f"{size / UNITS[unit]:.4g}{unit}"


def size_text(count: float) -> str:
    """Bytes for people, with the unit that makes two or three digits.

    >>> size_text(61_234_000), size_text(6_656), size_text(12)
    ('61 MB', '6.7 kB', '12 B')
    """
    unit = "B"
    for unit in ("B", *UNITS):
        if count < 999.5 or unit == "TB":
            break
        count /= 1000
    digits = 1 if count < 9.95 and unit != "B" else 0
    return f"{count:.{digits}f} {unit}"
