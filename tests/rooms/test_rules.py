"""The truth table of ARCHITECTURE section 7, row by row."""

from __future__ import annotations

import pytest

from device_drivers.contract import Quality, Value
from edge.reading import Reading, TimeSource
from hub.domain.opening import OPEN
from hub.domain.room import Override, RoomState, Status
from hub.rooms.evidence import Contact, Counter, Eye, Kind, Line, Witness
from hub.rooms.plan import Plan
from hub.rooms.rules import Verdict, judge

MINUTE = 60_000
START = 1_800_000_000_000
DOOR = "door"
PIR_AND_DOOR = (Kind.MOTION, Kind.DOOR)
CHANNEL = {
    Kind.RADAR: "presence",
    Kind.MOTION: "motion",
    Kind.DOOR: "contact",
    Kind.COUNT: "people.count",
}


class Scene:
    """A room with sensors, and a clock that only moves when told."""

    def __init__(
        self, kind: str = "meeting", capacity: int | None = 10, zones: tuple[str, ...] = ()
    ) -> None:
        self.now = START
        self.plan = Plan("room", kind, capacity, zones)
        self.said: tuple[Override, ...] = ()
        self.slot = OPEN

    def sensor(
        self,
        kind: Kind,
        proof_within: int = 10 * MINUTE,
        zone: str | None = None,
        silent_after: int = 25 * 60 * MINUTE,
    ) -> str:
        name = f"{kind.value}{len(self.plan.lines)}"
        line = Line(name, proof_within, silent_after, known_ms=self.now)
        witness = self._witness(line, kind, zone)
        self.plan.call(witness)
        line.witnesses.append(witness)
        self.plan.lines.append(line)
        return name

    def _witness(self, line: Line, kind: Kind, zone: str | None) -> Witness:
        if kind is Kind.DOOR:
            return Contact(line, kind, self.plan, line.device)
        if kind is Kind.COUNT:
            return Counter(line, kind, self.plan, zone=zone)
        return Eye(line, kind, self.plan, zone=zone)

    def line(self, name: str) -> Line:
        return next(line for line in self.plan.lines if line.device == name)

    def say(
        self,
        name: str,
        value: Value,
        quality: Quality = Quality.GOOD,
        source: TimeSource = TimeSource.HUB,
    ) -> None:
        line = self.line(name)
        for witness in line.witnesses:
            channel = CHANNEL[witness.kind]
            reading = Reading(
                name, channel, "", value, "1", quality, "", self.now, self.now, source
            )
            if reading.is_live:
                line.hear(self.now)
            witness.take(reading)
        self.plan.settle()
        self.judge()

    def keep_saying(self, name: str, value: Value, minutes: float) -> None:
        """A sensor that streams: a word each 4 s."""
        for _ in range(round(minutes * 15)):
            self.now += 4_000
            self.say(name, value)

    def all_say(self, minutes: float, **values: int) -> None:
        """Sensors that repeat themselves every minute."""
        for _ in range(round(minutes)):
            self.now += MINUTE
            for name, value in values.items():
                self.say(name, value)

    def wait(self, minutes: float) -> None:
        self.now += round(minutes * MINUTE)

    def judge(self) -> Verdict:
        """What the watch does after each word and each look."""
        verdict = judge(self.plan, self.now, None, self.slot, self.said)
        if verdict.disproves_count is not None:
            self.plan.zero(self.now, verdict.disproves_count)
            verdict = judge(self.plan, self.now, None, self.slot, self.said)
        return verdict

    def look(self) -> RoomState:
        return self.judge().state

    def status(self) -> Status:
        return self.look().status

    def codes(self) -> set[str]:
        return {reason.code for reason in self.look().reasons}

    def doubts(self) -> set[str]:
        """Why, without what would help."""
        return {code for code in self.codes() if not code.startswith("would_help")}


def test_a_room_without_sensors_is_unknown() -> None:
    assert Scene().status() is Status.UNKNOWN


def test_a_radar_that_detects_is_somebody() -> None:
    scene = Scene()
    radar = scene.sensor(Kind.RADAR, proof_within=5_000)
    scene.say(radar, 1)
    assert scene.status() is Status.IN_USE
    assert scene.codes() == {"radar_present"}


def test_a_radar_proves_emptiness_after_its_hold_and_while_it_speaks() -> None:
    scene = Scene()
    radar = scene.sensor(Kind.RADAR, proof_within=5_000)
    scene.say(radar, 0)
    assert scene.codes() == {"waiting_for_proof"}
    scene.keep_saying(radar, 0, minutes=1)
    assert scene.status() is Status.FREE
    scene.now += 5_000
    assert scene.status() is Status.UNKNOWN
    assert scene.codes() == {"stale"}
    scene.say(radar, 0)
    assert scene.codes() == {"waiting_for_proof"}, "who came in while it was silent?"


