"""RDM6300, a 125 kHz card reader: 14 bytes, repeated while the card lies there.

02 | 10 hex digits: version and card | 2 hex digits: XOR of the five bytes | 03
"""

from __future__ import annotations

from functools import reduce
from operator import xor

VERSION = 0x62


def frame(card: int, version: int = VERSION) -> bytes:
    """A card as the reader sends it once."""
    data = bytes([version]) + card.to_bytes(4, "big")
    check = reduce(xor, data)
    return b"\x02" + f"{data.hex()}{check:02x}".upper().encode("ascii") + b"\x03"
