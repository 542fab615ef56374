"""Columns of whole numbers as planes of bytes, which zstandard packs well and C unpacks.

    column 1: lowest bytes of entry 1, entry 2...; next bytes of those that are wider; ...
    column 2: ...

A column has one entry for each series (or room...), all with the same meaning. An entry whose
numbers are all equal takes no bytes, only a constant in the ``Sheet``. The others are signed and
take 1, 2, 4 or 8 bytes a number, low bytes apart from high ones. A high byte is kept as what it
differs from the sign of the byte below: nothing, for every number that is small enough, so that a
few large ones do not cost all the others a bit. Each plane ends a zstd block, and so has a Huffman
table of its own, but all are one frame with one checksum over everything.
"""

from __future__ import annotations

import struct
import sys
import threading
from array import array
from collections.abc import Sequence
from itertools import accumulate, pairwise

import msgspec
import zstandard

TYPES = {1: "b", 2: "h", 4: "i", 8: "q"}
BLOCK_END = zstandard.COMPRESSOBJ_FLUSH_BLOCK
WORTH_A_BLOCK = 256  # bytes; below, a Huffman table of its own costs more than it saves
MAX_RAW = 64 << 20  # bytes; a shelf has some 100 kB, and a damaged header must not fill the memory

LENGTH = struct.Struct("<I")
SIGNS = bytes(128) + b"\xff" * 128  # a byte to the byte above it, were it all the number had

Places = list[list[int]]


class Own(threading.local):
    """Contexts of zstd, which threads must not share and which take long to make."""

    def __init__(self) -> None:
        self.decompressor = zstandard.ZstdDecompressor()
        self._compressors: dict[int, zstandard.ZstdCompressor] = {}

    def compressor(self, level: int) -> zstandard.ZstdCompressor:
        found = self._compressors.get(level)
        if found is None:
            found = zstandard.ZstdCompressor(level=level, write_checksum=True)
            self._compressors[level] = found
        return found


_own = Own()


class DamagedBlockError(ValueError):
    """A sealed body is cut short or changed, or was written by a newer version."""


class Sheet(msgspec.Struct, array_like=True):
    """What a column needs to be read: bytes a number, and the constant where that is 0."""

    widths: bytes
    constants: list[int]


def lay(column: Sequence[Sequence[int]]) -> tuple[Sheet, list[bytes]]:
    """The planes of one column, lowest first.

    >>> lay([[1, 1], [0, -1], [0, 256]])[1]
    [b'\\x00\\xff\\x00\\x00', b'\\x00\\x01']
    >>> lay([[-2, 300]])[1]
    [b'\\xfe,', b'\\x00\\x01']
    """
    widths, constants = bytearray(), []
    parts: list[list[bytes]] = [[] for _ in range(8)]
    for numbers in column:
        width, constant, planes = lay_one(numbers)
        widths.append(width)
        constants.append(constant)
        for part, plane in zip(parts, planes, strict=False):
            part.append(plane)
    return Sheet(bytes(widths), constants), [b"".join(part) for part in parts if part]


def lay_one(numbers: Sequence[int]) -> tuple[int, int, list[bytes]]:
    """Bytes a number, or 0 and the constant; and the planes."""
    first = numbers[0] if numbers else 0
    if numbers.count(first) == len(numbers):
        return 0, first, []
    packed = _packed(numbers)
    width = packed.itemsize
    raw = _little(packed).tobytes()
    planes = [raw[plane::width] for plane in range(width)]
    pairs = pairwise(planes)
    return width, 0, [planes[0], *(_differing(plane, below) for below, plane in pairs)]


def _packed(numbers: Sequence[int]) -> array[int]:
    for kind in TYPES.values():
        try:
            return array(kind, numbers)
        except OverflowError:
            continue  # the next one is wider
    raise OverflowError(f"a column holds a number over 64 bits: {max(numbers, key=abs)}")


