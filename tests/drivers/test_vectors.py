"""Every golden vector of every driver. A new driver brings its vectors and touches nothing here."""

from __future__ import annotations

from datetime import datetime

import pytest

from device_drivers.contract import Discard, Message, MqttDriver, MqttPart, Quality, SerialDriver
from device_drivers.registry import drivers
from device_drivers.topics import match, subscriptions, subtopic
from tests.drivers.vectors import (
    Case,
    expected,
    expected_discards,
    line_bytes,
    messages,
    read,
    samples,
    vectors,
)

ALL = [
    pytest.param(drivers()[name], case, id=f"{name}: {case['name']}")
    for name, cases in vectors().items()
    if name in drivers()
    for case in cases
]
SERIAL = [param for param in ALL if isinstance(param.values[0], SerialDriver)]
MQTT = [param for param in ALL if isinstance(param.values[0], MqttDriver)]

# What may stand on a line before a frame: chatter, half a start of each family, whole starts.
JUNK = (b"\x00", b"hello\r\n", b"\xff" * 40, b"\x16", b"\x16\x16\x01", b"b", b"bp,12", b"\x02" * 3)
LOOKALIKES = (b"\xf4\xf3", b"\xf4\xf3\xf2\xf1\x0d", b"\xfd\xfc\xfb\xfa\x04\x00", b"\x02A1\x03")


def test_every_driver_has_vectors_and_every_vector_a_driver() -> None:
    assert vectors().keys() == drivers().keys()


@pytest.mark.parametrize(("driver", "case"), ALL)
def test_a_case_says_where_it_comes_from(driver: object, case: Case) -> None:
    assert case["origin"] in ("public", "computed")


@pytest.mark.parametrize(("driver", "case"), SERIAL)
def test_serial(driver: SerialDriver, case: Case) -> None:
    events = read(driver, [line_bytes(case)])
    assert samples(events) == expected(case)
    assert [event for event in events if isinstance(event, Discard)] == expected_discards(case)
    assert len(messages(events)) == case.get("messages", 1 if case["expect"] else 0)
    if case["expect"]:
        assert messages(events)[-1].device_time == _time(case)


@pytest.mark.parametrize(("driver", "case"), SERIAL)
def test_serial_split_at_every_byte(driver: SerialDriver, case: Case) -> None:
    stream = line_bytes(case)
    whole = read(driver, [stream])
    for at in range(len(stream)):
        assert read(driver, [stream[:at], stream[at:]]) == whole
    assert read(driver, [bytes([byte]) for byte in stream]) == whole


@pytest.mark.parametrize(("driver", "case"), SERIAL)
@pytest.mark.parametrize("junk", JUNK + LOOKALIKES, ids=bytes.hex)
def test_serial_behind_junk(driver: SerialDriver, case: Case, junk: bytes) -> None:
    assert samples(read(driver, [junk + line_bytes(case)])) == expected(case)


@pytest.mark.parametrize(("driver", "case"), MQTT)
def test_mqtt(driver: MqttDriver, case: Case) -> None:
    found = match(driver, case["topic"])
    event = driver.decode(MqttPart(found[1], case["payload"].encode())) if found else None
    if case.get("ignored"):
        assert event is None
        return
    assert samples([event]) == expected(case)
    assert [e for e in [event] if isinstance(e, Discard)] == expected_discards(case)
    if isinstance(event, Message):
        assert event.device_time == _time(case)


@pytest.mark.parametrize(("driver", "case"), [p for p in MQTT if "device" in p.values[1]])  # type: ignore[operator]
def test_the_device_of_a_topic_leads_back_to_its_subtopic(driver: MqttDriver, case: Case) -> None:
    bound = subscriptions(driver, case["device"]).values()
    found = {rest for pattern in bound if (rest := subtopic(pattern, case["topic"])) is not None}
    if not case["topic"].endswith(("/set", "/get")):
        assert match(driver, case["topic"]) == (case["device"], *found)


@pytest.mark.parametrize(("driver", "case"), [p for p in SERIAL if not p.values[1]["expect"]])  # type: ignore[index]
def test_what_must_not_produce_a_reading_gives_no_good_sample(
    driver: SerialDriver, case: Case
) -> None:
    found = samples(read(driver, [line_bytes(case)]))
    assert not [sample for sample in found if sample.quality is Quality.GOOD]


def _time(case: Case) -> datetime | None:
    return datetime.fromisoformat(case["device_time"]) if "device_time" in case else None
