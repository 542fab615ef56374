"""What people and sensors do beside the plan, each habit alone and at its fullest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest

from simulator.centre import OUTSIDE, Centre, Device, Door, Room
from simulator.faults import Fault
from simulator.habits import PERFECT, Habits, Imperfections
from simulator.mqtt_devices import DoorContact, MotionSensor, PeopleCounter
from simulator.people import ROLES, day
from simulator.serial_devices import Radar
from simulator.stay import MINUTE, Restlessness, Stay
from simulator.wires.mqtt import Publication
from simulator.world import SECOND, DoorMoved, Entered, Fact, Moved, World
from tests.simulator.reading import MORNING_MS, from_mqtt, from_serial, values

HOUR = 3_600 * SECOND
MIDNIGHT_MS = MORNING_MS - 10 * HOUR
PLACE = Centre(
    name={"en": "House"},
    timezone="Asia/Shanghai",
    rooms=(
        Room("meeting", {"en": "Meeting"}, "meeting"),
        Room("reading", {"en": "Reading"}, "reading_room"),
        Room("store", {"en": "Store"}, "storage"),
    ),
    doors=tuple(Door(f"{room}-door", (room, OUTSIDE)) for room in ("meeting", "reading", "store")),
    devices=(),
)
TOPIC = "zigbee2mqtt/x"


def stays(habits: Habits) -> list[tuple[Stay, ...]]:
    """Everybody's plan but the cleaner's."""
    return [person.stays for person in day(PLACE, 1, 1, habits)][:-1]


def lived(habits: Habits, hours: int = 14) -> Iterator[tuple[int, Fact]]:
    """What happens, each fact at its moment."""
    world = World(PLACE, 1, MIDNIGHT_MS + 7 * HOUR, habits=habits)
    while world.due_ms < MIDNIGHT_MS + (7 + hours) * HOUR:
        at_ms = world.due_ms
        for fact in world.advance(at_ms):
            yield at_ms, fact


def test_a_plan_stays_in_order_and_ends_outside() -> None:
    wild = Habits(naps=0.5, wanders=0.5, forgets=0.5, stays_behind=1, leaves_at_once=1, pairs=0.5)
    for plan in stays(wild):
        times = [stay.from_s for stay in plan]
        assert times == sorted(times)
        assert plan[-1].place == OUTSIDE


def test_the_same_seed_has_the_same_whims() -> None:
    habits = Habits(naps=0.3, wanders=0.3, forgets=0.3, props=0.3, peeks=3)
    assert list(lived(habits)) == list(lived(habits))
    assert list(lived(habits)) != list(lived(Habits()))


def test_who_sleeps_was_sitting_and_wakes_in_the_same_place() -> None:
    naps = [
        (before, nap)
        for plan in stays(Habits(naps=1))
        for before, nap in pairwise(plan)
        if nap.restlessness is Restlessness.ASLEEP
    ]
    assert len(naps) > 10
    assert all(before.place == nap.place for before, nap in naps)
    assert all(nap.from_s - before.from_s >= 3 * MINUTE for before, nap in naps)


def test_one_stays_behind_when_the_meeting_has_ended() -> None:
    def last_left(habits: Habits) -> list[int]:
        plans = [p for p in stays(habits) if p[0].place == "meeting"]
        return sorted(plan[-1].from_s for plan in plans)

    usual, kept = last_left(Habits()), last_left(Habits(stays_behind=1))
    assert kept[-1] - kept[-2] > usual[-1] - usual[-2]


def test_a_group_leaves_at_once() -> None:
    group = next(role.count for role in ROLES if role.kind == "meeting")
    plans = [p for p in stays(Habits(leaves_at_once=1)) if p[0].place == "meeting"]
    left = [plan[-1].from_s for plan in plans if len(plan) == len(plans[0])]
    assert len(plans) == group
    assert max(left) - min(left) <= 4 * group


def test_pairs_pass_the_door_together() -> None:
    def together(habits: Habits) -> int:
        entered = [(at, fact.door) for at, fact in lived(habits) if isinstance(fact, Entered)]
        return sum(
            door == other and later - at <= SECOND
            for (at, door), (later, other) in pairwise(entered)
        )

    assert together(Habits(pairs=1)) > together(Habits()) + 30


def test_the_umbrella_is_fetched() -> None:
    readers = next(role.count for role in ROLES if role.kind == "reading_room")
    visits = Counter(fact.place for _, fact in lived(Habits()) if isinstance(fact, Entered))
    again = Counter(fact.place for _, fact in lived(Habits(forgets=1)) if isinstance(fact, Entered))
    assert again["reading"] == visits["reading"] + readers


def test_a_propped_door_stays_open_for_minutes() -> None:
    opened: dict[str, int] = {}
    longest = 0
    for at, fact in lived(Habits(props=1, prop_minutes=(10, 20))):
        if isinstance(fact, DoorMoved) and fact.is_open:
            opened[fact.door] = at
        elif isinstance(fact, DoorMoved):
            longest = max(longest, at - opened[fact.door])
    assert longest >= 10 * 60 * SECOND


def test_a_door_opens_and_nobody_passes() -> None:
    def unused(habits: Habits) -> tuple[int, int]:
        """Openings without a passage; and after how many of them somebody is seen inside."""
        facts = list(lived(habits))
        passed = {at for at, fact in facts if isinstance(fact, Entered)}
        moved = {(at, fact.place) for at, fact in facts if isinstance(fact, Moved)}
        peeks = [
            (at, fact.door.removesuffix("-door"))
            for at, fact in facts
            if isinstance(fact, DoorMoved) and fact.is_open and at not in passed
        ]
        return len(peeks), sum(peek in moved for peek in peeks)

    assert unused(Habits())[0] == 0
    peeks, seen = unused(Habits(peeks=5))
    assert peeks > 5
    assert seen == peeks
    peeks, seen = unused(Habits(peeks=5, draughts=1))
    assert peeks > 5
    assert seen < peeks / 2


def test_nobody_keeps_stiller_than_allowed() -> None:
    last: dict[int, int] = {}
    gaps = []
    for at, fact in lived(Habits(stillest_s=60), hours=4):
        if isinstance(fact, Entered):
            last.clear()
        elif isinstance(fact, Moved):
            gaps.append(at - last.get(fact.who, at))
            last[fact.who] = at
    assert 0 < max(gaps) <= 61 * SECOND


class Sitting(World):
    """A world in which as many sit in the reading room as a test says, and nothing happens."""

    def __init__(self, people: int = 1) -> None:
        super().__init__(PLACE, 1, MORNING_MS)
        self.sit(people)

    def sit(self, people: int) -> None:
        self._where = dict.fromkeys(range(people), ("reading", None))


class Said:
    """What a Zigbee device published, as the hub understands it."""

    def __init__(self) -> None:
        self.sent: list[Publication] = []

    def values(self, key: str) -> list[object]:
        understood = [values(from_mqtt("zigbee2mqtt", TOPIC, sent)) for sent in self.sent]
        return [said[key] for said in understood if key in said]


def test_a_motion_sensor_overlooks_who_sits_but_never_who_walks() -> None:
    said = Said()
    blind = Imperfections(pir_misses=1)
    device = Device("reading-pir", "zigbee2mqtt", "reading", topic=TOPIC)
    pir = MotionSensor(device, Sitting(), said.sent.append, 1, blind)
    pir.react(Moved("reading", 0, is_small=True), MORNING_MS)
    assert said.values("motion") == []
    pir.react(Moved("reading", 0), MORNING_MS)
    assert said.values("motion") == [1]


def test_a_blind_seat_is_blind_for_a_whole_visit() -> None:
    said = Said()
    device = Device("reading-pir", "zigbee2mqtt", "reading", topic=TOPIC)
    pir = MotionSensor(device, Sitting(), said.sent.append, 1, Imperfections(pir_blind=1))
    pir.react(Moved("reading", 0), MORNING_MS)
    for second in range(70, 7000, 70):
        pir.tick(MORNING_MS + second * SECOND)
        pir.react(Moved("reading", 0, is_small=True), MORNING_MS + second * SECOND)
    assert said.values("motion")[:2] == [1, 0]
    assert 1 not in said.values("motion")[1:]


@pytest.mark.parametrize(
    ("sensor", "counted"),
    [
        (PERFECT, 2),
        (Imperfections(counter_misses=1), 0),
        (Imperfections(counter_doubles=1), 4),
        (Imperfections(counter_merges_ms=700), 1),
    ],
)
def test_a_counter_counts_two_side_by_side(sensor: Imperfections, counted: int) -> None:
    said = Said()
    device = Device("reading-count", "zigbee2mqtt", "reading", topic=TOPIC)
    counter = PeopleCounter(device, Sitting(0), said.sent.append, 1, sensor)
    for late_ms in (0, 500):
        counter.react(Entered("reading", OUTSIDE, "reading-door"), MORNING_MS + late_ms)
    counter.report(MORNING_MS + SECOND)
    assert said.values("people.count")[-1] == counted


def test_a_counter_may_forget_who_is_inside() -> None:
    for forgets, counted in ((False, 3), (True, 0)):
        said = Said()
        device = Device("reading-count", "zigbee2mqtt", "reading", topic=TOPIC)
        sensor = Imperfections(counter_forgets=forgets)
        counter = PeopleCounter(device, Sitting(3), said.sent.append, 1, sensor)
        counter.break_down(Fault.SILENT, MORNING_MS)
        counter.repair(MORNING_MS + SECOND)
        assert said.values("people.count") == [counted]


class Cable:
    """A serial line that keeps what was written."""

    def __init__(self) -> None:
        self.written = b""

    def plug(self) -> None: ...

    def unplug(self) -> None: ...

    def write(self, data: bytes) -> bool:
        self.written += data
        return True

    def presence(self) -> list[object]:
        return [values(message)["presence"] for message in from_serial("ld2410", self.written)]


def radar(sensor: Imperfections) -> tuple[Radar, Cable]:
    cable = Cable()
    device = Device("reading-radar", "ld2410", "reading", serial="/run/x")
    return Radar(device, Sitting(), 1, sensor, cable), cable


def test_a_radar_loses_who_keeps_still_for_some_seconds_only() -> None:
    eye, cable = radar(Imperfections(radar_loses=60, radar_loses_s=(10, 20)))
    for second in range(0, 3600, 2):
        eye.stream(MORNING_MS + second * SECOND)
    seen = cable.presence()
    assert 0 < seen.count(0) < len(seen) / 2
    runs = "".join(map(str, seen)).split("1")
    assert max(map(len, runs)) <= 20


@pytest.mark.parametrize(
    ("fault", "said"),
    [(Fault.STUCK_AT_0, {0}), (Fault.STUCK_AT_1, {1}), (Fault.BAD, {None}), (None, {1})],
)
def test_a_radar_that_fails_says_so_on_its_wire(fault: Fault | None, said: set[object]) -> None:
    eye, cable = radar(PERFECT)
    if fault is not None:
        eye.break_down(fault, MORNING_MS)
    for second in range(0, 60, 2):
        eye.stream(MORNING_MS + second * SECOND)
    assert set(cable.presence()) == said


def test_what_flaps_says_both() -> None:
    eye, cable = radar(PERFECT)
    eye.break_down(Fault.FLAPPING, MORNING_MS)
    said = Said()
    device = Device("reading-door", "zigbee2mqtt", door="reading-door", topic=TOPIC)
    contact = DoorContact(device, Sitting(), said.sent.append, 1)
    contact.break_down(Fault.FLAPPING, MORNING_MS)
    for second in range(0, 120, 2):
        eye.stream(MORNING_MS + second * SECOND)
        contact.tick(MORNING_MS + second * SECOND)
    assert set(cable.presence()) == {0, 1}
    assert set(said.values("contact")) == {0, 1}
    contact.repair(MORNING_MS + 121 * SECOND)
    assert said.values("contact")[-1] == 0


def test_bad_values_are_no_values() -> None:
    said = Said()
    device = Device("reading-door", "zigbee2mqtt", door="reading-door", topic=TOPIC)
    contact = DoorContact(device, Sitting(), said.sent.append, 1)
    contact.break_down(Fault.BAD, MORNING_MS)
    assert said.values("contact") == [None]
    assert said.values("battery.level") != [None]
