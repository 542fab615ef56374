"""The one clock, true and faster; and durations as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from edge.clock import Clock
from edge.durations import parse_duration


class Hands:
    """True time that is set by hand."""

    def __init__(self) -> None:
        self.now_s = 1_000_000.0

    def __call__(self) -> float:
        return self.now_s


def test_without_shape_it_is_true_time() -> None:
    hands = Hands()
    clock = Clock(true_time=hands)
    hands.now_s += 12.5
    assert (clock.now_ms(), clock.speed) == (1_000_012_500, 1.0)


@pytest.mark.parametrize(
    ("cruise", "after_s", "shown_s", "speed"),
    [
        (1.0, 0, 999_400, 20.0),
        (1.0, 10, 999_600, 20.0),
        (1.0, 3600, 1_003_600, 1.0),
        # 600 s behind at 20 times: true time is met after 600 / 19 s; twice as fast from then on.
        (2.0, 3600, 1_007_168.421, 2.0),
    ],
)
def test_a_demo_begins_in_the_past_and_catches_up(
    cruise: float, after_s: float, shown_s: float, speed: float
) -> None:
    hands = Hands()
    clock = Clock(int((hands.now_s - 600) * 1000), 20.0, cruise, hands)
    hands.now_s += after_s
    assert clock.speed == speed
    assert clock.now_ms() == pytest.approx(shown_s * 1000, abs=1)


def test_it_never_runs_back() -> None:
    hands = Hands()
    clock = Clock(int((hands.now_s - 600) * 1000), 20.0, 1.0, hands)
    times = []
    for _ in range(700):
        times.append(clock.now_ms())
        hands.now_s += 0.1
    assert times == sorted(times)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("10m", 600), ("25h", 90_000), ("7d", 604_800), ("5ms", 0.005)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "10", "0s", "-1s", "1 fortnight", "m"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="number and a unit"):
        parse_duration(text)
