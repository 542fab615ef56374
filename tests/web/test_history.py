"""The past as drawings: nothing that was not recorded looks as if it was."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality, Value
from edge.reading import Reading, Report, TimeSource
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.live import Change, LiveState
from hub.rooms.history import Usages
from hub.store.query import Hour, QueryTooSlowError
from hub.store.rollup import merge
from hub.store.shelf import Step
from hub.store.spans import Window
from hub.store.windows import Wanted
from hub.web.history_devices import Chart, chart, look, scale_of
from hub.web.history_rooms import Sheet, sheet
from hub.web.history_spans import days, hundredths, parts, ticks, window
from hub.web.kept import MOST, Kept
from tests.web.sample_app import Stream, make
from tests.web.sample_centre import SampleHub

ZONE = "Asia/Shanghai"
HOUR = 3_600_000
MINUTE = 60_000


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000)


NOW = ms("2026-11-22T06:00")  # Sunday 14:00 there
MIDNIGHT = NOW - 14 * HOUR


# --- stretches of time ---------------------------------------------------------------------------


def test_a_week_and_a_month_end_with_today() -> None:
    week, month = window("week", NOW, ZONE), window("month", NOW, ZONE)
    assert (week.from_ms, week.to_ms) == (MIDNIGHT - 6 * 24 * HOUR, MIDNIGHT + 24 * HOUR)
    assert len(days(month, ZONE)) == 31
    assert [tick.label for tick in ticks("week", week, ZONE, "en")][-2:] == ["Sat", "Sun"]
    assert [tick.label for tick in ticks("month", month, ZONE, "en")] == [
        "26 Oct", "2 Nov", "9 Nov", "16 Nov",
    ]  # fmt: skip


def test_days_on_which_clocks_change_are_whole() -> None:
    week = window("week", ms("2026-10-27T10:00"), "Europe/Berlin")
    lengths = [(one.to_ms - one.from_ms) // HOUR for one in days(week, "Europe/Berlin")]
    assert lengths == [24, 24, 24, 24, 25, 24, 24]


def test_parts_end_now() -> None:
    assert parts(Window(0, 100), 25, 10) == [Window(0, 10), Window(10, 20), Window(20, 25)]
    assert parts(Window(50, 100), 25, 10) == []


@pytest.mark.parametrize(
    ("low", "high", "whole"),
    [
        (0, 0, True),
        (-5.5, 3.25, False),
        (1e-9, 2e-9, False),
        (0, 4_294_967_296, True),
        (7, 8, True),
    ],
)
def test_a_scale_holds_its_values_on_few_lines(low: float, high: float, whole: bool) -> None:
    lines = scale_of(low, high, whole)
    assert lines[0] <= low <= high <= lines[-1]
    assert 2 <= len(lines) <= 7


# --- rooms ---------------------------------------------------------------------------------------


def drawn(span: str, *steps: RoomStep) -> Sheet:
    whole = window(span, NOW, ZONE)
    columns = days(whole, ZONE)
    length = HOUR if span == "week" else 24 * HOUR
    windows = parts(whole, NOW, length)
    usages = Usages(windows)
    usages.add(steps)
    found = list(zip(windows, usages.found, strict=True))
    return sheet(span, whole, NOW, (ZONE, "en"), found, columns)


def step(start: float, end: float, status: Status, people: int | None = None) -> RoomStep:
    begin, stop = (MIDNIGHT + round(hour * HOUR) for hour in (start, end))
    return RoomStep(begin, stop, status, people)


def test_a_bar_is_as_high_as_its_time_is_covered() -> None:
    made = drawn("week", step(8, 8.5, Status.IN_USE, 4), step(8.5, 8.75, Status.FREE, 0))
    (today,) = made.rows[-1:]
    assert today.label == "Sun 22 Nov"
    assert [(p.status, p.x, p.y, p.height) for p in today.parts] == [
        (Status.IN_USE, 480, 50, 50),
        (Status.FREE, 480, 25, 25),
    ]
    assert today.now == 14 * 60
    assert today.people.startswith("M480.0 ")
    assert not any(row.parts for row in made.rows[:-1])


def test_the_table_says_shares_of_all_the_time_and_what_nobody_recorded_is_one() -> None:
    made = drawn("month", step(0, 6, Status.CLOSED), step(8, 9, Status.FULL, 9))
    today, yesterday = made.lines[-1], made.lines[-2]
    assert {status: share for status, share in today.shares.items() if share} == {
        Status.CLOSED: 43,
        Status.FULL: 7,
        None: 50,
    }
    assert today.people == 9
    assert (yesterday.shares[None], yesterday.people) == (100, None)
    assert len(made.rows) == 1


@pytest.mark.parametrize("span", ["week", "month"])
def test_a_minute_of_a_week_does_not_read_like_all_of_it(span: str) -> None:
    made = drawn(span, step(13, 13.1, Status.IN_USE), step(13.1, 13.11, Status.FREE))
    shares = made.total.shares
    assert (shares[Status.IN_USE], shares[Status.FREE], shares[None]) == (1, 1, 98)
    assert all(sum(line.shares.values()) == 100 for line in (made.total, *made.lines))


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=6))
def test_shares_of_one_whole_sum_to_a_hundred(parts: list[int]) -> None:
    shares = hundredths(parts)
    assert sum(shares) == (100 if any(parts) else 0)
    assert [share > 0 for share in shares] == [part > 0 for part in parts]
    whole = max(sum(parts), 1)
    assert all(
        abs(share - 100 * part / whole) < len(parts)
        for share, part in zip(shares, parts, strict=True)
    )


# --- devices -------------------------------------------------------------------------------------


class History:
    """A store of one series."""

    def __init__(self, key: SeriesKey, said: Sequence[tuple[int, Value, Quality]]) -> None:
        live, changes = LiveState(), list[Change]()
        for at, value, quality in said:
            reading = Reading(*key, value, "1", quality, "", at, at, TimeSource.HUB)
            changes += live.apply(Report(key.device, (reading,), at, True))
        ends = [change.previous_until_ms for change in changes[1:]]
        held = live.held_ms(live.series[key])
        self._steps = [Step(c, end) for c, end in zip(changes, [*ends, held], strict=True)]
        live.cover_all()
        live.rollups.finish_before(NOW + HOUR)
        rows = merge(live.rollups.finished)
        self._hours = [Hour(key, *(getattr(r, name) for name in FIELDS)) for r in rows]

    async def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Hour]:
        return [hour for hour in self._hours if from_ms <= hour.from_ms < to_ms]

    async def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Step]:
        return self._steps


FIELDS = ("hour_ms", "covered_ms", "mean", "low", "high", "shares")


async def charted(span: str, channel: str, *said: tuple[float, Value, Quality]) -> Chart:
    """What was said so many minutes ago."""
    key = SeriesKey("d", channel, "")
    moments = [(NOW - round(ago * MINUTE), value, quality) for ago, value, quality in said]
    wanted = Wanted(key, 10 * MINUTE)
    found = await look(History(key, moments), wanted, span, NOW, ZONE)
    return chart(found, channel, span, NOW, ZONE)


def good(*said: tuple[float, Value]) -> list[tuple[float, Value, Quality]]:
    return [(ago, value, Quality.GOOD) for ago, value in said]


async def test_a_line_breaks_where_nothing_was_said() -> None:
    made = await charted(
        "hour", "temperature", *good((50, 20.0), (45, 21.0), (40, 21.5), (10, 22.0), (5, 22.5))
    )
    assert made.line.count("M") == 2
    assert len(made.known) == 2
    assert made.total.covered == percent_of(10 + 10, 50)  # of the hour from 13:10, until now
    assert [entry.value for entry in made.entries] == [22.5, 22.0, 21.5, 21.0, 20.0]


def percent_of(part: float, whole: float) -> int:
    return round(100 * part / whole)


async def test_what_is_not_good_is_a_mark_and_not_a_value() -> None:
    made = await charted(
        "hour",
        "temperature",
        (30, 20.0, Quality.GOOD),
        (25, 85.0, Quality.BAD),
        (20, 20.5, Quality.GOOD),
        (15, 20.5, Quality.GOOD),
    )
    assert len(made.bad) == 1
    assert made.total.high == 20.5
    assert max(float(tick.label) for tick in made.scale) < 30
    assert "bad" in {entry.quality for entry in made.entries}


async def test_a_value_holds_to_now_until_its_device_would_count_as_silent() -> None:
    assert (await charted("hour", "co2", *good((20, 500), (12, 510)))).line.endswith("H633.3")
    held = await charted("hour", "co2", *good((20, 500), (9, 510)))
    assert held.line.endswith(f"H{held.now}")


async def test_many_steps_are_ten_minutes_each_with_their_bounds() -> None:
    said = good(*((ago, float(ago % 7)) for ago in range(720, 0, -1)))
    made = await charted("day", "temperature", *said)
    assert made.is_summed
    assert made.band.count("Z") == 72
    assert len(made.entries) == 72
    assert (made.entries[0].low, made.entries[0].high) == (0.0, 6.0)


async def test_yes_stands_as_blocks_and_as_shares() -> None:
    said = good(*((ago, int(ago % 60 < 30)) for ago in range(600, 0, -5)))
    hour = await charted("hour", "motion", *said)
    assert (hour.kind, hour.line, hour.band) == ("flag", "", "")
    assert hour.blocks
    week = await charted("week", "motion", *said)
    assert {block.height for block in week.blocks} >= {50.0}
    assert len(week.entries) == 7
    assert [entry.covered for entry in week.entries[1:]] == [0] * 6


async def test_words_are_listed_and_not_drawn() -> None:
    made = await charted("hour", "mode", *good((20, "heat"), (15, "cool"), (12, "cool")))
    assert (made.kind, made.line, made.blocks) == ("text", "", [])
    assert [entry.value for entry in made.entries] == ["cool", "heat"]


async def test_an_empty_time_is_one_gap() -> None:
    for span in ("hour", "day", "week", "month"):
        made = await charted(span, "humidity", *good((60 * 24 * 40, 50.0)))
        assert (made.line, made.known, made.total.covered) == ("", [], 0)


# --- pages ---------------------------------------------------------------------------------------


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make(SampleHub(), Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client


async def test_each_span_is_an_address(client: httpx.AsyncClient) -> None:
    for path in ("/rooms/hall", "/devices/hall-climate"):
        page = (await client.get(f"{path}?lang=en")).text
        for address in re.findall(r'href="([^"]*span=[^"]*)"', page):
            answer = await client.get(address.replace("&amp;", "&"))
            assert answer.status_code == 200
            assert 'aria-current="true"' in answer.text


async def test_a_drawing_is_said_in_words(client: httpx.AsyncClient) -> None:
    page = (await client.get("/devices/hall-climate?channel=temperature&span=week&lang=en")).text
    assert re.search(r"Lowest [\d.]+\s°C, mean [\d.]+\s°C, highest [\d.]+\s°C", page)
    assert re.search(r"Recorded for \d+ % of this time", page)
    page = (await client.get("/rooms/hall?span=week&lang=en")).text
    assert page.count("<desc") == 7
    assert page.count('<th scope="row">') == 7


@pytest.mark.parametrize("span", ["week", "month"])
async def test_the_key_and_every_row_of_a_room_are_shares_of_one_whole(
    client: httpx.AsyncClient, span: str
) -> None:
    page = (await client.get(f"/rooms/hall?span={span}&lang=en")).text
    (key,) = re.findall(r'<ul class="key".*?</ul>', page, re.DOTALL)
    rows = re.findall(r"<tr><th scope=.row.*?</tr>", page, re.DOTALL)
    for said in (key, *rows, *re.findall(r"<desc id=.row.*?</desc>", page, re.DOTALL)):
        assert sum(map(int, re.findall(r"(\d+)(?:&nbsp;|\s)%", said))) == 100
    assert "No record" in key


async def test_a_history_that_does_not_answer_is_told_on_the_page(
    monkeypatch: pytest.MonkeyPatch, client: httpx.AsyncClient
) -> None:
    async def slow(*_: object) -> None:
        raise QueryTooSlowError

    monkeypatch.setattr("tests.web.sample_history.SampleHistory.hours", slow)
    monkeypatch.setattr("tests.web.sample_centre.SampleHub.steps", slow)
    for path in ("/rooms/hall?span=month", "/devices/hall-climate?span=week"):
        answer = await client.get(path, headers={"Accept-Language": "en"})
        assert answer.status_code == 200
        assert "did not answer in time" in answer.text


async def test_what_was_drawn_is_kept_for_a_moment_and_not_for_ever() -> None:
    kept, times = Kept[int](fresh_ms=10), iter(range(1000))

    async def draw() -> int:
        return next(times)

    assert [await kept.get("a", at, draw) for at in (0, 9, 10, 5)] == [0, 0, 1, 2]
    for key in range(MOST):
        await kept.get(key, 11, draw)
    assert await kept.get("a", 11, draw) > 2
