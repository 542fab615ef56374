"""Zigbee2MQTT: every Zigbee device of a bridge, one topic each.

    zigbee2mqtt/<friendly name>                 {"contact":false,"battery":88,"linkquality":66}
    zigbee2mqtt/<friendly name>/availability    {"state":"online"}, or bare online (old form)
    zigbee2mqtt/bridge/state                    the same two forms; the last will of the bridge

Friendly names may hold slashes and spaces. A payload may be partial: what is absent or null says
nothing. The keys that differ from our channels:

    contact       true is CLOSED; our contact is 1 when open
    occupancy     what a passive infrared detector says: our motion
    linkquality   0-255, not dBm; here per cent of 255, rounded
    voltage       of a battery in mV, with a few converters in V, and on plugs that of the mains:
                  under 24 it is volts, from 500 millivolts, and between the two no battery at all
    last_seen     ISO 8601 with or without offset, or milliseconds since 1970

With the pattern ``{device}/#`` the attribute output is read too (one topic for each key).

This is the busiest decoder of the hub: a payload is read by a typed decoder in one pass, and only
one that does not fit its types is read again, slowly and tolerantly.

Source: Zigbee2MQTT's documentation of topics and devices; zigbee-herdsman-converters.
Integrity: none here; the radio and TCP have their own.
Seen with: payloads in the documentation; a bridge of our own comes with the first centre.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

import msgspec

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
from device_drivers.payload import is_refused, read_json, read_object
from device_drivers.times import from_epoch_ms, from_iso

VOLTS_BELOW, MILLIVOLTS_FROM = 24, 500


class Key(NamedTuple):
    """How one key of a payload becomes a sample."""

    judge: Callable[[object], Sample | None]
    known: Mapping[Any, Sample]
    """Samples of the usual values, made once."""


class State(msgspec.Struct, gc=False):
    """The keys we read, in the order of `KEYS`. Null and absent are one: no sample."""

    contact: bool | None = None
    occupancy: bool | None = None
    presence: bool | None = None
    people: int | None = None
    tamper: bool | None = None
    battery: int | float | None = None
    battery_low: bool | None = None
    voltage: int | float | None = None
    linkquality: int | None = None
    illuminance: int | float | None = None
    temperature: int | float | None = None
    humidity: int | float | None = None
    co2: int | float | None = None
    last_seen: str | int | float | None = None


def _yes_no(channel: str, invert: bool = False) -> Key:
    known = {value: flagged(channel, value is not invert) for value in (False, True)}
    wrong = malformed(CHANNELS[channel])
    return Key(lambda value: known[value] if isinstance(value, bool) else wrong, known)


def _number(channel: str, usual: range = range(0)) -> Key:
    judge = partial(measured, CHANNELS[channel])
    return Key(judge, {value: judge(value) for value in usual})


def _link_quality(value: object) -> Sample:
    channel = CHANNELS["link.quality"]
    raw = measured(channel, value).value
    return measured(channel, round(raw / 2.55) if isinstance(raw, int | float) else value)


def _voltage(value: object) -> Sample | None:
    channel = CHANNELS["battery.voltage"]
    sample = measured(channel, value)
    if not isinstance(sample.value, int | float) or sample.value < VOLTS_BELOW:
        return sample
    return measured(channel, sample.value / 1000) if sample.value >= MILLIVOLTS_FROM else None


KEYS: dict[str, Key] = {
    "contact": _yes_no("contact", invert=True),
    "occupancy": _yes_no("motion"),
    "presence": _yes_no("presence"),
    "people": _number("people.count", range(101)),
    "tamper": _yes_no("tamper"),
    "battery": _number("battery.level", range(101)),
    "battery_low": _yes_no("battery.low"),
    "voltage": Key(_voltage, {}),
    "linkquality": Key(_link_quality, {value: _link_quality(value) for value in range(256)}),
    "illuminance": _number("illuminance"),
    "temperature": _number("temperature"),
    "humidity": _number("humidity"),
    "co2": _number("co2"),
}
ORDERED = tuple((key.known.get, key.judge) for key in KEYS.values())
ONLINE = {
    "online": Message((flagged("online", is_on=True),)),
    "offline": Message((flagged("online", is_on=False),)),
}

_decode_state = msgspec.json.Decoder(State).decode
_values = msgspec.structs.astuple


def decode(part: MqttPart) -> Message | Discard | None:
    """Read one message of a device, or of the bridge about itself."""
    if not part.subtopic:
        return _state(part.payload)
    *_, above, leaf = ("", *part.subtopic.split("/"))
    if leaf == "availability" or (above, leaf) == ("bridge", "state"):
        return _online(part.payload)
    if leaf in ("set", "get") or "bridge" in part.subtopic.split("/"):
        return None
    if leaf in KEYS:
        return _attribute(leaf, part.payload)
    # Another layout may leave something of its own beside the hole (site/zigbee2mqtt/{device}).
    return _state(part.payload) if part.payload.startswith(b"{") else None


def _state(payload: bytes) -> Message | Discard:
    if is_refused(payload):
        return Discard(DiscardReason.MALFORMED, len(payload))
    try:
        *values, seen = _values(_decode_state(payload))
    except (msgspec.DecodeError, RecursionError):
        return _odd_state(payload)
    samples = [
        known(value) or judge(value)
        for (known, judge), value in zip(ORDERED, values, strict=True)
        if value is not None
    ]
    if None in samples:
        return _message(samples, seen)
    return Message(tuple(samples), None if seen is None else _time(seen))  # type: ignore[arg-type]


def _odd_state(payload: bytes) -> Message | Discard:
    """Some value is not of its key's type, or the text is not quite JSON: judge one by one."""
    found = read_object(payload)
    if found is None:
        return Discard(DiscardReason.MALFORMED, len(payload))
    samples = [key.judge(found[name]) for name, key in KEYS.items() if found.get(name) is not None]
    return _message(samples, found.get("last_seen"))


