"""What happens in the house: people walk through doors, move, sit still, are measured.

The world is a queue of what will happen next, in clock time. ``advance`` plays everything that is
due and returns it as facts a sensor might notice; it knows no sensor. A person is always in
exactly one place, and reaches another only through the doors between them, one at a time, so that
doors, motion, radar and counters tell one consistent story.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count
from random import Random
from zoneinfo import ZoneInfo

from simulator.centre import OUTSIDE, Centre, Door, route
from simulator.habits import WELL_BEHAVED, Habits
from simulator.people import Person, day
from simulator.stay import HOUR, MINUTE, Restlessness, Stay

SECOND = 1000
DAY = 86_400_000
DOOR_STAYS_OPEN = 4 * SECOND
STEP = (12, 35)  # seconds to walk from one door to the next
TO_THE_DOOR = 5 * SECOND
STRIDE = 2 * SECOND  # how often somebody who walks is noticed
CARD_AFTER, RESULT_AFTER = 25, 95  # seconds after sitting down in the cabin
CARE_ROUND = (120, 5400)  # when in the morning one's turn comes in day care
STIRS_FOR = 4 * SECOND  # how long a radar calls a person moving after a movement
GHOST = -1  # who moves when the panel is pressed: nobody we know
STORY_HOURS = (8.5, 16.5)
STORY_START = timedelta(hours=9, minutes=40)


@dataclass(frozen=True, slots=True)
class DoorMoved:
    door: str
    is_open: bool


@dataclass(frozen=True, slots=True)
class Moved:
    """Somebody stirred where a motion sensor could see it."""

    place: str
    who: int
    is_small: bool = False  # somebody who sits, not one who walks about


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody went from one place into another through a door."""

    place: str
    left: str
    door: str = ""


