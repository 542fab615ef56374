from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from hub.domain.centre import Placement
from hub.settings import SettingsError, centre, load, parse
from tests.settings.samples import GOOD, changed


def codes(error: pytest.ExceptionInfo[SettingsError]) -> list[str]:
    return [problem.code for problem in error.value.problems]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "centre.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


def adopt(file: Path, text: str, name: str = "adopted.yaml") -> Path:
    folder = file.parent / "devices.d"
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_what_is_left_out_has_a_default() -> None:
    settings = parse(GOOD)

    assert (settings.http.host, settings.http.port) == ("127.0.0.1", 8080)
    assert settings.storage.path == "data"
    assert settings.access.open is False
    assert settings.mqtt.inflight == 20
    assert settings.rooms[0].floor == 1


def test_sections_may_be_left_open_for_later() -> None:
    settings = parse("mqtt:\ndoors:\nbuildings:\nhttp:\n" + GOOD.replace("doors:", "# doors:", 1)
                     .replace("  - {id: front, b", "  # - {id: front, b")
                     .replace("door: front", "room: hall"))  # fmt: skip

    assert settings.doors == []
    assert settings.http.port == 8080


def test_open_access_is_taken_on_loopback() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.3.2.1"):
        text = f"http: {{host: '{host}'}}\naccess: {{open: true}}\n{GOOD}"
        assert parse(text).access.open is True


def test_a_centre_has_its_rooms_doors_and_an_implied_building() -> None:
    place = centre(parse(GOOD))

    assert [(item.id, item.name) for item in place.buildings] == [
        ("hongmei", {"zh-CN": "红梅邻里中心"})
    ]
    assert {room.building for room in place.rooms} == {"hongmei"}
    assert [zone.name for zone in place.rooms[1].zones] == [{"en": "bay1"}, {"en": "bay2"}]
    assert place.doors[0].between == ("hall", "outside")


def test_a_device_takes_its_times_from_its_driver_unless_told_otherwise() -> None:
    text = changed("room: cabin", "room: cabin, silent_after: 90s")
    monitor, seat, _ = centre(parse(text)).devices

    from device_drivers.registry import drivers

    zigbee = drivers()["zigbee2mqtt"]
    assert monitor.silent_after_ms == 90_000
    assert seat.silent_after_ms == zigbee.silent_after.total_seconds() * 1000
    assert seat.proof_within_ms == zigbee.proof_within.total_seconds() * 1000
    assert seat.places == {"": Placement(room="hall", zone="bay1")}


def test_parts_of_a_device_have_places_of_their_own() -> None:
    where = "map: {di1: {door: front, invert: true}, di2: {room: hall, zone: bay2}}"
    device = centre(parse(changed("room: cabin", where))).devices[0]

    assert device.places == {
        "di1": Placement(door="front"),
        "di2": Placement(room="hall", zone="bay2"),
    }


def test_a_mapped_channel_places_the_device_and_its_new_channel() -> None:
    where = "map: {motion: {room: hall, channel: presence}}"
    device = centre(parse(changed("room: hall, zone: bay1", where))).devices[1]

    assert device.places == {key: Placement(room="hall") for key in ("motion", "presence", "")}


def test_devices_beside_the_file_are_added(file: Path) -> None:
    adopt(file, "- {id: new, driver: zigbee2mqtt, room: hall, link: {mqtt: zigbee2mqtt/new}}\n")
    adopt(file, "# nothing yet\n", "empty.yaml")
    adopt(file, "not: [read", ".hidden.yaml")
    adopt(file, "not: [read", "notes.txt")

    assert [device.id for device in load(file).devices] == ["bp", "seat", "front-door", "new"]


def test_the_same_device_in_both_files_names_both_lines(file: Path) -> None:
    other = adopt(
        file, "\n- {id: bp, driver: zigbee2mqtt, room: hall, link: {mqtt: zigbee2mqtt/new}}\n"
    )

    with pytest.raises(SettingsError) as error:
        load(file)

    (problem,) = error.value.problems
    assert str(problem.place) == f"{other}:2:8"
    assert problem.params == {"id": "bp", "first": f"{file}:8:10"}


def test_mistakes_of_every_file_come_together(file: Path) -> None:
    file.write_text(changed("room: cabin", "room: cabn"), encoding="utf-8")
    adopt(file, "- {id: new, driver: zigbee2mqtt, rom: hall, link: {mqtt: zigbee2mqtt/new}}\n")
    adopt(file, "devices: []\n", "other.yaml")
    (file.parent / "devices.d/raw.yaml").write_bytes(b"- \xff\n")

    with pytest.raises(SettingsError) as error:
        load(file)

    assert codes(error) == ["unknown_room", "no_place", "unknown_key", "devices_file", "encoding"]
    assert [Path(item.place.file).name for item in error.value.problems] == [
        "centre.yaml",
        "adopted.yaml",
        "adopted.yaml",
        "other.yaml",
        "raw.yaml",
    ]


def test_a_file_that_is_none_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as missing:
        load(tmp_path / "nowhere.yaml")
    with pytest.raises(SettingsError) as folder:
        load(tmp_path)
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    with pytest.raises(SettingsError) as circle:
        load(loop)

    assert [codes(error) for error in (missing, folder, circle)] == [
        ["no_file"],
        ["folder"],
        ["unreadable"],
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_rights_is_refused_in_words(file: Path) -> None:
    file.chmod(0)

    with pytest.raises(SettingsError) as error:
        load(file)

    assert codes(error) == ["forbidden"]


def test_three_thousand_devices_load_in_a_second(file: Path) -> None:
    lines = [
        f"  - {{id: d{n}, driver: zigbee2mqtt, room: hall, link: {{mqtt: zigbee2mqtt/d{n}}}}}"
        for n in range(3000)
    ]
    file.write_text(GOOD + "\n".join(lines) + "\n", encoding="utf-8")
    load(file)  # imports are not what is measured
    start = time.process_time()

    place = centre(load(file))

    assert len(place.devices) == 3003
    assert time.process_time() - start < 1.0