def test_a_radar_of_one_zone_does_not_speak_for_the_room() -> None:
    scene = Scene(zones=("a", "b"))
    one = scene.sensor(Kind.RADAR, zone="a")
    scene.say(one, 0)
    scene.wait(1)
    assert scene.status() is Status.UNKNOWN
    assert [zone.status for zone in scene.look().zones] == [Status.FREE, Status.UNKNOWN]
    two = scene.sensor(Kind.RADAR, zone="b")
    scene.say(two, 0)
    scene.wait(1)
    assert scene.status() is Status.FREE


def test_a_counter_proves_emptiness_only_after_it_was_proven_right() -> None:
    scene = Scene()
    counter = scene.sensor(Kind.COUNT)
    scene.say(counter, 0)
    assert scene.codes() == {"count_not_rezeroed", "would_help_look"}
    scene.plan.zero(scene.now, "radar_clear")
    assert scene.status() is Status.FREE


def test_a_count_of_zero_takes_nobody_out_who_may_keep_still() -> None:
    scene = Scene("living_room")
    pir, door, counter = (scene.sensor(k, 120 * MINUTE) for k in (*PIR_AND_DOOR, Kind.COUNT))
    for sensor in (pir, door, counter):
        scene.say(sensor, 0)
    scene.plan.zero(scene.now, "radar_clear")
    scene.wait(1)
    scene.say(pir, 1)
    scene.say(door, 1)
    scene.say(counter, 1)  # two came side by side
    scene.wait(1)
    scene.say(door, 0)
    scene.wait(20)
    scene.say(door, 1)
    scene.say(counter, 0)  # one of them goes
    scene.wait(0.1)
    scene.say(door, 0)
    scene.say(pir, 0)
    assert scene.status() is Status.IN_USE
    scene.all_say(44, **{pir: 0})
    assert scene.status() is Status.IN_USE
    scene.all_say(3, **{pir: 0})
    assert scene.status() is Status.FREE


def test_people_are_counted_against_the_capacity() -> None:
    scene = Scene(capacity=4)
    counter = scene.sensor(Kind.COUNT)
    scene.say(counter, 3)
    assert scene.status() is Status.IN_USE
    scene.say(counter, 4)
    state = scene.look()
    assert state.status is Status.FULL
    assert state.people is not None
    assert (state.people.low, state.people.estimate, state.people.high) == (3, 4, 5)


def test_somebody_who_sits_still_behind_a_shut_door_is_not_forgotten() -> None:
    scene = Scene()
    pir, door = scene.sensor(Kind.MOTION), scene.sensor(Kind.DOOR)
    scene.say(pir, 0)
    scene.say(door, 0)
    scene.say(door, 1)
    scene.wait(0.1)
    scene.say(pir, 1)
    scene.say(door, 0)
    scene.wait(1)
    scene.say(pir, 0)
    for _ in range(20):
        scene.wait(9)
        scene.say(pir, 0)
        scene.say(door, 0)
        assert scene.status() is Status.IN_USE
    assert scene.codes() == {"still_person"}


def _left(scene: Scene) -> tuple[str, str]:
    """Somebody moved, then went out and shut the door."""
    pir, door = scene.sensor(Kind.MOTION), scene.sensor(Kind.DOOR)
    scene.say(pir, 0)
    scene.say(door, 0)
    scene.say(pir, 1)
    scene.wait(1)
    scene.say(pir, 0)
    scene.say(door, 1)
    scene.wait(0.1)
    scene.say(door, 0)
    return pir, door


def test_a_room_that_was_left_is_free_after_the_hold() -> None:
    scene = Scene()
    pir, door = _left(scene)
    assert scene.status() is Status.IN_USE, "still within the hold"
    scene.wait(9)
    scene.say(pir, 0)
    scene.say(door, 0)
    assert scene.status() is Status.IN_USE
    scene.wait(1)
    assert scene.status() is Status.FREE
    assert scene.codes() == {"door_opened_after_motion", "no_motion"}


def test_silence_of_a_motion_sensor_that_died_when_the_door_moved_proves_nothing() -> None:
    scene = Scene()
    _, door = _left(scene)
    scene.wait(9.5)
    scene.say(door, 0)
    scene.wait(0.5)
    # the sensor last spoke just before the door moved; its word is ten minutes old now
    assert scene.status() is not Status.FREE


def test_an_open_door_leaves_a_room_where_people_sit_unknown() -> None:
    scene = Scene()
    pir, door = _left(scene)
    scene.say(door, 1)
    for _ in range(3):
        scene.wait(5)
        scene.say(pir, 0)
        scene.say(door, 1)
    assert scene.status() is Status.UNKNOWN
    assert "door_open" in scene.codes()


