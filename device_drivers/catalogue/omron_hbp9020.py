"""Omron HBP-9020, and HBP-9030 in output format 4: arm-in blood pressure monitors.

    bp,ID,YYYY/MM/DD,HH:MM,SYS,MAP,DIA,PULSE,X <CR>    or CR LF

    ID     20 characters, twenty 9 where none was entered; it is not read here
    SYS    mmHg, three digits with leading zeros; the mean (MAP) comes BEFORE the diastolic
    X      one character of unknown meaning: a normal reading with 3 exists, so it never rejects

Nothing protects a line but its own form: fixed widths, a complete line, plausible ranges. A line
that is cut off by the next one is dropped where the next `bp,` begins.

Source: four public projects that read this line.
Integrity: none.
Seen with: lines in public projects; parity and stop bits differ between them (configurable).
"""

from __future__ import annotations

import re
from datetime import timedelta

from device_drivers.contract import (
    Discard,
    DiscardReason,
    Maturity,
    Message,
    SerialDriver,
    SerialLine,
)
from device_drivers.framing import Move, StreamFramer, noise_before
from device_drivers.judge import pressures
from device_drivers.times import possible

START = b"bp,"
END = re.compile(rb"[\r\n]|bp,")
MAX_LINE = 128  # a whole line has 59 characters

LINE = re.compile(
    rb"bp,[^,]{20},(\d{4})/(\d\d)/(\d\d),(\d\d):(\d\d),"
    rb"([ \d]{3}),([ \d]{3}),([ \d]{3}),([ \d]{3}),."
)
CHANNELS = ("bp.systolic", "bp.mean", "bp.diastolic", "pulse.rate")


def step(buffer: bytearray) -> Move | None:
    """Find one line, without its end."""
    if noise := noise_before(buffer, (START,)):
        return Move(noise)
    found = END.search(buffer, len(START), MAX_LINE)
    if found is None:
        too_long = len(buffer) >= MAX_LINE
        return Move(1, reason=DiscardReason.OVERSIZE) if too_long else None
    if found[0] == START:
        return Move(found.start(), reason=DiscardReason.LENGTH)
    return Move(found.end(), bytes(buffer[: found.start()]))


def decode(frame: bytes) -> Message | Discard:
    """Read one line."""
    match = LINE.fullmatch(frame)
    if match is None:
        return Discard(DiscardReason.MALFORMED, len(frame))
    year, month, day, hour, minute = (int(digits) for digits in match.groups()[:5])
    values = {
        channel: int(digits) if digits.isdigit() else None
        for channel, digits in zip(CHANNELS, match.groups()[5:], strict=True)
    }
    return Message(pressures(values), possible(year, month, day, hour, minute))


DRIVER = SerialDriver(
    name="omron_hbp9020",
    title="Omron HBP-9020 blood pressure monitor (HBP-9030: output format 4)",
    source="four public projects that read its bp line",
    maturity=Maturity.CAPTURED,
    channels=CHANNELS,
    integrity="",
    proof_within=timedelta(minutes=10),
    # It speaks only when somebody measures: a quiet weekend is no fault.
    silent_after=timedelta(days=7),
    framing=lambda: StreamFramer(step, filler=b"\r\n"),
    decode=decode,
    line=SerialLine(baud=2400),
)
