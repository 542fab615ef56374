"""Values come back bit-equal, with every field beside them."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.packing import (
    RoomRow,
    change_at,
    pack,
    pack_rooms,
    unpack,
    unpack_rooms,
)
from hub.store.planes import DamagedBlockError

NOON = 1_767_225_600_000

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
        draw(st.just(0) | st.integers(0, 10**6)),
    )


def bits(value: Value) -> tuple[str, object]:
    packed = struct.pack("<d", value) if isinstance(value, float) else value
    return type(value).__name__, packed


@given(st.lists(changes(), min_size=1, max_size=40))
def test_what_is_packed_comes_back_bit_equal(made: list[Change]) -> None:
    columns = unpack(pack(made))
    back = [change_at(columns, at, KEYS) for at in range(len(made))]

    assert back == made
    assert [bits(change.value) for change in back] == [bits(change.value) for change in made]
    assert columns.number == [change.number for change in made]
    assert [columns.base_ms + ms for ms in columns.observed] == [c.observed_ms for c in made]


@given(
    st.lists(
        st.builds(
            RoomRow,
            st.integers(1, 500),
            times,
            st.sampled_from(["free", "in_use"]),
            st.none() | st.integers(0, 50),
            st.none() | times,
        )
    )
)
def test_steps_of_rooms_come_back(rows: list[RoomRow]) -> None:
    assert unpack_rooms(pack_rooms(rows)) == rows


def reports(count: int) -> list[Change]:
    """Changes as reports bring them: times and values near each other."""
    return [
        Change(
            at % 80 + 1,
            KEYS[at % 80 + 1],
            (200 + at * at % 31) / 10,
            "Cel",
            Quality.GOOD,
            "",
            NOON + at * 333,
            NOON + at * 333,
            TimeSource.HUB,
            1000 + at,
            NOON + at * 333 - 10_000,
        )
        for at in range(count)
    ]


def test_an_event_alone_is_smaller_than_a_line_of_text_and_a_minute_than_4_bytes_a_change() -> None:
    assert len(pack(reports(1))) <= 54
    assert len(pack(reports(3))) <= 64
    assert len(pack(reports(400))) <= 4 * 400


def test_a_commit_that_was_cut_or_changed_is_refused() -> None:
    for body in (
        pack(reports(400)),
        pack(reports(3)),
        pack_rooms([RoomRow(7, NOON, "free", 3, 5)]),
        pack_rooms([RoomRow(n, NOON, "free", n, 5) for n in range(99)]),
    ):
        read = unpack if body in (pack(reports(400)), pack(reports(3))) else unpack_rooms
        wanted = read(body)
        for end in range(0, len(body), 7):
            with pytest.raises(DamagedBlockError):
                read(body[:end])
        for bit in [*range(min(160, len(body) * 8)), *range(160, len(body) * 8, 41)]:
            changed = bytearray(body)
            changed[bit >> 3] ^= 1 << (bit & 7)
            try:
                assert read(bytes(changed)) == wanted
            except DamagedBlockError:
                continue
