"""The house of the proof: each simulated room is watched by several sets of sensors at once.

One room with its people is, to the hub, as many rooms as there are sensor sets: all of them see
the same truth, each through its own devices with their own seeds, and the sets compare fairly.
"""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from hub import settings
from hub.settings import CentreSettings
from simulator.centre import OUTSIDE, Centre, Device, Door, Room

TIMEZONE = "Asia/Shanghai"
BASE = "zigbee2mqtt"
LINES = "/run/linli-truth"

RADAR, PIR, DOOR, COUNTER = "radar", "pir", "door", "counter"
DOOR_COUNTERS, ZONE_RADARS = "door counters", "zone radars"

SETS: dict[str, tuple[str, ...]] = {
    "none": (),
    "radar": (RADAR,),
    "zone radars": (ZONE_RADARS,),
    "PIR": (PIR,),
    "PIR + door": (PIR, DOOR),
    "door + PIR + radar": (DOOR, PIR, RADAR),
    "radar + door": (RADAR, DOOR),
    "counter": (COUNTER,),
    "counter + PIR + door": (COUNTER, PIR, DOOR),
    "counter + radar": (COUNTER, RADAR),
    "door counters + radar": (DOOR_COUNTERS, RADAR),
}
USUAL = ("radar", "PIR", "PIR + door", "door + PIR + radar", "counter", "counter + PIR + door")


@dataclass(frozen=True)
class Watched:
    """A simulated room and the sensor sets that watch it."""

    id: str
    kind: str
    sets: tuple[str, ...]
    doors: tuple[str, ...] = ("corridor",)  # what lies behind each
    zones: tuple[str, ...] = ()

    def door_ids(self) -> list[str]:
        return [f"{self.id}-{behind}" for behind in self.doors]


EVERYWHERE = (
    Watched("meeting", "meeting", (*USUAL, "radar + door", "counter + radar", "none")),
    Watched("lecture", "lecture_hall", USUAL),
    Watched("reading", "reading_room", USUAL),
    Watched("daycare", "day_care", USUAL),
    Watched("cabin", "health_cabin", USUAL),
    Watched("gym", "gym", USUAL),
    Watched("canteen", "canteen", (*USUAL, "door counters + radar"), ("corridor", OUTSIDE)),
    Watched("living", "living_room", USUAL),
    Watched(
        "hall",
        "service_hall",
        ("zone radars", "PIR", "PIR + door", "counter", "counter + PIR + door"),
        (OUTSIDE, "corridor"),
        ("counters", "waiting"),
    ),
    Watched("corridor", "corridor", ("radar", "PIR", "PIR + door"), (OUTSIDE,)),
    Watched("storage", "storage", ("PIR", "PIR + door", "radar")),
)


def watched_by(sets: dict[str, tuple[str, ...]]) -> tuple[Watched, ...]:
    """The same house and people, with sensors in some rooms only."""
    return tuple(replace(room, sets=sets.get(room.id, ())) for room in EVERYWHERE)


@dataclass(frozen=True)
class Rig:
    """One room of the hub: a simulated room seen by one set of sensors."""

    id: str
    room: str
    kind: str
    sensors: str
    devices: tuple[Device, ...]


def rigs(watched: tuple[Watched, ...]) -> list[Rig]:
    return [_rig(room, sensors) for room in watched for sensors in room.sets]


def _rig(room: Watched, sensors: str) -> Rig:
    name = f"{room.id}-{list(SETS).index(sensors)}"
    found = [device for sensor in SETS[sensors] for device in _devices(name, room, sensor)]
    return Rig(name, room.id, room.kind, sensors, tuple(found))


def _devices(rig: str, room: Watched, sensor: str) -> list[Device]:
    """Ids tell the simulator what a Zigbee device is; places are those of the simulated house."""
    if sensor == RADAR:
        return [Device(f"{rig}-radar", "ld2410", room.id, serial=f"{LINES}/{rig}-radar")]
    if sensor == ZONE_RADARS:
        return [
            Device(f"{rig}-{z}", "ld2410", room.id, None, z, serial=f"{LINES}/{rig}-{z}")
            for z in room.zones
        ]
    if sensor == DOOR:
        return [
            Device(
                f"{d.replace(room.id, rig, 1)}-door", "zigbee2mqtt", door=d, topic=_topic(rig, d)
            )
            for d in room.door_ids()
        ]
    if sensor == DOOR_COUNTERS:
        return [
            Device(
                f"{d.replace(room.id, rig, 1)}-count",
                "zigbee2mqtt",
                room.id,
                d,
                topic=_topic(rig, f"{d}-count"),
            )
            for d in room.door_ids()
        ]
    word = "count" if sensor == COUNTER else "motion"
    return [Device(f"{rig}-{word}", "zigbee2mqtt", room.id, topic=_topic(rig, word))]


def _topic(rig: str, name: str) -> str:
    return f"{BASE}/{rig}_{name}"


def simulated(watched: tuple[Watched, ...]) -> Centre:
    """The house as people know it."""
    doors = [
        Door(door, (room.id, behind))
        for room in watched
        for door, behind in zip(room.door_ids(), room.doors, strict=True)
    ]
    return Centre(
        name={"en": "Proof"},
        timezone=TIMEZONE,
        rooms=tuple(Room(r.id, {"en": r.id}, r.kind, zones=r.zones) for r in watched),
        doors=tuple(doors),
        devices=tuple(device for rig in rigs(watched) for device in rig.devices),
    )


def configured(watched: tuple[Watched, ...]) -> CentreSettings:
    """The same house as a centre would write it down, read by the hub's own settings."""
    by_id = {room.id: room for room in watched}
    found = rigs(watched)
    document = {
        "centre": {"id": "proof", "name": {"en": "Proof"}, "timezone": TIMEZONE},
        "http": {"host": "127.0.0.1", "port": 8080},
        "access": {"open": True},
        "mqtt": {"host": "127.0.0.1", "port": 1883},
        "rooms": [_room(rig, by_id[rig.room]) for rig in found],
        "doors": [
            {"id": door.replace(rig.room, rig.id, 1), "between": [rig.id, OUTSIDE]}
            for rig in found
            for door in by_id[rig.room].door_ids()
        ],
        "devices": [_configured(rig, device) for rig in found for device in rig.devices],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "centre.yaml"
        file.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
        return settings.load(file)


def _room(rig: Rig, room: Watched) -> dict[str, object]:
    zones = [{"id": zone} for zone in room.zones] if rig.sensors == "zone radars" else []
    described: dict[str, object] = {"id": rig.id, "name": {"en": rig.id}, "kind": rig.kind}
    return described | {"floor": 1, "capacity": 200} | ({"zones": zones} if zones else {})


def _configured(rig: Rig, device: Device) -> dict[str, object]:
    link = {"mqtt": device.topic} if device.topic else {"serial": device.serial}
    entry: dict[str, object] = {"id": device.id, "driver": device.driver, "link": link}
    if device.room is None and device.door is not None:
        return entry | {"door": device.door.replace(rig.room, rig.id, 1)}
    return entry | {"room": rig.id} | ({"zone": device.zone} if device.zone else {})
