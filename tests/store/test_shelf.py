"""Sealed history comes back as it was, in the order of its times, or not at all."""

from __future__ import annotations

import struct
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.packing import RoomRow
from hub.store.planes import DamagedBlockError
from hub.store.shelf import Shelf, Step, rooms_of, shelve, shelve_rooms

NOON = 1_767_225_600_000
EVER = 2**52
KEYS = {number: SeriesKey(f"d{number % 3}", f"c{number}") for number in range(40)}

odd_values = (
    st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()), max_size=20)
    | st.none()
    | st.booleans()
    | st.sampled_from([0.0, -0.0, 5e-324, 1e300, 2**63, -(2**63), 2**64 - 1, float("inf")])
)
series_values = st.one_of(
    st.lists(st.integers(0, 300)),
    st.lists(st.integers(-(2**63), 2**63)),
    st.lists(st.sampled_from([21.4, 21.5, 0.0, -0.1, 1e-4, 123456.789])),
    st.lists(st.sampled_from([0.0, -0.0, 0, False, None])),
    st.lists(odd_values),
)
# Near ones, so that times repeat and go backwards, and far ones.
times = st.integers(NOON, NOON + 20) | st.integers(NOON, NOON + 10**8) | st.integers(0, 2**42)


def bits(value: Value) -> tuple[str, object]:
    packed = struct.pack("<d", value) if isinstance(value, float) else value
    return type(value).__name__, packed


@st.composite
def histories(draw: st.DrawFn) -> dict[int, list[Change]]:
    """Some series with their changes in intake order."""
    numbers = draw(st.lists(st.sampled_from(list(KEYS)), unique=True, max_size=6))
    return {
        number: [draw(changes(number, value)) for value in draw(series_values)]
        for number in numbers
    }


@st.composite
def changes(draw: st.DrawFn, number: int, value: Value) -> Change:
    return Change(
        number,
        KEYS[number],
        value,
        draw(st.sampled_from(["", "Cel", "µg/m3"])),
        draw(st.sampled_from(list(Quality))),
        draw(st.sampled_from(["", "implausible", "weak_signal"])),
        draw(times),
        draw(times),
        draw(st.sampled_from(list(TimeSource))),
        0,
        draw(st.none() | times),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.just(0) | st.integers(0, 10**6)),
    )


def expected(history: Sequence[Change]) -> list[Step]:
    """The plain meaning: who ends whom is told by intake, the order by time."""
    steps = []
    for at, change in enumerate(history):
        later = [c for c in history[at + 1 :] if not c.is_late]
        until = later[0].previous_until_ms if later else None
        steps.append(Step(change, change.observed_ms if change.is_late else until))
    return sorted(steps, key=lambda step: (step.change.observed_ms, step.change.tie))


def assert_same(back: Sequence[Step], wanted: Sequence[Step]) -> None:
    """Equal, but a NaN, which equals nothing, is compared by its bits."""
    assert [bits(step.change.value) for step in back] == [bits(s.change.value) for s in wanted]
    assert [fields(step) for step in back] == [fields(step) for step in wanted]


def fields(step: Step) -> tuple[object, ...]:
    names = (name for name in Change.__struct_fields__ if name != "value")
    return step.until_ms, *(getattr(step.change, name) for name in names)


@given(histories(), times, times)
def test_every_step_comes_back_bit_equal_and_in_order(
    series: dict[int, list[Change]], from_ms: int, to_ms: int
) -> None:
    shelf = Shelf(shelve(series))

    assert shelf.numbers == tuple(sorted(n for n in series if series[n]))
    for number, made in series.items():
        wanted = expected(made)
        assert shelf.count(number) == len(made)
        assert_same(list(shelf.steps(number, KEYS[number], -EVER, EVER)), wanted)
        inside = [s for s in wanted if from_ms <= s.change.observed_ms < to_ms]
        assert_same(list(shelf.steps(number, KEYS[number], from_ms, to_ms)), inside)
        first = next((change for change in made if not change.is_late), None)
        assert shelf.opening(number) == (first.previous_until_ms if first else None)


