"""Values come back bit-equal, with every field beside them."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.packing import RoomRow, change_at, member, members, pack, unpack

values = (
    st.integers()
    | st.integers(0, 300)
    | st.floats(allow_nan=False)
    | st.decimals(-1000, 1000, places=2, allow_nan=False).map(float)
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.none()
    | st.sampled_from([0.0, -0.0, 21.4, -0.1, 5e-324, 1e300, 2**63, -(2**63), 2**64 - 1])
)
times = st.integers(0, 4_000_000_000_000)
KEYS = {number: SeriesKey(f"d{number}", "contact", "di1" * (number % 2)) for number in range(1, 90)}


@st.composite
def changes(draw: st.DrawFn) -> Change:
    number = draw(st.sampled_from(list(KEYS)))
    return Change(
        number,
        KEYS[number],
        draw(values),
        draw(st.sampled_from(["", "Cel", "1", "µg/m3"])),
        draw(st.sampled_from(list(Quality))),
        draw(st.sampled_from(["", "implausible", "weak_signal"])),
        draw(times),
        draw(times),
        draw(st.sampled_from(list(TimeSource))),
        draw(st.integers(1, 2**40)),
        draw(st.none() | times),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def bits(value: Value) -> tuple[str, object]:
    packed = struct.pack("<d", value) if isinstance(value, float) else value
    return type(value).__name__, packed


@given(st.lists(changes(), max_size=40), st.integers(0, 5))
def test_what_is_packed_comes_back_bit_equal(made: list[Change], rooms: int) -> None:
    rows = [RoomRow(n, 5, "free", None if n % 2 else n, None) for n in range(rooms)]
    record = unpack(pack(made, rows))

    columns = record.changes
    back = [] if columns is None else [change_at(columns, at, KEYS) for at in range(len(made))]
    assert back == made
    assert [bits(change.value) for change in back] == [bits(change.value) for change in made]
    assert record.rooms == rows


@given(st.sets(st.integers(1, 200_000), max_size=30), st.integers(1, 200_000))
def test_a_series_is_found_in_a_commit_exactly_if_it_is_there(held: set[int], asked: int) -> None:
    assert (member(asked).encode() in members(held).encode()) == (asked in held)