@dataclass(frozen=True, slots=True)
class CardShown:
    place: str
    card: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A blood-pressure measurement ended; ``failed`` when the arm moved."""

    place: str
    systolic: int
    diastolic: int
    pulse: int
    failed: bool = False


Fact = DoorMoved | Moved | Entered | CardShown | Measured


def story_shift_ms(now_ms: int, timezone: str) -> int:
    """How far the people's day is moved so that a demo started at night is not an empty house.

    Within working hours nobody is moved. Outside them the people live as if it were 9:40 now;
    clocks, stamps and screens are not touched by it.
    """
    local = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(ZoneInfo(timezone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if STORY_HOURS[0] <= (local - midnight) / timedelta(hours=1) <= STORY_HOURS[1]:
        return 0
    return int((midnight + STORY_START - local) / timedelta(milliseconds=1))


class World:
    """The house and who is in it. Times handed in and out are clock milliseconds."""

    def __init__(
        self,
        centre: Centre,
        seed: int,
        start_ms: int,
        shift_ms: int = 0,
        habits: Habits = WELL_BEHAVED,
        closed: frozenset[int] = frozenset(),
    ) -> None:
        """``closed``: days (as ``date.toordinal``) on which nobody comes and no door moves."""
        self.centre = centre
        self._closed = closed
        self._seed = seed
        self._habits = habits
        self._random = Random(f"world/{seed}")
        self._whims = Random(f"whims/{seed}")
        self._shift_ms = shift_ms
        self._zone = ZoneInfo(centre.timezone)
        self._order = count()
        self._due: list[tuple[int, int, Callable[[int], None]]] = []
        self._facts: list[Fact] = []
        self._where: dict[int, tuple[str, str | None]] = {}
        self._stirred: dict[tuple[str, str | None], int] = {}
        self._shuts_ms: dict[str, int] = {}
        self._ghosts: dict[str, int] = {}
        self._doors = {door.id: door for door in centre.passages}
        self._kinds = {room.id: room.kind for room in centre.rooms}
        self._begin_day(start_ms, first=True)

    # What can be seen

    def people_in(self, place: str, zone: str | None = None) -> int:
        """How many are there; without a zone, in the whole room."""
        return sum(
            at == place and (zone is None or in_zone == zone)
            for at, in_zone in self._where.values()
        )

    def someone(self, place: str, zone: str | None, now_ms: int) -> bool:
        """What a radar would notice: people, and whoever the panel let in.

        Whoever walks across a room with zones is seen in each of them.
        """
        seen = any(
            at == place and (zone is None or in_zone in (zone, None))
            for at, in_zone in self._where.values()
        )
        return seen or self._ghosts.get(place, 0) > now_ms

    def stirs(self, place: str, zone: str | None, now_ms: int) -> bool:
        """Whether somebody there moves just now, rather than sitting still."""
        return self.still_ms(place, zone, now_ms) < STIRS_FOR or self._ghosts.get(place, 0) > now_ms

    def still_ms(self, place: str, zone: str | None, now_ms: int) -> int:
        """For how long nobody there has moved."""
        return now_ms - self._stirred.get((place, zone), -DAY)

    def is_open(self, door: str) -> bool:
        return door in self._shuts_ms

    @property
    def everybody(self) -> int:
        return len(self._where)

    # What the panel may do

    def let_someone_in(self, place: str, until_ms: int, now_ms: int) -> None:
        """Somebody walks about in a room until then, and is gone."""
        self._ghosts[place] = until_ms
        self._at(now_ms, lambda at: self._haunt(place, at))

    def open_door(self, door: str, until_ms: int, now_ms: int) -> None:
        """A door opens and shuts again by itself."""
        self._at(now_ms, lambda at: self._open(door, at, until_ms))

    def measure(self, place: str, now_ms: int) -> None:
        """Somebody shows a card and is measured, a few seconds later."""
        person = self._random.choice(self._people)
        self._at(now_ms, lambda _: self._facts.append(CardShown(place, person.card)))
        self._at(now_ms + 8 * SECOND, lambda _: self._result(person, place))

    # What happens

    @property
    def due_ms(self) -> int:
        """When something happens next; every day has a midnight."""
        return self._due[0][0]

    def advance(self, now_ms: int) -> list[Fact]:
        """Play everything due until now, in order, and say what there was to see."""
        while self._due and self._due[0][0] <= now_ms:
            at_ms, _, happen = heapq.heappop(self._due)
            happen(at_ms)
        facts, self._facts = self._facts, []
        return facts

    def _at(self, ms: int, happen: Callable[[int], None]) -> None:
        heapq.heappush(self._due, (ms, next(self._order), happen))

    def _begin_day(self, now_ms: int, *, first: bool = False) -> None:
        local = datetime.fromtimestamp((now_ms + self._shift_ms) / 1000, UTC).astimezone(self._zone)
        midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
        second = int((local - midnight) / timedelta(seconds=1))
        self._midnight_ms = now_ms - second * SECOND
        today = local.toordinal()
        is_closed = today in self._closed
        self._people = () if is_closed else day(self.centre, self._seed, today, self._habits)
        self._where.clear()  # nobody sleeps here
        for person in self._people:
            self._settle(person, person.at(second) if first else -1, now_ms)
        if not is_closed:
            self._peek_at_doors(now_ms)
        self._at(self._midnight_ms + DAY, self._begin_day)

    def _peek_at_doors(self, now_ms: int) -> None:
        """Doors that will be opened today without anybody passing: somebody only looks in.

        Whoever looks in stands in the door and is seen from inside, but is not in the room.
        """
        habits, whims = self._habits, self._whims
        for door in self.centre.passages if habits.peeks else ():
            peeks = int(habits.peeks) + (whims.random() < habits.peeks % 1)
            for _ in range(peeks):
                hour = whims.uniform(*habits.peek_hours)
                at_ms = self._midnight_ms + int(hour * HOUR * SECOND)
                if at_ms < now_ms:
                    continue
                self.open_door(door.id, at_ms + DOOR_STAYS_OPEN, at_ms)
                if whims.random() >= habits.draughts:
                    self._at(at_ms, partial(self._look_in, door.between[0]))

    def _look_in(self, place: str, now_ms: int) -> None:
        self.let_someone_in(place, now_ms + DOOR_STAYS_OPEN, now_ms)

    def _settle(self, person: Person, index: int, now_ms: int) -> None:
        """Put a person where the plan has him now, and plan his next way."""
        stay = person.stays[index] if index >= 0 else Stay(0, OUTSIDE)
        if stay.place != OUTSIDE:
            self._where[person.number] = (stay.place, stay.zone)
            self._stay(person, stay, now_ms)
        self._plan(person, index + 1, now_ms)

    def _plan(self, person: Person, index: int, now_ms: int) -> None:
        if index < len(person.stays):
            stay = person.stays[index]
            starts_ms = self._midnight_ms + stay.from_s * SECOND
            self._at(max(starts_ms, now_ms), lambda at: self._set_out(person, index, at))

    def _set_out(self, person: Person, index: int, now_ms: int) -> None:
        """Get up and walk to the door, where the way leads through one."""
        here, _ = self._where.get(person.number, (OUTSIDE, None))
        way = route(self.centre.passages, here, person.stays[index].place)
        if here == OUTSIDE or not way:
            self._walk(person, index, way, now_ms)
            return
        self._stride(person, here, now_ms, now_ms + TO_THE_DOOR)
        self._at(now_ms + TO_THE_DOOR, lambda at: self._walk(person, index, way, at))

    def _stride(self, person: Person, place: str, now_ms: int, until_ms: int) -> None:
        """Be seen walking about in a place, until then or until he has left it."""
        if now_ms < until_ms and self._where.get(person.number, (OUTSIDE, None))[0] == place:
            self._stir(place, person.number, now_ms)
            self._at(now_ms + STRIDE, lambda at: self._stride(person, place, at, until_ms))

    def _walk(self, person: Person, index: int, way: tuple[Door, ...], now_ms: int) -> None:
        """Through the next door, or sit down where the way ends; one step is planned at a time."""
        here, _ = self._where.get(person.number, (OUTSIDE, None))
        if not way:
            stay = person.stays[index]
            if here != OUTSIDE:
                self._where[person.number] = (here, stay.zone)
                self._stay(person, stay, now_ms)
            self._plan(person, index + 1, now_ms)
            return
        beyond = way[0].other_side(here)
        self._open(way[0].id, now_ms, now_ms + self._open_for_ms())
        self._stir(here, person.number, now_ms)
        self._where.pop(person.number, None)
        if beyond != OUTSIDE:
            self._where[person.number] = (beyond, None)
        self._facts.append(Entered(beyond, here, way[0].id))
        pause_ms = self._random.randint(*STEP) * SECOND
        self._stride(person, beyond, now_ms, now_ms + pause_ms)
        self._at(now_ms + pause_ms, lambda at: self._walk(person, index, way[1:], at))

    def _open_for_ms(self) -> int:
        """A door falls shut behind people, unless they leave it open."""
        habits = self._habits
        if not habits.props or self._whims.random() >= habits.props:
            return DOOR_STAYS_OPEN
        return self._whims.randint(*habits.prop_minutes) * MINUTE * SECOND

    def _stay(self, person: Person, stay: Stay, now_ms: int) -> None:
        here = self._where[person.number]
        self._fidget(person, stay, here, now_ms)
        if stay.restlessness is not Restlessness.SITTING:
            return
        if self._kinds[stay.place] == "health_cabin":
            card, result = (now_ms + after * SECOND for after in (CARD_AFTER, RESULT_AFTER))
            self._at(card, lambda _: self._show_card(person, here))
            self._at(result, lambda _: self._measured_if_here(person, here))
        if self._kinds[stay.place] == "day_care":  # a carer goes round with the monitor
            round_ms = self._random.randint(*CARE_ROUND) * SECOND
            self._at(now_ms + round_ms, lambda _: self._measured_if_here(person, here))

    def _fidget(
        self, person: Person, stay: Stay, here: tuple[str, str | None], now_ms: int
    ) -> None:
        """Stir now and then, for as long as the person stays in this place."""
        if self._where.get(person.number) is not here:  # the very stay, not a later one like it
            return
        is_small = stay.restlessness >= Restlessness.SITTING
        self._stir(here[0], person.number, now_ms, is_small=is_small)
        pause_s = self._random.expovariate(1 / stay.restlessness)
        if self._habits.stillest_s and stay.restlessness is not Restlessness.ASLEEP:
            pause_s = min(pause_s, self._habits.stillest_s)
        pause_ms = int(pause_s * SECOND) + SECOND
        self._at(now_ms + pause_ms, lambda at: self._fidget(person, stay, here, at))

    def _haunt(self, place: str, now_ms: int) -> None:
        if now_ms >= self._ghosts.get(place, 0):
            self._ghosts.pop(place, None)
            return
        self._stir(place, GHOST, now_ms)
        self._at(now_ms + 3 * SECOND, lambda at: self._haunt(place, at))

    def _stir(self, place: str, who: int, now_ms: int, *, is_small: bool = False) -> None:
        if place == OUTSIDE:
            return
        _, zone = self._where.get(who, (place, None))
        self._stirred[place, None] = self._stirred[place, zone] = now_ms
        self._facts.append(Moved(place, who, is_small))

    def _open(self, door: str, now_ms: int, until_ms: int) -> None:
        if door not in self._shuts_ms:
            self._facts.append(DoorMoved(door, is_open=True))
        self._shuts_ms[door] = max(until_ms, self._shuts_ms.get(door, 0))
        self._at(until_ms, lambda at: self._shut(door, at))

    def _shut(self, door: str, now_ms: int) -> None:
        if now_ms >= self._shuts_ms.get(door, now_ms + 1):  # unless someone holds it open longer
            del self._shuts_ms[door]
            self._facts.append(DoorMoved(door, is_open=False))

    def _show_card(self, person: Person, here: tuple[str, str | None]) -> None:
        if self._where.get(person.number) is here:
            self._facts.append(CardShown(here[0], person.card))

    def _measured_if_here(self, person: Person, here: tuple[str, str | None]) -> None:
        if self._where.get(person.number) is here:
            self._result(person, here[0])

    def _result(self, person: Person, place: str) -> None:
        random = self._random
        self._facts.append(
            Measured(
                place,
                person.systolic + random.randint(-6, 6),
                person.diastolic + random.randint(-4, 4),
                person.pulse + random.randint(-5, 5),
                failed=random.random() < 1 / 12,
            )
        )
