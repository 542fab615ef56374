"""When it is calm: told from enough days that agree, and only then."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hub.domain.room import Status
from hub.domain.views import RoomStep
from hub.rooms.besttime import QUARTER_MS, Calm, calmest, quarters

NOON = [0, 0, 10, 12, 40, 44, 30, 10, 9, 0]  # a lunch of ten quarters
WHOLE = range(len(NOON))


def step(begin: float, end: float, people: int | None) -> RoomStep:
    ends = (round(begin * QUARTER_MS), round(end * QUARTER_MS))
    return RoomStep(*ends, Status.IN_USE, people)


def test_a_quarter_is_the_mean_of_the_time_that_was_counted() -> None:
    steps = [step(0, 0.5, 10), step(0.5, 1.25, 20), step(1.25, 2, None), step(2, 9, 4)]
    assert quarters(steps, 0, 3) == [15, None, 4]


def test_the_calm_end_of_a_meal_is_told_with_the_range_of_all_days() -> None:
    days = [NOON, NOON, [*NOON[:7], 14, 12, 0], NOON]
    assert calmest(days, WHOLE) == Calm(7, 9, 9, 14, 4)


def test_three_days_are_not_usual() -> None:
    assert calmest([NOON] * 3, WHOLE) is None


def test_a_day_that_nobody_counted_is_no_day() -> None:
    assert calmest([NOON, NOON, NOON, [None] * len(NOON)], WHOLE) is None


def test_an_empty_room_before_it_opens_is_no_advice() -> None:
    calm = calmest([NOON] * 6, WHOLE)
    assert calm is not None
    assert calm.begin not in (0, 9)


def test_what_is_over_or_closed_is_not_advised() -> None:
    assert calmest([NOON] * 6, range(4)) == Calm(2, 4, 10, 12, 6)
    assert calmest([NOON] * 6, range(4, 7)) is None
    assert calmest([NOON] * 6, ()) is None


def test_where_it_is_always_alike_there_is_no_best_time() -> None:
    assert calmest([[30] * 10] * 8, range(10)) is None


def test_a_stretch_that_was_as_full_as_the_rush_on_one_day_is_not_called_calm() -> None:
    rush = [*NOON[:7], 50, 50, 0]
    calm = calmest([NOON, NOON, NOON, NOON, rush], WHOLE)
    assert calm is not None
    assert (calm.begin, calm.end) == (2, 4)


def test_where_few_come_nobody_needs_advice() -> None:
    assert calmest([[0, 1, 4, 2, 1]] * 8, range(5)) is None


@given(st.lists(st.lists(st.none() | st.integers(0, 60), min_size=8, max_size=8), max_size=8))
def test_every_day_seen_was_within_what_is_told(days: list[list[int | None]]) -> None:
    calm = calmest(days, range(8))
    if calm is not None:
        assert calm.days >= 4
        assert 2 <= calm.end - calm.begin <= 4
        seen = [n for day in days for n in day[calm.begin : calm.end] if n is not None]
        assert calm.low == min(seen)
        assert calm.high == max(seen)
