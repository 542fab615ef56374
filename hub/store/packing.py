"""The changes of a commit as one blob of columns; rooms and other documents likewise.

Nobody but this file knows the form, so that another one can take its place.

    body    = b"c" + crc32 + head with planes                                         small
            | b"s" + zstd(length of head + head + planes), with a checksum of its own large
            | b"r" + head with planes                             small, of the first days
    head    = MessagePack: first number, time and intake, notes, constants
    planes  = number, observed, received, value, note, previous, intake, tie (see planes.py)

Numbers, times and intakes are differences, because small ones pack small. Scale, flags, unit and
reason are one ``note``, of which a commit has a handful; values are what they exceed the lowest of
their note by, because a note is nearly a channel.

A float that is a short decimal (21.4, as nearly every sensor says) is kept as the integer 214 and
the scale 1, but only if dividing gives the very same bits back. What MessagePack cannot carry
(an integer over 64 bits, a lone surrogate in a text) is kept as bytes with a scale of its own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from itertools import accumulate
from operator import sub
from typing import Any, NamedTuple

import msgspec

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.mark import Mark
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.planes import (
    DamagedBlockError,
    compress,
    decompress,
    framed,
    lay_one,
    opened,
    take,
)

LEVEL = 1  # of zstd: 3 costs twice the time for a hundredth of the bytes
PLAIN = (b"c", b"r")  # forms: with a checksum, and the first one, without
CHECKSUM = struct.Struct("<I")
WORTH_DEFLATING = 160  # bytes; below, a frame eats what it saves
WIDTHS = (0, 1, 2, 4, 8)
NEAR = 2**62  # a whole number below it, less another one, still fits into 8 bytes
QUALITIES = tuple(Quality)
SOURCES = tuple(TimeSource)
LATE, GAP = 0x20, 0x40
GOOD, HUB = Quality.GOOD, TimeSource.HUB  # an enum's attribute is slow to look up
HUB_GOOD = QUALITIES.index(GOOD) | SOURCES.index(HUB) << 2  # nearly always
AS_IT_IS, BIG_INT, ODD_TEXT = 0, 8, 9
POWERS = (1, 10, 100, 1000, 10000)
SCALES = ((1, 10), (2, 100), (3, 1000), (4, 10000))
COLUMNS = 8


class Note(NamedTuple):
    """What only a handful of the changes of a commit differ in."""

    scale: int
    code: int  # quality, time source, LATE and GAP
    unit: str
    reason: str


class Columns(msgspec.Struct):
    """The changes of one commit. ``previous``: how long before the change the step ended."""

    base_ms: int
    base_intake: int
    number: list[int]
    observed: list[int]
    received: list[int]
    value: list[Any]
    note: Sequence[int]
    previous: list[int | None]
    intake: list[int]
    tie: Sequence[int]
    notes: list[Note]


class RoomRow(msgspec.Struct, frozen=True, array_like=True):
    """A room's status from here on; ``previous_until_ms``: how far the one before was covered."""

    number: int
    at_ms: int
    status: str
    people: int | None
    previous_until_ms: int | None


class Said(msgspec.Struct, omit_defaults=True):
    """What a commit says of rooms, where that is more than their steps."""

    rooms: list[RoomRow] = []
    marks: list[Mark] = []


class Head(msgspec.Struct, array_like=True):
    """What is needed to read the planes of a commit."""

    count: int
    first_number: int
    base_ms: int
    base_intake: int
    widths: int  # three bits a column, lowest first: a place in WIDTHS
    constants: list[int]  # one for each width of 0
    notes: list[Note]
    lowest: list[int]  # value of each note
    odd: dict[int, Any]  # the values that are no whole numbers, by their place
    planes: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_head = msgspec.msgpack.Decoder(Head)
_said = msgspec.msgpack.Decoder(list[RoomRow] | Said)


def pack(changes: Sequence[Change]) -> bytes:
    return pack_columns(columns_of(changes))


