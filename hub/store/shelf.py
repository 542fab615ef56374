"""Sealed history: 32 series over some hours as one blob of columns."""

from __future__ import annotations

SHELF_BITS = 5


def shelf_of(number: int) -> int:
    """Which shelf a series belongs to.

    >>> shelf_of(31), shelf_of(32)
    (0, 1)
    """
    return number >> SHELF_BITS
