"""A broken sensor never frees a room: two rooms with bays and a door between them, and their watch.

The properties of a single room are in ``test_rules_properties.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.centre import OUTSIDE, Centre, Device, Door, Placement, Room, Zone
from hub.domain.device import Health
from hub.domain.events import HealthChanged, Heard, LinkChanged
from hub.domain.opening import OPEN, Slot
from hub.domain.room import Override, OverrideKind, RoomState, Status
from hub.domain.series import Series, SeriesKey
from hub.rooms.watch import Watch

MINUTE = 60_000
START = 1_800_000_000_000
SILENT_MIN = 30
ROOMS = ("hall", "gym")
PLACES = {
    "hall-radar": Placement(room="hall"),
    "gym-radar": Placement(room="gym"),
    "gym-pir": Placement(room="gym"),
    "near": Placement(room="gym", zone="a"),
    "far": Placement(room="gym", zone="b"),
    "front": Placement(door="front"),
    "inner": Placement(door="inner"),
    "gate": Placement(door="inner"),
    "window": Placement(room="gym"),
    "air": Placement(room="gym"),
}
CHANNEL = {
    "gym-pir": "motion",
    "front": "contact",
    "inner": "contact",
    "window": "contact",
    "gate": "people.in",
    "air": "temperature",
}
LIVE = TimeSource.HUB
REMEMBERED = ("retained", "queued", "offline")
OUT = ("bad", "retained", "queued", "faulty", "cut", "offline")


class House:
    """A hall, and a gym with two bays behind it."""

    def __init__(
        self, devices: Iterable[str], kind: str = "gym", known: Iterable[Series] = ()
    ) -> None:
        bays = (Zone("a", {"en": "A"}), Zone("b", {"en": "B"}))
        rooms = (
            Room("hall", {"en": "Hall"}, "main", 1, "service_hall", 50),
            Room("gym", {"en": "Gym"}, "main", 1, kind, 20, bays),
        )
        doors = (Door("front", ("hall", OUTSIDE)), Door("inner", ("gym", "hall")))
        self.devices = tuple(sorted(devices))
        placed = tuple(
            Device(name, "any", {"": PLACES[name]}, "built", SILENT_MIN * MINUTE, 10 * MINUTE)
            for name in self.devices
        )
        self.now = START
        self.told: list[tuple[int, RoomState]] = []
        centre = Centre("c", {"en": "C"}, "UTC", (), rooms, doors, placed)
        self.watch = Watch(centre, OpenHours(), lambda state: self.told.append((self.now, state)))
        self.watch.begin(known, (), self.now)

    def wait(self, minutes: float) -> None:
        """The clock goes on; the watch looks when it said it would."""
        end = self.now + round(minutes * MINUTE)
        while (due := self.watch.agenda.next_ms) is not None and due <= end:
            self.now = due
            self.watch.advance(due)
        self.now = end

    def say(self, device: str, value: int, how: str = "live") -> None:
        if how == "cut":
            self.watch.link(LinkChanged("mqtt", frozenset({device}), False, "", False, self.now))
            return
        if how == "faulty":
            self.watch.health(HealthChanged(device, Health.FAULTY, self.now))
        channel = "online" if how == "offline" else CHANNEL.get(device, "presence")
        value = 0 if how == "offline" else value
        way = TimeSource({"offline": "retained"}.get(how, how)) if how in REMEMBERED else LIVE
        quality = Quality.BAD if how == "bad" else Quality.GOOD
        said = Reading(device, channel, "", value, "1", quality, "", self.now, self.now, way)
        self.watch.hear(Heard(device, (said,), self.now, said.is_live, True))

    def go_on(self, minutes: int, *devices: str) -> None:
        """These see nobody, and say so each minute."""
        for _ in range(minutes):
            for device in devices:
                self.say(device, 0)
            self.wait(1)

    def looked(self, room: str = "gym", people: int = 0) -> None:
        end = self.now + 60 * MINUTE
        said = Override(1, room, OverrideKind.LOOKED, people, "", "Li", self.now, end)
        self.watch.override(room, (said,), self.now)

    def status(self, room: str = "gym") -> Status:
        return self.watch.states[room].status

    def codes(self, room: str = "gym") -> list[str]:
        return [reason.code for reason in self.watch.states[room].reasons]


class OpenHours:
    def slot(self, room: str, at_ms: int) -> Slot:
        return OPEN


def radar_and_door() -> House:
    house = House(("gym-radar", "inner"))
    house.say("inner", 0)
    house.go_on(3, "gym-radar")
    assert house.status() is Status.FREE
    return house


def test_a_contact_that_has_nothing_to_say_leaves_a_room_free() -> None:
    house = radar_and_door()
    house.go_on(SILENT_MIN - 4, "gym-radar")
    assert house.now - START > 10 * MINUTE, "its word proves nothing any more"
    assert house.status() is Status.FREE


def test_a_room_turns_unknown_at_the_moment_at_which_a_sensor_is_silent() -> None:
    house = radar_and_door()
    house.go_on(2 * SILENT_MIN, "gym-radar")
    at_ms, state = house.told[-1]
    assert at_ms == START + SILENT_MIN * MINUTE
    assert state.status is Status.UNKNOWN
    assert state.confidence is None
    assert state.reasons[0].code == "sensor_out"
    assert state.reasons[0].params["device"] == "inner"
    assert house.codes()[1:] == ["silent", "radar_clear", "would_help_repair", "would_help_look"]
    house.say("inner", 0)
    house.go_on(1, "gym-radar")
    assert house.status() is Status.FREE


def test_the_repeats_of_the_others_cost_no_look_meanwhile() -> None:
    house = radar_and_door()
    house.say("inner", 0, "bad")
    assert house.status() is Status.UNKNOWN
    as_of_ms = house.watch.states["gym"].as_of_ms
    house.now += 1_000
    house.say("gym-radar", 0)
    assert house.watch.states["gym"].as_of_ms == as_of_ms


@pytest.mark.parametrize("how", OUT)
def test_a_door_of_two_rooms_concerns_both(how: str) -> None:
    house = House(("gym-radar", "hall-radar", "inner"))
    house.say("inner", 0)
    house.go_on(3, "gym-radar", "hall-radar")
    assert [house.status(room) for room in ROOMS] == [Status.FREE] * 2
    house.say("inner", 0, how)
    house.go_on(5, "gym-radar", "hall-radar")
    assert [house.status(room) for room in ROOMS] == [Status.UNKNOWN] * 2
    assert house.codes("hall")[0] == house.codes("gym")[0] == "sensor_out"


def test_what_the_rules_do_not_ask_may_break() -> None:
    house = House(("gym-radar", "inner", "window", "air"))
    for device in ("inner", "window", "air"):
        house.say(device, 0)
    house.go_on(3, "gym-radar")
    for device in ("window", "air"):
        house.say(device, 0, "bad")
    house.go_on(2, "gym-radar")
    assert house.status() is Status.FREE


def test_a_link_that_is_back_needs_no_new_word_of_a_contact() -> None:
    house = radar_and_door()
    house.say("inner", 0, "cut")
    assert house.status() is Status.UNKNOWN
    assert house.codes()[:2] == ["sensor_out", "link_lost"]
    back = LinkChanged("mqtt", frozenset({"inner"}), True, "", False, house.now)
    house.watch.link(back)
    assert house.status() is Status.FREE


def test_a_word_that_was_only_remembered_counts_as_missed_until_the_next_live_one() -> None:
    house = radar_and_door()
    house.say("inner", 0, "retained")
    house.go_on(3, "gym-radar")
    assert house.codes()[:2] == ["sensor_out", "retained"]
    house.say("inner", 0)
    assert house.status() is Status.FREE


def test_a_bay_is_not_free_by_a_sensor_that_is_out_nor_while_one_of_the_whole_room_is() -> None:
    house = House(("near", "far", "inner"))
    house.say("inner", 0)
    house.go_on(3, "near", "far")
    assert _bays(house) == [Status.FREE, Status.FREE]
    house.say("far", 0, "bad")
    house.go_on(3, "near")
    assert house.status() is Status.UNKNOWN
    assert _bays(house) == [Status.FREE, Status.UNKNOWN]
    house.say("inner", 0, "bad")
    house.go_on(3, "near")
    assert _bays(house) == [Status.UNKNOWN, Status.UNKNOWN]


def _bays(house: House) -> list[Status]:
    return [bay.status for bay in house.watch.states["gym"].zones]


def test_a_person_who_looked_is_believed_without_the_sensor_and_nobody_else_by_him() -> None:
    house = radar_and_door()
    house.say("inner", 0, "bad")
    house.looked()
    assert house.status() is Status.FREE
    assert house.codes() == ["looked_empty"]
    assert house.watch.states["gym"].confidence is None
    house.go_on(16, "gym-radar")
    assert house.status() is Status.UNKNOWN


def test_a_look_says_nothing_of_who_came_after_it_if_none_shows_that_he_left() -> None:
    house = House(("gym-radar", "gym-pir", "near"))
    all_three = house.devices
    house.go_on(3, *all_three)
    house.looked()
    house.go_on(2, *all_three)
    house.say("gym-pir", 1)
    house.say("gym-radar", 1)
    house.wait(0.1)
    house.go_on(3, *all_three)
    assert house.status() is Status.FREE
    house.say("near", 0, "bad")
    assert house.status() is Status.UNKNOWN


def test_somebody_is_somebody_whatever_else_is_out() -> None:
    house = radar_and_door()
    house.say("inner", 0, "bad")
    house.say("gym-radar", 1)
    assert house.status() is Status.IN_USE


def test_counters_are_not_set_right_by_a_room_that_may_not_be_empty() -> None:
    house = House(("gym-radar", "inner", "gate"))
    house.say("inner", 0)
    house.say("inner", 0, "bad")
    for _ in range(20):
        house.say("gate", 5)
        house.go_on(1, "gym-radar")
    assert not house.watch.zeroings
    house.say("inner", 0)
    house.go_on(1, "gym-radar")
    assert house.watch.zeroings


def test_a_sensor_that_was_bad_has_seen_nothing_of_what_came_meanwhile() -> None:
    house = House(("gym-pir",), kind="corridor")
    house.go_on(9, "gym-pir")
    assert house.status() is Status.FREE
    house.say("gym-pir", 0, "bad")
    house.wait(9)
    house.go_on(4, "gym-pir")
    assert house.status() is Status.UNKNOWN
    house.go_on(2, "gym-pir")
    assert house.status() is Status.FREE


def test_the_clock_that_is_set_makes_nobody_silent() -> None:
    house = radar_and_door()
    house.now += 24 * 60 * MINUTE
    house.watch.start_over(house.now)
    house.go_on(SILENT_MIN - 1, "gym-radar")
    assert house.status() is Status.FREE
    house.go_on(2, "gym-radar")
    assert house.codes()[:2] == ["sensor_out", "silent"]


@pytest.mark.parametrize(
    ("before_min", "quality", "status"),
    [
        (5, Quality.GOOD, Status.FREE),
        (SILENT_MIN, Quality.GOOD, Status.UNKNOWN),
        (5, Quality.BAD, Status.UNKNOWN),
    ],
)
def test_a_sensor_is_as_well_after_a_restart_as_it_was_before(
    before_min: int, quality: Quality, status: Status
) -> None:
    series = Series(SeriesKey("inner", "contact"), 1)
    series.value, series.quality, series.reason = 0, quality, ""
    series.until_ms = START - before_min * MINUTE
    house = House(("gym-radar", "inner"), known=(series,))
    house.go_on(3, "gym-radar")
    assert house.status() is status
    house.go_on(SILENT_MIN - before_min, "gym-radar")
    assert house.status() is Status.UNKNOWN


@dataclass(frozen=True)
class Word:
    device: str
    value: int
    wait_s: int


SETS = st.sets(st.sampled_from(sorted(PLACES)), min_size=1, max_size=6)
WORDS = st.lists(
    st.builds(Word, st.sampled_from(sorted(PLACES)), st.integers(0, 1), st.integers(1, 700)),
    min_size=1,
    max_size=30,
)
KINDS = st.sampled_from(["gym", "corridor"])
OF_A_LOOK = ("looked_empty", "counter_zeroed")
ASKED = sorted(set(PLACES) - {"window", "air"})


BETWEEN = {"front": ("hall",), "inner": ROOMS, "gate": ROOMS}


def live(house: House, words: list[Word], looks: int | None, out: str, how: str) -> None:
    """All speak in turn, then those that are not out see nobody for a while."""
    counted = 0
    for number, word in enumerate(words):
        house.wait(word.wait_s / 60)
        if number == looks:
            house.looked()
        if word.device in house.devices and (word.device != out or how):
            counted += word.value if word.device == "gate" else 0
            value = counted if word.device == "gate" else word.value
            house.say(word.device, value, how if word.device == out else "live")
    for _ in range(SILENT_MIN + 10):
        if "gate" in house.devices and out != "gate":
            house.say("gate", counted)
        house.go_on(1, *(device for device in house.devices if device not in ("gate", out)))


def frees(state: RoomState, out: str) -> bool:
    """Is the room free without a look, or a bay that the sensor concerns? It may be elsewhere."""
    place = PLACES[out]
    if state.room not in BETWEEN.get(out, (place.room,)):
        return False
    bays = [bay for bay in state.zones if place.zone in (None, bay.id)]
    if state.reasons and state.reasons[0].code == "looked_empty":
        return any(reason.code not in OF_A_LOOK for reason in state.reasons)
    return Status.FREE in (state.status, *(bay.status for bay in bays))


@given(KINDS, SETS, WORDS, st.none() | st.integers(0, 30), st.sampled_from(OUT), st.data())
@settings(max_examples=600, deadline=None)
def test_no_room_is_ever_free_beside_a_sensor_that_is_out_unless_a_person_looked(
    kind: str,
    devices: set[str],
    words: list[Word],
    looks: int | None,
    how: str,
    data: st.DataObject,
) -> None:
    """What it is was heard of; then it is out, and each state that is told from then on counts."""
    out = data.draw(st.sampled_from(ASKED))
    house = House({*devices, out}, kind)
    house.say(out, data.draw(st.integers(0, 1)))
    house.wait(0.5)
    house.say(out, 0, how)
    live(house, words, looks, out, how)
    assert not [state for _, state in house.told if frees(state, out)]


@given(KINDS, SETS, WORDS, st.sampled_from(ASKED))
@settings(max_examples=600, deadline=None)
def test_silence_is_found_at_its_moment_in_every_room(
    kind: str, devices: set[str], words: list[Word], out: str
) -> None:
    """It spoke once, and well. Nobody needs to speak for its silence to be found: what was free
    until then is told at that moment to be free no more."""
    house = House({*devices, out}, kind)
    house.say(out, 0)
    silent_ms = START + SILENT_MIN * MINUTE
    live(house, words, None, out, "")
    assert house.now > silent_ms
    assert not [state for at_ms, state in house.told if at_ms >= silent_ms and frees(state, out)]
    for room in ROOMS:
        states = [(at_ms, state) for at_ms, state in house.told if state.room == room]
        before = [state for at_ms, state in states if at_ms < silent_ms]
        if frees(before[-1], out):
            assert min(at_ms for at_ms, _ in states if at_ms >= silent_ms) == silent_ms
