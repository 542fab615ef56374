"""Sealed steps of rooms: all rooms over some hours as one block of columns."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.store.packing import RoomRow
from hub.store.planes import (
    DamagedBlockError,
    Sheet,
    differences,
    framed,
    given,
    laid,
    optional,
    places,
    summed,
    take,
    unframed,
)

FORM = b"\x02"
LEVEL = 19


class Rooms(msgspec.Struct, array_like=True):
    count: int
    first_ms: int
    statuses: list[str]
    sheets: list[Sheet]


_encoder = msgspec.msgpack.Encoder()
_rooms = msgspec.msgpack.Decoder(Rooms)


def shelve_rooms(rows: Sequence[RoomRow], level: int = LEVEL) -> bytes:
    """Pack the steps of rooms, in the order of their intake."""
    statuses: dict[str, int] = {}
    columns = (
        [row.number for row in rows],
        differences([row.at_ms for row in rows]) if rows else [],
        [statuses.setdefault(row.status, len(statuses)) for row in rows],
        [optional(row.people) for row in rows],
        [
            optional(None if row.previous_until_ms is None else row.at_ms - row.previous_until_ms)
            for row in rows
        ],
    )
    sheets, planes = laid([[column] for column in columns])
    head = Rooms(len(rows), rows[0].at_ms if rows else 0, list(statuses), sheets)
    return FORM + framed(_encoder.encode(head), planes, level)


def rooms_of(body: bytes, number: int | None = None) -> list[RoomRow]:
    """The steps of one room, or of all, in the order of their intake.

    Raises:
        DamagedBlockError: the body is cut short or changed, or of a newer form.
    """
    raw, at = unframed(body, FORM)
    try:
        head = _rooms.decode(memoryview(raw)[4:at])
    except msgspec.MsgspecError as error:
        raise DamagedBlockError(f"a sealed block has a bad directory ({error})") from error
    columns: list[Sequence[int]] = []
    for sheet in head.sheets:
        where, at = places(sheet, (head.count,), at)
        columns.append(take(raw, where[0], head.count, sheet.constants[0]))
    numbers, gaps, statuses, people, previous = columns
    times = summed(gaps, head.first_ms)
    rows = zip(numbers, times, statuses, people, map(given, previous), strict=True)
    return [
        RoomRow(room, ms, head.statuses[status], given(count), None if back is None else ms - back)
        for room, ms, status, count, back in rows
        if number is None or room == number
    ]
