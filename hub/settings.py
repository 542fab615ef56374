"""The configuration of a centre: read, checked, and turned into the place it describes.

    centre.yaml + devices.d/*.yaml > load() > CentreSettings > centre() > Centre

Every problem of all files is found in one go, each with file, line and column; nothing of a wrong
configuration is ever used. Files are only read: what is adopted on a page goes to a file of its
own, `devices.d/adopted.yaml`, and the same device in both is an error that names both lines.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from device_drivers.contract import AnyDriver
from device_drivers.registry import drivers
from edge.durations import parse_duration
from edge.settings import DeviceSettings
from hub.configuration import yaml12
from hub.configuration.checks import check_places
from hub.configuration.device_checks import check_devices
from hub.configuration.draft import draft
from hub.configuration.models import CentreSettings, RoomSettings, ZoneSettings
from hub.configuration.notify import NotifySection
from hub.configuration.notify_checks import check_notify
from hub.configuration.problems import Place, Problem, SettingsError
from hub.configuration.publish_checks import check_publish
from hub.configuration.timetable_checks import check_timetable
from hub.domain.centre import Building, Centre, Device, Door, Placement, Room, Zone

__all__ = ["CentreSettings", "Place", "Problem", "SettingsError", "centre", "load", "parse"]

DEVICES_FOLDER = "devices.d"


def load(path: Path) -> CentreSettings:
    """Read a centre from its file and the devices beside it.

    Raises:
        SettingsError: with every problem found.
    """
    text = _read(path)
    if isinstance(text, Problem):
        raise SettingsError([text])
    document = yaml12.read_text(text, str(path))
    _add_devices(document, path.parent / DEVICES_FOLDER)
    return beside(path.parent, _checked(document))


def beside(folder: Path, settings: CentreSettings) -> CentreSettings:
    """The same settings with paths that no longer depend on where somebody stands."""
    plans = [plan.model_copy(update={"file": str(folder / plan.file)}) for plan in settings.plans]
    notify = settings.notify and _secrets_beside(folder, settings.notify)
    return settings.model_copy(update={"plans": plans, "notify": notify})


def _secrets_beside(folder: Path, section: NotifySection) -> NotifySection:
    def at(item: Any, key: str) -> Any:
        return item and item.model_copy(update={key: str(folder / getattr(item, key))})

    return section.model_copy(
        update={
            "channels": [at(channel, "url_file") for channel in section.channels],
            "webhooks": [at(hook, "secret_file") for hook in section.webhooks],
            "heartbeat": at(section.heartbeat, "url_file"),
        }
    )


def parse(text: str, name: str = "centre.yaml") -> CentreSettings:
    """Read a centre from a text; ``name`` is what problems call it.

    Raises:
        SettingsError: with every problem found.
    """
    return _checked(yaml12.read_text(text, name))


def centre(settings: CentreSettings) -> Centre:
    """The place that the settings describe, as the rest of the hub knows it."""
    buildings = [Building(item.id, _name(item.name)) for item in settings.buildings]
    if not buildings:
        buildings = [Building(settings.centre.id, _name(settings.centre.name))]
    return Centre(
        id=settings.centre.id,
        name=_name(settings.centre.name),
        timezone=settings.centre.timezone,
        buildings=tuple(buildings),
        rooms=tuple(_room(room, buildings[0].id) for room in settings.rooms),
        doors=tuple(Door(door.id, door.between) for door in settings.doors),
        devices=tuple(_device(item, drivers()[item.driver]) for item in settings.devices),
    )


def _read(path: Path) -> str | Problem:
    file = str(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(yaml12.MAX_BYTES + 1)
    except FileNotFoundError:
        return Problem("no_file", Place(file))
    except IsADirectoryError:
        return Problem("folder", Place(file))
    except PermissionError:
        return Problem("forbidden", Place(file))
    except (OSError, ValueError) as error:  # a loop of links, a zero byte in the name
        return Problem("unreadable", Place(file), {"detail": str(error)})
    return yaml12.decode(raw, file)


def _checked(document: yaml12.Document) -> CentreSettings:
    problems = list(document.problems)
    if document.data is None and not problems:
        problems.append(Problem("empty", document.place(())))
    elif document.data is not None:
        _drop_endless(document)
        found = draft(document)
        problems = document.problems + found.problems
        problems += [*check_places(found, document), *check_devices(found, document)]
        problems += [*check_timetable(document), *check_publish(found, document)]
        problems += check_notify(found, document)
        if found.settings is not None and not problems:
            return found.settings
    raise SettingsError(sorted(set_of(problems), key=lambda problem: problem.place))


def set_of(problems: list[Problem]) -> list[Problem]:
    """Each problem once; two checks may stumble over the same line."""
    seen = {(problem.place, problem.code, str(problem.params)): problem for problem in problems}
    return list(seen.values())


def _drop_endless(document: yaml12.Document) -> None:
    """Take out durations that are longer than time itself: pydantic would stop at the first."""
    rows = document.data.get("devices") if isinstance(document.data, dict) else None
    for index, row in enumerate(rows if isinstance(rows, list) else []):
        value = row.get("silent_after") if isinstance(row, dict) else None
        try:
            parse_duration(value)
        except OverflowError:
            place = document.place(("devices", index, "silent_after"))
            key = f"devices[{index}].silent_after"
            params: dict[str, str | int] = {"key": key, "value": str(value)[:60]}
            document.problems.append(Problem("bad_duration", place, params))
            del row["silent_after"]
        except ValueError:
            continue  # told with its place by the model


def _add_devices(document: yaml12.Document, folder: Path) -> None:
    """Put the devices of every file of the folder behind those of the centre's own file."""
    files = sorted(file for file in folder.glob("*.yaml") if not file.name.startswith("."))
    if not files or not isinstance(document.data, dict | None):
        return
    data: dict[str, Any] = document.data if isinstance(document.data, dict) else {}
    devices = data.get("devices")
    if devices is not None and not isinstance(devices, list):
        return
    more: list[object] = list(devices or [])
    for file in files:
        text = _read(file)
        if isinstance(text, Problem):
            document.problems.append(text)
            continue
        _append(document, more, yaml12.read_text(text, str(file)))
    if document.data is not None and more:
        data["devices"] = more


