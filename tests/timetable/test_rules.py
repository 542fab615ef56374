"""The timetable against the same rules read minute by minute, and the cases people ask about."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.domain.opening import OPEN, Slot
from hub.timetable.rules import (
    DAY_MINUTES,
    HOLIDAY,
    HORIZON_DAYS,
    MAKEUP,
    WEEKDAYS,
    Day,
    Kind,
    Purpose,
    RoomPlan,
    Timetable,
    Week,
)

MINUTE_MS = 60_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
WORKDAYS = dict.fromkeys(WEEKDAYS[:5], ((480, 1230),))  # 08:00-20:30

# Around these, clocks skip or repeat an hour, half of one or a whole day, or a year ends.
STRANGE = [
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 8, 5, tzinfo=UTC)),  # at midnight
    ("America/Havana", datetime(2026, 11, 1, 5, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 2, 18, 2, tzinfo=UTC)),  # midnight is 23:00 again
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # by half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # a day that never was
    ("Asia/Shanghai", datetime(2026, 12, 31, 16, tzinfo=UTC)),
    ("Asia/Kathmandu", datetime(2026, 12, 31, 18, 15, tzinfo=UTC)),
]


class Marked:
    """A calendar of a few special days."""

    def __init__(self, days: dict[date, Day], unknown: frozenset[int] = frozenset()) -> None:
        self._days = days
        self._unknown = unknown

    def day(self, on: date) -> Day:
        return self._days.get(on, Day(is_known=on.year not in self._unknown))


def read_literally(plan: RoomPlan, days: Marked, zone: ZoneInfo, at_ms: int) -> tuple[object, ...]:
    """Open or not, what for and why, as a person would find out with the table and a clock."""
    wall = datetime.fromtimestamp(at_ms / 1000, zone).replace(tzinfo=None, fold=0)
    midnight = wall.replace(hour=0, minute=0)
    day = days.day(wall.date())
    unknown = () if day.is_known else ("holidays_unknown",)
    for purpose in plan.purposes:
        for back in (0, 1):
            on = (midnight - timedelta(days=back)).date()
            if purpose.first <= on <= purpose.last and on_line(purpose.week, on, days, wall):
                return True, purpose.id, unknown
    if plan.week is None or any(
        on_line(plan.week, (midnight - timedelta(days=back)).date(), days, wall) for back in (0, 1)
    ):
        return True, None, unknown
    why = "closed_holiday" if day.kind is Kind.HOLIDAY else "closed_hours"
    return False, None, (why, *unknown)


def on_line(week: Week, on: date, days: Marked, wall: datetime) -> bool:
    name = on.strftime("%a").lower()
    if days.day(on).kind is Kind.HOLIDAY:
        name = HOLIDAY
    elif days.day(on).kind is Kind.MAKEUP:
        name = MAKEUP if MAKEUP in week else {"sat": "fri", "sun": "mon"}.get(name, name)
    midnight = datetime.combine(on, datetime.min.time())
    return any(
        midnight + timedelta(minutes=begin) <= wall < midnight + timedelta(minutes=end)
        for begin, end in week.get(name, ())
    )


def told(slot: Slot) -> tuple[object, ...]:
    codes = tuple(reason.code for reason in slot.reasons if reason.code != "opens_at")
    return slot.is_open, slot.purpose, codes


starts = st.integers(0, 47).map(lambda half: half * 30) | st.integers(0, DAY_MINUTES - 1)
spans = st.tuples(starts, st.integers(1, DAY_MINUTES)).map(lambda s: (s[0], s[0] + s[1]))
hours = st.lists(spans, max_size=3).map(tuple)
weeks = st.dictionaries(st.sampled_from([*WEEKDAYS, HOLIDAY, MAKEUP]), hours)


@st.composite
def worlds(draw: st.DrawFn) -> tuple[RoomPlan, Marked, ZoneInfo, int]:
    """A plan, a calendar, and a time around which something strange happens to clocks."""
    name, moment = draw(st.sampled_from(STRANGE))
    here = moment.date()
    near = st.integers(-3, 3).map(lambda days: here + timedelta(days=days))
    purposes = [
        Purpose(
            f"p{number}",
            {"en": "P"},
            draw(weeks),
            draw(st.just(date.min) | near),
            draw(st.just(date.max) | near),
        )
        for number in range(draw(st.integers(0, 2)))
    ]
    plan = RoomPlan(draw(st.none() | weeks), tuple(purposes))
    kinds = st.sampled_from([Day(Kind.HOLIDAY, "x"), Day(Kind.MAKEUP), Day()])
    unknown = draw(st.sampled_from([frozenset(), frozenset({here.year + 1})]))
    days = Marked(draw(st.dictionaries(near, kinds, max_size=3)), unknown)
    return plan, days, ZoneInfo(name), round(moment.timestamp()) * 1000


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_every_minute_is_as_the_table_and_the_clock_say(
    world: tuple[RoomPlan, Marked, ZoneInfo, int],
) -> None:
    plan, days, zone, moment = world
    timetable = Timetable(zone, {"room": plan}, days)
    for minute in range(-36 * 60, 36 * 60):
        at_ms = moment + minute * MINUTE_MS
        slot = timetable.slot("room", at_ms)
        if slot == OPEN:
            assert plan == RoomPlan(None)
            return
        assert told(slot) == read_literally(plan, days, zone, at_ms), at_ms


@settings(max_examples=60, deadline=None)
@given(worlds())
def test_a_slot_ends_exactly_where_the_answer_changes(
    world: tuple[RoomPlan, Marked, ZoneInfo, int],
) -> None:
    plan, days, zone, moment = world
    if plan == RoomPlan(None):
        return
    timetable = Timetable(zone, {"room": plan}, days)
    day_ms = DAY_MINUTES * MINUTE_MS
    slots = list(timetable.slots("room", moment - day_ms, moment + day_ms))
    for slot, following in pairwise(slots):
        assert slot.until_ms == following.from_ms
        assert told(slot) != told(following)
    for slot in slots:
        assert slot.until_ms is not None
        last = read_literally(plan, days, zone, slot.until_ms - 1)
        assert told(slot) == last
        if slot.until_ms - moment < (HORIZON_DAYS - 4) * day_ms:
            assert read_literally(plan, days, zone, slot.until_ms) != last
        if slot.from_ms is not None:
            assert read_literally(plan, days, zone, slot.from_ms - 1) != last


def shanghai(*at: int) -> int:
    return round(datetime(*at, tzinfo=SHANGHAI).timestamp()) * 1000  # type: ignore[misc, arg-type]


def slot_at(plan: RoomPlan, *at: int, days: Marked | None = None) -> Slot:
    return Timetable(SHANGHAI, {"room": plan}, days or Marked({})).slot("room", shanghai(*at))


def test_it_closes_in_the_millisecond() -> None:
    timetable = Timetable(SHANGHAI, {"room": RoomPlan(WORKDAYS)}, Marked({}))
    closes = shanghai(2026, 11, 23, 20, 30)
    assert timetable.slot("room", closes - 1).is_open
    assert timetable.slot("room", closes - 1).until_ms == closes
    shut = timetable.slot("room", closes)
    assert not shut.is_open
    assert shut.reasons[-1].params == {"time": shanghai(2026, 11, 24, 8)}


def test_a_friday_evening_says_when_it_opens_on_monday() -> None:
    shut = slot_at(RoomPlan(WORKDAYS), 2026, 11, 27, 23)
    assert [reason.code for reason in shut.reasons] == ["closed_hours", "opens_at"]
    assert shut.until_ms == shut.reasons[1].params["time"] == shanghai(2026, 11, 30, 8)


def test_a_day_off_is_closed_and_its_make_up_saturday_is_a_friday() -> None:
    days = Marked({date(2026, 10, 5): Day(Kind.HOLIDAY, "national_day")})
    assert slot_at(RoomPlan(WORKDAYS), 2026, 10, 5, 12, days=days).reasons[0].params == {
        "holiday": "national_day"
    }
    days = Marked({date(2026, 10, 10): Day(Kind.MAKEUP)})
    assert slot_at(RoomPlan(WORKDAYS), 2026, 10, 10, 12, days=days).is_open
    own = WORKDAYS | {MAKEUP: ((540, 720),)}
    assert not slot_at(RoomPlan(own), 2026, 10, 10, 12, days=days).is_open


def test_a_purpose_opens_the_room_and_brings_its_limit() -> None:
    choir = Purpose(
        "choir",
        {"en": "Choir"},
        {"tue": ((1140, 1320),)},  # 19:00-22:00
        date(2026, 9, 1),
        date(2026, 11, 24),
        40,
    )
    plan = RoomPlan(WORKDAYS, (choir,))
    tuesday = slot_at(plan, 2026, 11, 24, 21)
    assert (tuesday.is_open, tuesday.purpose, tuesday.limit) == (True, "choir", 40)
    assert tuesday.until_ms == shanghai(2026, 11, 24, 22)
    assert slot_at(plan, 2026, 12, 1, 20).purpose is None
    assert not slot_at(plan, 2026, 12, 1, 21).is_open


def test_of_two_purposes_the_one_further_up_counts() -> None:
    exam = Purpose("exam", {"en": "Exam"}, {"tue": ((600, 720),)})
    course = Purpose("course", {"en": "Course"}, {"tue": ((540, 780),)})
    plan = RoomPlan({}, (exam, course))
    found = [
        slot_at(plan, 2026, 11, 24, hour, minute).purpose
        for hour, minute in ((9, 30), (11, 0), (12, 30), (14, 0))
    ]
    assert found == ["course", "exam", "course", None]


def test_a_year_without_holidays_says_so() -> None:
    days = Marked({}, frozenset({2027}))
    old = slot_at(RoomPlan(WORKDAYS), 2026, 12, 31, 12, days=days)
    new = slot_at(RoomPlan(WORKDAYS), 2027, 1, 1, 12, days=days)
    assert old.reasons == ()
    assert new.is_open  # by its weekday
    assert [(reason.code, reason.params) for reason in new.reasons] == [
        ("holidays_unknown", {"year": 2027})
    ]


@pytest.mark.parametrize("room", ["room", "another"])
def test_without_rules_it_is_always_open(room: str) -> None:
    timetable = Timetable(SHANGHAI, {"room": RoomPlan()}, Marked({}))
    assert timetable.slot(room, shanghai(2026, 11, 22, 3)) == OPEN


def test_an_edit_counts_at_once() -> None:
    marked: dict[date, Day] = {}
    timetable = Timetable(SHANGHAI, {"room": RoomPlan(WORKDAYS)}, Marked(marked))
    noon = shanghai(2026, 11, 23, 12)
    assert timetable.slot("room", noon).is_open
    marked[date(2026, 11, 23)] = Day(Kind.HOLIDAY, "Founder's day")
    timetable.forget()
    assert not timetable.slot("room", noon).is_open
