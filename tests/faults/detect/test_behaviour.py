"""What only shows in behaviour: for each kind a fault that no fixed bound finds, and health at
which a fixed bound would cry."""

from __future__ import annotations

from random import Random

from hub.domain.centre import OUTSIDE, Device, Door, Placement
from hub.domain.fault import FaultKind, Finding, SubjectKind
from hub.domain.room import Status
from hub.faults.detect.watch import Detection
from tests.faults.detect import house as small
from tests.faults.detect.house import BEGIN, DAY, HOUR, MINUTE, SECOND, House

K = FaultKind
OPENS, CLOSES = 6 * HOUR, 22 * HOUR
CHANNELS = {"door": "contact", "pir": "motion", "radar": "presence", "count": "people_count"}


class Centre(House):
    """A gym with one door, a motion sensor, a radar and a counter; closed from 22 to 6."""

    def __init__(self) -> None:
        super().__init__()
        places = {
            "door": Placement(door="in"),
            "pir": Placement(room="gym"),
            "radar": Placement(room="gym"),
            "count": Placement(room="gym"),
            "eye": Placement(room="gym"),
        }
        devices = [
            Device(name, "zigbee2mqtt", {"": place}, "built", 25 * HOUR, 10 * MINUTE)
            for name, place in places.items()
        ]
        plain = small.centre(devices)
        self.centre = type(plain)(
            *(plain.id, plain.name, plain.timezone, plain.buildings, plain.rooms),
            (Door("in", ("gym", OUTSIDE)),),
            tuple(devices),
        )
        self.detection = Detection(self.centre, BEGIN, self.found.append)
        self.dead: set[str] = set()  # they stay as they are
        self.values = {"door": 0, "pir": 0, "radar": 0, "count": 0}
        self.inside = 0
        self.misses_out = 0.0
        self.chance = Random(7)

    def show(self, name: str, value: int, after_ms: int = SECOND) -> None:
        self.now += after_ms
        if name not in self.dead:
            self.values[name] = value
            self.hear(name, **{CHANNELS[name]: value})

    def repeat(self) -> None:
        for name, channel in CHANNELS.items():
            self.hear(name, **{channel: self.values[name]})
        self.hear("eye", link_quality=60)

    def pass_door(self, step: int) -> None:
        self.show("door", 1)
        self.inside = max(self.inside + step, 0)
        if step > 0 or self.chance.random() >= self.misses_out:
            self.show("count", max(self.values["count"] + step, 0))
        self.show("door", 0, 4 * SECOND)

    def visit(self, people: int = 2, stays_ms: int = 15 * MINUTE) -> None:
        """They come in, move now and then, and go."""
        for _ in range(people):
            self.pass_door(1)
        self.show("radar", 1)
        until = self.now + stays_ms
        while self.now < until:
            self.show("pir", 1, 2 * MINUTE)
            self.show("pir", 0, MINUTE)
        for _ in range(people):
            self.pass_door(-1)
        self.show("radar", 0, 20 * SECOND)

    def day(self, visits: int = 10, people: int = 2) -> None:
        """From midnight to midnight."""
        begin = self.now - self.now % DAY
        self.room("gym", Status.CLOSED)
        self._rest(begin + OPENS)
        self.room("gym", Status.UNKNOWN)
        for number in range(visits):
            self._rest(begin + OPENS + number * 80 * MINUTE + 20 * MINUTE)
            self.visit(people)
        self._rest(begin + CLOSES)
        self.room("gym", Status.CLOSED)
        self._rest(begin + DAY)

    def _rest(self, until_ms: int) -> None:
        while self.now + 50 * MINUTE < until_ms:
            self.now += 50 * MINUTE
            self.repeat()
        self.now = max(self.now, until_ms)

    def last(self, kind: K) -> Finding:
        return [finding for finding in self.found if finding.kind is kind][-1]


def lived(days: int = 7) -> Centre:
    house = Centre()
    for _ in range(days):
        house.day()
    assert house.found == []
    return house


# -- on, and never off ----------------------------------------------------------------------------


def test_a_door_that_stands_open_all_night_is_told_when_people_come() -> None:
    house = lived(2)
    house.values["door"] = 1
    house.dead.add("door")
    house.day()
    house.day()

    finding = house.last(K.STUCK_ON)
    assert finding.is_on
    assert finding.subject.id == "door"
    assert float(finding.evidence["hours"]) >= 5

    house.dead.clear()
    house.visit()
    assert not house.is_on(K.STUCK_ON)


def test_a_door_wedged_while_the_floor_dries_is_no_fault() -> None:
    house = lived(2)
    house.room("gym", Status.CLOSED)
    house.show("door", 1, 10 * MINUTE)
    for _ in range(5):
        house.now += HOUR
        house.repeat()
    house.show("door", 0)
    house.now += 20 * MINUTE
    house.room("gym", Status.UNKNOWN)
    house.repeat()

    assert house.found == []


def test_who_fell_silent_while_it_was_on_is_not_stuck() -> None:
    house = lived(2)
    house.show("pir", 1)
    house.room("gym", Status.CLOSED)
    house.pass_time(house.now + 20 * HOUR)

    assert K.STUCK_ON not in house.kinds


# -- to and fro -----------------------------------------------------------------------------------


def test_a_busy_door_at_noon_does_not_flap_and_a_loose_one_does() -> None:
    house = lived(3)
    for _ in range(3):  # three noons, busier each time
        for _ in range(25):
            house.pass_door(1)
            house.now += 15 * SECOND
        house.day()
    assert K.FLAPPING not in house.kinds

    for number in range(80):  # at the pace of noon, but no door closer works like this
        house.show("door", number % 2, house.chance.randint(5, 30) * SECOND)
    assert house.last(K.FLAPPING).is_on