def pack_columns(columns: Columns) -> bytes:
    note = columns.note
    values, odd = _apart(columns.value)
    lowest = _lowest(values, note, len(columns.notes))
    rows = (
        _differences(columns.number, columns.number[0]),
        _differences(columns.observed, 0),
        columns.received,
        [value - lowest[at] for at, value in zip(note, values, strict=True)],
        note,
        [0 if n is None else n + 1 if n >= 0 else n for n in columns.previous],
        _differences(columns.intake, -1),  # so that the first is as the others: 1
        columns.tie,
    )
    widths, constants, planes = 0, [], []
    for at, row in enumerate(rows):
        width, constant, parts = lay_one(row)
        widths |= WIDTHS.index(width) << 3 * at
        if width == 0:
            constants.append(constant)
        planes += parts
    base_intake = columns.base_intake - 1
    head = Head(
        len(note),
        columns.number[0],
        columns.base_ms,
        base_intake,
        widths,
        constants,
        columns.notes,
        lowest,
        odd,
    )
    if sum(map(len, planes)) < WORTH_DEFLATING:
        head.planes = b"".join(planes)
        return plain_body(_encoder.encode(head))
    return b"s" + framed(_encoder.encode(head), planes, LEVEL)


def unpack(body: bytes) -> Columns:
    """
    Raises:
        DamagedBlockError: the body is cut short or changed, or of another form.
    """
    try:
        if body[:1] in PLAIN:
            head, at = _head.decode(inflate(body)), 0
            raw = head.planes
        else:
            raw, at = opened(inflate(body))
            head = _head.decode(memoryview(raw)[4:at])
        return _columns(head, raw, at)
    except (msgspec.MsgspecError, LookupError, StopIteration) as error:
        raise DamagedBlockError(f"a commit is damaged ({error}); restore a backup") from error


def pack_rooms(rows: Sequence[RoomRow], marks: Sequence[Mark] = ()) -> bytes:
    """The steps of rooms, and what their rules took in besides changes."""
    return deflate(_encoder.encode(Said(list(rows), list(marks)) if marks else rows))


def unpack_rooms(body: bytes) -> list[RoomRow]:
    """
    Raises:
        DamagedBlockError: the body is cut short or changed.
    """
    return unpack_said(body).rooms


def unpack_said(body: bytes) -> Said:
    """
    Raises:
        DamagedBlockError: the body is cut short or changed.
    """
    try:
        said = _said.decode(inflate(body))
    except msgspec.MsgspecError as error:
        raise DamagedBlockError(f"rooms are damaged ({error}); restore a backup") from error
    return said if isinstance(said, Said) else Said(said)


def deflate(packed: bytes) -> bytes:
    """A document as it is (``c``) or as a zstd frame (``s``), what is shorter; with a checksum."""
    if len(packed) > WORTH_DEFLATING:
        small = compress([packed], LEVEL)
        if len(small) < len(packed):
            return b"s" + small
    return plain_body(packed)


def plain_body(packed: bytes) -> bytes:
    """
    >>> inflate(plain_body(b"short"))
    b'short'
    """
    return b"c" + CHECKSUM.pack(zlib.crc32(packed)) + packed


def inflate(body: bytes) -> bytes:
    """
    Raises:
        DamagedBlockError: the body is cut short or changed, or of another form.
    """
    if body[:1] == b"s":
        return decompress(body[1:])
    if body[:1] == b"c" and len(body) > CHECKSUM.size:
        packed = body[1 + CHECKSUM.size :]
        if CHECKSUM.unpack_from(body, 1)[0] != zlib.crc32(packed):
            raise DamagedBlockError("a short body has another checksum than it had")
        return packed
    if body[:1] == b"r":
        return body[1:]
    raise DamagedBlockError("a body has a form this version does not know")


def change_at(columns: Columns, at: int, keys: Mapping[int, SeriesKey]) -> Change:
    """One change of a commit."""
    scale, code, unit, reason = columns.notes[columns.note[at]]
    observed = columns.base_ms + columns.observed[at]
    previous = columns.previous[at]
    number = columns.number[at]
    return Change(
        number,
        keys[number],
        value_of(columns.value[at], scale),
        unit,
        QUALITIES[code & 3],
        reason,
        observed,
        observed + columns.received[at],
        SOURCES[code >> 2 & 7],
        columns.base_intake + columns.intake[at],
        None if previous is None else observed - previous,
        bool(code & LATE),
        bool(code & GAP),
        columns.tie[at],
    )


