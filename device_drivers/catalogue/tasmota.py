"""Tasmota: ESP8266 and ESP32 switches, relays and sensors.

    tele/<topic>/LWT       Online, Offline             the device's last will
    tele/<topic>/STATE     {"Time":..., "POWER":"OFF", "Wifi":{"RSSI":72,"Signal":-64}}
    tele/<topic>/SENSOR    {"Time":..., "Switch1":"ON", "DS18B20-1":{"Temperature":20.6}}
    stat/<topic>/RESULT    {"POWER":"ON"}              a change; stat/<topic>/POWER is its twin
    stat/<topic>/POWER     ON                          plain text, ignored: one event, not two

What becomes what:

    SwitchN   contact, part ``switchN``: ON is 1 (open). What the input really watches is told by
              the device's ``map`` (``switch1: {door: hall-front, invert: true}``)
    POWERn    relay, part n (POWER alone is part 1)
    Wifi      RSSI is per cent here (link.quality), Signal is dBm (link.rssi)
    sensors   temperature, humidity, co2, illuminance; the part is the sensor's key in small
              letters (``ds18b20-1``; the separator - or _ may be set by the user). ``ESP32`` is
              the heat of the chip and no room's temperature

TempUnit F is converted. Time is local without a zone. Both orders of the topic are read
(``tele/<topic>`` and, with a pattern, ``<topic>/tele``). Door sensors should use SwitchMode 15 or
16, which send SENSOR on each change; otherwise a change is only seen every 300 s.

Source: Tasmota's documentation (MQTT, Switches); public configurations.
Integrity: none here; TCP has its own.
Seen with: payloads in the documentation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from device_drivers.channels import CHANNELS
from device_drivers.contract import (
    Discard,
    DiscardReason,
    Maturity,
    Message,
    MqttDriver,
    MqttPart,
    Sample,
)
from device_drivers.judge import flagged, malformed, measured
from device_drivers.payload import read_object
from device_drivers.times import from_iso

SWITCH = re.compile(r"Switch([1-9]\d?)")
POWER = re.compile(r"POWER([1-9]\d?)?")
SENSOR_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
NOT_THE_ROOM = ("ESP32",)
SENSOR_CHANNELS = {
    "Temperature": "temperature",
    "Humidity": "humidity",
    "CarbonDioxide": "co2",
    "Illuminance": "illuminance",
}
WIFI_CHANNELS = {"RSSI": "link.quality", "Signal": "link.rssi"}
ON_OFF = {"ON": 1, "OFF": 0}
ONLINE = {
    b"Online": Message((flagged("online", is_on=True),)),
    b"Offline": Message((flagged("online", is_on=False),)),
}
JSON_LEAVES = {("tele", "STATE"), ("tele", "SENSOR"), ("stat", "RESULT")}


def decode(part: MqttPart) -> Message | Discard | None:
    """Read one message. Other answers to commands are not our business."""
    levels = part.subtopic.split("/")
    leaf = levels[-1]
    prefix = next((level for level in levels[:-1] if level in ("tele", "stat", "cmnd")), "")
    if (prefix, leaf) == ("tele", "LWT"):
        online = ONLINE.get(part.payload.strip())
        return online or Discard(DiscardReason.MALFORMED, len(part.payload))
    if (prefix, leaf) not in JSON_LEAVES:
        return None
    found = read_object(part.payload)
    if found is None:
        return Discard(DiscardReason.MALFORMED, len(part.payload))
    samples = tuple(_samples(found, leaf))
    if leaf == "RESULT" and not samples:
        return None
    return Message(samples, from_iso(found.get("Time")))


def _samples(found: dict[str, Any], leaf: str) -> Iterator[Sample]:
    is_fahrenheit = found.get("TempUnit") == "F"
    for key, value in found.items():
        if value is None:
            continue
        if power := POWER.fullmatch(key):
            yield _switched("relay", value, power[1] or "1")
        elif leaf == "STATE" and key == "Wifi":
            yield from _wifi(value)
        elif leaf == "SENSOR" and (switch := SWITCH.fullmatch(key)):
            yield _switched("contact", value, f"switch{int(switch[1])}")
        elif leaf == "SENSOR" and isinstance(value, dict) and _is_sensor(key):
            yield from _sensor(key.lower(), value, is_fahrenheit)


def _is_sensor(key: str) -> bool:
    return key not in NOT_THE_ROOM and SENSOR_NAME.fullmatch(key) is not None


def _switched(channel: str, value: object, part: str) -> Sample:
    state = ON_OFF.get(value) if isinstance(value, str) else None
    if state is None:
        return malformed(CHANNELS[channel], part)
    return flagged(channel, state == 1, part)


def _wifi(value: object) -> Iterator[Sample]:
    """Both channels are bad if this is no object: the device meant to say them."""
    for key, channel in WIFI_CHANNELS.items():
        if not isinstance(value, dict):
            yield malformed(CHANNELS[channel])
        elif value.get(key) is not None:
            yield measured(CHANNELS[channel], value[key])


def _sensor(part: str, values: dict[str, Any], is_fahrenheit: bool) -> Iterator[Sample]:
    for key, channel in SENSOR_CHANNELS.items():
        value = values.get(key)
        if value is None:
            continue
        if key == "Temperature" and is_fahrenheit:
            value = _celsius(value)
        yield measured(CHANNELS[channel], value, part)


def _celsius(value: object) -> object:
    """What is no number stays what it is, for the judge to say so."""
    given = measured(CHANNELS["temperature"], value).value
    return round((given - 32) / 1.8, 2) if isinstance(given, int | float) else value


DRIVER = MqttDriver(
    name="tasmota",
    title="Tasmota switches, relays and sensors",
    source="Tasmota documentation (MQTT, Switches)",
    maturity=Maturity.BUILT,
    channels=(
        "contact",
        "relay",
        "temperature",
        "humidity",
        "co2",
        "illuminance",
        "link.quality",
        "link.rssi",
        "online",
    ),
    integrity="",
    proof_within=timedelta(minutes=10),
    topics=("tele/{device}/+", "stat/{device}/+"),
    decode=decode,
    not_readings=("cmnd/{device}/+",),
)