def test_a_motion_sensor_that_flaps_ends_when_it_is_calm() -> None:
    house = lived(4)
    for number in range(60):
        house.show("pir", number % 2, 8 * SECOND)
    assert house.is_on(K.FLAPPING)

    house.day()
    assert not house.is_on(K.FLAPPING)


# -- one against the others -----------------------------------------------------------------------


def test_a_door_that_says_shut_while_people_pass() -> None:
    house = lived()
    house.dead.add("door")
    house.day()

    finding = house.last(K.DOOR_CONTRADICTED)
    assert finding.is_on
    assert finding.subject.id == "door"
    assert int(finding.evidence["passages"]) >= 5

    house.dead.clear()
    house.visit()
    assert not house.is_on(K.DOOR_CONTRADICTED)


def test_a_radar_that_sees_nobody_through_many_visits() -> None:
    house = lived()
    house.dead.add("radar")
    house.day()

    finding = house.last(K.SENSORS_DISAGREE)
    assert finding.is_on
    assert finding.subject.id == "radar"
    assert finding.evidence["other"] in ("pir", "count")


def test_one_still_person_is_one_visit_however_long_he_stays() -> None:
    house = lived()
    house.pass_door(1)
    house.show("radar", 1)
    for _ in range(60 * 6):  # the motion sensor sees nothing of him for six hours
        house.now += MINUTE
        house.hear("radar", presence=1)
        if house.now % (20 * MINUTE) < MINUTE:
            house.hear("radar", presence=0)  # lost for a moment
    house.show("radar", 0)

    assert not house.kinds & {K.SENSORS_DISAGREE, K.DOOR_CONTRADICTED, K.STUCK_ON}


def test_a_sensor_that_looks_away_from_half_the_room_is_known_to() -> None:
    house = Centre()
    for _ in range(8):
        for _ in range(10):
            (house.dead.add if house.chance.random() < 0.5 else house.dead.discard)("pir")
            house.now += 60 * MINUTE
            house.visit()
        house.dead.clear()

    assert K.SENSORS_DISAGREE not in house.kinds


# -- counters -------------------------------------------------------------------------------------


def test_a_counter_that_misses_who_leaves() -> None:
    house = lived()
    house.misses_out = 0.5
    house.day(people=4)
    house.day(people=4)

    finding = house.last(K.COUNTER_IMBALANCE)
    assert finding.is_on
    assert int(finding.evidence["in"]) > int(finding.evidence["out"])


def test_a_counter_that_errs_a_little_every_day_and_is_set_to_zero_is_none() -> None:
    house = Centre()
    house.misses_out = 0.03
    for _ in range(14):
        house.day(people=4)
        house.show("count", 0)

    assert K.COUNTER_IMBALANCE not in house.kinds
    assert house.values["count"] == 0


# -- two under one name ---------------------------------------------------------------------------


def test_two_thermometers_under_one_name() -> None:
    house = lived(1)
    for number in range(48):
        house.now += 30 * MINUTE
        twin = number % 3 == 0
        degrees = round((24.6 if twin else 21.0) + house.chance.gauss(0, 0.1), 1)
        house.hear("eye", temperature=degrees)

    finding = house.last(K.DUPLICATE)
    assert finding.is_on
    assert str(finding.evidence["second"]).endswith("°C")


def test_noise_is_no_twin_and_neither_are_day_and_night() -> None:
    house = lived(1)
    for _ in range(600):
        house.now += 20 * MINUTE
        degrees = round(21 + house.chance.gauss(0, 2), 1)
        is_night = house.now % DAY < 8 * HOUR
        house.hear("eye", temperature=degrees, battery_level=60 if is_night else 80)

    assert K.DUPLICATE not in house.kinds


# -- the housing, and the hub ---------------------------------------------------------------------


def test_an_opened_housing_is_told_at_once_and_over_a_restart() -> None:
    house = lived(1)
    house.hear("eye", tamper=0)
    house.hear("eye", tamper=1)
    (finding,) = house.found
    assert finding.kind is K.TAMPER

    again = house.again([finding])
    again.now += MINUTE
    again.hear("eye", tamper=0)
    again.pass_time(again.now + 2 * MINUTE)
    assert [found.is_on for found in again.found] == [False]


def test_a_hub_that_lags_for_minutes_is_overloaded_and_a_backup_is_not() -> None:
    house = House()

    def lag(late_s: float, lasts_s: int) -> None:
        for _ in range(lasts_s // 10):
            house.now += 10 * SECOND
            house.detection.lag(late_s, BEGIN + house.now)

    for _ in range(20):
        lag(4.0, 20)
        lag(0.003, 600)
    house.detection.lag(300, BEGIN + house.now)
    assert house.found == []

    lag(3.0, 600)
    (finding,) = house.found
    assert (finding.kind, finding.subject.kind) == (K.HUB_OVERLOADED, SubjectKind.HUB)

    lag(0.003, 1800)
    house.pass_time(house.now + MINUTE)
    assert not house.is_on(K.HUB_OVERLOADED)


def test_what_was_learnt_survives_a_restart_each_day() -> None:
    house = lived()
    learnt = house.detection.frame()
    house.detection = Detection(house.centre, BEGIN + house.now, house.found.append, learnt)
    house.dead.add("radar")
    house.day()

    assert house.is_on(K.SENSORS_DISAGREE)
