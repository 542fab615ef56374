"""The rooms' core: counters at doors, looks, closed hours, and what a room teaches about itself."""

from __future__ import annotations

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.centre import OUTSIDE, Centre, Device, Door, Placement, Room
from hub.domain.events import CounterZeroed, Heard
from hub.domain.opening import OPEN, Slot
from hub.domain.room import Override, OverrideKind, Presence, RoomState, Status, Text
from hub.rooms.watch import Watch

MINUTE = 60_000
START = 1_800_000_000_000


class Hours:
    """Open until told otherwise."""

    def __init__(self) -> None:
        self.now = OPEN

    def slot(self, room: str, at_ms: int) -> Slot:
        return self.now


class House:
    """A hall and a gym behind it, with whatever devices a test names."""

    def __init__(self, **places: Placement) -> None:
        rooms = (
            Room("hall", {"en": "Hall"}, "main", 1, "service_hall", 50),
            Room("gym", {"en": "Gym"}, "main", 1, "gym", 20),
        )
        doors = (Door("front", ("hall", OUTSIDE)), Door("inner", ("gym", "hall")))
        devices = tuple(
            Device(name, "zigbee2mqtt", {"": place}, "built", 86_400_000, 600_000)
            for name, place in places.items()
        )
        self.now = START
        self.hours = Hours()
        self.told: list[RoomState] = []
        self.zeroed: list[CounterZeroed] = []
        centre = Centre("c", {"en": "C"}, "UTC", (), rooms, doors, devices)
        self.watch = Watch(centre, self.hours, self.told.append, self.zeroed.append)
        self.watch.begin((), (), self.now)

    def say(self, device: str, **values: int) -> None:
        readings = tuple(
            Reading(
                device,
                channel.replace("_", "."),
                "",
                value,
                "1",
                Quality.GOOD,
                "",
                self.now,
                self.now,
                TimeSource.HUB,
            )
            for channel, value in values.items()
        )
        self.watch.hear(Heard(device, readings, self.now, True, True))

    def wait(self, minutes: float) -> None:
        self.now += round(minutes * MINUTE)
        self.watch.advance(self.now)

    def clear(self, eye: str, minutes: int, **counted: int) -> None:
        """The radar sees nobody for so long, and the counter repeats itself."""
        for _ in range(minutes):
            self.say(eye, presence=0)
            if counted:
                self.say("gate", **counted)
            self.wait(1)
        self.say(eye, presence=0)

    def gym(self) -> RoomState:
        return self.watch.states["gym"]

    def codes(self, room: str = "gym") -> list[str]:
        return [reason.code for reason in self.watch.states[room].reasons]

    def people(self, room: str) -> int | None:
        people = self.watch.states[room].people
        return None if people is None else people.estimate

    def looked(self, people: int) -> None:
        said = Override(
            1, "gym", OverrideKind.LOOKED, people, "", "Li", self.now, self.now + 3_600_000
        )
        self.watch.override("gym", (said,), self.now)


def counted_gym() -> House:
    return House(gate=Placement(door="inner"), eye=Placement(room="gym"))


def prove_empty(house: House) -> None:
    house.say("gate", people_in=100, people_out=90)
    house.clear("eye", 2, people_in=100, people_out=90)


def test_totals_of_a_door_say_nothing_of_how_many_were_there_before() -> None:
    house = counted_gym()
    house.say("gate", people_in=100, people_out=90)
    assert house.gym().people is None
    house.say("gate", people_in=101, people_out=90)
    assert house.gym().status is Status.IN_USE
    assert house.gym().people is None


def test_people_who_pass_a_door_are_in_the_other_room_then() -> None:
    house = House(
        gate=Placement(door="inner"),
        front=Placement(door="front"),
        eye=Placement(room="gym"),
        hall_eye=Placement(room="hall"),
    )
    for _ in range(3):
        house.say("gate", people_in=5, people_out=5)
        house.say("front", people_in=50, people_out=50)
        house.say("eye", presence=0)
        house.say("hall_eye", presence=0)
        house.wait(1)
    house.say("hall_eye", presence=1)
    house.say("front", people_in=53, people_out=50)
    assert (house.people("hall"), house.people("gym")) == (3, 0)
    house.say("eye", presence=1)
    house.say("gate", people_in=7, people_out=5)
    assert (house.people("hall"), house.people("gym")) == (1, 2)


