"""What devices say of what happens, read by the real drivers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from simulator.centre import Centre, Device
from simulator.faults import AT_ONCE, Fault
from simulator.house import House
from simulator.mqtt_devices import (
    AirSensor,
    ClimateSensor,
    DoorContact,
    MotionSensor,
    PeopleCounter,
    TasmotaDevice,
    kind_of,
)
from simulator.serial_devices import Radar
from simulator.wires.mqtt import Publication
from simulator.world import SECOND
from tests.simulator.reading import MORNING_MS, demo_centre, from_mqtt, from_serial, values

EMPTY_KINDS = "other"


def moved(centre: Centre, folder: Path, *, empty: bool) -> Centre:
    """The demo's centre with its serial lines in a folder; ``empty``: a house nobody comes to."""
    devices = tuple(
        msgspec.structs.replace(d, serial=str(folder / Path(d.serial).name)) if d.serial else d
        for d in centre.devices
    )
    rooms = tuple(
        msgspec.structs.replace(room, kind=EMPTY_KINDS) if empty else room for room in centre.rooms
    )
    return msgspec.structs.replace(centre, devices=devices, rooms=rooms)


class Lived:
    """A house, and everything it published."""

    def __init__(self, folder: Path, *, empty: bool = False) -> None:
        self.sent: list[Publication] = []
        self.house = House(
            moved(demo_centre(), folder, empty=empty), 1, MORNING_MS, self.sent.append
        )
        if empty:  # nobody but the cleaner would come: send even him home
            self.house.world._where.clear()
            self.house.world._due.clear()
        self.now_ms = MORNING_MS
        self.house.start()
        self.house.greet()

    def live(self, seconds: float) -> None:
        end_ms = self.now_ms + int(seconds * SECOND)
        while self.now_ms < end_ms:
            self.now_ms = min(self.now_ms + SECOND, end_ms)
            self.house.advance(self.now_ms)

    def said(self, device: str) -> list[dict[str, object]]:
        item = self.house.devices[device].device
        return [
            dict(values(from_mqtt(item.driver, item.topic or "", sent)))
            for sent in self.sent
            if f"/{item.topic}/" in f"/{sent.topic}/"
        ]


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Lived]:
    lived = Lived(tmp_path, empty=True)
    yield lived
    lived.house.stop()


def test_the_demo_has_sixty_devices_in_twelve_rooms_on_four_floors_in_two_houses() -> None:
    centre = demo_centre()
    assert len(centre.devices) == 60
    assert len(centre.rooms) == 12
    assert {room.floor for room in centre.rooms} == {1, 2, 3, 4}
    assert {room.building for room in centre.rooms} == {"main", "annex"}
    assert len([r for r in centre.rooms if r.zones]) == 1


def test_every_device_of_the_demo_is_played(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    assert lived.house.devices.keys() == {device.id for device in demo_centre().devices}
    lived.house.stop()


def test_every_mqtt_device_speaks_within_the_quick_minutes_and_stays_fresh(tmp_path: Path) -> None:
    """Ten minutes without a word, and its silence proves nothing: none may be that quiet."""
    lived = Lived(tmp_path)
    heard: dict[str, int] = {}
    for _ in range(0, 1800, 10):
        lived.live(10)
        for sent in lived.sent:
            heard[sent.topic] = lived.now_ms
        lived.sent.clear()
        if lived.now_ms > MORNING_MS + 160 * SECOND:
            for item in lived.house.mqtt:
                topic = item.topic if item.device.driver == "zigbee2mqtt" else None
                topic = topic or f"tele/{item.topic}/SENSOR"
                if item.fault is None and lived.now_ms < MORNING_MS + 700 * SECOND:
                    assert lived.now_ms - heard[topic] < 600 * SECOND
    lived.house.stop()


def test_a_door_is_told_open_and_shut(quiet: Lived) -> None:
    quiet.house.open_door("gym-door")
    quiet.live(30)
    assert [said["contact"] for said in quiet.said("gym-door") if "contact" in said][:2] == [1, 0]


def test_the_tasmota_door_too(quiet: Lived) -> None:
    quiet.house.open_door("storage-door")
    quiet.live(30)
    told = [s["contact.switch1"] for s in quiet.said("storage-door") if "contact.switch1" in s]
    assert told[:2] == [1, 0]


def test_motion_is_told_and_cleared_after_its_timeout(quiet: Lived) -> None:
    quiet.house.let_someone_in("meeting")
    quiet.live(30)
    assert quiet.said("meeting-motion")[-1]["motion"] == 1
    quiet.live(90)
    assert quiet.said("meeting-motion")[-1]["motion"] == 0


def test_motion_is_repeated_by_movement_never_by_the_clock(quiet: Lived) -> None:
    quiet.house.let_someone_in("meeting")
    quiet.live(45)
    moving = [said for said in quiet.said("meeting-motion") if said.get("motion") == 1]
    assert len(moving) == 1


def test_radar_sees_who_comes_and_forgets_him_after_its_absence_timeout(quiet: Lived) -> None:
    radar = quiet.house.devices["meeting-radar"]
    assert isinstance(radar, Radar)

    def sees() -> object:
        (message,) = from_serial("ld2410", radar._look(quiet.now_ms))
        return values(message)["presence"]

    assert sees() == 0
    quiet.house.let_someone_in("meeting")
    quiet.live(39)
    assert sees() == 1
    quiet.live(3)
    assert sees() == 1
    quiet.live(4)
    assert sees() == 0


def test_counter_says_who_is_inside(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    lived.live(3600)
    told = [said["people.count"] for said in lived.said("hall-count") if "people.count" in said]
    assert told[-1] == lived.house.world.people_in("hall")
    assert len(set(told)) > 2
    lived.house.stop()


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.OFFLINE])
def test_a_silent_sensor_says_nothing_until_it_is_repaired(quiet: Lived, fault: Fault) -> None:
    quiet.live(200)
    quiet.house.break_down("gym-door", fault)
    before = len([s for s in quiet.said("gym-door") if "contact" in s])
    quiet.house.open_door("gym-door")
    quiet.live(900)
    assert len([s for s in quiet.said("gym-door") if "contact" in s]) == before
    quiet.house.repair("gym-door")
    assert quiet.said("gym-door")[-1]["contact"] == 0
    online = [s["online"] for s in quiet.said("gym-door") if "online" in s]
    assert online == ([1, 0, 1] if fault is Fault.OFFLINE else [1])


