"""A&D TM-2655, TM-2655P and TM-2657P: arm-in blood pressure monitors.

    16 16 01 30 30 02 <text> 03 CC      SYN SYN SOH address STX text ETX check

    text  TM2655 1E 1910291429 1E RB 1E M 1E E00 1E S102 1E M 87 1E D 62 1E P 83 1E ...
          model, YYMMDDhhmm, format, marker or patient ID, then tagged fields between RS (1E)

    E error (E00 is good), S systolic, M mean, D diastolic in mmHg, P pulse; tags are case
    sensitive: m counts movements, p is a pressurisation value. Others are ignored.

The check byte is the exclusive or of the text alone. It may have any value, also that of ETX, so
exactly one byte is read behind ETX. One SYN or none is tolerated before SOH.

Validity is decided by E and never by the digits: a layout of error frames was not published, so
blank figures and figures that are there are both taken as they come, and are bad. The patient ID
is not read. Short frames (ACK 06, NAK 15, a host's command) and pulse lists are no readings. This
driver never sends: the monitor sends by itself on completion or on print.

Source: frames in public projects for the TM-2655 and TM-2657; one capture with its check byte.
Integrity: XOR of the text, one byte.
Seen with: a recorded TM-2657 frame; no monitor of our own yet.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from device_drivers.contract import (
    Discard,
    DiscardReason,
    Maturity,
    Message,
    SerialDriver,
    SerialLine,
)
from device_drivers.framing import Move, StreamFramer, noise_before, xor
from device_drivers.judge import pressures
from device_drivers.times import possible

SYN, SOH, STX, ETX, RS = b"\x16", b"\x01", b"\x02", b"\x03", b"\x1e"
HEADER = 4  # SOH, two bytes of address, STX
MAX_TEXT = 1024  # results have about 190 bytes; a pulse list of 100 beats about 900
TEXT = bytes((*range(0x20, 0x7F), 0x1E, 0x06, 0x15))  # printable, RS, ACK, NAK

RESULTS = (b"RA", b"RB")  # RP is the list of single pulses
CHANNELS = {b"S": "bp.systolic", b"M": "bp.mean", b"D": "bp.diastolic", b"P": "pulse.rate"}
ALWAYS = (b"S", b"D")  # a result without them is no result, said or not
GOOD = b"00"
ERRORS = {
    b"11": "cuff_loose",  # no pressure at the start
    b"15": "cuff_loose",
    b"12": "leak",  # pressure not reached in time
    b"13": "cuff_fit",  # inflated too fast: hardly any air in the cuff
    b"21": "device_fault",  # exhaust too slow
    b"22": "leak",  # exhaust too fast
    b"23": "overpressure",
    b"24": "timeout",  # measured too long
    b"42": "cuff_loose",  # cuff pressure insufficient
    b"43": "weak_signal",  # no pulse found
    b"44": "movement",
    b"45": "weak_signal",  # diastolic, mean, systolic, pulse not to be determined
    b"46": "weak_signal",
    b"48": "weak_signal",
    b"61": "weak_signal",
    b"63": "implausible",  # out of the monitor's own range
}


def step(buffer: bytearray) -> Move | None:
    """Find one frame; what comes out of it is its text."""
    if noise := noise_before(buffer, (SYN, SOH)):
        return Move(noise)
    syncs = len(buffer[:3]) - len(buffer[:3].lstrip(SYN))
    if syncs == 3:
        return Move(1)
    start = buffer[syncs : syncs + HEADER]
    if start and start[:1] != SOH:
        return Move(syncs)
    if len(start) < HEADER:
        return None
    if start[3:] != STX:
        return Move(1)
    return _text(buffer, syncs + HEADER)


def _text(buffer: bytearray, begin: int) -> Move | None:
    window = buffer[begin : begin + MAX_TEXT + 1]
    size = len(window) - len(window.lstrip(TEXT))
    past_start = begin - HEADER + 1  # behind SOH: what was tried is not tried again
    if size > MAX_TEXT:
        return Move(past_start, reason=DiscardReason.OVERSIZE)
    if size == len(window):
        return None
    if window[size : size + 1] != ETX:
        return Move(past_start, reason=DiscardReason.MALFORMED)
    end = begin + size + 2
    if len(buffer) < end:
        return None
    text = bytes(window[:size])
    if buffer[end - 1] != xor(text):
        return Move(past_start, reason=DiscardReason.CHECKSUM)
    return Move(end, text)


def decode(frame: bytes) -> Message | Discard:
    """Read the text of one frame."""
    fields = frame.split(RS)
    if len(fields) < 4 or fields[2].strip() not in RESULTS:
        return Discard(DiscardReason.UNKNOWN, len(frame))
    tagged = _tagged(fields[4:])
    if b"E" not in tagged:
        return Discard(DiscardReason.MALFORMED, len(frame))
    error = "" if tagged[b"E"] == GOOD else ERRORS.get(tagged[b"E"], "device_fault")
    values = {
        channel: _number(tagged.get(tag, b""))
        for tag, channel in CHANNELS.items()
        if tag in tagged or tag in ALWAYS
    }
    disturbed = "movement" if _number(tagged.get(b"m", b"")) else ""
    return Message(pressures(values, error, disturbed), _time(fields[1].strip()))


def _tagged(fields: list[bytes]) -> dict[bytes, bytes]:
    """Values by tag. The first of a kind counts, so that no later field overrules an error."""
    found: dict[bytes, bytes] = {}
    for field in fields:
        found.setdefault(field[:1], field[1:].strip())
    return found


def _number(digits: bytes) -> int | None:
    return int(digits) if digits.isdigit() and len(digits) <= 4 else None


def _time(stamp: bytes) -> datetime | None:
    """YYMMDDhhmm, in the 21st century."""
    if len(stamp) != 10 or not stamp.isdigit():
        return None
    year, month, day, hour, minute = (int(stamp[at : at + 2]) for at in range(0, 10, 2))
    return possible(2000 + year, month, day, hour, minute)


DRIVER = SerialDriver(
    name="and_tm265x",
    title="A&D TM-2655 / TM-2657 blood pressure monitor",
    source="public projects that read these monitors; one capture with its check byte",
    maturity=Maturity.CAPTURED,
    channels=tuple(CHANNELS.values()),
    integrity="XOR",
    proof_within=timedelta(minutes=10),
    # It speaks only when somebody measures: a quiet weekend is no fault.
    silent_after=timedelta(days=7),
    framing=lambda: StreamFramer(step),
    decode=decode,
    line=SerialLine(baud=2400),
)
