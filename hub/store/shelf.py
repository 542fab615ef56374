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

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

import msgspec

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.axes import Axis, spaced, unspaced
from hub.store.planes import (
    DamagedBlockError,
    Places,
    Sheet,
    differences,
    framed,
    laid,
    optional,
    places,
    summed,
    take,
    unframed,
)
from hub.store.room_shelf import rooms_of as rooms_of
from hub.store.room_shelf import shelve_rooms as shelve_rooms
from hub.store.values import Table, values_of, whole

SHELF_BITS = 5
LEVEL = 19
FORM = b"\x01"
TIME, PREVIOUS, RECEIVED, VALUE, NOTE, TIE = range(6)
FIRST_PIECE = 8  # changes; the next ones are twice as long


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


class Bounds(NamedTuple):
    """How far the steps of one series were confirmed."""

    axis: list[int]
    times: list[int]
    previous: Sequence[int]
    note: Sequence[int]
    late: list[bool]  # of each note

    def is_late(self, at: int) -> bool:
        return self.late[self.note[at]]

    def previous_end(self, at: int) -> int | None:
        code = self.previous[at]
        if code == 0:
            return None
        return self.axis[self.times[at] - (code - 1 if code > 0 else code)]

    def end(self, at: int) -> int | None:
        """What the next change that was not late says of it."""
        if self.late[self.note[at]]:
            return self.axis[self.times[at]]
        for after in range(at + 1, len(self.times)):
            if not self.late[self.note[after]]:
                return self.previous_end(after)
        return None


class Directory(msgspec.Struct, array_like=True):
    """Lists with one entry a series, but ``axes``, ``axis_sheets`` and ``notes``."""

    numbers: list[int]
    counts: list[int]
    axis: list[int]  # which one is the device's
    first_time: list[int]  # of the first change, a place in the axis
    unused: list[int]  # empty; the first shelves have zeros here
    is_sorted: list[bool]  # the changes were observed in the order of their intake
    scale: bytes
    first_value: list[int]
    tables: dict[int, Table]
    sheets: list[Sheet]
    axes: list[Axis]
    axis_sheets: list[Sheet]
    notes: list[Note]


_encoder = msgspec.msgpack.Encoder()
_directory = msgspec.msgpack.Decoder(Directory)


def shelf_of(number: int) -> int:
    """Which shelf a series belongs to.

    >>> shelf_of(31), shelf_of(32)
    (0, 1)
    """
    return number >> SHELF_BITS


def shelve(series: Mapping[int, Sequence[Change]], level: int = LEVEL) -> bytes:
    """Pack the changes of some series, each in the order of their intake.

    Neither the intake numbers nor series without a change are kept.
    """
    filled = {number: changes for number, changes in sorted(series.items()) if changes}
    lines = _axes(filled)
    devices = list(lines)
    notes: dict[Note, int] = {}
    reports: dict[str, Counter[int]] = {device: Counter() for device in lines}
    directory = Directory([], [], [], [], [], [], b"", [], {}, [], [], [], [])
    columns: list[list[Sequence[int]]] = [[] for _ in range(6)]
    scales = bytearray()
    for number, changes in filled.items():
        device = changes[0].key.device
        place = {ms: at for at, ms in enumerate(lines[device])}
        times = [place[change.observed_ms] for change in changes]
        scale, values, table = whole([change.value for change in changes])
        if table is not None:
            directory.tables[number] = table
        scales.append(scale)
        directory.numbers.append(number)
        directory.counts.append(len(changes))
        directory.axis.append(devices.index(device))
        directory.first_time.append(times[0])
        directory.is_sorted.append(_is_sorted(changes))
        directory.first_value.append(values[0])
        before = reports[device]
        rows = (
            differences(times),
            _previous(changes, times, place),
            *_rest(changes, values, notes),
            [change.tie - before[time] for change, time in zip(changes, times, strict=True)],
        )
        before.update(times)
        for column, row in zip(columns, rows, strict=True):
            column.append(row)
    directory.scale, directory.notes = bytes(scales), list(notes)
    return FORM + _joined(directory, columns, lines, level)


