"""No kind of fault lacks a sentence, and figures read as people say them."""

from __future__ import annotations

import re
from typing import get_args

import pytest

from hub.domain.fault import Alert, AlertState, Fault, FaultKind, Severity, Subject, SubjectKind
from hub.domain.room import Params
from hub.telling import Part, duration, sentence
from hub.texts import LANGUAGES, catalogue

PARTS: tuple[Part, ...] = get_args(Part)

EVIDENCE: dict[FaultKind, Params] = {
    FaultKind.SILENT: {"usual_s": 600, "silent_s": 10_800},
    FaultKind.NEVER_HEARD: {"waited_s": 90_000},
    FaultKind.GARBLED: {"share_pct": 61, "reason": "checksum"},
    FaultKind.BATTERY_LOW: {"level": 9, "days_left": 12},
    FaultKind.BATTERY_DEAD: {"level": 2, "silent_s": 7_200},
    FaultKind.WEAK_LINK: {"quality": 12, "usual": 120},
    FaultKind.STUCK: {"channel": "temperature", "value": 21.53214, "hours": 30},
    FaultKind.STUCK_ON: {"channel": "motion", "hours": 9.5},
    FaultKind.FLAPPING: {"changes": 60, "minutes": 5},
    FaultKind.OUT_OF_RANGE: {"channel": "co2", "value": -3, "low": 0, "high": 10_000},
    FaultKind.JUMP: {"channel": "temperature", "from": 21.0, "to": 48.5, "seconds": 10},
    FaultKind.DOOR_CONTRADICTED: {"passages": 14, "hours": 6},
    FaultKind.SENSORS_DISAGREE: {"other": "gym-radar", "hours": 8},
    FaultKind.COUNTER_IMBALANCE: {"in": 120, "out": 71, "days": 3},
    FaultKind.CLOCK_WRONG: {"off_s": 3_600},
    FaultKind.DEVICE_ERROR: {"code": "E3"},
    FaultKind.LINK_DOWN: {"port": "/dev/serial/by-id/usb-FTDI-0001"},
    FaultKind.USB_DOWN: {"ports": "usb-FTDI-0001, usb-FTDI-0002"},
    FaultKind.GATEWAY_DOWN: {"gateway": "zigbee2mqtt"},
    FaultKind.BROKER_DOWN: {},
    FaultKind.HUB_OVERLOADED: {"lag_ms": 900},
    FaultKind.DRIFT: {"channel": "temperature", "off": 3.2, "neighbours": "hall-th, gym-th"},
    FaultKind.NOISE: {"channel": "co2", "times": 6.0},
    FaultKind.DUPLICATE: {"first": "0x00158d0001", "second": "0x00158d0002"},
    FaultKind.TAMPER: {},
}


def fault(kind: FaultKind, evidence: Params, *, is_drill: bool = False) -> Fault:
    subject = Subject(SubjectKind.DEVICE, "gym-pir")
    times = (0, 0, 0)
    return Fault(1, subject, kind, Severity.LOW, "gym", *times, evidence, is_drill=is_drill)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_kind_lacks_a_sentence(language: str) -> None:
    codes = {f"fault.{kind}{part}" for kind in FaultKind for part in PARTS}
    codes |= {f"fault.{kind}.name" for kind in FaultKind}
    codes |= {f"severity.{severity}" for severity in Severity}
    codes |= {f"alert.{state}" for state in AlertState}
    missing = {code for code in codes if not catalogue(language).get(code, ("",))[0].strip()}
    assert missing == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", FaultKind)
def test_every_figure_of_the_evidence_is_there(kind: FaultKind, language: str) -> None:
    for part in PARTS:
        said = sentence(fault(kind, EVIDENCE[kind]), language, part)
        assert "–" not in said, said
        assert not re.search(r"\{|\d\.\d{3}", said), said


def test_what_is_known_of_a_battery_chooses_its_sentence() -> None:
    low = FaultKind.BATTERY_LOW
    assert "12 days" in sentence(fault(low, {"level": 9, "days_left": 12}), "en")
    assert "9 % left" in sentence(fault(low, {"level": 9, "days_left": -1}), "en")
    assert sentence(fault(low, {}), "en") == "gym-pir asks for a new battery"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("part", PARTS)
def test_a_drill_says_so_in_every_sentence(part: Part, language: str) -> None:
    mark = {"en": "Drill", "zh-CN": "演练", "zh-TW": "演練"}[language]
    assert mark in sentence(fault(FaultKind.TAMPER, {}, is_drill=True), language, part)


def test_a_part_of_a_device_is_named_with_its_channel() -> None:
    stuck = fault(FaultKind.STUCK_ON, {"channel": "contact.di1", "hours": 9})
    assert "Door di1 on for 9 h" in sentence(stuck, "en")


def test_an_alert_that_came_and_went_says_how_often() -> None:
    subject = Subject(SubjectKind.DEVICE, "gym-pir")
    alert = Alert(
        1, 1, FaultKind.TAMPER, subject, AlertState.RAISED, Severity.LOW, "gym", (), (), 0,
        unstable=5,
    )  # fmt: skip
    assert "came and went 5 times" in sentence(alert, "en")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7_200, "2 h"), (172_800, "2 days")],
)
def test_a_span_has_one_unit(seconds: float, said: str) -> None:
    assert duration(seconds, "en") == said
