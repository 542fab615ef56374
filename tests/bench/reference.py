"""The reference centre of the benches: 300 Zigbee2MQTT devices in 100 rooms."""

from __future__ import annotations

DEVICES = 300
ROOMS = 100


def centre() -> str:
    """Each room has a door, a motion sensor and one more of either."""
    lines = ["rooms:"]
    lines += [
        f"  - {{id: r{n}, name: {{en: Room {n}, zh-CN: {n} 号房}}, floor: {n // 25 + 1}, "
        "kind: meeting, capacity: 10}"
        for n in range(ROOMS)
    ]
    lines.append("devices:")
    lines += [
        f"  - {{id: d{n}, driver: zigbee2mqtt, room: r{n // 3}, link: {{mqtt: zigbee2mqtt/d{n}}}}}"
        for n in range(DEVICES)
    ]
    return "\n".join(lines) + "\n"
