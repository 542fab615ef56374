"""HLK-LD2410 presence radar: the basic report it repeats for ever.

    F4 F3 F2 F1 | length u16 | 02 AA | state u8, moving cm u16, energy u8, still cm u16, energy u8,
    detection cm u16 | 55 00 | F8 F7 F6 F5                      (little-endian)

A real one sends ten a second. How often the simulated one speaks is decided in ``run.py``.
"""

from __future__ import annotations

from enum import IntEnum
from struct import pack

HEAD, TAIL = bytes.fromhex("F4F3F2F1"), bytes.fromhex("F8F7F6F5")


class Target(IntEnum):
    """Bits of the state byte."""

    NONE = 0
    MOVING = 1
    STILL = 2
    BOTH = 3
    CALIBRATING = 4  # it measures the background, and says nothing of people


def report(
    target: Target,
    *,
    moving_cm: int = 0,
    moving_energy: int = 0,
    still_cm: int = 0,
    still_energy: int = 0,
    detection_cm: int = 0,
) -> bytes:
    """One basic report. Distances mean nothing while there is no target; the device sends zeros."""
    values = (target, moving_cm, moving_energy, still_cm, still_energy, detection_cm)
    body = b"\x02\xaa" + pack("<BHBHBH", *values) + b"\x55\x00"
    return HEAD + pack("<H", len(body)) + body + TAIL