def step_change(number: int, at: int, value: Value, previous: int | None = None) -> Change:
    key = KEYS[number]
    ms = NOON + at
    return Change(
        number, key, value, "1", Quality.GOOD, "", ms, ms, TimeSource.HUB, 0,
        None if previous is None else NOON + previous,
    )  # fmt: skip


def ordinary() -> bytes:
    """Four series of reports each 10 s, long enough for every kind of block."""
    series = {
        number: [
            step_change(number, 10_000 * at * number, (at * at * number) % 97 / 10, 10_000 * at - 1)
            for at in range(700)
        ]
        for number in range(1, 5)
    }
    return shelve(series)


def test_a_clock_set_back_leaves_both_passes_in_order_with_their_own_ends() -> None:
    made = [
        step_change(1, 0, 20),
        step_change(1, 10_000, 21, 5_000),
        step_change(1, 4_000, 22, 12_000),  # the clock went back by 8 s
        step_change(1, 9_000, 23, 7_000),
    ]
    steps = list(Shelf(shelve({1: made})).steps(1, KEYS[1], 0, EVER))

    told = [
        (
            step.change.observed_ms - NOON,
            step.change.value,
            None if step.until_ms is None else step.until_ms - NOON,
        )
        for step in steps
    ]
    assert told == [(0, 20, 5_000), (4_000, 22, 7_000), (9_000, 23, None), (10_000, 21, 12_000)]


def test_a_late_reading_ends_where_it_began_and_no_other_step() -> None:
    late = Change(
        1, KEYS[1], 7, "1", Quality.GOOD, "", NOON + 3, NOON + 9_000, TimeSource.QUEUED, 0,
        is_late=True, tie=500_001,
    )  # fmt: skip
    made = [step_change(1, 0, 20), late, step_change(1, 10_000, 21, 5_000)]
    steps = list(Shelf(shelve({1: made})).steps(1, KEYS[1], 0, EVER))

    assert [step.change for step in steps] == made
    assert [step.until_ms for step in steps] == [NOON + 5_000, NOON + 3, None]


def test_a_series_that_is_not_there_has_no_steps() -> None:
    shelf = Shelf(shelve({1: [step_change(1, 0, 20)], 2: []}))

    assert shelf.numbers == (1,)
    assert [shelf.count(2), shelf.opening(2), list(shelf.steps(2, KEYS[2], 0, EVER))] == [
        0,
        None,
        [],
    ]


def test_a_body_that_was_cut_is_refused() -> None:
    body = ordinary()

    for end in [*range(40), *range(40, len(body), 97), len(body) - 1]:
        with pytest.raises(DamagedBlockError):
            Shelf(body[:end])


def test_a_body_with_a_changed_bit_is_refused_or_says_the_same() -> None:
    body = ordinary()
    whole = Shelf(body)
    wanted = {n: list(whole.steps(n, KEYS[n], 0, EVER)) for n in whole.numbers}

    for bit in [*range(200), *range(200, len(body) * 8, 61)]:
        changed = bytearray(body)
        changed[bit >> 3] ^= 1 << (bit & 7)
        try:
            shelf = Shelf(bytes(changed))
        except DamagedBlockError:
            continue
        assert {n: list(shelf.steps(n, KEYS[n], 0, EVER)) for n in shelf.numbers} == wanted


rows = st.lists(
    st.builds(
        RoomRow,
        st.integers(1, 5),
        times,
        st.sampled_from(["free", "in_use", "unknown"]),
        st.none() | st.integers(-3, 500),
        st.none() | times,
    ),
    max_size=30,
)


@given(rows, st.integers(1, 5))
def test_steps_of_rooms_come_back_in_their_order(made: list[RoomRow], asked: int) -> None:
    body = shelve_rooms(made)

    assert rooms_of(body, None) == made
    assert rooms_of(body, asked) == [row for row in made if row.number == asked]
    with pytest.raises(DamagedBlockError):
        rooms_of(body[:-1], None)
