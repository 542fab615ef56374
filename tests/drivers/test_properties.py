"""Five properties of every driver, whatever arrives.

1. It never raises.
2. How the stream is cut changes nothing, neither what is found nor what is thrown away.
3. A framer holds less than one frame.
4. A good frame is found after any damage.
5. Only declared channels come out, with the catalogue's unit and a value that fits its quality.

Random bytes almost never look like a frame, so damage is built from the golden vectors: pieces of
them, copies with a byte changed, whole ones in a row.
"""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from device_drivers.channels import CHANNELS
from device_drivers.contract import (
    AnyDriver,
    Discard,
    Message,
    MqttDriver,
    MqttPart,
    Quality,
    Sample,
    SerialDriver,
)
from device_drivers.framing import StreamFramer
from device_drivers.registry import drivers
from tests.drivers.vectors import line_bytes, messages, read, vectors

enough = settings(max_examples=60, deadline=None)  # for each driver; raised when hunting

SERIAL = sorted(name for name, driver in drivers().items() if isinstance(driver, SerialDriver))
MQTT = sorted(name for name, driver in drivers().items() if isinstance(driver, MqttDriver))
LONGEST_FRAME = 1100  # of all families; an A&D text may have 1,024 bytes
EXACT = 2**53

cuts = st.lists(st.integers(0, 300), max_size=12)


@st.composite
def damage(draw: st.DrawFn, name: str) -> bytes:
    """Bytes that nearly are frames of this driver, one after the other."""
    frames = [line_bytes(case) for case in vectors()[name]]
    parts = []
    for _ in range(draw(st.integers(0, 6))):
        frame = draw(st.sampled_from(frames))
        kind = draw(st.sampled_from(("whole", "piece", "changed", "noise")))
        start, end = sorted(draw(st.tuples(*[st.integers(0, len(frame))] * 2)))
        if kind == "piece":
            frame = frame[start:end]
        elif kind == "changed":
            frame = frame[:start] + draw(st.binary(min_size=1, max_size=2)) + frame[start + 1 :]
        elif kind == "noise":
            frame = draw(st.binary(max_size=20))
        parts.append(frame)
    return b"".join(parts)


def serial(name: str) -> SerialDriver:
    driver = drivers()[name]
    assert isinstance(driver, SerialDriver)
    return driver


def mqtt(name: str) -> MqttDriver:
    driver = drivers()[name]
    assert isinstance(driver, MqttDriver)
    return driver


def pieces(stream: bytes, places: list[int]) -> list[bytes]:
    ends = sorted({0, len(stream), *(place for place in places if place < len(stream))})
    return [stream[start:end] for start, end in pairwise(ends)]


def check_samples(driver: AnyDriver, message: Message) -> None:
    """Property 5."""
    for sample in message.samples:
        assert sample.channel in driver.channels
        channel = CHANNELS[sample.channel]
        assert sample.unit == channel.unit
        assert (sample.quality is Quality.GOOD) == (sample.reason == "")
        if isinstance(sample.value, int | float):
            assert math.isfinite(sample.value)
            assert not isinstance(sample.value, bool)
            assert abs(sample.value) <= EXACT or isinstance(sample.value, float)
        check_good(sample)


def check_good(sample: Sample) -> None:
    if sample.quality is not Quality.GOOD:
        return
    channel = CHANNELS[sample.channel]
    if channel.low is None or channel.high is None:
        assert isinstance(sample.value, str)
        return
    assert isinstance(sample.value, int | float)
    assert channel.low <= sample.value <= channel.high
    assert isinstance(sample.value, int) or not channel.whole


@pytest.mark.parametrize("name", SERIAL)
@enough
@given(data=st.data())
def test_a_line_never_raises_and_says_only_what_is_declared(name: str, data: st.DataObject) -> None:
    driver = serial(name)
    stream = data.draw(damage(name))
    events = read(driver, [stream])
    for message in messages(events):
        check_samples(driver, message)
    frame = data.draw(st.binary(max_size=80) | damage(name))
    decoded = driver.decode(frame)
    if isinstance(decoded, Message):
        check_samples(driver, decoded)
    else:
        assert decoded.size == len(frame)


@pytest.mark.parametrize("name", SERIAL)
def test_a_frame_shortened_anywhere_never_raises(name: str) -> None:
    driver = serial(name)
    streams = [line_bytes(case) for case in vectors()[name]]
    frames = [
        f for stream in streams for f in driver.framing().feed(stream) if isinstance(f, bytes)
    ]
    assert frames
    for frame in frames:
        for size in range(len(frame)):
            for short in (frame[:size], frame[size:], frame[:size] + frame[-4:]):
                event = driver.decode(short)
                assert isinstance(event, Message) or event.size == len(short)


