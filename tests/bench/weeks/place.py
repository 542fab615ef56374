"""The house of the labelled weeks: 100 devices of every kind that our drivers can read."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from pathlib import Path

import msgspec

from hub import settings
from hub.settings import CentreSettings
from simulator.centre import OUTSIDE, Centre, Device, Door, Room

TIMEZONE = "Asia/Shanghai"
FRONT, ANNEX = "zigbee2mqtt", "annex"
LINES = "/dev/serial/by-id/usb-FTDI-weeks"


class Kind(StrEnum):
    """What a device is, and so how it speaks."""

    CONTACT = "contact"
    WINDOW = "window"
    MOTION = "motion"
    COUNTER = "counter"
    CLIMATE = "climate"
    AIR = "air"
    LIGHT = "light"
    LEAK = "leak"
    SWITCH = "switch"  # Tasmota on a door
    PLUG = "plug"  # Tasmota with a thermometer in a fridge
    RADAR = "radar"
    PRESSURE = "pressure"
    CARD = "card"


BATTERY = frozenset({Kind.CONTACT, Kind.WINDOW, Kind.MOTION, Kind.CLIMATE, Kind.LIGHT, Kind.LEAK})
ZIGBEE = BATTERY | {Kind.COUNTER, Kind.AIR}
TASMOTA = frozenset({Kind.SWITCH, Kind.PLUG})
SERIAL = frozenset({Kind.RADAR, Kind.PRESSURE, Kind.CARD})


class Thing(msgspec.Struct, frozen=True):
    """One device: what it is and where."""

    id: str
    kind: Kind
    room: str
    door: str | None = None
    base: str = FRONT
    driver: str = "zigbee2mqtt"

    @property
    def topic(self) -> str | None:
        if self.kind in SERIAL:
            return None
        return self.id if self.kind in TASMOTA else f"{self.base}/{self.id.replace('-', '_')}"

    @property
    def line(self) -> str | None:
        return f"{LINES}-{self.id}" if self.kind in SERIAL else None

    def simulated(self) -> Device:
        place = None if self.kind in (Kind.CONTACT, Kind.SWITCH) else self.room
        return Device(self.id, self.driver, place, self.door, None, self.line, self.topic)


class Place(msgspec.Struct, frozen=True):
    """A room: where its doors lead, and what is in it."""

    id: str
    kind: str
    doors: tuple[str, ...]
    base: str
    things: tuple[tuple[Kind, int], ...]


_C, _W, _M, _N = Kind.CONTACT, Kind.WINDOW, Kind.MOTION, Kind.COUNTER
_T, _A, _L, _K, _R = Kind.CLIMATE, Kind.AIR, Kind.LIGHT, Kind.LEAK, Kind.RADAR
IN = ("corridor",)

PLACES = (
    Place("meeting", "meeting", IN, FRONT, ((_C, 1), (_M, 1), (_R, 1), (_T, 1), (_A, 1), (_W, 1))),
    Place("lecture", "lecture_hall", IN, FRONT,
          ((_C, 1), (_M, 2), (_N, 1), (_T, 2), (_A, 1), (_W, 2), (_L, 1))),
    Place("reading", "reading_room", IN, FRONT,
          ((_C, 1), (_M, 1), (_R, 1), (_N, 1), (_T, 1), (_A, 1), (_W, 2), (_L, 1))),
    Place("daycare", "day_care", IN, ANNEX,
          ((_C, 1), (_M, 1), (_T, 2), (_A, 1), (_W, 2), (_L, 1), (Kind.PRESSURE, 1))),
    Place("cabin", "health_cabin", IN, FRONT,
          ((_C, 1), (_M, 1), (_R, 1), (_T, 1), (Kind.PRESSURE, 2), (Kind.CARD, 1))),
    Place("gym", "gym", IN, ANNEX,
          ((_C, 1), (_M, 2), (_N, 1), (_T, 2), (_A, 1), (_W, 1), (_K, 1), (Kind.PLUG, 1))),
    Place("canteen", "canteen", ("corridor", OUTSIDE), ANNEX,
          ((_C, 2), (_M, 2), (_N, 1), (_T, 1), (_A, 1), (_K, 2), (_W, 2), (Kind.PLUG, 2))),
    Place("living", "living_room", IN, ANNEX,
          ((_C, 1), (_M, 1), (_R, 1), (_N, 1), (_T, 2), (_A, 1), (_W, 2), (_L, 1), (Kind.PLUG, 1))),
    Place("hall", "service_hall", (OUTSIDE, "corridor"), FRONT,
          ((_C, 1), (Kind.SWITCH, 1), (_M, 2), (_T, 1), (_A, 1), (_L, 1), (_W, 1))),
    Place("corridor", "corridor", (OUTSIDE,), FRONT,
          ((Kind.SWITCH, 1), (_M, 2), (_T, 2), (_W, 1), (_L, 1))),
    Place("storage", "storage", IN, ANNEX, ((_C, 1), (_M, 1), (_T, 1), (_K, 1))),
)  # fmt: skip
SPARES = (_C, _M, _T, _K, _T, _M, _L, _W)
"""Configured, mounted some days later, or never."""
SPARE = "spare"
PRESSURES = ("and_tm265x", "omron_hbp9020")


@cache
def things() -> tuple[Thing, ...]:
    """Every device, spares last."""
    found = [thing for place in PLACES for thing in _things(place)]
    spares = [
        Thing(f"{SPARE}-{kind}-{n}", kind, "reading" if n % 2 else "gym", None, ANNEX)
        for n, kind in enumerate(SPARES)
    ]
    return (*found, *spares)


def _things(place: Place) -> Iterator[Thing]:
    doors = iter(_doors(place))
    for kind, number in place.things:
        for n in range(number):
            name = f"{place.id}-{kind}-{n}"
            door = next(doors) if kind in (Kind.CONTACT, Kind.SWITCH) else None
            yield Thing(name, kind, place.id, door, place.base, _driver(kind, n))


def _driver(kind: Kind, number: int) -> str:
    if kind in TASMOTA:
        return "tasmota"
    if kind is Kind.PRESSURE:
        return PRESSURES[number]
    return {Kind.RADAR: "ld2410", Kind.CARD: "rdm6300"}.get(kind, "zigbee2mqtt")


def _doors(place: Place) -> list[str]:
    return [f"{place.id}-{behind}" for behind in place.doors]


def simulated() -> Centre:
    """The house as people know it; devices are made by ``sensors.py``."""
    doors = [
        Door(door, (place.id, behind))
        for place in PLACES
        for door, behind in zip(_doors(place), place.doors, strict=True)
    ]
    return Centre(
        name={"en": "Weeks"},
        timezone=TIMEZONE,
        rooms=tuple(Room(p.id, {"en": p.id}, p.kind) for p in PLACES),
        doors=tuple(doors),
        devices=tuple(thing.simulated() for thing in things()),
    )


def configured() -> CentreSettings:
    """The same house as a centre would write it down, read by the hub's own settings."""
    document = {
        "centre": {"id": "weeks", "name": {"en": "Weeks"}, "timezone": TIMEZONE},
        "http": {"host": "127.0.0.1", "port": 8080},
        "access": {"open": True},
        "mqtt": {"host": "127.0.0.1", "port": 1883},
        "rooms": [
            {"id": p.id, "name": {"en": p.id}, "kind": p.kind, "floor": 1, "capacity": 200}
            for p in PLACES
        ],
        "doors": [
            {"id": door, "between": [place.id, behind]}
            for place in PLACES
            for door, behind in zip(_doors(place), place.doors, strict=True)
        ],
        "devices": [_configured(thing) for thing in things()],
    }
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "centre.yaml"
        file.write_text(json.dumps(document), encoding="utf-8")  # JSON is YAML
        return settings.load(file)


def _configured(thing: Thing) -> dict[str, object]:
    link = {"mqtt": thing.topic} if thing.topic else {"serial": thing.line}
    entry: dict[str, object] = {"id": thing.id, "driver": thing.driver, "link": link}
    if thing.kind is Kind.SWITCH:
        return entry | {"map": {"switch1": {"door": thing.door}}}
    return entry | ({"door": thing.door} if thing.door else {"room": thing.room})
