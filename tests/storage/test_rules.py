"""The forecast: what it is taken from, and what it comes to."""

from __future__ import annotations

import pytest

from hub.storage.rules import (
    AMPLIFICATION,
    BUDGET,
    DAY_MS,
    Basis,
    Bounds,
    Pace,
    full_ms,
    growth,
    life_years,
    pace,
)

TODAY, HOUR_MS = 20_000, 3_600_000
NOW_MS = TODAY * DAY_MS + 5 * HOUR_MS
NO_BOUNDS = Bounds(10**15, 10**6 * DAY_MS)


def test_the_pace_is_the_mean_of_the_last_seven_full_days() -> None:
    days = {TODAY - age: age * 1_000 for age in range(30)}
    days[TODAY] = 10**12  # not over: it does not count
    found = pace(days, TODAY, 10**12, DAY_MS)
    assert found == Pace(4_000.0, Basis.DAYS, 7)


def test_the_first_day_is_never_full_and_days_without_a_hub_are_left_out() -> None:
    days = {TODAY - 5: 1, TODAY - 4: 300, TODAY - 1: 100, TODAY: 9}
    assert pace(days, TODAY, 9, DAY_MS) == Pace(200.0, Basis.DAYS, 2)


def test_a_young_hub_is_judged_from_its_start_and_says_so() -> None:
    assert pace({TODAY: 500}, TODAY, 500, 12 * HOUR_MS) == Pace(1_000.0, Basis.START, 12)
    yesterday = {TODAY - 1: 100, TODAY: 400}  # started in the evening: no day is full yet
    assert pace(yesterday, TODAY, 500, 12 * HOUR_MS) == Pace(1_000.0, Basis.START, 12)


def test_within_the_first_hour_nothing_is_said() -> None:
    assert pace({TODAY: 500}, TODAY, 500, HOUR_MS - 1) is None
    assert pace({}, TODAY, 0, 0) is None


@pytest.mark.parametrize(("bytes_a_day", "is_within"), [(BUDGET, True), (BUDGET + 1, False)])
def test_the_budget(bytes_a_day: float, is_within: bool) -> None:
    assert Pace(bytes_a_day, Basis.DAYS, 7).is_within_budget is is_within


def test_a_card_lives_as_long_as_its_rewrites_last() -> None:
    a_day_of_the_whole_card = 32e9 / AMPLIFICATION
    found = life_years(a_day_of_the_whole_card, 32_000_000_000, 3_652)
    assert found == pytest.approx(3_652 / 365.25)
    assert life_years(0, 32_000_000_000, 500) is None


def test_growth_is_known_after_a_day() -> None:
    assert growth(10_000, NOW_MS - 10 * DAY_MS, NOW_MS) == 1_000
    assert growth(10_000, NOW_MS - DAY_MS + 1, NOW_MS) is None
    assert growth(10_000, None, NOW_MS) is None


def test_a_disk_fills_when_free_space_is_used_up() -> None:
    assert full_ms(NOW_MS, 500, 10_000, 1_000.0, NO_BOUNDS) == NOW_MS + 10 * DAY_MS
    assert full_ms(NOW_MS, 500, 10_000, None, NO_BOUNDS) is None


@pytest.mark.parametrize(
    ("bounds", "fills"),
    [
        (Bounds(10_500, 10**6 * DAY_MS), False),  # by size: 10,000 more, and as much is free
        (Bounds(10_501, 10**6 * DAY_MS), True),
        (Bounds(10**15, 10 * DAY_MS), False),  # by age: never more than 10 days of it
        (Bounds(10**15, 11 * DAY_MS), True),
    ],
)
def test_retention_keeps_a_disk_from_filling(bounds: Bounds, fills: bool) -> None:
    assert (full_ms(NOW_MS, 500, 10_000, 1_000.0, bounds) is not None) is fills
