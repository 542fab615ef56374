"""Which rooms are blinded, and how grave that is at which hour."""

from __future__ import annotations

import pytest

from hub.domain.centre import Building, Centre, Device, Door, Placement, Room
from hub.domain.fault import Fault, FaultKind, Severity, Subject, SubjectKind
from hub.domain.opening import Slot
from hub.faults.consequence import Consequence, Sense, Weight

K = FaultKind
NIGHT, DAY = 0, 1


def placed(name: str, room: str | None = None, door: str | None = None) -> Device:
    return Device(name, "zigbee2mqtt", {"": Placement(room, door)}, "tried", 1000, 1000)


CENTRE = Centre(
    "trial",
    {"en": "Trial"},
    "Asia/Shanghai",
    (Building("main", {"en": "House"}),),
    tuple(
        Room(name, {"en": name}, "main", 1, kind, 10)
        for name, kind in (
            ("cabin", "health_cabin"),
            ("reading", "reading_room"),
            ("lane", "corridor"),
        )
    ),
    (Door("front", ("reading", "outside")),),
    (
        placed("cabin-radar", "cabin"),
        placed("reading-radar", "reading"),
        placed("reading-pir", "reading"),
        placed("reading-air", "reading"),
        placed("front-contact", door="front"),
        placed("lane-pir", "lane"),
    ),
)


class Hours:
    def slot(self, room: str, at_ms: int) -> Slot:
        return Slot(is_open=at_ms == DAY, until_ms=at_ms + 1)


SENSES = {
    "radar": Sense.STILL,
    "pir": Sense.MOTION,
    "contact": Sense.DOOR,
}
HOUSE = Consequence(
    CENTRE,
    Hours(),
    lambda device: frozenset(s for name, s in SENSES.items() if device.endswith(name)),
)


def weigh(
    devices: set[str], at_ms: int, kind: FaultKind = K.SILENT, *, lost: set[str] | None = None
) -> Weight:
    is_wire = len(devices) > 1
    subject = Subject(SubjectKind.LINK if is_wire else SubjectKind.DEVICE, sorted(devices)[0])
    fault = Fault(1, subject, kind, Severity.MEDIUM, None, 0, 0, 0)
    survey = HOUSE.survey(frozenset(devices if lost is None else lost), at_ms)
    return HOUSE.weigh(fault, devices, survey)


def test_a_room_with_another_live_sensor_is_not_blinded() -> None:
    assert weigh({"reading-radar"}, DAY).rooms_blinded == ()
    both = {"reading-radar", "reading-pir"}
    assert weigh({"reading-radar"}, DAY, lost=both).rooms_blinded == ("reading",)


def test_motion_in_a_room_where_people_sit_tells_only_with_its_doors() -> None:
    lost = {"reading-radar", "front-contact"}
    assert weigh({"reading-radar"}, DAY, lost=lost).rooms_blinded == ("reading",)
    assert weigh({"front-contact"}, DAY).rooms_blinded == ()


def test_motion_alone_tells_of_a_corridor() -> None:
    assert weigh({"lane-pir"}, DAY).rooms_blinded == ("lane",)


def test_what_tells_nothing_of_people_blinds_nothing() -> None:
    assert weigh({"reading-air"}, DAY).rooms_blinded == ()
    rest = {"reading-radar", "reading-pir"}
    assert weigh({"reading-radar"}, DAY, lost=rest).rooms_blinded == ("reading",)


def test_a_gateway_names_every_room_it_blinds() -> None:
    everything = {device.id for device in CENTRE.devices}
    found = weigh(everything, DAY, K.GATEWAY_DOWN)
    assert found.rooms_blinded == ("cabin", "lane", "reading")
    assert found.devices == tuple(sorted(everything))
    assert found.severity is Severity.URGENT


@pytest.mark.parametrize(
    ("device", "at_ms", "severity"),
    [
        ("cabin-radar", DAY, Severity.URGENT),
        ("cabin-radar", NIGHT, Severity.LOW),
        ("lane-pir", DAY, Severity.MEDIUM),
        ("reading-pir", DAY, Severity.MEDIUM),
        ("reading-pir", NIGHT, Severity.LOW),
    ],
)
def test_severity_follows_the_hours_and_the_room(
    device: str, at_ms: int, severity: Severity
) -> None:
    assert weigh({device}, at_ms).severity is severity


def test_a_blinded_reading_room_is_for_today() -> None:
    both = {"reading-radar", "reading-pir"}
    assert weigh({"reading-pir"}, DAY, lost=both).severity is Severity.HIGH


def test_by_night_a_gateway_can_wait_until_the_morning_and_an_intruder_cannot() -> None:
    assert weigh({"cabin-radar", "lane-pir"}, NIGHT, K.GATEWAY_DOWN).severity is Severity.MEDIUM
    assert weigh({"lane-pir"}, NIGHT, K.TAMPER).severity is Severity.HIGH


def test_the_survey_knows_when_it_is_old() -> None:
    assert HOUSE.survey(frozenset(), NIGHT).until_ms == NIGHT + 1