def _append(document: yaml12.Document, more: list[object], part: yaml12.Document) -> None:
    document.problems += part.problems
    if part.data is None:
        return
    if not isinstance(part.data, list):
        if not part.problems:
            document.problems.append(Problem("devices_file", part.place(())))
        return
    start = len(more)
    more += part.data
    for ours, theirs in ((document.keys, part.keys), (document.values, part.values)):
        for path, place in theirs.items():
            if path:
                ours[("devices", start + int(path[0]), *path[1:])] = place


def _name(name: Any) -> dict[str, str]:
    return {str(language): str(text) for language, text in name.items()}


def _room(room: RoomSettings, only_building: str) -> Room:
    return Room(
        id=room.id,
        name=_name(room.name),
        building=room.building or only_building,
        floor=room.floor,
        kind=room.kind,
        capacity=room.capacity,
        zones=tuple(_zone(zone) for zone in room.zones),
    )


def _zone(zone: ZoneSettings) -> Zone:
    return Zone(zone.id, _name(zone.name or {"en": zone.id}), zone.capacity)


def _device(device: DeviceSettings, driver: AnyDriver) -> Device:
    return Device(
        id=device.id,
        driver=device.driver,
        places=_places(device, driver),
        maturity=driver.maturity.value,
        silent_after_ms=_ms(device.silent_after or driver.silent_after),
        proof_within_ms=_ms(driver.proof_within),
    )


def _places(device: DeviceSettings, driver: AnyDriver) -> dict[str, Placement]:
    """Part to place. A map may also name a channel of a device without parts.

    Such a device has one part, "", which is in the place that its channels agree on.
    """
    if device.map is None:
        return {"": Placement(device.room, device.door, device.zone)}
    places: dict[str, Placement] = {}
    for part, entry in device.map.items():
        place = Placement(entry.room, entry.door, entry.zone)
        places[part] = place
        if part in driver.channels:
            places.setdefault(entry.channel or part, place)
            places.setdefault("", place)
    return places


def _ms(span: timedelta) -> int:
    return round(span / timedelta(milliseconds=1))
