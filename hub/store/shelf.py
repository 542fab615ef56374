"""Sealed history: 32 series over some hours as one block of columns, packed once, never changed.

    body      = form (1 byte) + zstd frame with checksum
    frame     = length of the directory (4 bytes) + directory (MessagePack) + planes (planes.py)
    axes      = the sorted times of one device: when steps began, and how far they were confirmed
    columns   = one entry a series, one number a change, in intake order: time, previous, received,
                value, note, tie

Three things make it small:

1. Series of one device change in the same reports, so its times stand once, in its axis, and a
   change has only its place there. A step is nearly always confirmed up to the report before the
   next change; that is the place before, whatever the clock says, so ``previous`` is a constant.
2. An axis is a number of periods and what is left over, so a device that reports each 10 s costs
   one small number a report.
3. Values are whole numbers with a common scale, as differences. Only a series with anything else
   in it (a text, None, a negative zero, mixed types) has a table of its values.

Quality, reason, unit, time source and flags are one ``Note``, of which a shelf has a handful.

One series is unpacked without looking at the others; objects are made only for the times asked.
"""

from __future__ import annotations

import math
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any

import msgspec

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.packing import POWERS, RoomRow, plain, value_of
from hub.store.planes import (
    DamagedBlockError,
    Places,
    Sheet,
    decompress,
    framed,
    given,
    lay,
    opened,
    optional,
    places,
    take,
)

SHELF_BITS = 5
LEVEL = 9
FORM, ROOM_FORM = b"\x01", b"\x02"
TABLE = 255  # instead of a scale: the value is a place in the table of its series
TIME, PREVIOUS, RECEIVED, VALUE, NOTE, TIE = range(6)
NEVER = -(2**63)  # no time
SPARE = 2**61  # differences of numbers below it fit into 8 bytes
FINE = 65_536  # parts of a millisecond in a period


class Step(msgspec.Struct, frozen=True, gc=False):
    """A change and how long it held; None: the chapter does not know how far it was confirmed."""

    change: Change
    until_ms: int | None


class Note(msgspec.Struct, frozen=True, array_like=True):
    """What hardly ever differs between the changes of a series."""

    unit: str
    quality: Quality
    reason: str
    time_source: TimeSource
    is_late: bool
    after_gap: bool


class Axis(msgspec.Struct, array_like=True):
    """The times of one device: periods, and what is left over.

    A device with a steady clock keeps to a grid, however late each report is; what is left over is
    then the distance to the grid. One that sleeps between reports has no grid, and what is left
    over is of each gap.
    """

    count: int
    first_ms: int
    period: int  # in 1/65536 ms
    is_grid: bool


class Directory(msgspec.Struct, array_like=True):
    """Lists with one entry a series, but ``axes``, ``axis_sheets`` and ``notes``."""

    numbers: list[int]
    counts: list[int]
    axis: list[int]  # which one is the device's
    first_time: list[int]  # of the first change, a place in the axis
    closing: list[int]  # optional(place in the axis)
    is_sorted: list[bool]  # the changes were observed in the order of their intake
    scale: bytes
    first_value: list[int]
    tables: dict[int, tuple[list[Any], bytes]]
    sheets: list[Sheet]
    axes: list[Axis]
    axis_sheets: list[Sheet]
    notes: list[Note]


class Rooms(msgspec.Struct, array_like=True):
    count: int
    first_ms: int
    statuses: list[str]
    sheets: list[Sheet]


_encoder = msgspec.msgpack.Encoder()
_directory = msgspec.msgpack.Decoder(Directory)
_rooms = msgspec.msgpack.Decoder(Rooms)


def shelf_of(number: int) -> int:
    """Which shelf a series belongs to.

    >>> shelf_of(31), shelf_of(32)
    (0, 1)
    """
    return number >> SHELF_BITS


def shelve(
    series: Mapping[int, Sequence[Change]], closings: Mapping[int, int], level: int = LEVEL
) -> bytes:
    """Pack the changes of some series, each in the order of their intake.

    ``closings`` tells until when the last step of a series that was not late was confirmed.
    Neither the intake numbers nor series without a change are kept.
    """
    filled = {number: changes for number, changes in sorted(series.items()) if changes}
    lines = _axes(filled, closings)
    devices = list(lines)
    notes: dict[Note, int] = {}
    directory = Directory([], [], [], [], [], [], b"", [], {}, [], [], [], [])
    columns: list[list[Sequence[int]]] = [[] for _ in range(6)]
    scales = bytearray()
    for number, changes in filled.items():
        device = changes[0].key.device
        place = {ms: at for at, ms in enumerate(lines[device])}
        times = [place[change.observed_ms] for change in changes]
        scale, values, table = _whole([change.value for change in changes])
        if table is not None:
            directory.tables[number] = table
        scales.append(scale)
        directory.numbers.append(number)
        directory.counts.append(len(changes))
        directory.axis.append(devices.index(device))
        directory.first_time.append(times[0])
        directory.closing.append(optional(place.get(closings.get(number, NEVER))))
        directory.is_sorted.append(_is_sorted(changes))
        directory.first_value.append(values[0])
        rows = (
            _differences(times),
            _previous(changes, times, place),
            *_rest(changes, values, notes),
        )
        for column, row in zip(columns, rows, strict=True):
            column.append(row)
    directory.scale, directory.notes = bytes(scales), list(notes)
    return FORM + _joined(directory, columns, lines, level)


