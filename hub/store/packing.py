"""The changes of a commit as one blob: columns in MessagePack, perhaps deflated; rooms likewise.

Nobody but this file knows the form, so that another one can take its place.

    body    = b"r" + packed | b"z" + zlib(packed)
    packed  = columns, one entry a change; times as differences, because small numbers pack small

A float that is a short decimal (21.4, as nearly every sensor says) is kept as the integer 214 and
the scale 1, but only if dividing gives the very same bits back. What MessagePack cannot carry
(an integer over 64 bits, a lone surrogate in a text) is kept as bytes with a scale of its own.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change

WORTH_DEFLATING = 160  # bytes; below, zlib's frame eats what it saves
QUALITIES = tuple(Quality)
SOURCES = tuple(TimeSource)
LATE, GAP = 0x20, 0x40
AS_IT_IS, BIG_INT, ODD_TEXT = 0, 8, 9
POWERS = (1, 10, 100, 1000, 10000)
SURROGATES = 0xD800


class Columns(msgspec.Struct, array_like=True):
    """The changes of one commit. ``previous``: how long before the change the step ended."""

    base_ms: int
    base_intake: int
    number: list[int]
    observed: list[int]
    received: list[int]
    value: list[Any]
    scale: bytes
    code: bytes
    unit: list[int]
    reason: list[int]
    previous: list[int | None]
    intake: list[int]
    texts: list[str]
    tie: list[int] = []  # empty: none is tied


class RoomRow(msgspec.Struct, frozen=True, array_like=True):
    """A room's status from here on; ``previous_until_ms``: how far the one before was covered."""

    number: int
    at_ms: int
    status: str
    people: int | None
    previous_until_ms: int | None


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Columns)
_rooms = msgspec.msgpack.Decoder(list[RoomRow])


def pack(changes: Sequence[Change]) -> bytes:
    return pack_columns(columns_of(changes))


def pack_columns(columns: Columns) -> bytes:
    return deflate(_encoder.encode(columns))


def unpack(body: bytes) -> Columns:
    return _decoder.decode(inflate(body))


def pack_rooms(rows: Sequence[RoomRow]) -> bytes:
    return deflate(_encoder.encode(rows))


def unpack_rooms(body: bytes) -> list[RoomRow]:
    return _rooms.decode(inflate(body))


def deflate(packed: bytes) -> bytes:
    if len(packed) > WORTH_DEFLATING:
        small = zlib.compress(packed, 1)
        if len(small) < len(packed):
            return b"z" + small
    return b"r" + packed


def inflate(body: bytes) -> bytes:
    return zlib.decompress(body[1:]) if body[:1] == b"z" else body[1:]


def members(numbers: Iterable[int]) -> str:
    """The series of a commit as one character each.

    UTF-8 is self-synchronising, so SQLite's ``instr`` answers "is this series in it?" in C,
    without unpacking the body.

    >>> members([7, 3, 7]) == member(3) + member(7)
    True
    """
    return "".join(member(number) for number in sorted(set(numbers)))


def member(number: int) -> str:
    code = number + 0x80
    return chr(code if code < SURROGATES else code + 0x800)


def change_at(columns: Columns, at: int, keys: Mapping[int, SeriesKey]) -> Change:
    """One change of a commit."""
    code = columns.code[at]
    observed = columns.base_ms + columns.observed[at]
    previous = columns.previous[at]
    number = columns.number[at]
    return Change(
        number,
        keys[number],
        value_of(columns.value[at], columns.scale[at]),
        columns.texts[columns.unit[at]],
        QUALITIES[code & 3],
        columns.texts[columns.reason[at]],
        observed,
        observed + columns.received[at],
        SOURCES[code >> 2 & 7],
        columns.base_intake + columns.intake[at],
        None if previous is None else observed - previous,
        bool(code & LATE),
        bool(code & GAP),
        columns.tie[at] if columns.tie else 0,
    )


def columns_of(changes: Sequence[Change]) -> Columns:
    base_ms, base_intake = changes[0].observed_ms, changes[0].intake
    texts: dict[str, int] = {}
    values = [plain(change.value) for change in changes]
    return Columns(
        base_ms,
        base_intake,
        [change.number for change in changes],
        [change.observed_ms - base_ms for change in changes],
        [change.received_ms - change.observed_ms for change in changes],
        [value for value, _ in values],
        bytes(scale for _, scale in values),
        bytes(_code(change) for change in changes),
        [texts.setdefault(change.unit, len(texts)) for change in changes],
        [texts.setdefault(change.reason, len(texts)) for change in changes],
        [
            None if c.previous_until_ms is None else c.observed_ms - c.previous_until_ms
            for c in changes
        ],
        [change.intake - base_intake for change in changes],
        list(texts),
        [change.tie for change in changes] if any(change.tie for change in changes) else [],
    )


def _code(change: Change) -> int:
    code = QUALITIES.index(change.quality) | SOURCES.index(change.time_source) << 2
    return code | (LATE if change.is_late else 0) | (GAP if change.after_gap else 0)


def plain(value: Value) -> tuple[Any, int]:
    """A value as MessagePack can carry it, and the scale that brings it back."""
    if isinstance(value, float):
        return _short(value)
    if isinstance(value, str):
        if value.isascii():
            return value, AS_IT_IS
        try:
            value.encode()
        except UnicodeEncodeError:
            return value.encode("utf-8", "surrogatepass"), ODD_TEXT
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        return hex(value).encode(), BIG_INT
    return value, AS_IT_IS


def _short(value: float) -> tuple[int | float, int]:
    if value and math.isfinite(value) and abs(value) < 1e9:  # a zero may be a negative one
        for scale in (1, 2, 3, 4):
            scaled = round(value * POWERS[scale])
            if scaled / POWERS[scale] == value and scaled:
                return scaled, scale
    return value, AS_IT_IS


def value_of(value: Any, scale: int) -> Value:
    """The opposite of ``plain``."""
    if scale == AS_IT_IS:
        same: Value = value
        return same
    if scale == BIG_INT:
        return int(value, 16)
    if scale == ODD_TEXT:
        return str(value, "utf-8", "surrogatepass")
    short: float = value / POWERS[scale]
    return short