def places(sheet: Sheet, counts: Sequence[int], at: int) -> tuple[Places, int]:
    """Where the planes of each entry begin, and where the column ends."""
    found: Places = [[] for _ in counts]
    for plane in range(max(sheet.widths, default=0)):
        for entry, width in enumerate(sheet.widths):
            if width > plane:
                found[entry].append(at)
                at += counts[entry]
    return found, at


def take(raw: bytes, where: Sequence[int], count: int, constant: int) -> Sequence[int]:
    """The numbers of one entry."""
    width = len(where)
    if width == 0:
        return (constant,) * count
    if width == 1:
        return array("b", raw[where[0] : where[0] + count])
    woven = bytearray(count * width)
    below = b""
    for plane, at in enumerate(where):
        kept = raw[at : at + count]
        below = _differing(kept, below) if plane else kept
        woven[plane::width] = below
    return _little(array(TYPES[width], bytes(woven)))


def compress(parts: Sequence[bytes], level: int) -> bytes:
    """One frame with a checksum; each large part begins and ends a block."""
    stream = _own.compressor(level).compressobj(size=sum(map(len, parts)))
    out: list[bytes] = []
    is_open = False
    for part in parts:
        is_large = len(part) >= WORTH_A_BLOCK
        if is_open and is_large:
            out.append(stream.flush(BLOCK_END))
        out.append(stream.compress(part))
        if is_large:
            out.append(stream.flush(BLOCK_END))
        is_open = not is_large
    out.append(stream.flush())
    return b"".join(out)


def decompress(frame: bytes) -> bytes:
    """
    Raises:
        DamagedBlockError: not exactly one whole frame, or its checksum does not fit.
    """
    try:
        if not 0 <= zstandard.frame_content_size(frame) <= MAX_RAW:
            raise DamagedBlockError("a sealed block does not say its size; restore a backup")
        return _own.decompressor.decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise DamagedBlockError(f"a sealed block is damaged ({error}); restore a backup") from error


def framed(head: bytes, planes: Sequence[bytes], level: int) -> bytes:
    """A frame of a head and what it describes."""
    return compress([LENGTH.pack(len(head)) + head, *planes], level)


def opened(raw: bytes) -> tuple[bytes, int]:
    """What ``framed`` was given, unpacked: the head begins at 4 and ends at the number.

    Raises:
        DamagedBlockError: there is no whole head.
    """
    end = 4 + LENGTH.unpack_from(raw)[0] if len(raw) >= 4 else 4
    if end > len(raw):
        raise DamagedBlockError("a sealed block is shorter than its head; restore a backup")
    return raw, end


def unframed(body: bytes, form: bytes) -> tuple[bytes, int]:
    """What ``framed`` was given, behind the byte that names the form.

    Raises:
        DamagedBlockError: the body is cut short or changed, or of another form.
    """
    if body[:1] != form:
        raise DamagedBlockError("a sealed block has a form this version does not know")
    return opened(decompress(body[1:]))


def laid(columns: Sequence[Sequence[Sequence[int]]]) -> tuple[list[Sheet], list[bytes]]:
    sheets, planes = [], []
    for column in columns:
        sheet, parts = lay(column)
        sheets.append(sheet)
        planes += parts
    return sheets, planes


def differences(numbers: Sequence[int]) -> list[int]:
    return [0, *(b - a for a, b in pairwise(numbers))]


def summed(differences: Sequence[int], first: int) -> list[int]:
    numbers = list(differences)
    if numbers:
        numbers[0] = first
    return list(accumulate(numbers))


def optional(number: int | None) -> int:
    """None as a number, so that a column can hold it.

    >>> [optional(n) for n in (None, 0, 1, -1)]
    [0, 1, 2, -1]
    """
    if number is None:
        return 0
    return number + 1 if number >= 0 else number


def given(code: int) -> int | None:
    """The opposite of ``optional``."""
    if code == 0:
        return None
    return code - 1 if code > 0 else code


def _differing(plane: bytes, below: bytes) -> bytes:
    """A plane by what it differs from the signs below, or the plane of such; all in C."""
    signs = int.from_bytes(below.translate(SIGNS), "little")
    return (int.from_bytes(plane, "little") ^ signs).to_bytes(len(plane), "little")


def _little(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
