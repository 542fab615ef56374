"""Minutes, hours and days: nothing between them is left out, and days are the centre's own."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.api.times import SumStep, cut, parse_time, resume, write_moment
from hub.store.query import BadCursorError
from hub.store.spans import Window

HOUR = 3_600_000
ZONES = [
    "Asia/Shanghai",
    "Asia/Kolkata",
    "Europe/Berlin",
    "America/St_Johns",
    "America/Havana",  # clocks go back at one in the morning, to midnight
    "Asia/Beirut",  # and here midnight does not exist
    "Pacific/Apia",  # which left out a whole day
]


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


def days(zone: str, begin: str, end: str) -> list[float]:
    found = cut(Window(ms(begin), ms(end)), "day", ZoneInfo(zone), 100)
    return [(window.to_ms - window.from_ms) / HOUR for window in found.windows]


def test_days_have_23_and_25_hours_where_clocks_change() -> None:
    assert days("Europe/Berlin", "2026-03-28T00:00+01:00", "2026-03-31T00:00+02:00") == [24, 23, 24]
    assert days("Europe/Berlin", "2026-10-24T00:00+02:00", "2026-10-27T00:00+01:00") == [24, 25, 24]
    assert days("Asia/Shanghai", "2026-03-28T00:00+08:00", "2026-03-31T00:00+08:00") == [24] * 3
    assert days("Asia/Beirut", "2026-03-28T00:00+02:00", "2026-03-31T00:00+03:00") == [24, 23, 24]
    assert days("America/Havana", "2026-10-31T00:00-04:00", "2026-11-03T00:00-05:00") == [
        24,
        25,
        24,
    ]


@pytest.mark.parametrize("zone", ZONES)
def test_the_latest_time_has_days_after_it(zone: str) -> None:
    """Who looks ahead from there must not fall off the calendar."""
    latest = parse_time("to", "9999-12-31T23:59:59Z", 0)
    assert len(cut(Window(latest, latest + 100 * 24 * HOUR), "day", ZoneInfo(zone), 200).windows)


def test_days_of_half_hour_zones_begin_at_their_midnight() -> None:
    found = cut(
        Window(ms("2026-05-01T12:00Z"), ms("2026-05-03T12:00Z")), "day", ZoneInfo("Asia/Kolkata"), 9
    )
    assert [window.from_ms for window in found.windows[1:]] == [
        ms("2026-05-01T18:30Z"),
        ms("2026-05-02T18:30Z"),
    ]


def test_hours_are_those_of_utc_and_the_outer_ones_are_cut() -> None:
    span = Window(ms("2026-05-01T10:20+05:30"), ms("2026-05-01T12:10+05:30"))
    windows = cut(span, "hour", ZoneInfo("Asia/Kolkata"), 9).windows
    assert [window.from_ms for window in windows] == [
        ms("2026-05-01T04:50Z"),
        ms("2026-05-01T05:00Z"),
        ms("2026-05-01T06:00Z"),
    ]
    assert windows[-1].to_ms == ms("2026-05-01T06:40Z")


def test_a_cursor_that_is_not_ours_is_refused() -> None:
    for cursor in ("", "x", "-5", "1.2", "9" * 16, "١٢"):
        with pytest.raises(BadCursorError):
            resume(Window(0, 10), cursor)
    assert resume(Window(5, 10), "3") == Window(5, 10)
    assert resume(Window(5, 10), "12") == Window(12, 10)


@given(
    st.sampled_from(ZONES),
    st.sampled_from(["minute", "hour", "day"]),
    st.integers(0, 2_000_000_000_000),
    st.integers(0, 40 * 24 * HOUR),
    st.integers(1, 50),
)
def test_pages_of_windows_touch_and_cover_the_whole_time(
    zone: str, step: SumStep, begin: int, length: int, limit: int
) -> None:
    if step == "minute":
        length //= 200
    span = Window(begin, begin + length)
    windows: list[Window] = []
    cursor: str | None = None
    while True:
        found = cut(resume(span, cursor), step, ZoneInfo(zone), limit)
        assert len(found.windows) <= limit
        windows += found.windows
        cursor = write_moment(found.next_ms)
        if cursor is None:
            break
    assert all(window.from_ms < window.to_ms for window in windows)
    assert all(a.to_ms == b.from_ms for a, b in pairwise(windows))
    assert sum(window.to_ms - window.from_ms for window in windows) == length
    if step == "day":
        locals_ = [datetime.fromtimestamp(w.from_ms / 1000, ZoneInfo(zone)) for w in windows]
        assert len({at.date() for at in locals_}) == len(windows)