@pytest.mark.parametrize("name", SERIAL)
@enough
@given(data=st.data())
def test_how_the_stream_is_cut_changes_nothing(name: str, data: st.DataObject) -> None:
    stream = data.draw(damage(name))
    assert read(serial(name), pieces(stream, data.draw(cuts))) == read(serial(name), [stream])


@pytest.mark.parametrize("name", SERIAL)
@enough
@given(data=st.data())
def test_a_framer_holds_less_than_one_frame_and_accounts_for_every_byte(
    name: str, data: st.DataObject
) -> None:
    framer = serial(name).framing()
    assert isinstance(framer, StreamFramer)
    stream = data.draw(damage(name)) * data.draw(st.integers(1, 20))
    found: list[bytes | Discard] = []
    for piece in pieces(stream, data.draw(cuts)):
        found += framer.feed(piece)
        assert framer.held < LONGEST_FRAME
    found += framer.idle()
    assert framer.held == 0
    sizes = [item.size if isinstance(item, Discard) else len(item) for item in found]
    assert sum(sizes) <= len(stream)
    if stream:
        assert found or not stream.strip(b"\r\n")


@pytest.mark.parametrize("name", SERIAL)
@enough
@given(data=st.data())
def test_a_good_frame_is_found_after_any_damage(name: str, data: st.DataObject) -> None:
    driver = serial(name)
    frames = [line_bytes(case) for case in vectors()[name] if case["expect"]]
    good = data.draw(st.sampled_from(frames))
    wanted = messages(read(driver, [good]))
    found = messages(read(driver, [data.draw(damage(name)) + good]))
    assert found[-len(wanted) :] == wanted


KEYS = sorted(
    {
        key
        for name in MQTT
        for case in vectors()[name]
        if case["payload"].startswith("{") and case.get("expect")
        for key in json.loads(case["payload"])
    }
)
INNER = ("Temperature", "Humidity", "CarbonDioxide", "Illuminance", "RSSI", "Signal", "state")
odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 300),
    st.integers(-(10**40), 10**40),
    st.floats(),
    st.sampled_from(["ON", "OFF", "", "23.5", "online", "2026-07-11T09:05:00Z", "F"]),
    st.text(max_size=4),
    st.sampled_from([10**400, -(10**400), 2**53, 2**53 + 1]),
)
values = st.recursive(
    odd,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(INNER) | st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)
objects = st.dictionaries(st.sampled_from(KEYS) | st.text(max_size=4), values, max_size=8)
SUBTOPICS = [
    *("", "availability", "bridge/state", "bridge/devices", "set", "battery", "contact", "x/y"),
    *("tele/STATE", "tele/SENSOR", "stat/RESULT", "tele/LWT", "stat/POWER", "SENSOR", "a/tele/LWT"),
]


def as_json(value: object) -> bytes:
    """As Python publishers write it: NaN and Infinity bare, integers of any length."""
    return json.dumps(value, default=str).encode("utf-8", "replace")


@pytest.mark.parametrize("name", MQTT)
@enough
@given(subtopic=st.sampled_from(SUBTOPICS), payload=objects, tail=st.binary(max_size=3))
def test_a_payload_never_raises_and_says_only_what_is_declared(
    name: str, subtopic: str, payload: dict[str, object], tail: bytes
) -> None:
    driver = mqtt(name)
    for raw in (as_json(payload), as_json(payload) + tail, as_json(list(payload.values())), tail):
        event = driver.decode(MqttPart(subtopic, raw))
        if isinstance(event, Message):
            check_samples(driver, event)
        elif event is not None:
            assert event.size == len(raw)


@pytest.mark.parametrize("name", MQTT)
@pytest.mark.parametrize("subtopic", SUBTOPICS)
@pytest.mark.parametrize("bracket", ["[]", "{}"])
def test_a_thousand_levels_are_refused_and_cost_nothing(
    name: str, subtopic: str, bracket: str
) -> None:
    opening = "[" if bracket == "[]" else '{"a":'
    deep = opening * 1000 + "1" + bracket[1] * 1000
    raw = b'{"contact":true,"POWER":"ON","state":"online","x":' + deep.encode() + b"}"
    event = mqtt(name).decode(MqttPart(subtopic, raw))
    assert not isinstance(event, Message)
