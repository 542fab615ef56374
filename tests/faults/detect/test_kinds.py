"""Each other kind: what brings it, what does not though a fixed bound would say so, and its end."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from hub.domain.fault import FaultKind
from hub.domain.room import Status
from hub.faults.kinds import KINDS
from hub.faults.rules import CHANNEL_RULES, DEVICE_RULES
from tests.faults.detect.house import BEGIN, DAY, HOUR, MINUTE, SECOND, House, device, last, weeks

K = FaultKind


def test_the_table_has_every_kind_and_every_rule_is_in_it() -> None:
    assert set(KINDS) == set(FaultKind)
    assert set(DEVICE_RULES) | set(CHANNEL_RULES) <= set(KINDS)
    assert all(row.reports > 0 for row in KINDS.values())


# -- radio ----------------------------------------------------------------------------------------


def test_a_radio_that_was_always_poor_is_no_fault_and_one_that_became_poor_is() -> None:
    chance = Random(3)
    house = weeks(
        House(device("eye")), 4, 10 * MINUTE, lambda _: {"link_quality": chance.randint(11, 19)}
    )
    assert house.found == []

    house = weeks(
        House(device("eye")), 4, 10 * MINUTE, lambda _: {"link_quality": chance.randint(70, 90)}
    )
    weeks(house, 0.01, 5 * MINUTE, lambda _: {"link_quality": 20})  # somebody stood in the way
    weeks(house, 1, 10 * MINUTE, lambda _: {"link_quality": chance.randint(70, 90)})
    assert house.found == []

    weeks(house, 0.3, 10 * MINUTE, lambda _: {"link_quality": chance.randint(25, 35)})
    (finding,) = house.found
    assert finding.kind is K.WEAK_LINK
    assert abs(int(finding.evidence["usual"]) - 80) < 3

    weeks(house, 0.3, 10 * MINUTE, lambda _: {"link_quality": chance.randint(70, 90)})
    assert not house.is_on(K.WEAK_LINK)


def test_a_radio_that_is_seldom_heard_does_not_learn_its_own_weakness() -> None:
    chance = Random(15)
    house = weeks(House(device("eye")), 9, 4 * HOUR, lambda _: {"link_quality": 31})
    weeks(house, 4, 10 * HOUR, lambda _: {"link_quality": chance.randint(6, 9)})
    assert house.is_on(K.WEAK_LINK)


# -- values ---------------------------------------------------------------------------------------


def air(chance: Random) -> Callable[[int], dict[str, float]]:
    def say(at: int) -> dict[str, float]:
        is_day = at % DAY > 8 * HOUR
        return {"temperature": round(20 + 2 * is_day + chance.gauss(0, 0.15), 1)}

    return say


def lived(days: float = 8) -> House:
    house = weeks(House(device("eye")), days, 10 * MINUTE, air(Random(4)))
    assert house.found == []
    return house


def test_a_thermometer_that_stands_still_is_stuck_until_it_moves() -> None:
    house = weeks(lived(), 1, 10 * MINUTE, lambda _: {"temperature": 21.3})
    (finding,) = house.found
    assert (finding.kind, finding.subject.channel) == (K.STUCK, "temperature")
    assert finding.evidence == {"channel": "temperature", "value": 21.3, "hours": 6}

    weeks(house, 0.1, 10 * MINUTE, air(Random(5)))
    assert not house.is_on(K.STUCK)


def test_a_value_that_often_rests_for_a_night_is_not_stuck() -> None:
    def lux(at: int) -> dict[str, float]:
        hour = at % DAY / HOUR
        return {"illuminance": 0 if hour < 14 else round(40 * (hour - 13))}

    assert weeks(House(device("eye")), 21, 20 * MINUTE, lux).found == []


def test_a_dark_room_that_is_shut_on_sunday_is_not_stuck_and_one_that_stays_dark_is() -> None:
    house = House(device("eye"))
    for hour in range(21 * 24):
        is_open = hour // 24 % 7 != 6 and 6 <= hour % 24 < 22
        house.pass_time(hour * HOUR)
        house.room("gym", Status.UNKNOWN if is_open else Status.CLOSED)
        house.hear("eye", illuminance=300 + hour % 7 if is_open and hour % 5 else 0)
    weeks(house, 1.5, HOUR, lambda _: {"illuminance": 0})
    assert house.found == []

    house.room("gym", Status.UNKNOWN)
    weeks(house, 0.6, HOUR, lambda _: {"illuminance": 0})
    assert house.is_on(K.STUCK)


def test_a_coarse_scale_that_turns_to_and_fro_is_no_noise() -> None:
    chance = Random(11)
    house = weeks(House(device("eye")), 8, 10 * MINUTE, lambda _: {"temperature": 20.0})
    weeks(house, 3, 10 * MINUTE, lambda _: {"temperature": float(chance.randint(20, 21))})
    assert K.NOISE not in house.kinds


def test_a_jump_after_a_day_of_noise_is_found() -> None:
    house, chance = lived(), Random(12)
    weeks(house, 1, 10 * MINUTE, lambda _: {"temperature": round(21 + chance.gauss(0, 2), 1)})
    weeks(house, 2, 10 * MINUTE, air(Random(13)))
    assert {f.kind for f in house.found if f.is_on} <= {K.NOISE, K.JUMP}
    assert not house.is_on(K.NOISE)
    assert not house.is_on(K.JUMP)

    say = air(Random(14))
    weeks(house, 0.1, 10 * MINUTE, lambda at: {"temperature": say(at)["temperature"] + 8})
    assert house.is_on(K.JUMP)


def test_a_step_that_stays_is_a_jump_and_a_spike_is_none() -> None:
    house = lived()
    house.at(house.now + 10 * MINUTE).hear("eye", temperature=36.0)
    weeks(house, 1, 10 * MINUTE, air(Random(6)))
    assert house.found == []

    say = air(Random(7))
    weeks(house, 0.1, 10 * MINUTE, lambda at: {"temperature": say(at)["temperature"] + 9})
    (finding,) = house.found
    assert finding.kind is K.JUMP
    assert 7 < float(finding.evidence["to"]) - float(finding.evidence["from"]) < 11
    assert finding.evidence["seconds"] == 600

    weeks(house, 0.1, 10 * MINUTE, air(Random(8)))
    assert not house.is_on(K.JUMP)


def test_a_value_that_shakes_is_noise() -> None:
    house = lived()
    chance = Random(9)
    weeks(house, 1, 10 * MINUTE, lambda _: {"temperature": round(21 + chance.gauss(0, 2), 1)})

    assert house.is_on(K.NOISE)
    assert float(last(house, K.NOISE).evidence["times"]) >= 4


def test_values_that_cannot_be_are_told_when_they_repeat() -> None:
    house = lived(1)
    house.at(house.now + MINUTE).bad("eye", "temperature", 127.0, "implausible")
    weeks(house, 0.2, 10 * MINUTE, air(Random(4)))
    assert house.found == []

    for _ in range(12):
        house.at(house.now + MINUTE).bad("eye", "temperature", 127.0, "implausible")
    (finding,) = house.found
    assert finding.kind is K.OUT_OF_RANGE
    assert finding.evidence == {"channel": "temperature", "value": 127.0, "low": -40, "high": 85}

    weeks(house, 0.5, 10 * MINUTE, air(Random(4)))
    assert not house.is_on(K.OUT_OF_RANGE)


def test_the_devices_own_error_is_told_once_it_lasts() -> None:
    house = House(device("eye"))
    house.hear("eye", presence=0)
    for _ in range(20):  # it measures its background for some seconds
        house.at(house.now + SECOND).bad("eye", "presence", None, "calibrating")
    weeks(house, 0.01, 10 * SECOND, lambda _: {"presence": 0})
    assert house.found == []

    for _ in range(40):
        house.at(house.now + 20 * SECOND).bad("eye", "presence", None, "calibrating")
    (finding,) = house.found
    assert (finding.kind, finding.evidence) == (K.DEVICE_ERROR, {"code": "calibrating"})


def test_a_line_that_is_sometimes_disturbed_is_not_garbled_and_a_bad_cable_is() -> None:
    chance = Random(10)
    house = House(device("eye"))

    def minutes(number: int, share: float) -> None:
        for _ in range(number):
            house.at(house.now + 10 * SECOND)
            if chance.random() < share:
                house.discard("eye")
            else:
                house.hear("eye", presence=0)

    minutes(6 * 600, 0.03)
    assert house.found == []
    minutes(6 * 60, 0.5)
    assert [f.kind for f in house.found] == [K.GARBLED]
    minutes(6 * 60, 0.01)
    assert not house.is_on(K.GARBLED)


def test_a_late_word_is_no_wrong_clock_and_an_hour_off_is() -> None:
    house = House(device("eye"))
    for late in (0, 2, 700, 900, 1, 0, 5_000, 4_000, 3, 0):
        house.at(house.now + MINUTE).hear("eye", BEGIN + house.now - late * SECOND, contact=0)
    assert house.found == []

    for late in range(5):
        said = BEGIN + house.now + HOUR - late * SECOND
        house.at(house.now + MINUTE).hear("eye", said, contact=0)
    (finding,) = house.found
    assert finding.kind is K.CLOCK_WRONG
    assert abs(int(finding.evidence["off_s"]) - 3540) <= 5


def test_a_sensor_that_leaves_its_neighbours_drifts_and_a_heat_wave_is_no_drift() -> None:
    chance = Random(11)
    names = [f"t{n}" for n in range(6)]
    house = House(*(device(name, room="gym" if name < "t3" else "hall") for name in names))

    def say(days: float, drifting: float) -> None:
        begin = house.now
        while house.now < begin + days * DAY:
            house.at(house.now + HOUR)
            past = house.now / DAY
            heat = 7 * max(0, 1 - abs(past - 10) / 2)
            for number, name in enumerate(names):
                off = drifting * (house.now - begin) / DAY if name == "t2" else 0.0
                is_cellar = name == "t5"
                degrees = 20 + number / 3 + heat * (0.2 if is_cellar else 1) + chance.gauss(0, 0.2)
                house.hear(name, temperature=round(degrees + off, 1))

    say(16, 0)
    assert house.found == []
    say(6, 0.9)
    assert {(f.kind, f.subject.id) for f in house.found} == {(K.DRIFT, "t2")}
    assert house.found[0].evidence["neighbours"] == 5


# -- what lies between ----------------------------------------------------------------------------


def test_a_port_that_blinks_is_no_fault_and_one_that_is_gone_is() -> None:
    house = House(device("eye"))
    house.link("/dev/ttyAMA0", False, "eye")
    house.pass_time(house.now + 20 * SECOND)
    house.link("/dev/ttyAMA0", True, "eye")
    house.pass_time(house.now + HOUR)
    assert house.found == []

    lost = house.now
    house.link("/dev/ttyAMA0", False, "eye")
    house.pass_time(house.now + HOUR)
    (finding,) = house.found
    assert (finding.kind, finding.evidence) == (K.LINK_DOWN, {"port": "/dev/ttyAMA0"})
    assert (finding.since_ms, finding.at_ms) == (BEGIN + lost, BEGIN + lost + 30 * SECOND)


@pytest.mark.parametrize(("apart_s", "is_one"), [(8, True), (40, False)])
def test_several_usb_ports_at_once_are_one_cause(apart_s: int, is_one: bool) -> None:
    house = House(device("eye"), device("ear"))
    house.link("/dev/serial/by-id/usb-A", False, "eye")
    house.pass_time(house.now + apart_s * SECOND)
    house.link("/dev/serial/by-id/usb-B", False, "ear")
    house.pass_time(house.now + HOUR)

    assert (K.USB_DOWN in house.kinds) is is_one
    if is_one:
        found = last(house, K.USB_DOWN)
        assert found.evidence == {"ports": "/dev/serial/by-id/usb-A, /dev/serial/by-id/usb-B"}


def test_broker_and_gateway_have_kinds_of_their_own() -> None:
    house = House(device("eye"))
    house.link("mqtt", False, "eye")
    house.link("zigbee2mqtt/bridge/state", False, "eye", is_parent=True)
    house.pass_time(house.now + HOUR)

    assert house.kinds == {K.BROKER_DOWN, K.GATEWAY_DOWN}


def test_a_gateway_that_lives_and_hears_nothing_is_found_before_its_sensors() -> None:
    chance = Random(12)
    names = [f"d{n}" for n in range(12)]
    house = House(*map(device, names))
    house.link("zigbee2mqtt/bridge/state", True, *names, is_parent=True)
    dues = {name: chance.randrange(HOUR) for name in names}
    while house.now < 8 * DAY:
        name = min(dues, key=dues.__getitem__)
        house.at(dues[name]).hear(name)
        dues[name] += round(HOUR * chance.uniform(0.95, 1.05))
    assert house.found == []

    house.pass_time(house.now + 5 * HOUR)
    (finding,) = house.found
    assert finding.kind is K.GATEWAY_DOWN
    assert finding.evidence == {"gateway": "zigbee2mqtt/bridge/state"}
    assert finding.at_ms - finding.since_ms < 90 * MINUTE

    for name in names:
        house.at(house.now + MINUTE).hear(name)
    assert [f.is_on for f in house.found] == [True, False]
