"""`linli trace`: what people and programs are told, and what stays hidden."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hub.cli import main

RADAR = "F4F3F2F10D0002AA034F00644C006432005500F8F7F6F5"
OMRON = "bp,99999999999999999999,2026/07/11,09:05,141,098,087,076,0\r\n"
CARD = "0236324533303836434544303803"


def traced(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict[str, Any]]:
    """The events of the JSON form."""
    assert main(["trace", *words, "--json"]) == 0
    events: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["events"]
    return events


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What is said about a wrong usage."""
    assert main(["trace", *words]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def test_json_has_exactly_the_published_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert traced(capsys, "--driver", "ld2410", RADAR + "FF") == [
        {
            "message": {
                "samples": [
                    {
                        "channel": "presence",
                        "value": 1,
                        "unit": "1",
                        "quality": "good",
                        "reason": "",
                        "part": "",
                    }
                ],
                "device_time": None,
            }
        },
        {"discard": {"reason": "noise", "size": 1}},
    ]


@pytest.mark.parametrize(
    "words",
    [
        [RADAR],
        [RADAR.lower()],
        [RADAR[at : at + 2] for at in range(0, len(RADAR), 2)],
        [" ".join(f"0x{RADAR[at : at + 2]}," for at in range(0, len(RADAR), 2))],
    ],
    ids=["capital", "small", "words", "0x and commas"],
)
def test_hex_may_be_written_in_any_usual_way(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(traced(capsys, "--driver", "ld2410", *words)) == 1


@pytest.mark.parametrize("content", [bytes.fromhex(RADAR), RADAR.encode() + b"\n"])
def test_a_file_may_be_binary_or_hex(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capture = tmp_path / "capture"
    capture.write_bytes(content)
    assert len(traced(capsys, "--driver", "ld2410", str(capture))) == 1


def test_device_times_keep_the_zone_they_came_with(capsys: pytest.CaptureFixture[str]) -> None:
    serial = traced(capsys, "--driver", "omron_hbp9020", OMRON.encode().hex())
    assert serial[0]["message"]["device_time"] == "2026-07-11T09:05:00"
    payload = '{"contact":true,"last_seen":"2026-07-11T09:05:00+08:00"}'
    mqtt = traced(capsys, "--topic", "zigbee2mqtt/d", "--payload", payload)
    assert mqtt[0]["message"]["device_time"] == "2026-07-11T09:05:00+08:00"


def test_personal_values_are_hidden_from_people_unless_asked_for(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["trace", "--driver", "omron_hbp9020", OMRON.encode().hex()]
    assert main(words) == 0
    hidden = capsys.readouterr().out
    assert not [digits for digits in ("141", "98", "87", "76") if digits in hidden]
    assert main([*words, "--show-personal"]) == 0
    assert "141 mmHg" in capsys.readouterr().out


def test_a_card_number_is_hidden_in_every_form(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["trace", "--driver", "rdm6300", CARD]) == 0
    hidden = capsys.readouterr().out.lower()
    assert "3808980205" not in hidden
    assert "e3086ced" not in hidden.replace(" ", "")


def test_a_topic_finds_its_driver_and_says_which(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["trace", "--topic", "tele/lab/SENSOR", "--payload", '{"Switch1":"ON"}', "--json"]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "read by tasmota" in said.err
    assert json.loads(said.out)["events"][0]["message"]["samples"][0]["part"] == "switch1"


@pytest.mark.parametrize("topic", ["zigbee2mqtt/front door/set", "zigbee2mqtt/bridge/devices"])
def test_a_command_is_no_reading_and_no_mistake(
    topic: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert traced(capsys, "--topic", topic, "--payload", '{"contact":true}') == []


def test_a_payload_may_be_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    payload = tmp_path / "payload.json"
    payload.write_bytes(b"\xff{")
    events = traced(capsys, "--topic", "zigbee2mqtt/d", str(payload))
    assert events == [{"discard": {"reason": "malformed", "size": 2}}]


@pytest.mark.parametrize(
    ("words", "remedy"),
    [
        ([RADAR], "Add --driver NAME"),
        (["--driver", "ld2410"], "give the bytes as HEX, or a file"),
        (["--driver", "ld24l0", RADAR], "Did you mean ld2410?"),
        (["--driver", "ld2410", "F4F"], "one is missing"),
        (["--driver", "ld2410", "capture.bin"], "neither a file nor HEX"),
        (["--driver", "ld2410", "--topic", "a", "--payload", "1"], "give its bytes as HEX"),
        (["--driver", "tasmota", RADAR], "add --topic TOPIC --payload TEXT"),
        (["--driver", "tasmota", "--topic", "tele/a/LWT"], "--payload TEXT or as one file"),
        (["--driver", "tasmota", "--topic", "a/b", "--payload", "1"], "tele/{device}/+"),
        (["--topic", "a/b", "--payload", "1"], "add --driver with one of: tasmota, zigbee2mqtt"),
    ],
)
def test_wrong_usage_is_one_sentence_with_a_remedy(
    words: list[str], remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, *words)
    assert remedy in said
    assert said.count("\n") == 1