def test_a_total_that_begins_anew_counts_on_and_proves_nothing() -> None:
    house = counted_gym()
    prove_empty(house)
    house.say("eye", presence=1)
    house.say("gate", people_in=104, people_out=90)
    assert house.people("gym") == 4
    house.say("gate", people_in=1, people_out=0)
    assert house.gym().people is None, "how many passed while it was down?"
    assert house.gym().status is Status.IN_USE


def test_in_and_out_of_one_message_are_taken_together() -> None:
    house = counted_gym()
    prove_empty(house)
    house.say("eye", presence=1)
    house.say("gate", people_out=93, people_in=104)
    assert house.people("gym") == 1


def test_doubt_grows_with_everybody_who_passes() -> None:
    house = counted_gym()
    prove_empty(house)
    house.say("eye", presence=1)
    width = []
    for passed in range(1, 21):
        house.say("gate", people_in=100 + passed, people_out=90 + passed // 2)
        people = house.gym().people
        assert people is not None
        width.append(people.high - people.estimate)
    assert width == sorted(width)
    assert width[-1] > width[0]


def test_a_counter_that_is_off_is_set_to_zero_where_a_radar_sees_nobody_and_it_is_recorded() -> (
    None
):
    house = counted_gym()
    prove_empty(house)
    house.say("eye", presence=1)
    house.say("gate", people_in=103, people_out=90)
    house.wait(1)
    house.say("gate", people_in=103, people_out=91)  # two left side by side
    house.clear("eye", 3, people_in=103, people_out=91)
    assert house.gym().status is Status.UNKNOWN
    assert "disagree" in house.codes()
    house.clear("eye", 9, people_in=103, people_out=91)
    assert house.gym().status is Status.FREE
    assert "counter_zeroed" in house.codes()
    record = house.zeroed[-1]
    assert (record.room, record.devices, record.off_by) == ("gym", ("gate",), 2)
    assert house.watch.zeroings["gym"][-1] is record
    house.say("eye", presence=1)
    house.say("gate", people_in=104, people_out=91)
    assert house.people("gym") == 1


def test_a_radar_that_does_not_see_who_was_counted_in_proves_nothing() -> None:
    house = counted_gym()
    prove_empty(house)
    assert house.gym().status is Status.FREE
    house.wait(2)
    house.say("gate", people_in=101, people_out=90)
    house.clear("eye", 60, people_in=101, people_out=90)
    assert house.gym().status is Status.IN_USE
    assert not any(record.off_by for record in house.zeroed)


def test_a_door_that_somebody_looks_in_at_takes_nobody_out() -> None:
    house = House(
        pir=Placement(room="gym"), gate=Placement(door="inner"), door=Placement(door="inner")
    )
    sleeper_comes(house)
    for _ in range(3):
        house.say("door", contact=1)
        house.say("pir", motion=1)  # who looks in is seen himself
        house.wait(0.05)
        house.say("door", contact=0)
        house.wait(0.95)
        house.say("pir", motion=0)
        still(house, 40)
        assert house.gym().status is Status.IN_USE


def test_who_walks_to_the_door_has_left_when_the_hold_is_over() -> None:
    house = House(pir=Placement(room="gym"), door=Placement(door="inner"))
    sleeper_comes(house)
    house.say("pir", motion=1)
    house.wait(0.1)
    house.say("door", contact=1)
    house.wait(0.1)
    house.say("door", contact=0)
    house.wait(0.8)
    house.say("pir", motion=0)
    still(house, 45)
    assert house.gym().status is Status.FREE


def sleeper_comes(house: House) -> None:
    house.say("pir", motion=0)
    house.say("door", contact=0)
    house.wait(1)
    house.say("door", contact=1)
    house.say("pir", motion=1)
    house.wait(0.1)
    house.say("door", contact=0)
    house.wait(3)
    house.say("pir", motion=0)
    still(house, 15)


def still(house: House, minutes: int) -> None:
    for _ in range(minutes // 5):
        house.wait(5)
        house.say("pir", motion=0)
        house.say("door", contact=0)


def test_openings_in_a_row_that_a_motion_sensor_does_not_see_show_that_it_is_blind() -> None:
    house = House(pir=Placement(room="gym"), door=Placement(door="inner"))
    sleeper_comes(house)
    house.say("pir", motion=1)
    house.wait(0.1)
    for value in (1, 0):
        house.say("door", contact=value)
        house.wait(0.1)
    house.wait(0.8)
    house.say("pir", motion=0)
    still(house, 45)
    assert house.gym().status is Status.FREE
    for _ in range(3):
        for value in (1, 0):
            house.say("door", contact=value)
            house.wait(0.2)
    still(house, 45)
    assert house.gym().status is Status.UNKNOWN
    assert "saw_nobody_pass" in house.codes()


def test_a_look_stands_for_a_quarter_of_an_hour_where_no_sensor_does() -> None:
    house = House()
    house.looked(people=0)
    assert house.gym().status is Status.FREE
    assert house.codes() == ["looked_empty"]
    house.wait(14.9)
    assert house.gym().status is Status.FREE
    house.wait(0.1)
    assert house.gym().status is Status.UNKNOWN


def test_whoever_is_seen_after_a_look_has_come_since() -> None:
    house = House(eye=Placement(room="gym"))
    house.looked(people=0)
    house.wait(1)
    house.say("eye", presence=1)
    house.wait(3)
    house.say("eye", presence=1)
    assert house.gym().status is Status.IN_USE


def test_a_door_that_moves_after_a_look_ends_it() -> None:
    house = House(door=Placement(door="inner"))
    house.say("door", contact=0)
    house.looked(people=0)
    house.wait(2)
    house.say("door", contact=1)
    assert house.gym().status is Status.UNKNOWN


def test_people_who_were_seen_by_staff_make_a_radar_that_sees_none_a_liar() -> None:
    house = House(eye=Placement(room="gym"))
    house.clear("eye", 2)
    house.wait(2)
    house.looked(people=12)
    assert house.gym().status is Status.IN_USE
    assert house.people("gym") == 12
    house.clear("eye", 90)
    assert house.gym().status is Status.UNKNOWN
    assert "saw_nobody_pass" in house.codes()


def test_somebody_in_a_closed_room_and_its_open_door_are_reasons() -> None:
    house = House(eye=Placement(room="gym"), door=Placement(door="inner"))
    house.hours.now = Slot(is_open=False, reasons=(Text("closed_hours"),))
    house.say("door", contact=1)
    house.say("eye", presence=1)
    assert house.gym().status is Status.CLOSED
    assert house.gym().presence is Presence.PRESENT
    wanted = ["closed_hours", "present_while_closed", "radar_present", "open_while_closed"]
    assert house.codes() == wanted


def test_stillness_between_shut_doors_teaches_how_long_people_keep_still_and_a_replay_agrees() -> (
    None
):
    def day() -> int:
        house = House(pir=Placement(room="gym"), door=Placement(door="inner"))
        sleeper_comes(house)
        house.say("pir", motion=1)
        house.wait(1)
        house.say("pir", motion=0)
        return house.watch.holds()["gym"]

    assert day() > 10 * MINUTE
    assert day() == day()


def test_a_night_without_anybody_sets_the_counters_right_and_leaves_a_record() -> None:
    house = House(gate=Placement(room="gym"), eye=Placement(room="hall"))
    house.say("gate", people_count=0)
    house.say("gate", people_count=3)
    house.wait(600)
    house.say("gate", people_count=3)
    house.watch.prove_empty("gym", house.now)
    house.watch.prove_empty("hall", house.now)  # nothing counts there

    (record,) = house.zeroed
    assert (record.room, record.off_by, record.proof) == ("gym", 3, "night_empty")
    assert house.people("gym") == 0
