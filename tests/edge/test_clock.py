"""The one clock: true, faster, or held until the time is known; and durations."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


class Machine:
    """A machine whose wall clock is set while its uptime goes on."""

    def __init__(self, wall_s: float, uptime_s: float) -> None:
        self.wall_s, self.uptime_s = wall_s, uptime_s

    def clock(self) -> Clock:
        return Clock(true_time=lambda: self.wall_s, monotonic=lambda: self.uptime_s)

    def uptime(self) -> float:
        return self.uptime_s

    def wait(self, seconds: float) -> None:
        self.wall_s += seconds
        self.uptime_s += seconds


def test_a_held_clock_counts_by_uptime_whatever_the_wall_says() -> None:
    machine = Machine(1_000.0, 30.0)
    clock = machine.clock()
    clock.hold(1_700_000_000_001, 20_000, machine.uptime)
    assert not clock.is_trusted
    assert clock.now_ms() == 1_700_000_010_001
    machine.wait(2.5)
    machine.wall_s -= 500.0
    assert clock.now_ms() == 1_700_000_012_501
    assert (clock.speed, clock.real_seconds(1500)) == (1.0, 1.5)


def test_when_trusted_it_jumps_to_true_time_and_says_how_far() -> None:
    machine = Machine(1_000.0, 30.0)
    clock = machine.clock()
    clock.hold(1_700_000_000_000, 30_000, machine.uptime)
    machine.wait(60.0)
    machine.wall_s = 1_800_000_000.0
    assert clock.trust() == 99_999_940_000
    assert clock.is_trusted
    assert clock.now_ms() == 1_800_000_000_000
    machine.wait(1.0)
    machine.wall_s -= 3600.0
    assert clock.now_ms() == 1_799_996_401_000


@pytest.mark.parametrize("is_held", [True, False])
def test_a_jump_of_the_wall_is_seen_held_or_not(is_held: bool) -> None:
    machine = Machine(1_000.0, 30.0)
    clock = machine.clock()
    if is_held:
        clock.hold(5_000, 0, machine.uptime)
    machine.wait(100.0)
    assert clock.shift_s() == 0.0
    machine.wall_s += 7.0
    assert clock.shift_s() == 7.0
    if is_held:
        clock.trust()
        assert clock.shift_s() == 7.0


@given(
    base_ms=st.integers(0, 4_000_000_000_000),
    since_ms=st.integers(0, 10**10),
    steps=st.lists(st.floats(0, 1e6), max_size=20),
)
def test_a_held_clock_never_begins_before_its_base_or_runs_back(
    base_ms: int, since_ms: int, steps: list[float]
) -> None:
    machine = Machine(0.0, since_ms / 1000)
    clock = machine.clock()
    clock.hold(base_ms, since_ms, machine.uptime)
    times = [clock.now_ms()]
    for step in steps:
        machine.wait(step)
        times.append(clock.now_ms())
    assert times[0] == base_ms
    assert times == sorted(times)


def test_a_made_up_time_is_always_trusted() -> None:
    assert Clock(0, 20.0, 2.0, Hands()).is_trusted


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
