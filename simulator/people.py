"""Who comes to the centre today, when, and what for: a seeded, plausible day.

A day is drawn from a table of roles, so that the rooms of any configured centre fill as such rooms
do: lunch in the canteen, a lecture that starts and ends together, readers who come and go. A role
whose kind of room the centre does not have simply stays at home.

    Role (how such people behave) > Person > Stay (from when, where, how restlessly)
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from simulator.centre import OUTSIDE, Centre, Room
from simulator.habits import WELL_BEHAVED, Habits, gather, live, pair
from simulator.stay import HOUR, MINUTE, Itinerary, Restlessness, Stay


@dataclass(frozen=True, slots=True)
class Person:
    """A visitor or one of the staff. Card and pressures matter where people are measured."""

    number: int
    stays: tuple[Stay, ...]
    card: int
    systolic: int
    diastolic: int
    pulse: int

    def at(self, second: int) -> int:
        """Which stay holds at a second of the day; -1 before the first."""
        return sum(stay.from_s <= second for stay in self.stays) - 1


@dataclass(frozen=True, slots=True)
class Role:
    """How one group uses one kind of room.

    ``together``: they come for the whole window (a lecture, a shift); otherwise each comes at his
    own time within it and stays between the two limits.
    """

    kind: str
    count: int
    windows: tuple[tuple[float, float], ...]
    restlessness: Restlessness = Restlessness.SITTING
    stay_minutes: tuple[int, int] = (20, 60)
    together: bool = False
    zone: int | None = None


LIVELY, BUSY, SITTING = Restlessness.LIVELY, Restlessness.BUSY, Restlessness.SITTING
SHIFT = ((8.0, 12.0), (12.7, 17.5))

ROLES = (
    Role("service_hall", 2, SHIFT, BUSY, together=True, zone=0),
    Role("service_hall", 70, ((8.3, 17.0),), SITTING, (6, 20), zone=1),
    Role("canteen", 3, ((7.0, 13.5), (16.0, 18.5)), LIVELY, together=True),
    Role("canteen", 45, ((11.2, 12.5),), SITTING, (20, 35)),
    Role("reading_room", 14, ((8.5, 19.5),), SITTING, (30, 100)),
    Role("children", 10, ((9.0, 10.4), (15.5, 17.6)), LIVELY, together=True),
    Role("day_care", 9, ((8.5, 11.6), (13.0, 16.6)), SITTING, together=True),
    Role("meeting", 6, ((10.1, 10.8), (15.0, 15.8)), SITTING, together=True),
    Role("health_cabin", 34, ((8.0, 17.5),), SITTING, (5, 9)),
    Role("gym", 12, ((7.5, 20.5),), LIVELY, (40, 70)),
    Role("lecture_hall", 24, ((9.4, 10.7), (14.0, 15.3)), SITTING, together=True),
    Role("workshop", 7, ((10.9, 12.2), (16.0, 17.4)), BUSY, together=True),
    Role("living_room", 16, ((8.5, 20.0),), SITTING, (40, 120)),
)

CLEANING = (7.5, 19.0)
CLEANING_MINUTES = (3, 7)


def day(
    centre: Centre, seed: int, number: int, habits: Habits = WELL_BEHAVED
) -> tuple[Person, ...]:
    """Everybody of one day. The same centre, seed and day number give the same people."""
    random = Random(f"{seed}/{number}")
    whims = Random(f"habits/{seed}/{number}")
    itineraries = [
        stays
        for role in ROLES
        for room in _rooms(centre, role.kind)
        for stays in _unplanned(role, _itineraries(centre, role, room, random), habits, whims)
    ]
    if centre.rooms:
        itineraries.append(_cleaning(centre, random))
    return tuple(_person(index, stays, random) for index, stays in enumerate(itineraries))


def _unplanned(
    role: Role, plans: list[Itinerary], habits: Habits, random: Random
) -> list[Itinerary]:
    if habits is WELL_BEHAVED:
        return plans
    if role.together:
        plans = gather(plans, habits, random)
    return pair([live(plan, habits, random) for plan in plans], habits, random)


def _rooms(centre: Centre, kind: str) -> list[Room]:
    return [room for room in centre.rooms if room.kind == kind]


def _itineraries(centre: Centre, role: Role, room: Room, random: Random) -> list[Itinerary]:
    zone = None
    if role.zone is not None and room.zones:
        zone = room.zones[min(role.zone, len(room.zones) - 1)]
    draw = _together if role.together else _own_time
    return [draw(centre, role, room.id, zone, random) for _ in range(role.count)]


def _own_time(centre: Centre, role: Role, room: str, zone: str | None, random: Random) -> Itinerary:
    opens, ends = random.choice(role.windows)
    arrives = int(random.uniform(opens, ends) * HOUR)
    leaves = arrives + random.randint(*role.stay_minutes) * MINUTE
    return [Stay(arrives, room, zone, role.restlessness), Stay(leaves, OUTSIDE)]


def _together(centre: Centre, role: Role, room: str, zone: str | None, random: Random) -> Itinerary:
    stays: Itinerary = []
    for opens, ends in role.windows:
        arrives = int(opens * HOUR) + random.randint(-8, 4) * MINUTE
        leaves = int(ends * HOUR) + random.randint(0, 5) * MINUTE
        stays.append(Stay(arrives, room, zone, role.restlessness))
        stays += _afterwards(centre, role, leaves, random)
    return stays


def _afterwards(centre: Centre, role: Role, leaves: int, random: Random) -> Itinerary:
    """Home; or first to lunch, for those who were here all morning."""
    canteens = _rooms(centre, "canteen")
    at_noon = 11 * HOUR < leaves < 13 * HOUR
    if not canteens or not at_noon or role.kind == "canteen":
        return [Stay(leaves, OUTSIDE)]
    eats = leaves + random.randint(18, 32) * MINUTE
    return [Stay(leaves, random.choice(canteens).id), Stay(eats, OUTSIDE)]


def _cleaning(centre: Centre, random: Random) -> Itinerary:
    """One person goes round all rooms, all day: what keeps the doors moving in quiet hours."""
    stays: Itinerary = []
    second, end = (int(hour * HOUR) for hour in CLEANING)
    while second < end:
        stays.append(Stay(second, random.choice(centre.rooms).id, None, LIVELY))
        second += random.randint(*CLEANING_MINUTES) * MINUTE
    return [*stays, Stay(second, OUTSIDE)]


def _person(number: int, stays: Itinerary, random: Random) -> Person:
    diastolic = random.randint(62, 96)
    return Person(
        number=number,
        stays=tuple(stays),
        card=random.getrandbits(32),
        systolic=diastolic + random.randint(38, 62),
        diastolic=diastolic,
        pulse=random.randint(58, 92),
    )