class Shelf:
    """A sealed block, opened.

    Raises:
        DamagedBlockError: the body is cut short or changed, or of a newer form.
    """

    def __init__(self, body: bytes) -> None:
        self._raw, at = _opened(body, FORM)
        try:
            self._head = head = _directory.decode(memoryview(self._raw)[4:at])
        except msgspec.MsgspecError as error:
            raise DamagedBlockError(f"a sealed block has a bad directory ({error})") from error
        self.numbers: tuple[int, ...] = tuple(head.numbers)
        self._entry = {number: entry for entry, number in enumerate(head.numbers)}
        self._axis_places: list[Places] = []
        axis_counts = [axis.count for axis in head.axes]
        for sheet in head.axis_sheets:
            where, at = places(sheet, axis_counts, at)
            self._axis_places.append(where)
        self._places: list[Places] = []
        for sheet in head.sheets:
            where, at = places(sheet, head.counts, at)
            self._places.append(where)
        if at != len(self._raw):
            raise DamagedBlockError("a sealed block is not as long as its directory says")

    def count(self, number: int) -> int:
        """How many changes of a series are kept here."""
        entry = self._entry.get(number)
        return 0 if entry is None else self._head.counts[entry]

    def opening(self, number: int) -> int | None:
        """How far the last step of the chapter before was confirmed; None: not told here."""
        entry = self._entry.get(number)
        if entry is None:
            return None
        notes, axis = self._notes(entry), self._axis(entry)
        times, previous = self._times(entry), self._column(PREVIOUS, entry)
        for note, time, code in zip(notes, times, previous, strict=True):
            if not note.is_late:
                back = given(code)
                return None if back is None else axis[time - back]
        return None

    def steps(self, number: int, key: SeriesKey, from_ms: int, to_ms: int) -> Iterator[Step]:
        """The steps of a series that began in a span, in order of (observed_ms, tie)."""
        entry = self._entry.get(number)
        if entry is None:
            return
        axis, times = self._axis(entry), self._times(entry)
        low, high = bisect_left(axis, from_ms), bisect_left(axis, to_ms)
        ties = self._column(TIE, entry)
        chosen: Sequence[int]
        if self._head.is_sorted[entry]:
            chosen = range(bisect_left(times, low), bisect_left(times, high))
        else:
            chosen = [at for at, time in enumerate(times) if low <= time < high]
            chosen.sort(key=lambda at: (times[at], ties[at]))
        if not chosen:
            return
        notes = self._notes(entry)
        starts = [
            None if code == 0 else axis[time - (code - 1 if code > 0 else code)]
            for time, code in zip(times, self._column(PREVIOUS, entry), strict=True)
        ]
        ends = self._ends(entry, axis, times, notes, starts)
        received, values = self._column(RECEIVED, entry), self._values(entry)
        for at in chosen:
            observed, note = axis[times[at]], notes[at]
            change = Change(
                number,
                key,
                values[at],
                note.unit,
                note.quality,
                note.reason,
                observed,
                observed + received[at],
                note.time_source,
                0,
                starts[at],
                note.is_late,
                note.after_gap,
                ties[at],
            )
            yield Step(change, ends[at])

    def _column(self, column: int, entry: int) -> Sequence[int]:
        head = self._head
        constant = head.sheets[column].constants[entry]
        return take(self._raw, self._places[column][entry], head.counts[entry], constant)

    def _axis(self, entry: int) -> list[int]:
        head = self._head
        at = head.axis[entry]
        axis = head.axes[at]
        periods, rest = (
            take(self._raw, where[at], axis.count, sheet.constants[at])
            for where, sheet in zip(self._axis_places, head.axis_sheets, strict=True)
        )
        return _unspaced(axis, periods, rest)

    def _times(self, entry: int) -> list[int]:
        return _summed(self._column(TIME, entry), self._head.first_time[entry])

    def _notes(self, entry: int) -> list[Note]:
        notes = self._head.notes
        return [notes[at] for at in self._column(NOTE, entry)]

    def _values(self, entry: int) -> Sequence[Value]:
        whole = _summed(self._column(VALUE, entry), self._head.first_value[entry])
        scale = self._head.scale[entry]
        if scale == 0:
            return whole
        if scale == TABLE:
            packed, scales = self._head.tables[self._head.numbers[entry]]
            return [value_of(packed[at], scales[at]) for at in whole]
        power = POWERS[scale]
        return [number / power for number in whole]

    def _ends(
        self,
        entry: int,
        axis: Sequence[int],
        times: Sequence[int],
        notes: Sequence[Note],
        starts: Sequence[int | None],
    ) -> list[int | None]:
        """Until when each step held: what the next change that was not late says of it."""
        closing = given(self._head.closing[entry])
        end = None if closing is None else axis[closing]
        ends: list[int | None] = []
        for at in range(len(times) - 1, -1, -1):
            if notes[at].is_late:
                ends.append(axis[times[at]])
            else:
                ends.append(end)
                end = starts[at]
        ends.reverse()
        return ends


