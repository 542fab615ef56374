"""What is a change, what is a repeat, what is history."""

from __future__ import annotations

import time
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import Report, TimeSource
from hub.domain.series import Series, SeriesKey
from hub.live import LiveState
from tests.store.making import T0_MS, report

MINUTE = 60_000


def door(live: LiveState) -> Series:
    return live.series[SeriesKey("door", "contact")]


def test_only_a_difference_is_a_change_and_a_repeat_moves_the_coverage() -> None:
    live = LiveState()
    first = live.apply(report("door", T0_MS, contact=0))
    again = live.apply(report("door", T0_MS + 10_000, contact=0))
    other = live.apply(report("door", T0_MS + 20_000, contact=1))

    assert [change.value for change in first] == [0]
    assert first[0].previous_until_ms is None
    assert again == ()
    assert [(c.value, c.previous_until_ms) for c in other] == [(1, T0_MS + 10_000)]
    assert other[0].intake > first[0].intake
    assert door(live).count == 1
    assert door(live).live_ms == T0_MS + 20_000


def test_quality_reason_and_unit_make_a_change_of_the_same_value() -> None:
    live = LiveState()
    live.apply(report("door", T0_MS, contact=0))
    bad = report("door", T0_MS + 1, contact=0).readings[0]
    for at, (quality, reason, unit) in enumerate(
        [
            (Quality.BAD, "implausible", "1"),
            (Quality.BAD, "stuck", "1"),
            (Quality.BAD, "stuck", "%"),
        ]
    ):
        changed = type(bad)(
            "door", "contact", "", 0, unit, quality, reason, T0_MS + at, T0_MS + at, TimeSource.HUB
        )
        assert len(live.apply(Report("door", (changed,), T0_MS + at, True))) == 1


def test_silence_splits_a_step_of_equal_values() -> None:
    live = LiveState()
    live.silent_after["door"] = 5 * MINUTE
    live.apply(report("door", T0_MS, contact=0))
    live.apply(report("door", T0_MS + 4 * MINUTE, contact=0))
    changes = live.apply(report("door", T0_MS + 10 * MINUTE, contact=0))

    assert [(c.value, c.previous_until_ms, c.after_gap) for c in changes] == [
        (0, T0_MS + 4 * MINUTE, True)
    ]


def test_a_channel_that_speaks_rarely_is_covered_by_its_device_that_speaks_often() -> None:
    live = LiveState()
    live.silent_after["door"] = 5 * MINUTE
    live.apply(report("door", T0_MS, contact=0, battery_level=90))
    for minute in range(1, 60):
        live.apply(report("door", T0_MS + minute * MINUTE, battery_level=90))

    assert live.apply(report("door", T0_MS + 60 * MINUTE, contact=0)) == ()
    assert door(live).until_ms == T0_MS + 60 * MINUTE


def test_a_silence_splits_also_the_channel_that_speaks_later_than_the_first() -> None:
    live = LiveState()
    live.apply(report("door", T0_MS, contact=0, battery_level=90))
    live.apply(report("door", T0_MS + 60 * MINUTE, battery_level=90))

    changes = live.apply(report("door", T0_MS + 61 * MINUTE, contact=0))
    assert [(c.previous_until_ms, c.after_gap) for c in changes] == [(T0_MS, True)]


def test_a_retained_reading_equal_to_the_known_state_changes_nothing() -> None:
    live = LiveState()
    live.apply(report("door", T0_MS, contact=0))
    assert live.apply(report("door", T0_MS + MINUTE, TimeSource.RETAINED, contact=0)) == ()
    assert door(live).until_ms == T0_MS
    assert live.heard == {"door": T0_MS}


def test_a_retained_reading_that_differs_is_known_but_not_fresh() -> None:
    live = LiveState()
    live.apply(report("door", T0_MS, contact=0))
    assert len(live.apply(report("door", T0_MS + MINUTE, TimeSource.RETAINED, contact=1))) == 1
    assert door(live).value == 1
    assert door(live).live_ms is None
    assert live.heard == {"door": T0_MS}


def test_a_queued_reading_older_than_what_is_known_is_history() -> None:
    live = LiveState()
    live.apply(report("door", T0_MS, contact=0))
    live.apply(report("door", T0_MS + 2 * MINUTE, contact=0))
    late = report("door", T0_MS + MINUTE, TimeSource.QUEUED, T0_MS + 3 * MINUTE, contact=1)
    changes = live.apply(late)

    assert [(c.value, c.is_late, c.previous_until_ms) for c in changes] == [(1, True, None)]
    assert door(live).value == 0
    assert live.heard == {"door": T0_MS + 2 * MINUTE}


def test_a_clock_that_is_set_back_does_not_make_live_readings_late() -> None:
    live = LiveState()
    live.apply(report("door", T0_MS, contact=0))
    changes = live.apply(report("door", T0_MS - 60 * MINUTE, contact=1))

    assert [c.is_late for c in changes] == [False]
    assert door(live).value == 1
    assert live.apply(report("door", T0_MS - 59 * MINUTE, contact=1)) == ()
    assert door(live).live_ms == T0_MS - 59 * MINUTE


def test_personal_channels_do_not_enter() -> None:
    live = LiveState()
    assert live.apply(report("cuff", T0_MS, bp_systolic=128)) == ()
    assert live.refused == 1
    assert not live.series


values = st.integers() | st.floats(allow_nan=False) | st.text(max_size=5) | st.none()


@given(st.lists(st.tuples(st.integers(0, 20 * MINUTE), values), min_size=1, max_size=30))
def test_steps_cover_exactly_what_was_confirmed(said: list[tuple[int, object]]) -> None:
    live = LiveState()
    at, steps = T0_MS, []
    for pause, value in said:
        at += pause
        changes = live.apply(report("door", at, contact=value))  # type: ignore[arg-type]
        if changes:
            steps.append(changes[0])
        elif pause > 10 * MINUTE:
            raise AssertionError("a gap was painted over")
    for earlier, later in pairwise(steps):
        assert later.previous_until_ms is not None
        assert earlier.observed_ms <= later.previous_until_ms <= later.observed_ms
    assert door(live).until_ms == at
    assert steps[-1].value == said[-1][1]


def test_repeats_stay_within_ten_microseconds_a_message() -> None:
    live = LiveState()
    messages = [
        report(f"d{n}", T0_MS, temperature=21.4, humidity=48.0, battery_level=90, link_quality=120)
        for n in range(300)
    ]
    best = 1.0
    for _ in range(10):
        begin = time.perf_counter()
        for message in messages:
            live.apply(message)
        best = min(best, time.perf_counter() - begin)
    assert best / len(messages) < 20e-6  # the budget is 10; a busy machine gets twice that
