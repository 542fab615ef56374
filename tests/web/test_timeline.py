"""A day in pieces: what no step covers is a gap, and the clocks may change."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.domain.room import Status
from hub.domain.views import RoomStep
from hub.web.timeline import day, last_hour, timeline

ZONE = "Asia/Shanghai"
HOUR_MS = 3_600_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-11-22T06:00")  # 14:00 there
MIDNIGHT = NOW - 14 * HOUR_MS


def step(start: float, end: float, status: Status, people: int | None = None) -> RoomStep:
    return RoomStep(
        MIDNIGHT + round(start * HOUR_MS), MIDNIGHT + round(end * HOUR_MS), status, people
    )


def test_what_no_step_covers_is_a_gap() -> None:
    line = timeline([step(2, 5, Status.FREE), step(6, 14, Status.IN_USE)], NOW, ZONE)
    assert [(p.start, p.width, p.status) for p in line.pieces] == [
        (0, 120, None),
        (120, 180, Status.FREE),
        (300, 60, None),
        (360, 480, Status.IN_USE),
    ]


def test_a_day_without_steps_is_one_gap_until_now() -> None:
    line = timeline([], NOW, ZONE)
    assert [(p.start, p.width, p.status) for p in line.pieces] == [(0, 840, None)]


def test_steps_of_yesterday_and_of_the_future_are_cut() -> None:
    line = timeline([step(-3, 20, Status.FREE)], NOW, ZONE)
    assert [(p.start, p.width) for p in line.pieces] == [(0, 840)]
    assert line.now == 840


def test_overlapping_steps_are_drawn_once() -> None:
    line = timeline([step(0, 8, Status.FREE), step(6, 14, Status.IN_USE)], NOW, ZONE)
    assert [(p.start, p.width) for p in line.pieces] == [(0, 480), (480, 360)]


def test_a_change_of_people_alone_does_not_divide_the_band() -> None:
    steps = [
        step(0, 5, Status.IN_USE, 1),
        step(5, 9, Status.IN_USE, 8),
        step(9, 14, Status.FREE, 0),
    ]
    line = timeline(steps, NOW, ZONE)
    assert [(b.start, b.width, b.status) for b in line.bands] == [
        (0, 540, Status.IN_USE),
        (540, 300, Status.FREE),
    ]
    assert line.people_most == 8


def test_the_line_of_people_breaks_where_nobody_counted() -> None:
    steps = [step(0, 5, Status.IN_USE, 4), step(5, 9, Status.UNKNOWN), step(9, 14, Status.FREE, 2)]
    assert timeline(steps, NOW, ZONE).people == "M0.0 1.0H300.0M540.0 20.0H840.0"


def test_a_day_may_have_23_or_25_hours() -> None:
    for noon, hours in (("2026-03-29T10:00", 23), ("2026-10-25T11:00", 25)):
        start, end = day(ms(noon), "Europe/Berlin")
        assert end - start == hours * HOUR_MS


def test_the_last_hour_begins_at_ten_minutes_on_the_clock() -> None:
    start, end = last_hour(NOW + 7 * 60_000, ZONE)  # 14:07
    assert (start - MIDNIGHT, end - MIDNIGHT) == (HOUR_MS * 79 / 6, HOUR_MS * 85 / 6)
    line = timeline([step(13.5, 14, Status.FREE)], NOW, ZONE, (start, end))
    assert [tick.label for tick in line.ticks] == [
        "13:10", "13:20", "13:30", "13:40", "13:50", "14:00",
    ]  # fmt: skip
    assert [(p.start, p.width, p.status) for p in line.pieces] == [
        (0, 20, None),
        (20, 30, Status.FREE),
    ]


def test_the_hour_shares_the_scale_of_the_day() -> None:
    steps = [step(1, 2, Status.IN_USE, 8), step(13, 14, Status.IN_USE, 4)]
    day_ = timeline(steps, NOW, ZONE)
    hour = timeline(steps, NOW, ZONE, last_hour(NOW, ZONE), day_.people_most)
    assert day_.people.endswith("M780.0 20.0H840.0")
    assert hour.people == "M0.0 20.0H50.0"