def shelve_rooms(rows: Sequence[RoomRow], level: int = LEVEL) -> bytes:
    """Pack the steps of rooms, in the order of their intake."""
    statuses: dict[str, int] = {}
    columns = (
        [row.number for row in rows],
        _differences([row.at_ms for row in rows]) if rows else [],
        [statuses.setdefault(row.status, len(statuses)) for row in rows],
        [optional(row.people) for row in rows],
        [
            optional(None if row.previous_until_ms is None else row.at_ms - row.previous_until_ms)
            for row in rows
        ],
    )
    sheets, planes = _laid([[column] for column in columns])
    head = Rooms(len(rows), rows[0].at_ms if rows else 0, list(statuses), sheets)
    return ROOM_FORM + framed(_encoder.encode(head), planes, level)


def rooms_of(body: bytes, number: int | None = None) -> list[RoomRow]:
    """The steps of one room, or of all, in the order of their intake.

    Raises:
        DamagedBlockError: the body is cut short or changed, or of a newer form.
    """
    raw, at = _opened(body, ROOM_FORM)
    try:
        head = _rooms.decode(memoryview(raw)[4:at])
    except msgspec.MsgspecError as error:
        raise DamagedBlockError(f"a sealed block has a bad directory ({error})") from error
    columns: list[Sequence[int]] = []
    for sheet in head.sheets:
        where, at = places(sheet, (head.count,), at)
        columns.append(take(raw, where[0], head.count, sheet.constants[0]))
    numbers, gaps, statuses, people, previous = columns
    times = _summed(gaps, head.first_ms)
    rows = zip(numbers, times, statuses, people, map(given, previous), strict=True)
    return [
        RoomRow(room, ms, head.statuses[status], given(count), None if back is None else ms - back)
        for room, ms, status, count, back in rows
        if number is None or room == number
    ]


def _axes(
    series: Mapping[int, Sequence[Change]], closings: Mapping[int, int]
) -> dict[str, list[int]]:
    """The sorted times of each device: of changes, and of how far they were confirmed."""
    found: dict[str, set[int]] = {}
    for number, changes in series.items():
        times = found.setdefault(changes[0].key.device, set())
        times.update(change.observed_ms for change in changes)
        times.update(c.previous_until_ms for c in changes if c.previous_until_ms is not None)
        if number in closings:
            times.add(closings[number])
    return {device: sorted(times) for device, times in found.items()}


