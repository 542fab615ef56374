"""The values of a series as whole numbers, so that every one comes back with the same bits."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from typing import Any

from device_drivers.contract import Value
from hub.store.packing import POWERS, plain, value_of

TABLE = 255  # instead of a scale: the number is a place in the table of the series
SPARE = 2**61  # differences of numbers below it fit into 8 bytes

Table = tuple[list[Any], bytes]  # as MessagePack can carry them, and the scale of each


def whole(values: Sequence[Value]) -> tuple[int, list[int], Table | None]:
    """Values as whole numbers: their scale, the numbers, and a table where there is no scale."""
    types = set(map(type, values))
    if types == {int} and all(-SPARE < value < SPARE for value in values):  # type: ignore[operator]
        return 0, list(values), None  # type: ignore[arg-type]
    if types == {float} and all(-1e9 < value < 1e9 for value in values):  # type: ignore[operator]
        for scale in (1, 2, 3, 4):
            power = POWERS[scale]
            numbers = [round(value * power) for value in values]  # type: ignore[operator,arg-type]
            if all(_is_same(n / power, value) for n, value in zip(numbers, values, strict=True)):
                return scale, numbers, None
    return TABLE, *_tabled(values)


def _is_same(made: float, value: Value) -> bool:
    return made == value and (made != 0 or math.copysign(1, value) > 0)


def _tabled(values: Iterable[Value]) -> tuple[list[int], Table]:
    bits = [
        (type(value), struct.pack("<d", value) if isinstance(value, float) else value)
        for value in values
    ]
    place: dict[object, int] = {}
    where = [place.setdefault(bit, len(place)) for bit in bits]
    distinct = dict(zip(bits, values, strict=True))
    packed = [plain(distinct[bit]) for bit in place]  # type: ignore[index]
    return where, ([value for value, _ in packed], bytes(scale for _, scale in packed))


def values_of(numbers: Sequence[int], scale: int, table: Table | None) -> Sequence[Value]:
    """The opposite of ``whole``."""
    if scale == 0:
        return numbers
    if table is not None:
        packed, scales = table
        return [value_of(packed[at], scales[at]) for at in numbers]
    power = POWERS[scale]
    return [number / power for number in numbers]
