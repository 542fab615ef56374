"""Hi-Link LD2410: a 24 GHz radar that sees a person who sits still.

    F4 F3 F2 F1  LL LL  TT AA <body> 55 00  F8 F7 F6 F5     report, ten times a second
    FD FC FB FA  LL LL  CC CC <data>        04 03 02 01     command, or its acknowledgement

    LL LL  bytes from TT to 00, little-endian;  TT  02 basic, 01 engineering
    body   state, moving distance (cm, 2 bytes) and energy, still distance and energy, distance
    state  0 nobody, 1 moving, 2 still, 3 both; 4-6 measuring the background: says nothing

Only the state is reported: distances mean nothing in state 0 and are stale where their energy is
0, and a room needs neither. Acknowledgements (a technician's tool on the same line) are discarded
as unknown.

Source: esphome's ld2410, ncmreynolds/ld2410, the vendor's examples quoted there.
Integrity: none but length and trailer.
Seen with: frames in public projects. 256000 baud needs a true UART (a Pi's PL011) or an adapter.
"""

from __future__ import annotations

from datetime import timedelta

from device_drivers.channels import CHANNELS
from device_drivers.contract import (
    Discard,
    DiscardReason,
    Maturity,
    Message,
    Quality,
    Sample,
    SerialDriver,
    SerialLine,
)
from device_drivers.framing import Move, StreamFramer, noise_before
from device_drivers.judge import flagged, malformed

REPORT, COMMAND = b"\xf4\xf3\xf2\xf1", b"\xfd\xfc\xfb\xfa"
TRAILERS = {REPORT: b"\xf8\xf7\xf6\xf5", COMMAND: b"\x04\x03\x02\x01"}
LENGTHS = {REPORT: range(10, 65), COMMAND: range(2, 65)}  # all known frames are within
START, TRAILER = 6, 4
TYPES = (b"\x01", b"\x02")  # engineering, basic
BASIC_BODY = 9  # the engineering body begins with it

PRESENCE = CHANNELS["presence"]
ABSENT = Message((flagged(PRESENCE.name, is_on=False),))
PRESENT = Message((flagged(PRESENCE.name, is_on=True),))
CALIBRATING = Message((Sample(PRESENCE.name, None, PRESENCE.unit, Quality.BAD, "calibrating"),))
STRANGE = Message((malformed(PRESENCE),))
# The same few messages ten times a second: made once.
STATES = (ABSENT, PRESENT, PRESENT, PRESENT, CALIBRATING, CALIBRATING, CALIBRATING)


def step(buffer: bytearray) -> Move | None:
    """Find one frame, whole from header to trailer."""
    if noise := noise_before(buffer, (REPORT, COMMAND)):
        return Move(noise)
    if len(buffer) < START:
        return None
    header = bytes(buffer[:4])
    length = int.from_bytes(buffer[4:START], "little")
    if length not in LENGTHS[header]:
        return Move(1, reason=DiscardReason.LENGTH)
    end = START + length + TRAILER
    if len(buffer) < end:
        return None
    if buffer[end - TRAILER : end] != TRAILERS[header]:
        return Move(1, reason=DiscardReason.MALFORMED)
    return Move(end, bytes(buffer[:end]))


def decode(frame: bytes) -> Message | Discard:
    """Read one report."""
    payload = frame[START:-TRAILER]
    if frame[:4] != REPORT or payload[:1] not in TYPES:
        return Discard(DiscardReason.UNKNOWN, len(frame))
    if len(payload) < BASIC_BODY + 4 or payload[1] != 0xAA or payload[-2:] != b"\x55\x00":
        return Discard(DiscardReason.MALFORMED, len(frame))
    state = payload[2]
    return STATES[state] if state < len(STATES) else STRANGE


DRIVER = SerialDriver(
    name="ld2410",
    title="Hi-Link LD2410 presence radar",
    source="esphome's ld2410 component; ncmreynolds/ld2410",
    maturity=Maturity.CAPTURED,
    channels=(PRESENCE.name,),
    integrity="",
    proof_within=timedelta(seconds=5),
    framing=lambda: StreamFramer(step),
    decode=decode,
    line=SerialLine(baud=256_000),
)
