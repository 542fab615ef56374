"""A&D TM-2655 / TM-2657: one result as the monitor sends it when a measurement ends.

    16 16 | 01 | '0' '0' | 02 | text, fields separated by 1E | 03 | BCC

BCC is the XOR of the bytes strictly between STX and ETX. It may have any value, also one that
looks like a control byte.
"""

from __future__ import annotations

from datetime import datetime
from functools import reduce
from operator import xor

SYN, SOH, STX, ETX, RS = b"\x16", b"\x01", b"\x02", b"\x03", "\x1e"


def frame(text: str, address: str = "00") -> bytes:
    """Put a text into an envelope with its check byte."""
    body = text.encode("ascii")
    check = bytes([reduce(xor, body, 0)])
    return SYN * 2 + SOH + address.encode("ascii") + STX + body + ETX + check


def result(
    at: datetime, systolic: int, mean: int, diastolic: int, pulse: int, model: str = "TM2655"
) -> bytes:
    """A good result (E00). ``at`` is the monitor's own local time; the format has no zone."""
    vitals = (f"S{systolic:3d}", f"M{mean:3d}", f"D{diastolic:3d}", f"P{pulse:3d}")
    amplitude = min(systolic + 37, 255)
    fields = (model, f"{at:%y%m%d%H%M}", "RB", "M", "E00", *vitals, "I17", f"L{amplitude:3d}")
    return frame(RS.join(fields) + RS)


def failure(at: datetime, code: int, model: str = "TM2655") -> bytes:
    """A measurement that failed: the code, and blanks where the vitals would be."""
    blank = tuple(f"{tag}   " for tag in "SMDP")
    fields = (model, f"{at:%y%m%d%H%M}", "RB", "M", f"E{code:02d}", *blank, "I18", "L  0")
    return frame(RS.join(fields) + RS)
