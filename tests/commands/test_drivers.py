"""`linli drivers`: complete, true, and helpful when a name is wrong."""

from __future__ import annotations

import json

import pytest

from device_drivers.registry import drivers
from hub.cli import main
from hub.commands.drivers import example, supported_devices


def test_the_list_names_every_driver(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drivers"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1 : len(drivers()) + 1]] == list(drivers())


def test_one_driver_tells_its_source_integrity_channels_and_times(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["drivers", "rdm6300"]) == 0
    text = capsys.readouterr().out
    driver = drivers()["rdm6300"]
    for fact in (driver.source, "captured", "XOR", "card.token", "7d without", "within 2s are one"):
        assert fact in text


def test_a_name_nearly_right_is_guessed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drivers", "Zigbee2MQT"]) == 2
    assert "Did you mean zigbee2mqtt?" in capsys.readouterr().err


def test_json_lists_all_and_names_what_is_personal(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["drivers", "--json"]) == 0
    items = {item["name"]: item for item in json.loads(capsys.readouterr().out)["items"]}
    assert items.keys() == drivers().keys()
    assert all(channel["personal"] for channel in items["and_tm265x"]["channels"])
    assert not any(channel["personal"] for channel in items["zigbee2mqtt"]["channels"])
    assert items["ld2410"]["proof_within_s"] == 5
    assert items["ld2410"]["wire"]["baud"] == 256_000


@pytest.mark.parametrize("name", drivers())
def test_the_example_of_every_driver_passes_the_configuration_check(
    name: str, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    line = example(drivers()[name]).replace("ROOM", "gym").replace("NAME", "door")
    centre = tmp_path_factory.mktemp("centre") / "centre.yaml"
    centre.write_text(
        "centre: {id: c, name: {en: C}, timezone: Asia/Shanghai}\n"
        "access: {open: true}\nmqtt: {host: 127.0.0.1}\n"
        "rooms: [{id: gym, name: {en: Gym}, floor: 1, kind: gym, capacity: 9}]\n"
        f"devices: [{line}]\n",
        "utf-8",
    )
    assert main(["check-config", str(centre)]) == 0, capsys.readouterr().err


def test_the_table_of_the_readme_has_a_row_for_every_driver() -> None:
    rows = supported_devices().splitlines()[2:]
    assert len(rows) == len(drivers())
    for row, driver in zip(rows, drivers().values(), strict=True):
        assert f"`{driver.name}`" in row
        assert all(f"`{channel}`" in row for channel in driver.channels)