def columns_of(changes: Sequence[Change]) -> Columns:
    base_ms, base_intake = changes[0].observed_ms, changes[0].intake
    notes: dict[tuple[int, int, str, str], int] = {}
    values, scales = zip(*[plain(change.value) for change in changes], strict=True)
    codes = [
        HUB_GOOD
        if c.quality is GOOD and c.time_source is HUB and not (c.is_late or c.after_gap)
        else _code(c)
        for c in changes
    ]
    noted = zip(scales, codes, [c.unit for c in changes], [c.reason for c in changes], strict=True)
    return Columns(
        base_ms,
        base_intake,
        [change.number for change in changes],
        [change.observed_ms - base_ms for change in changes],
        [change.received_ms - change.observed_ms for change in changes],
        list(values),
        [notes.setdefault(note, len(notes)) for note in noted],
        [
            None if c.previous_until_ms is None else c.observed_ms - c.previous_until_ms
            for c in changes
        ],
        [change.intake - base_intake for change in changes],
        [change.tie for change in changes],
        [Note(*note) for note in notes],
    )


def time_source_at(columns: Columns, at: int) -> TimeSource:
    """Of one change of a commit."""
    return SOURCES[columns.notes[columns.note[at]].code >> 2 & 7]


def _code(change: Change) -> int:
    code = QUALITIES.index(change.quality) | SOURCES.index(change.time_source) << 2
    return code | (LATE if change.is_late else 0) | (GAP if change.after_gap else 0)


def _columns(head: Head, raw: bytes, at: int) -> Columns:
    number, observed, received, values, note, previous, intake, tie = _taken(head, raw, at)
    lowest = head.lowest
    value: list[Any] = [lowest[n] + above for n, above in zip(note, values, strict=True)]
    for place, odd in head.odd.items():
        value[place] = odd
    return Columns(
        head.base_ms,
        head.base_intake,
        list(accumulate(number, initial=head.first_number))[1:],
        list(accumulate(observed)),
        list(received),
        value,
        note,
        [None if code == 0 else code - 1 if code > 0 else code for code in previous],
        list(accumulate(intake)),
        tie,
        head.notes,
    )


def _taken(head: Head, raw: bytes, at: int) -> list[Sequence[int]]:
    constants = iter(head.constants)
    rows: list[Sequence[int]] = []
    for column in range(COLUMNS):
        width = WIDTHS[head.widths >> 3 * column & 7]
        where = [at + plane * head.count for plane in range(width)]
        rows.append(take(raw, where, head.count, 0 if width else next(constants)))
        at += width * head.count
    if at != len(raw):
        raise DamagedBlockError("a commit is not as long as it says; restore a backup")
    return rows


def _lowest(values: Sequence[int], note: Sequence[int], notes: int) -> list[int]:
    found: list[set[int]] = [set() for _ in range(notes)]
    for at, value in set(zip(note, values, strict=True)):
        found[at].add(value)
    return [min(of_note) for of_note in found]


def _apart(values: Sequence[Any]) -> tuple[Sequence[int], dict[int, Any]]:
    """Whole numbers, and by their place the values that are none, or too large for a column."""
    if set(map(type, values)) == {int} and min(values) > -NEAR and max(values) < NEAR:
        return values, {}
    odd = {
        at: value
        for at, value in enumerate(values)
        if type(value) is not int or not -NEAR < value < NEAR
    }
    return [0 if at in odd else value for at, value in enumerate(values)], odd


def _differences(numbers: Sequence[int], before: int) -> list[int]:
    return [numbers[0] - before, *map(sub, numbers[1:], numbers)]


def plain(value: Value) -> tuple[Any, int]:
    """A value as MessagePack can carry it, and the scale that brings it back."""
    if isinstance(value, float):
        if -1e9 < value < 1e9:
            for scale, power in SCALES:
                scaled = round(value * power)
                if scaled / power == value and scaled:  # a zero may be a negative one
                    return scaled, scale
        return value, AS_IT_IS
    if isinstance(value, int):
        is_short = -(2**63) <= value < 2**63
        return (value, AS_IT_IS) if is_short else (hex(value).encode(), BIG_INT)
    return _plain_text(value)


def _plain_text(value: str | None) -> tuple[str | bytes | None, int]:
    if value is None or value.isascii():
        return value, AS_IT_IS
    try:
        value.encode()
    except UnicodeEncodeError:
        return value.encode("utf-8", "surrogatepass"), ODD_TEXT
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
