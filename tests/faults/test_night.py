"""What closed hours show: rooms that were quiet, and what should not have been."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.centre import OUTSIDE, Building, Centre, Device, Door, Placement, Room
from hub.domain.events import CounterZeroed, EmptyProven, Heard
from hub.domain.opening import Slot
from hub.faults.night import Night, NightCheck
from hub.faults.night_words import paragraph
from hub.texts import LANGUAGES

ZONE = ZoneInfo("Asia/Shanghai")
MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BEGIN = int(datetime(2026, 11, 16, tzinfo=ZONE).timestamp() * 1000)  # a Monday
OPENS, CLOSES = 8 * HOUR, 21 * HOUR
CENTRE = Centre(
    "c",
    {"en": "Centre"},
    "Asia/Shanghai",
    (Building("main", {"en": "Main"}),),
    tuple(Room(one, {"en": one.title()}, "main", 1, one, 20) for one in ("gym", "canteen")),
    (Door("front", ("canteen", OUTSIDE)),),
    tuple(
        Device(name, "zigbee2mqtt", {"": place}, "built", DAY, 10 * MINUTE)
        for name, place in {
            "gym-pir": Placement(room="gym"),
            "canteen-pir": Placement(room="canteen"),
            "canteen-count": Placement(room="canteen"),
            "canteen-door": Placement(door="front"),
        }.items()
    ),
)


class House:
    """Open from 8 to 21, and not on ``holidays``. ``off``: what its counters had too many."""

    def __init__(self, at_ms: int = 20 * HOUR, holidays: tuple[int, ...] = ()) -> None:
        self.now = BEGIN + at_ms
        self.holidays = holidays
        self.broken: set[str] = set()
        self.off = 0
        self.proven: list[EmptyProven] = []
        self.nights: list[Night] = []
        self.check = NightCheck(
            CENTRE, self._slot, lambda d: d not in self.broken, self._empty, self.nights.append,
            self.now,
        )  # fmt: skip

    def _empty(self, event: EmptyProven) -> None:
        self.proven.append(event)
        if event.room == "canteen" and self.off:
            devices, off_by = ("canteen-count",), self.off
            record = CounterZeroed("canteen", devices, off_by, 9, "night_empty", event.at_ms)
            self.check.zeroed(record)

    def _slot(self, room: str, at_ms: int) -> Slot:
        day, passed = divmod(at_ms - BEGIN, DAY)
        if day not in self.holidays and OPENS <= passed < CLOSES:
            return Slot(True, BEGIN + day * DAY + OPENS, BEGIN + day * DAY + CLOSES)
        first = day if passed < OPENS else day + 1
        while first in self.holidays:
            first += 1
        closed_ms = BEGIN + (day - (passed < OPENS)) * DAY + CLOSES
        return Slot(False, closed_ms, BEGIN + first * DAY + OPENS)

    def say(self, device: str, channel: str, value: int) -> None:
        reading = Reading(
            *(device, channel, "", value, "1", Quality.GOOD, "", self.now, self.now),
            TimeSource.HUB,
        )
        self.check.hear(Heard(device, (reading,), self.now, True, True))

    def wait(self, until_ms: int) -> House:
        """All sensors say each hour that nobody is there."""
        while self.now < BEGIN + until_ms:
            self.now = min(self.now + 30 * MINUTE, BEGIN + until_ms)
            self.check.advance(self.now)
            for device in ("gym-pir", "canteen-pir"):
                self.say(device, "motion", 0)
            self.say("canteen-count", "people.count", self.off)
        return self

    def at(self, hour: float, device: str, channel: str, value: int) -> None:
        self.wait(round(hour * HOUR)).say(device, channel, value)

    def told(self, language: str = "en") -> str:
        return paragraph(self.nights[-1], CENTRE, language)


def test_a_quiet_night_proves_rooms_empty_and_says_how_far_the_counter_was_off() -> None:
    house = House()
    house.off = 3
    house.wait(33 * HOUR)

    assert {event.room for event in house.proven} == {"gym", "canteen"}
    assert house.told() == (
        "Night of 16 Nov to 17 Nov: 2 rooms quiet, counter of Canteen was 3 off and set to zero."
    )
    assert all(house.told(language) for language in LANGUAGES)
    assert len(house.nights) == 1


def test_a_door_left_open_is_told_with_its_hours_and_one_that_is_held_is_not() -> None:
    house = House()
    house.at(21.5, "canteen-door", "contact", 1)
    house.at(21.6, "canteen-door", "contact", 0)
    house.at(22, "canteen-door", "contact", 1)
    house.at(30.5, "canteen-door", "contact", 0)
    house.wait(33 * HOUR)

    assert house.told() == (
        "Night of 16 Nov to 17 Nov: 1 room quiet, Canteen: a door open from 22:00 to 06:30."
    )


def test_who_cleans_after_closing_is_no_news_and_who_comes_at_night_is() -> None:
    house = House()
    house.at(21.5, "gym-pir", "motion", 1)
    house.at(26, "canteen-pir", "motion", 1)
    house.wait(33 * HOUR)

    assert house.nights[-1].quiet == ("gym",)
    assert "somebody seen in Canteen between 02:00 and 02:00" in house.told()
    assert {event.room for event in house.proven} == {"gym", "canteen"}  # six hours later


def test_somebody_seen_until_morning_is_no_empty_room() -> None:
    house = House()
    house.at(30, "canteen-count", "people.count", 1)
    house.wait(33 * HOUR)

    assert {event.room for event in house.proven} == {"gym"}


def test_a_blind_sensor_proves_nothing() -> None:
    house = House()
    house.broken = {"gym-pir"}
    house.wait(33 * HOUR)

    assert [event.room for event in house.proven] == ["canteen"]
    assert "nothing told of Gym" in house.told()


def test_a_holiday_is_told_each_morning_though_nobody_opens() -> None:
    house = House(holidays=(1, 2)).wait(3 * DAY + 9 * HOUR)

    assert [night.day for night in house.nights] == ["2026-11-17", "2026-11-18", "2026-11-19"]
    assert all(night.quiet == ("gym", "canteen") for night in house.nights)
    hours = [datetime.fromtimestamp(n.until_ms / 1000, ZONE).hour for n in house.nights]
    assert hours == [6, 6, 8]


def test_a_hub_that_came_late_says_since_when_it_watched_and_proves_nothing() -> None:
    house = House(at_ms=29 * HOUR).wait(33 * HOUR)

    assert house.proven == []
    assert "the hub watched only from 05:00" in house.told()


@settings(max_examples=30, deadline=None)
@given(
    leaves=st.floats(0, 0.9),
    comes=st.floats(0, 0.9),
    moves=st.lists(st.floats(8, 20.9), max_size=5),
)
def test_a_healthy_night_raises_nothing(leaves: float, comes: float, moves: list[float]) -> None:
    """Whoever leaves a little late, comes a little later than opening, and moves by day."""
    house = House(at_ms=round(7.9 * HOUR))
    for hour in sorted(moves):
        house.at(hour, "gym-pir", "motion", 1)
    house.at(21 + leaves, "canteen-pir", "motion", 1)
    house.at(32 + comes, "canteen-door", "contact", 1)
    house.wait(34 * HOUR)

    night = house.nights[-1]
    assert (set(night.quiet), night.notes, night.unsure) == ({"gym", "canteen"}, (), ())
