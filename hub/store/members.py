"""Which series a commit holds, as bits, so that SQLite can skip commits without unpacking them.

A busy commit holds some hundred series of a thousand or two; a bit each takes a third of what two
bytes each do. Bytes before the first bit that is set are left out (``lowest``), so a commit with
one event takes one byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

HOLDS = (
    "(lowest <= ? AND length(members) > ? - lowest"
    " AND instr(?, substr(members, ? - lowest + 1, 1)))"
)
"""A condition on a row of the log; its four parameters are ``sign(number)``."""

Sign = tuple[int, int, bytes, int]


def members(numbers: Iterable[int]) -> tuple[int, bytes]:
    r"""The byte that the bits begin at, and the bits.

    >>> members([17, 9])
    (1, b'\x02\x02')
    """
    bits = 0
    for number in set(numbers):
        bits |= 1 << number
    raw = bits.to_bytes(bits.bit_length() + 7 >> 3, "little")
    packed = raw.lstrip(b"\0")
    return len(raw) - len(packed), packed


def numbers_in(lowest: int, packed: bytes) -> set[int]:
    """
    >>> sorted(numbers_in(*members([3, 7, 70_000])))
    [3, 7, 70000]
    """
    return {
        (lowest + at) * 8 + bit
        for at, byte in enumerate(packed)
        if byte
        for bit in range(8)
        if byte >> bit & 1
    }


@lru_cache(maxsize=1024)
def sign(number: int) -> Sign:
    """Where a series' bit is, and all bytes that have it."""
    at, bit = divmod(number, 8)
    return at, at, bytes(byte for byte in range(256) if byte >> bit & 1), at