def _spaced(times: Sequence[int]) -> tuple[Axis, list[int], list[int]]:
    """The times of a device as periods and what is left over: by a grid, if that leaves less."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    period = _period(gaps)
    if period == 0:
        return Axis(len(times), times[0], 0, False), [0] * len(times), [0, *gaps]
    many = [0, *((gap + period // 2) // period for gap in gaps)]
    rest = [0, *(gap - n * period for gap, n in zip(gaps, many[1:], strict=True))]
    grid = _grid(times, list(accumulate(many)))
    far = [ms - at for ms, at in zip(times, _unspaced(grid, many, [0] * len(many)), strict=True)]
    if sum(map(abs, far)) < sum(map(abs, rest)):
        return grid, many, far
    return Axis(len(times), times[0], period * FINE, False), many, rest


def _unspaced(axis: Axis, periods: Sequence[int], rest: Sequence[int]) -> list[int]:
    """The opposite of ``_spaced``."""
    first, period = axis.first_ms, axis.period
    if axis.is_grid:
        nth = accumulate(periods)
        return [first + n * period // FINE + odd for n, odd in zip(nth, rest, strict=True)]
    gaps = (n * period // FINE + odd for n, odd in zip(periods, rest, strict=True))
    return [first + gap for gap in accumulate(gaps)]


def _period(gaps: Sequence[int]) -> int:
    """The time between two reports, if there is such a thing; else 0."""
    if len(gaps) < 8:
        return 0
    period = sorted(gaps)[len(gaps) // 4]
    near = sorted(gap for gap in gaps if 2 * gap < 3 * period)
    return near[len(near) // 2]


def _grid(times: Sequence[int], nth: Sequence[int]) -> Axis:
    """The straight line through the times, by least squares."""
    middle, mean = sum(nth) / len(nth), sum(times) / len(times)
    across = sum((n - middle) * (ms - mean) for n, ms in zip(nth, times, strict=True))
    period = across / (sum((n - middle) ** 2 for n in nth) or 1)
    return Axis(len(times), round(mean - middle * period), round(period * FINE), True)


def _previous(
    changes: Sequence[Change], times: Sequence[int], place: Mapping[int, int]
) -> list[int]:
    return [
        0 if change.previous_until_ms is None else optional(time - place[change.previous_until_ms])
        for change, time in zip(changes, times, strict=True)
    ]


def _rest(
    changes: Sequence[Change], values: Sequence[int], notes: dict[Note, int]
) -> tuple[list[int], ...]:
    noted = [
        Note(c.unit, c.quality, c.reason, c.time_source, c.is_late, c.after_gap) for c in changes
    ]
    return (
        [change.received_ms - change.observed_ms for change in changes],
        _differences(values),
        [notes.setdefault(note, len(notes)) for note in noted],
        [change.tie for change in changes],
    )


def _is_sorted(changes: Sequence[Change]) -> bool:
    order = [(change.observed_ms, change.tie) for change in changes]
    return all(a <= b for a, b in pairwise(order))


def _whole(values: Sequence[Value]) -> tuple[int, list[int], tuple[list[Any], bytes] | None]:
    """Values as whole numbers: their scale, the numbers, and a table where there is no scale."""
    types = set(map(type, values))
    if types == {int} and all(-SPARE < value < SPARE for value in values):  # type: ignore[operator]
        return 0, list(values), None  # type: ignore[arg-type]
    if types == {float} and all(-1e9 < value < 1e9 for value in values):  # type: ignore[operator]
        for scale in (1, 2, 3, 4):
            power = POWERS[scale]
            whole = [round(value * power) for value in values]  # type: ignore[operator,arg-type]
            if all(_is_same(n / power, value) for n, value in zip(whole, values, strict=True)):
                return scale, whole, None
    return TABLE, *_tabled(values)


def _is_same(made: float, value: Value) -> bool:
    return made == value and (made != 0 or math.copysign(1, value) > 0)


def _tabled(values: Iterable[Value]) -> tuple[list[int], tuple[list[Any], bytes]]:
    bits = [
        (type(value), struct.pack("<d", value) if isinstance(value, float) else value)
        for value in values
    ]
    place: dict[object, int] = {}
    where = [place.setdefault(bit, len(place)) for bit in bits]
    distinct = dict(zip(bits, values, strict=True))
    packed = [plain(distinct[bit]) for bit in place]  # type: ignore[index]
    return where, ([value for value, _ in packed], bytes(scale for _, scale in packed))


def _differences(numbers: Sequence[int]) -> list[int]:
    return [0, *(b - a for a, b in pairwise(numbers))]


def _summed(differences: Sequence[int], first: int) -> list[int]:
    numbers = list(differences)
    if numbers:
        numbers[0] = first
    return list(accumulate(numbers))


def _laid(columns: Sequence[Sequence[Sequence[int]]]) -> tuple[list[Sheet], list[bytes]]:
    sheets, planes = [], []
    for column in columns:
        sheet, parts = lay(column)
        sheets.append(sheet)
        planes += parts
    return sheets, planes


def _joined(
    directory: Directory,
    columns: Sequence[Sequence[Sequence[int]]],
    lines: Mapping[str, list[int]],
    level: int,
) -> bytes:
    spaced = [_spaced(times) for times in lines.values()]
    directory.axes = [axis for axis, _, _ in spaced]
    axis_columns = [[many for _, many, _ in spaced], [odd for _, _, odd in spaced]]
    directory.axis_sheets, planes = _laid(axis_columns)
    directory.sheets, more = _laid(columns)
    return framed(_encoder.encode(directory), planes + more, level)


def _opened(body: bytes, form: bytes) -> tuple[bytes, int]:
    """The frame's content, and where its directory ends."""
    if body[:1] != form:
        raise DamagedBlockError("a sealed block has a form this version does not know")
    return opened(decompress(body[1:]))
