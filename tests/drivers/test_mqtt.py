"""What is particular to the MQTT conventions: two paths that agree, odd values, times."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.catalogue import tasmota, zigbee2mqtt
from device_drivers.contract import Discard, DiscardReason, Message, MqttPart, Quality, Sample

usual = st.none() | st.booleans() | st.integers(-5, 5000) | st.floats(allow_nan=False)
seen = st.sampled_from(["2026-07-11T09:05:00Z", "2026-07-11T09:05:00", "soon", 1783731900000, 7.5])
payloads = st.dictionaries(
    st.sampled_from([*zigbee2mqtt.KEYS, "action", "update"]), usual, max_size=8
)


def state(payload: str | bytes, subtopic: str = "") -> dict[str, Sample]:
    """Samples of a Zigbee2MQTT payload by channel."""
    raw = payload.encode() if isinstance(payload, str) else payload
    message = zigbee2mqtt.decode(MqttPart(subtopic, raw))
    assert isinstance(message, Message)
    return {sample.channel: sample for sample in message.samples}


@settings(max_examples=300, deadline=None)
@given(payload=payloads, last_seen=seen | st.none())
def test_the_fast_path_and_the_tolerant_one_say_the_same(
    payload: dict[str, object], last_seen: object
) -> None:
    raw = json.dumps(payload | {"last_seen": last_seen}).encode()
    assert zigbee2mqtt.decode(MqttPart("", raw)) == zigbee2mqtt._odd_state(raw)


@pytest.mark.parametrize(
    "odd",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "9" * 5000,
        "-" + "9" * 30,
        '"21"',
        "true",
        "[]",
        "{}",
    ],
)
def test_an_odd_value_costs_only_its_own_channel(odd: str) -> None:
    found = state(f'{{"contact":false,"temperature":{odd},"battery":50}}')
    assert found["temperature"] == Sample("temperature", None, "Cel", Quality.BAD, "malformed")
    assert found["contact"].value == 1
    assert found["battery.level"].value == 50


@pytest.mark.parametrize("huge", ["1e308", "-1e308", "1.7976931348623157e308"])
@pytest.mark.parametrize("key", ["linkquality", "voltage", "temperature", "people", "last_seen"])
def test_the_largest_numbers_cost_their_own_channel(key: str, huge: str) -> None:
    found = state(f'{{"{key}":{huge},"battery":50}}')
    assert found.pop("battery.level").quality is Quality.GOOD
    assert all(sample.quality is Quality.BAD for sample in found.values())


@pytest.mark.parametrize("odd", ["1", "0", '"true"', "NaN", "[]"])
def test_yes_and_no_are_never_guessed(odd: str) -> None:
    found = state(f'{{"contact":{odd},"occupancy":{odd},"battery":50}}')
    assert {name for name, sample in found.items() if sample.quality is Quality.BAD} == {
        "contact",
        "motion",
    }


@pytest.mark.parametrize(
    "raw",
    [b"", b"null", b"[]", b"1", b'"on"', b"{", b'{"contact":true}}', b"\xff\xfe", b"{'contact':1}"],
)
def test_what_is_no_object_is_refused_whole(raw: bytes) -> None:
    for decode, subtopic in ((zigbee2mqtt.decode, ""), (tasmota.decode, "tele/SENSOR")):
        assert decode(MqttPart(subtopic, raw)) == Discard(DiscardReason.MALFORMED, len(raw))


def test_brackets_inside_a_text_are_no_depth() -> None:
    assert state(json.dumps({"note": '[{"' * 500, "battery": 5}))["battery.level"].value == 5
    assert state(json.dumps({"list": [[1]] * 500, "battery": 5}))["battery.level"].value == 5


@pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
def test_depth_has_one_limit_whoever_asks(opening: str) -> None:
    """Not the interpreter's recursion limit, which depends on how deep the caller is."""
    closing = "".join("]" if bracket == "[" else "}" for bracket in opening if bracket in "[{")
    per_turn = len(closing)
    for turns, is_read in ((60 // per_turn, True), (66 // per_turn, False)):
        deep = opening * turns + "1" + closing[::-1] * turns
        raw = f'{{"battery":5,"Switch1":"ON","x":{deep}}}'.encode()
        for decode, subtopic in ((zigbee2mqtt.decode, ""), (tasmota.decode, "tele/SENSOR")):
            assert isinstance(decode(MqttPart(subtopic, raw)), Message) is is_read


def test_text_that_is_not_utf_8_is_no_json_even_where_nobody_reads_it() -> None:
    raw = b'{"contact":true,"Switch1":"ON","note":"\xff"}'
    for decode, subtopic in ((zigbee2mqtt.decode, ""), (tasmota.decode, "tele/SENSOR")):
        assert isinstance(decode(MqttPart(subtopic, raw)), Discard)


@pytest.mark.parametrize(
    ("voltage", "volts"), [(3055, 3.055), (3.1, 3.1), (12, 12), (900, 0.9), (0, 0)]
)
def test_a_battery_speaks_in_millivolts_or_in_volts(voltage: float, volts: float) -> None:
    sample = state(json.dumps({"voltage": voltage}))["battery.voltage"]
    assert (sample.value, sample.quality) == (volts, Quality.GOOD)


@pytest.mark.parametrize("voltage", [24, 110, 231.5, 400])
def test_the_mains_are_no_battery(voltage: float) -> None:
    assert state(json.dumps({"voltage": voltage})) == {}


@pytest.mark.parametrize("subtopic", ["set", "get", "bridge/devices", "bridge/info", "action"])
def test_commands_and_the_bridges_tree_are_no_readings(subtopic: str) -> None:
    assert zigbee2mqtt.decode(MqttPart(subtopic, b"[1]")) is None


def test_one_topic_for_each_attribute_is_understood() -> None:
    assert state("true", "contact")["contact"].value == 0
    assert state("NaN", "temperature")["temperature"].reason == "malformed"
    assert zigbee2mqtt.decode(MqttPart("contact", b"null")) is None


@pytest.mark.parametrize("raw", [b"online", b" online\n", b'"online"', b'{"state":"online"}'])
@pytest.mark.parametrize("subtopic", ["availability", "bridge/state"])
def test_online_has_many_forms(raw: bytes, subtopic: str) -> None:
    assert state(raw, subtopic)["online"].value == 1


@pytest.mark.parametrize("raw", [b"", b"on", b'{"state":null}', b'{"state":["online"]}', b"[]"])
def test_online_is_never_guessed(raw: bytes) -> None:
    assert isinstance(zigbee2mqtt.decode(MqttPart("availability", raw)), Discard)


def test_a_relays_twin_is_not_a_second_event() -> None:
    result = tasmota.decode(MqttPart("stat/RESULT", b'{"POWER2":"ON"}'))
    assert isinstance(result, Message)
    assert [(s.channel, s.part, s.value) for s in result.samples] == [("relay", "2", 1)]
    assert tasmota.decode(MqttPart("stat/POWER2", b"ON")) is None


@pytest.mark.parametrize("leaf", ["STATUS8", "SWITCH1T", "INFO1", "POWER"])
def test_other_tasmota_topics_are_no_business_of_ours(leaf: str) -> None:
    assert tasmota.decode(MqttPart(f"stat/{leaf}", b'{"Temperature":1}')) is None
    assert tasmota.decode(MqttPart(f"cmnd/{leaf}", b"ON")) is None


def test_both_orders_of_a_tasmota_topic_are_read() -> None:
    for subtopic in ("tele/LWT", "home/tele/LWT", "tele/home/LWT"):
        message = tasmota.decode(MqttPart(subtopic, b"Offline"))
        assert isinstance(message, Message)
        assert message.samples[0].value == 0