def _attribute(name: str, payload: bytes) -> Message | Discard | None:
    try:
        value = read_json(payload)
    except ValueError:
        return Discard(DiscardReason.MALFORMED, len(payload))
    return None if value is None else _message([KEYS[name].judge(value)], None)


def _message(samples: list[Sample | None], seen: object) -> Message:
    return Message(tuple(sample for sample in samples if sample is not None), _time(seen))


def _time(seen: object) -> datetime | None:
    return from_iso(seen) if isinstance(seen, str) else from_epoch_ms(seen)


def _online(payload: bytes) -> Message | Discard:
    """``{"state":"online"}``, ``"online"`` or bare ``online``."""
    text: object = payload.decode("utf-8", "replace").strip()
    if payload[:1] in (b"{", b'"'):
        try:
            text = read_json(payload)
        except ValueError:
            text = None
    if isinstance(text, dict):
        text = text.get("state")
    found = ONLINE.get(text) if isinstance(text, str) else None
    return found or Discard(DiscardReason.MALFORMED, len(payload))


DRIVER = MqttDriver(
    name="zigbee2mqtt",
    title="Zigbee devices through Zigbee2MQTT",
    source="Zigbee2MQTT documentation; zigbee-herdsman-converters",
    maturity=Maturity.BUILT,
    channels=(
        "contact",
        "motion",
        "presence",
        "people.count",
        "tamper",
        "battery.level",
        "battery.low",
        "battery.voltage",
        "link.quality",
        "illuminance",
        "temperature",
        "humidity",
        "co2",
        "online",
    ),
    integrity="",
    proof_within=timedelta(minutes=10),
    silent_after=timedelta(hours=25),
    topics=("{device}", "{device}/availability"),
    decode=decode,
    parents=("{base}/bridge/state",),
    not_readings=(
        "{base}/bridge/#",
        "{device}/set",
        "{device}/set/#",
        "{device}/get",
        "{device}/get/#",
    ),
    base="zigbee2mqtt",
)
