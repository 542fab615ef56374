"""The people's day is plausible, consistent and repeatable."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

import pytest

from simulator.centre import OUTSIDE, Centre, Door, Room, route
from simulator.people import day
from simulator.world import SECOND, DoorMoved, Entered, Fact, Measured, World, story_shift_ms
from tests.simulator.reading import MORNING_MS, demo_centre

HOUR = 3_600 * SECOND
ZONE = "Asia/Shanghai"


def lived(seed: int, hours: float = 2.0, centre: Centre | None = None) -> tuple[World, list[Fact]]:
    world = World(centre or demo_centre(), seed, MORNING_MS)
    facts: list[Fact] = []
    for now_ms in range(MORNING_MS, MORNING_MS + int(hours * HOUR), 5 * SECOND):
        facts += world.advance(now_ms)
    return world, facts


def test_the_same_seed_lives_the_same_day() -> None:
    assert lived(3)[1] == lived(3)[1]


def test_another_seed_lives_another_day() -> None:
    assert lived(3)[1] != lived(4)[1]


def test_people_come_and_go_through_doors_only_and_counts_add_up() -> None:
    centre = demo_centre()
    world = World(centre, 5, MORNING_MS)
    world.advance(MORNING_MS)
    places = [room.id for room in centre.rooms]
    expected = Counter({place: world.people_in(place) for place in places})
    tied = {frozenset(door.between) for door in centre.passages}
    for now_ms in range(MORNING_MS, MORNING_MS + 2 * HOUR, 30 * SECOND):
        for fact in world.advance(now_ms):
            if isinstance(fact, Entered):
                assert frozenset((fact.place, fact.left)) in tied
                expected[fact.place] += 1
                expected[fact.left] -= 1
        assert {p: world.people_in(p) for p in places} == {p: expected[p] for p in places}
        assert sum(world.people_in(place) for place in places) == world.everybody


def test_somebody_passes_only_an_open_door() -> None:
    """Every passage comes with its door opening, or with one that was open already."""
    centre = demo_centre()
    world = World(centre, 5, MORNING_MS)
    opened: set[str] = set()
    passages = 0
    for now_ms in range(MORNING_MS, MORNING_MS + HOUR, SECOND):
        for fact in world.advance(now_ms):
            if isinstance(fact, DoorMoved):
                (opened.add if fact.is_open else opened.discard)(fact.door)
            elif isinstance(fact, Entered):
                passages += 1
                ways = [d for d in centre.passages if {fact.place, fact.left} == set(d.between)]
                assert any(door.id in opened for door in ways)
    assert passages > 50


def test_doors_shut_again() -> None:
    world, facts = lived(2)
    balance = Counter[str]()
    for fact in facts:
        if isinstance(fact, DoorMoved):
            balance[fact.door] += 1 if fact.is_open else -1
    assert set(balance.values()) <= {0, 1}
    assert all(world.is_open(door) == (left == 1) for door, left in balance.items())


def test_lunch_fills_the_canteen_and_night_empties_the_house() -> None:
    centre = demo_centre()

    def at(clock: str) -> World:
        moment = datetime.fromisoformat(f"2026-11-18T{clock}:00+08:00")
        return World(centre, 1, int(moment.timestamp() * 1000))

    assert at("12:05").people_in("canteen") > at("10:00").people_in("canteen") + 8
    assert at("14:30").people_in("lecture") > 10
    assert at("03:00").everybody == 0


def test_a_new_day_begins_at_midnight() -> None:
    evening = int(datetime.fromisoformat("2026-11-18T22:00:00+08:00").timestamp() * 1000)
    world = World(demo_centre(), 1, evening)
    world.advance(evening + 12 * HOUR)
    assert world.everybody > 5


def test_the_cabin_sees_measurements() -> None:
    measured = [fact for fact in lived(1)[1] if isinstance(fact, Measured)]
    assert {fact.place for fact in measured} >= {"cabin"}
    assert all(fact.systolic > fact.diastolic + 20 for fact in measured)


def test_whoever_the_panel_lets_in_is_seen_and_gone() -> None:
    world = World(demo_centre(), 1, MORNING_MS - 10 * HOUR)
    start = MORNING_MS - 10 * HOUR
    world.let_someone_in("meeting", start + 40 * SECOND, start)
    assert world.advance(start + SECOND)
    assert world.someone("meeting", None, start + SECOND)
    world.advance(start + 60 * SECOND)
    assert not world.someone("meeting", None, start + 60 * SECOND)


@pytest.mark.parametrize(
    ("clock", "lives_at"), [("10:00", "10:00"), ("03:00", "09:40"), ("23:30", "09:40")]
)
def test_at_night_people_live_as_if_it_were_morning(clock: str, lives_at: str) -> None:
    now = datetime.fromisoformat(f"2026-11-18T{clock}:00+08:00")
    now_ms = int(now.timestamp() * 1000)
    lived_ms = now_ms + story_shift_ms(now_ms, ZONE)
    assert f"{datetime.fromtimestamp(lived_ms / 1000, now.tzinfo):%H:%M}" == lives_at


def test_a_room_without_a_named_door_can_be_left() -> None:
    centre = Centre(
        name={"en": "x"},
        timezone=ZONE,
        rooms=(Room("gym", {"en": "Gym"}, "gym"), Room("hall", {"en": "Hall"}, "service_hall")),
        doors=(Door("front", ("hall", OUTSIDE)),),
        devices=(),
    )
    assert [door.id for door in centre.passages] == ["front", "~gym"]
    assert [door.id for door in route(centre.passages, "gym", "hall")] == ["~gym", "front"]
    assert len(day(centre, 1, 1)) > 20
