"""The encoders against public captures, byte for byte, and against the real drivers."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from device_drivers.contract import Discard, Message, Quality
from simulator.wires import and_tm265x, ld2410, omron_bp, rdm6300, tasmota, zigbee2mqtt
from tests.simulator.reading import from_mqtt, from_serial, values

AT = datetime(2026, 7, 11, 9, 5)  # noqa: DTZ001 - a device's own clock has no zone


def test_ld2410_writes_the_public_report() -> None:
    still = ld2410.report(ld2410.Target.STILL, moving_cm=81, still_energy=59)
    both = ld2410.report(
        ld2410.Target.BOTH,
        moving_cm=79,
        moving_energy=100,
        still_cm=76,
        still_energy=100,
        detection_cm=50,
    )
    assert still.hex().upper() == "F4F3F2F10D0002AA0251000000003B00005500F8F7F6F5"
    assert both.hex().upper() == "F4F3F2F10D0002AA034F00644C006432005500F8F7F6F5"


@pytest.mark.parametrize(("target", "present"), [(0, 0), (1, 1), (2, 1), (3, 1)])
def test_ld2410_is_read_as_presence(target: int, present: int) -> None:
    report = ld2410.report(ld2410.Target(target), still_cm=120, still_energy=60)
    (message,) = from_serial("ld2410", report)
    assert values(message)["presence"] == present


def test_rdm6300_writes_the_public_card() -> None:
    assert rdm6300.frame(3808980205).hex() == "0236324533303836434544303803"


def test_rdm6300_is_read_as_its_number() -> None:
    (message,) = from_serial("rdm6300", rdm6300.frame(11211469, version=0x1A))
    assert values(message)["card.token"] == "0011211469"


def test_and_frame_is_the_public_command() -> None:
    assert and_tm265x.frame("ST").hex() == "16160130300253540307"


def test_and_result_has_the_public_layout() -> None:
    """The public capture's text, field by field; only L, the oscillation, is ours."""
    at = datetime(2019, 10, 29, 14, 29)  # noqa: DTZ001 - as above
    frame = and_tm265x.result(at, 102, 87, 62, 83)
    captured = (
        "161601303002544D323635351E313931303239313432391E52421E4D1E4530301E533130321E4D2038371E"
        "442036321E502038331E4931371E4C3133391E0336"
    )
    assert frame.hex().upper() == captured


def test_and_result_is_read_with_its_time() -> None:
    (message,) = from_serial("and_tm265x", and_tm265x.result(AT, 128, 97, 82, 72))
    assert isinstance(message, Message)
    assert values(message) == {
        "bp.systolic": 128,
        "bp.mean": 97,
        "bp.diastolic": 82,
        "pulse.rate": 72,
    }
    assert message.device_time == AT
    assert all(sample.quality is Quality.GOOD for sample in message.samples)


def test_and_failure_is_read_as_no_good_value() -> None:
    (message,) = from_serial("and_tm265x", and_tm265x.failure(AT, 44))
    assert isinstance(message, Message)
    assert message.samples
    assert all(sample.quality is Quality.BAD for sample in message.samples)


def test_omron_writes_the_public_line() -> None:
    at = datetime(2023, 4, 27, 15, 6)  # noqa: DTZ001 - as above
    line = omron_bp.line(at, 140, 98, 77, 68, last=3)
    assert line == b"bp,99999999999999999999,2023/04/27,15:06,140,098,077,068,3\r\n"


def test_omron_is_read() -> None:
    (message,) = from_serial("omron_hbp9020", omron_bp.line(AT, 118, 91, 76, 72))
    assert values(message)["bp.diastolic"] == 76
    assert values(message)["bp.mean"] == 91


def test_a_shut_contact_is_read_as_not_open() -> None:
    shut = zigbee2mqtt.state("zigbee2mqtt/gym_door", {"contact": True, "battery": 88})
    found = values(from_mqtt("zigbee2mqtt", "zigbee2mqtt/gym_door", shut))
    assert found == {"contact": 0, "battery.level": 88}


def test_zigbee_payload_is_the_public_one() -> None:
    sent = zigbee2mqtt.state("zigbee2mqtt/counter", {"people": 7, "status": "in", "battery": 70})
    assert msgspec.json.decode(sent.payload) == {"people": 7, "status": "in", "battery": 70}
    assert not sent.retain
    assert values(from_mqtt("zigbee2mqtt", "zigbee2mqtt/counter", sent))["people.count"] == 7


@pytest.mark.parametrize("online", [True, False])
def test_availability_of_both_conventions(online: bool) -> None:
    zigbee = zigbee2mqtt.availability("zigbee2mqtt/pir", online)
    will = tasmota.will("plug", online)
    assert zigbee.retain
    assert will.retain
    assert values(from_mqtt("zigbee2mqtt", "zigbee2mqtt/pir", zigbee)) == {"online": online}
    assert values(from_mqtt("tasmota", "plug", will)) == {"online": online}


def test_bridge_state_is_the_public_one() -> None:
    sent = zigbee2mqtt.bridge("zigbee2mqtt", online=True)
    assert (sent.topic, sent.payload) == ("zigbee2mqtt/bridge/state", b'{"state":"online"}')


def test_tasmota_switch_and_temperature_are_read() -> None:
    readings: tasmota.Reading = {"Switch1": "ON", "DS18B20": {"Temperature": 20.6}}
    found = from_mqtt("tasmota", "thermo", tasmota.sensor("thermo", AT, readings))
    assert values(found) == {"contact.switch1": 1, "temperature.ds18b20": 20.6}


def test_tasmota_state_is_the_documented_one() -> None:
    up = timedelta(hours=1, seconds=10)
    sent = tasmota.state("plug", AT, up, power=False, rssi=72)
    assert msgspec.json.decode(sent.payload) == {
        "Time": "2026-07-11T09:05:00",
        "Uptime": "0T01:00:10",
        "UptimeSec": 3610,
        "POWER": "OFF",
        "Wifi": {"RSSI": 72, "Signal": -64},
    }
    assert values(from_mqtt("tasmota", "plug", sent))["relay.1"] == 0


def test_tasmota_tells_a_switch_twice_and_it_counts_once() -> None:
    answers = [from_mqtt("tasmota", "plug", sent) for sent in tasmota.switched("plug", power=True)]
    assert values(answers[0]) == {"relay.1": 1}
    assert answers[1] is None


def test_a_damaged_frame_is_refused() -> None:
    frame = bytearray(rdm6300.frame(3808980205))
    frame[5] ^= 1
    assert all(isinstance(item, Discard) for item in from_serial("rdm6300", bytes(frame)))