def test_a_stuck_contact_goes_on_saying_the_same(quiet: Lived) -> None:
    quiet.house.break_down("gym-door", Fault.STUCK)
    quiet.house.open_door("gym-door")
    quiet.live(900)
    told = [said["contact"] for said in quiet.said("gym-door") if "contact" in said]
    assert len(told) >= 3
    assert set(told) == {0}


def test_a_low_battery_is_told(quiet: Lived) -> None:
    quiet.house.break_down("gym-door", Fault.LOW_BATTERY)
    assert quiet.said("gym-door")[-1]["battery.level"] == 3


def test_unplugged_is_gone_from_the_folder_and_comes_back(quiet: Lived, tmp_path: Path) -> None:
    path = tmp_path / "meeting-radar"
    assert os.path.lexists(path)
    quiet.house.break_down("meeting-radar", Fault.UNPLUGGED)
    assert not os.path.lexists(path)
    quiet.house.repair("meeting-radar")
    assert path.exists()


def test_nothing_is_left_when_the_house_stops(quiet: Lived, tmp_path: Path) -> None:
    assert len(list(tmp_path.iterdir())) == 13
    quiet.house.stop()
    assert list(tmp_path.iterdir()) == []


def test_misfortune_waits_for_the_first_minutes_and_everything_is_repaired(tmp_path: Path) -> None:
    lived = Lived(tmp_path)
    broken_at: list[float] = []
    struck: set[str] = set()
    for minute in range(180):
        lived.live(60)
        broken = {name for name, item in lived.house.devices.items() if item.fault}
        assert len(broken) <= AT_ONCE
        struck |= broken
        broken_at += [minute] * bool(broken)
    assert min(broken_at) >= 12
    assert len(struck) > 5
    assert len({name for name, item in lived.house.devices.items() if item.fault} & struck) <= 3
    lived.house.stop()


@pytest.mark.parametrize(
    ("device", "kind"),
    [
        (Device("front", "zigbee2mqtt", door="front", topic="z/a"), DoorContact),
        (Device("gym-door", "zigbee2mqtt", room="gym", topic="z/a"), DoorContact),
        (Device("gym-count", "zigbee2mqtt", room="gym", topic="z/a"), PeopleCounter),
        (Device("gym-air", "zigbee2mqtt", room="gym", topic="z/a"), AirSensor),
        (Device("gym-climate", "zigbee2mqtt", room="gym", topic="z/a"), ClimateSensor),
        (Device("gym-1", "zigbee2mqtt", room="gym", topic="z/a"), MotionSensor),
        (Device("plug", "tasmota", room="gym", topic="plug"), TasmotaDevice),
        (Device("x", "shelly", room="gym", topic="x"), None),
    ],
)
def test_what_a_device_measures_is_told_by_its_place_and_id(
    device: Device, kind: type | None
) -> None:
    assert kind_of(device) is kind
