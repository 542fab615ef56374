"""Zigbee2MQTT: one JSON object per device with everything it last said, and its availability.

``contact`` is true when the door is SHUT (the magnet is near). Availability and the state of the
bridge are retained, device states are not: that is Zigbee2MQTT's default.
"""

from __future__ import annotations

import msgspec

from simulator.wires.mqtt import Publication

State = dict[str, bool | int | float | str]


def state(topic: str, values: State) -> Publication:
    """The full state of a device; Zigbee2MQTT always sends its cache, not only what changed."""
    return Publication(topic, msgspec.json.encode(dict(sorted(values.items()))))


def availability(topic: str, online: bool) -> Publication:
    """Whether Zigbee2MQTT still hears the device."""
    return Publication(f"{topic}/availability", _online(online), retain=True)


def bridge(base: str, online: bool) -> Publication:
    """Whether Zigbee2MQTT itself lives; offline is its last will."""
    return Publication(f"{base}/bridge/state", _online(online), retain=True)


def _online(online: bool) -> bytes:
    return msgspec.json.encode({"state": "online" if online else "offline"})