class Shelf:
    """A sealed block, opened; for one thread.

    Raises:
        DamagedBlockError: the body is cut short or changed, or of a newer form.
    """

    def __init__(self, body: bytes) -> None:
        self._raw, at = unframed(body, FORM)
        try:
            self._head = head = _directory.decode(memoryview(self._raw)[4:at])
        except msgspec.MsgspecError as error:
            raise DamagedBlockError(f"a sealed block has a bad directory ({error})") from error
        self.numbers: tuple[int, ...] = tuple(head.numbers)
        self._entry = {number: entry for entry, number in enumerate(head.numbers)}
        self._device = -1  # whose axis is ``_line``
        self._line: list[int] = []
        self._known_times: dict[int, list[int]] = {}
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
        bounds = self._bounds(entry)
        firsts = (at for at in range(len(bounds.times)) if not bounds.is_late(at))
        return next(map(bounds.previous_end, firsts), None)

    def steps(self, number: int, key: SeriesKey, from_ms: int, to_ms: int) -> Iterator[Step]:
        """The steps of a series that began in a span, in order of (observed_ms, tie)."""
        entry = self._entry.get(number)
        if entry is None:
            return
        axis, times = self._axis(entry), self._times(entry)
        low, high = bisect_left(axis, from_ms), bisect_left(axis, to_ms)
        chosen = self._within(entry, low, high)
        if not chosen:
            return
        bounds = self._bounds(entry)
        received, values = self._column(RECEIVED, entry), self._numbers(entry)
        for piece in self._pieces(entry, chosen):
            ties = self._ties(entry, piece)
            if not self._head.is_sorted[entry]:
                piece = sorted(piece, key=lambda at: (times[at], ties[at]))
            for at, value in zip(piece, self._values(entry, values, piece), strict=True):
                observed, note = axis[times[at]], self._head.notes[bounds.note[at]]
                change = Change(
                    number,
                    key,
                    value,
                    note.unit,
                    note.quality,
                    note.reason,
                    observed,
                    observed + received[at],
                    note.time_source,
                    0,
                    bounds.previous_end(at),
                    note.is_late,
                    note.after_gap,
                    ties[at],
                )
                yield Step(change, bounds.end(at))

    def _pieces(self, entry: int, chosen: Sequence[int]) -> Iterator[Sequence[int]]:
        """A page often wants the first few of them; the rest is looked at when it is asked for."""
        if not self._head.is_sorted[entry]:
            yield chosen
            return
        at, length = 0, FIRST_PIECE
        while at < len(chosen):
            yield chosen[at : at + length]
            at, length = at + length, 2 * length

    def _within(self, entry: int, low: int, high: int) -> Sequence[int]:
        """Which changes of a series have their time in a stretch of the axis."""
        times = self._times(entry)
        if self._head.is_sorted[entry]:
            return range(bisect_left(times, low), bisect_left(times, high))
        return [at for at, time in enumerate(times) if low <= time < high]

    def _bounds(self, entry: int) -> Bounds:
        late = [note.is_late for note in self._head.notes]
        axis, times = self._axis(entry), self._times(entry)
        return Bounds(axis, times, self._column(PREVIOUS, entry), self._column(NOTE, entry), late)

    def _column(self, column: int, entry: int) -> Sequence[int]:
        head = self._head
        constant = head.sheets[column].constants[entry]
        return take(self._raw, self._places[column][entry], head.counts[entry], constant)

    def _axis(self, entry: int) -> list[int]:
        """The times of the device, kept until another device is asked for, like ``_times``."""
        head = self._head
        at = head.axis[entry]
        if at == self._device:
            return self._line
        axis = head.axes[at]
        periods, rest = (
            take(self._raw, where[at], axis.count, sheet.constants[at])
            for where, sheet in zip(self._axis_places, head.axis_sheets, strict=True)
        )
        self._device, self._line = at, unspaced(axis, periods, rest)
        self._known_times = {}
        return self._line

    def _times(self, entry: int) -> list[int]:
        known = self._known_times if self._head.axis[entry] == self._device else {}
        if entry not in known:
            known[entry] = summed(self._column(TIME, entry), self._head.first_time[entry])
        return known[entry]

    def _numbers(self, entry: int) -> list[int]:
        """The values, before their scale or table."""
        return summed(self._column(VALUE, entry), self._head.first_value[entry])

    def _values(self, entry: int, numbers: Sequence[int], chosen: Sequence[int]) -> Sequence[Value]:
        table = self._head.tables.get(self._head.numbers[entry])
        return values_of([numbers[at] for at in chosen], self._head.scale[entry], table)

    def _ties(self, entry: int, chosen: Sequence[int]) -> dict[int, int]:
        """Ties are kept as what they differ from the usual: the changes before it in its report."""
        axis, odd, times = self._head.axis, self._column(TIE, entry), self._times(entry)
        before: Counter[int] = Counter()
        inside = [times[at] for at in chosen]
        low, high = min(inside), max(inside) + 1
        for other in range(entry):
            if axis[other] == axis[entry]:
                others = self._times(other)
                before.update(others[at] for at in self._within(other, low, high))
        return {at: odd[at] + before[times[at]] for at in chosen}


def _axes(series: Mapping[int, Sequence[Change]]) -> dict[str, list[int]]:
    """The sorted times of each device: of changes, and of how far they were confirmed."""
    found: dict[str, set[int]] = {}
    for changes in series.values():
        times = found.setdefault(changes[0].key.device, set())
        times.update(change.observed_ms for change in changes)
        times.update(c.previous_until_ms for c in changes if c.previous_until_ms is not None)
    return {device: sorted(times) for device, times in found.items()}


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
        differences(values),
        [notes.setdefault(note, len(notes)) for note in noted],
    )


def _is_sorted(changes: Sequence[Change]) -> bool:
    order = [(change.observed_ms, change.tie) for change in changes]
    return all(a <= b for a, b in pairwise(order))


def _joined(
    directory: Directory,
    columns: Sequence[Sequence[Sequence[int]]],
    lines: Mapping[str, list[int]],
    level: int,
) -> bytes:
    devices = [spaced(times) for times in lines.values()]
    directory.axes = [axis for axis, _, _ in devices]
    axis_columns = [[many for _, many, _ in devices], [odd for _, _, odd in devices]]
    directory.axis_sheets, planes = laid(axis_columns)
    directory.sheets, more = laid(columns)
    return framed(_encoder.encode(directory), planes + more, level)
