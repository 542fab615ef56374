"""What a device's lines must agree with: its driver, its place, its own wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from device_drivers.contract import AnyDriver, MqttDriver
from device_drivers.registry import drivers
from device_drivers.topics import check_fill, check_pattern
from edge.settings import DeviceSettings, MapEntry, MqttLink, SerialLink
from hub.configuration.draft import Draft, written
from hub.configuration.problems import Param, Problem, near
from hub.configuration.yaml12 import Document, Path


@dataclass(frozen=True, slots=True)
class _Known:
    """The names a device may point at."""

    rooms: frozenset[str]
    doors: frozenset[str]
    zones: Mapping[str, frozenset[str]]
    """By room; a room that was itself not understood is missing, and not complained about."""


def check_devices(draft: Draft, document: Document) -> Iterator[Problem]:
    """Everything about devices, one by one, and then the wires they may not share."""
    known = _Known(
        frozenset(written(document, "rooms").values()),
        frozenset(written(document, "doors").values()),
        {room.id: frozenset(zone.id for zone in room.zones) for room in draft.rooms.values()},
    )
    yield from _drivers(document)
    for index, device in draft.devices.items():
        path: Path = ("devices", index)
        yield from _placed(device, path, known, document)
        driver = drivers().get(device.driver)
        if driver is not None:
            yield from _linked(device, driver, path, document)
    yield from _shared(draft, document)


def _drivers(document: Document) -> Iterator[Problem]:
    known = drivers()
    for index, name in written(document, "devices", "driver").items():
        if name not in known:
            place = document.place(("devices", index, "driver"))
            params: dict[str, Param] = {"value": name, "known": ", ".join(sorted(known))}
            yield Problem("unknown_driver", place, params, near(name, known))


def _placed(
    device: DeviceSettings, path: Path, known: _Known, document: Document
) -> Iterator[Problem]:
    given = [name for name in ("room", "door", "map") if getattr(device, name) is not None]
    if len(given) != 1 or device.map == {}:
        code = "two_places" if len(given) > 1 else "no_place"
        params: dict[str, Param] = {"id": device.id, "given": ", ".join(given)}
        yield Problem(code, document.place(path), params)
        return
    if device.map is None:
        yield from _pointed(device, path, known, document)
        return
    if device.zone is not None:
        yield Problem("zone_without_room", document.place((*path, "zone")), {"value": device.zone})
    for part, entry in device.map.items():
        inner: Path = (*path, "map", part)
        if (entry.room is None) == (entry.door is None):
            code = "no_place_part" if entry.room is None else "two_places_part"
            yield Problem(code, document.place(inner), {"part": part})
        else:
            yield from _pointed(entry, inner, known, document)


def _pointed(
    entry: DeviceSettings | MapEntry, path: Path, known: _Known, document: Document
) -> Iterator[Problem]:
    """The room, the door and the zone exist."""
    for key, name, names in (("room", entry.room, known.rooms), ("door", entry.door, known.doors)):
        if name is not None and name not in names:
            place = document.place((*path, key))
            yield Problem(f"unknown_{key}", place, {"value": name}, near(name, names))
    if entry.zone is None:
        return
    place = document.place((*path, "zone"))
    if entry.room is None:
        yield Problem("zone_without_room", place, {"value": entry.zone})
    elif (zones := known.zones.get(entry.room)) is not None and entry.zone not in zones:
        params: dict[str, Param] = {"value": entry.zone, "room": entry.room}
        yield Problem("unknown_zone", place, params, near(entry.zone, zones))


def _linked(
    device: DeviceSettings, driver: AnyDriver, path: Path, document: Document
) -> Iterator[Problem]:
    place = document.place((*path, "link"))
    wants = "mqtt" if isinstance(driver, MqttDriver) else "serial"
    has = "mqtt" if isinstance(device.link, MqttLink) else "serial"
    if wants != has:
        params: dict[str, Param] = {"driver": driver.name, "wants": wants, "has": has}
        yield Problem("wrong_link", place, params)
    elif isinstance(device.link, SerialLink):
        if not is_port(device.link.serial):
            place = document.place((*path, "link", "serial"))
            yield Problem("bad_port", place, {"value": device.link.serial})
    else:
        yield from _topic(device.link, (*path, "link"), document)


def is_port(name: str) -> bool:
    """A device file, or a serial server by network.

    >>> is_port("/dev/ttyUSB0"), is_port("socket://10.0.0.9:4001"), is_port("COM3")
    (True, True, False)
    """
    if name.startswith("/"):
        return "\0" not in name
    try:
        parts = urlsplit(name)
        return parts.scheme == "socket" and bool(parts.hostname) and bool(parts.port)
    except ValueError:  # a port that is no number, or out of range
        return False


def _topic(link: MqttLink, path: Path, document: Document) -> Iterator[Problem]:
    for key, text, check in (
        ("mqtt", link.mqtt, check_fill),
        ("pattern", link.pattern, check_pattern),
    ):
        if text is None:
            continue
        try:
            check(text)
        except ValueError:
            code = "bad_topic" if key == "mqtt" else "bad_pattern"
            yield Problem(code, document.place((*path, key)), {"value": text.replace("\0", "?")})


def _shared(draft: Draft, document: Document) -> Iterator[Problem]:
    """One port, one device; one topic, one device."""
    first: dict[tuple[str, str], tuple[str, Path]] = {}
    for index, device in draft.devices.items():
        link, path = device.link, ("devices", index, "link")
        key = "serial" if isinstance(link, SerialLink) else "mqtt"
        name = link.serial if isinstance(link, SerialLink) else f"{link.mqtt} {link.pattern or ''}"
        here: Path = (*path, key)
        if (key, name) in first:
            other, at = first[key, name]
            params: dict[str, Param] = {"value": name.strip(), "other": other}
            params["first"] = str(document.place(at))
            yield Problem(f"shared_{key}", document.place(here), params)
        first.setdefault((key, name), (device.id, here))