@pytest.mark.parametrize(
    ("kind", "expected"), [("corridor", Status.FREE), ("reading_room", Status.UNKNOWN)]
)
def test_motion_alone_proves_emptiness_only_where_nobody_sits(kind: str, expected: Status) -> None:
    scene = Scene(kind)
    pir = scene.sensor(Kind.MOTION)
    scene.say(pir, 1)
    assert scene.status() is Status.IN_USE
    scene.say(pir, 0)
    scene.wait(4)
    assert scene.status() is Status.IN_USE
    scene.say(pir, 0)
    scene.wait(6)
    scene.say(pir, 0)
    assert scene.status() is expected


def test_a_door_alone_never_proves_anything() -> None:
    scene = Scene()
    door = scene.sensor(Kind.DOOR)
    for value in (0, 1, 0):
        scene.say(door, value)
        scene.wait(1)
        assert scene.status() is Status.UNKNOWN


def test_sensors_that_contradict_each_other_for_long_make_it_unknown() -> None:
    scene = Scene()
    radar, counter = scene.sensor(Kind.RADAR), scene.sensor(Kind.COUNT)
    scene.say(radar, 0)
    scene.wait(1)
    scene.say(counter, 2)
    assert scene.status() is Status.IN_USE, "one of two sensors is always later"
    scene.wait(2)
    assert scene.status() is Status.UNKNOWN
    assert "disagree" in scene.codes()


@pytest.mark.parametrize("source", [TimeSource.RETAINED, TimeSource.QUEUED])
def test_what_a_broker_remembers_is_no_evidence(source: TimeSource) -> None:
    scene = Scene()
    radar = scene.sensor(Kind.RADAR)
    scene.say(radar, 0, source=source)
    scene.wait(2)
    assert scene.status() is Status.UNKNOWN
    assert scene.codes() == {source.value, "not_heard_since_start"}


def test_a_lost_link_ends_a_proof_at_once_and_its_return_brings_none_back() -> None:
    scene = Scene()
    radar = scene.sensor(Kind.RADAR)
    scene.say(radar, 0)
    scene.wait(1)
    assert scene.status() is Status.FREE
    scene.plan.lines[0].lose("mqtt", "link_lost")
    assert scene.codes() == {"link_lost"}
    scene.plan.lines[0].lose("bridge", "parent_down")
    scene.now += 1
    scene.plan.lines[0].find_again("bridge", scene.now)
    assert scene.codes() == {"link_lost"}, "one of two causes is left"
    scene.plan.lines[0].find_again("mqtt", scene.now)
    assert scene.status() is Status.UNKNOWN, "somebody may have come in meanwhile"
    scene.say(radar, 0)
    assert scene.status() is Status.UNKNOWN
    scene.wait(1)
    assert scene.status() is Status.FREE


def test_a_motion_sensor_that_was_dead_when_somebody_came_in_proves_nothing_when_it_returns() -> (
    None
):
    scene = Scene()
    pir, door = scene.sensor(Kind.MOTION), scene.sensor(Kind.DOOR)
    scene.say(pir, 1)
    scene.say(door, 0)
    scene.say(pir, 0)
    scene.wait(5)
    for value in (1, 0):  # somebody comes in and sits down; the sensor has just died
        scene.say(door, value)
        scene.wait(0.1)
    for _ in range(3):
        scene.wait(5)
        scene.say(door, 0)
    scene.say(pir, 0)
    assert scene.status() is not Status.FREE
    for _ in range(5):
        scene.wait(5)
        scene.say(door, 0)
        scene.say(pir, 0)
        assert scene.status() is not Status.FREE


def test_after_the_clock_was_set_nothing_from_before_counts() -> None:
    scene = Scene()
    radar = scene.sensor(Kind.RADAR)
    scene.say(radar, 0)
    scene.wait(1)
    assert scene.status() is Status.FREE
    scene.plan.lines[0].forget(scene.now)
    assert scene.status() is Status.UNKNOWN
    scene.now -= 3_600_000
    scene.say(radar, 0)
    assert scene.status() is Status.UNKNOWN
    scene.wait(1)
    assert scene.status() is Status.FREE


def test_it_is_looked_at_again_just_when_the_proof_ends() -> None:
    scene = Scene()
    radar = scene.sensor(Kind.RADAR, proof_within=5_000)
    scene.say(radar, 0)
    scene.keep_saying(radar, 0, minutes=1)
    verdict = judge(scene.plan, scene.now)
    due = scene.now + 5_000
    assert verdict.due_ms == verdict.state.valid_until_ms == due
    assert judge(scene.plan, due - 1).state.status is Status.FREE
    assert judge(scene.plan, due).state.status is Status.UNKNOWN
