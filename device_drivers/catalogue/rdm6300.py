"""RDM6300 and its clones: 125 kHz readers for EM4100 cards.

    02 VV II II II II CC 03      STX, then hex digits: version, four bytes of number, check; ETX

The check is the exclusive or of the five bytes before it. The number is what is printed on most
cards: the four bytes, most significant first, as ten decimal digits. The frame repeats for as long
as a card rests on the reader; the driver reports each, and declares how long they are one. Some
clones send small letters, or CR LF before ETX.

An EM4100 number can be copied by anybody: it points to a person, it proves nothing. It is personal.

Source: esphome's rdm6300, Seeed's page on the 125 kHz reader.
Integrity: XOR, one byte.
Seen with: frames in public projects.
"""

from __future__ import annotations

from datetime import timedelta

from device_drivers.channels import CHANNELS
from device_drivers.contract import (
    Discard,
    DiscardReason,
    Maturity,
    Message,
    Sample,
    SerialDriver,
)
from device_drivers.framing import Move, StreamFramer, noise_before, xor

STX, ETX = b"\x02", b"\x03"
DIGITS = 12
LONGEST = 1 + DIGITS + len(b"\r\n") + 1
HEX = b"0123456789abcdefABCDEF"
TOKEN = CHANNELS["card.token"]


def step(buffer: bytearray) -> Move | None:
    """Find one frame; what comes out of it are its five data bytes."""
    if noise := noise_before(buffer, (STX,)):
        return Move(noise)
    window = buffer[1:LONGEST]
    digits = len(window) - len(window.lstrip(HEX))
    if digits > DIGITS:
        return Move(1, reason=DiscardReason.LENGTH)
    rest = window[digits:].lstrip(b"\r\n")
    if not rest:
        return None if len(buffer) < LONGEST else Move(1, reason=DiscardReason.LENGTH)
    end = 2 + len(window) - len(rest)
    if rest[:1] == STX:
        return Move(end - 1, reason=DiscardReason.LENGTH)
    if rest[:1] != ETX:
        return Move(1, reason=DiscardReason.MALFORMED)
    if digits != DIGITS:
        return Move(1, reason=DiscardReason.LENGTH)
    return _checked(bytes.fromhex(window[:DIGITS].decode("ascii")), end)


def _checked(data: bytes, size: int) -> Move:
    if xor(data):  # the check byte is the XOR of the others, so all six together give nothing
        return Move(1, reason=DiscardReason.CHECKSUM)
    return Move(size, data[:-1])


def decode(frame: bytes) -> Message | Discard:
    """Read version and number."""
    if len(frame) != 5:
        return Discard(DiscardReason.LENGTH, len(frame))
    number = int.from_bytes(frame[1:], "big")
    return Message((Sample(TOKEN.name, f"{number:010d}", TOKEN.unit),))


DRIVER = SerialDriver(
    name="rdm6300",
    title="RDM6300 card reader, 125 kHz EM4100",
    source="esphome's rdm6300 component; Seeed's page on the 125 kHz reader",
    maturity=Maturity.CAPTURED,
    channels=(TOKEN.name,),
    integrity="XOR",
    proof_within=timedelta(minutes=10),
    # It speaks only when a card is shown: a quiet weekend is no fault.
    silent_after=timedelta(days=7),
    duplicate_window=timedelta(seconds=2),
    framing=lambda: StreamFramer(step, filler=b"\r\n"),
    decode=decode,
)
