"""Names of places that must agree: rooms, zones, buildings, doors; who may look; the time zone."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from zoneinfo import ZoneInfo, available_timezones

from hub.configuration.draft import Draft, written
from hub.configuration.keeping import MirrorSettings
from hub.configuration.problems import Problem, near
from hub.configuration.yaml12 import Document, Path
from hub.domain.centre import OUTSIDE


def check_places(draft: Draft, document: Document) -> Iterator[Problem]:
    """Everything that is not about devices."""
    for section in ("buildings", "rooms", "doors", "devices", "mirrors"):
        yield from _repeated(section, document)
    yield from _same_default(document)
    yield from _centre(draft, document)
    yield from _access(draft, document)
    yield from _rooms(draft, document)
    yield from _doors(draft, document)
    yield from _plans(draft, document)


def _repeated(section: str, document: Document) -> Iterator[Problem]:
    first: dict[str, Path] = {}
    for index, name in written(document, section).items():
        path: Path = (section, index, "id")
        if name in first:
            params = {"id": name, "first": str(document.place(first[name]))}
            yield Problem("duplicate_id", document.place(path), {**params})
        first.setdefault(name, path)


def _same_default(document: Document) -> Iterator[Problem]:
    """Two mirrors would share one place in the history, also where an id is left out."""
    rows = document.data.get("mirrors") if isinstance(document.data, dict) else None
    default: str = MirrorSettings.model_fields["id"].default
    ours: list[Path] = [
        ("mirrors", index, "id") if "id" in row else ("mirrors", index)
        for index, row in enumerate(rows if isinstance(rows, list) else [])
        if isinstance(row, dict) and row.get("id", default) == default
    ]
    for path in ours[1:]:
        if not len(path) == len(ours[0]) == 3:  # two that are written are told already
            params = {"id": default, "first": str(document.place(ours[0]))}
            yield Problem("duplicate_id", document.place(path), {**params})


def _centre(draft: Draft, document: Document) -> Iterator[Problem]:
    if draft.centre is None or is_timezone(draft.centre.timezone):
        return
    name = draft.centre.timezone
    guess = near(name, sorted(available_timezones()))
    yield Problem("timezone", document.place(("centre", "timezone")), {"value": name}, guess)


def is_timezone(name: str) -> bool:
    """The time zone database knows it."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; a path; a folder such as "Asia"
        return False
    return True


def is_loopback(host: str) -> bool:
    """Only this machine can reach it.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, False)
    """
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def _access(draft: Draft, document: Document) -> Iterator[Problem]:
    if draft.access is None or draft.http is None:
        return
    if draft.access.open and not is_loopback(draft.http.host):
        place = document.place(("access", "open"))
        yield Problem("open_to_all", place, {"host": draft.http.host})


def _rooms(draft: Draft, document: Document) -> Iterator[Problem]:
    buildings = set(written(document, "buildings").values())
    for index, room in draft.rooms.items():
        path: Path = ("rooms", index)
        if room.id == OUTSIDE:
            yield Problem("outside_taken", document.place((*path, "id")))
        if room.building is None:
            if len(buildings) > 1:
                yield Problem("which_building", document.place(path), {"room": room.id})
        elif room.building not in buildings:
            params = {"room": room.id, "value": room.building}
            guess = near(room.building, buildings)
            place = document.place((*path, "building"))
            yield Problem("unknown_building", place, {**params}, guess)
        yield from _zones(room.id, [zone.id for zone in room.zones], path, document)


def _zones(room: str, zones: list[str], path: Path, document: Document) -> Iterator[Problem]:
    for index, zone in enumerate(zones):
        if zone in zones[:index]:
            first = document.place((*path, "zones", zones.index(zone), "id"))
            place = document.place((*path, "zones", index, "id"))
            yield Problem("duplicate_id", place, {"id": f"{room}/{zone}", "first": str(first)})


def _doors(draft: Draft, document: Document) -> Iterator[Problem]:
    places = {*written(document, "rooms").values(), OUTSIDE}
    for index, door in draft.doors.items():
        path: Path = ("doors", index, "between")
        for at, name in enumerate(door.between):
            if name not in places:
                params = {"door": door.id, "value": name}
                place = document.place((*path, at))
                yield Problem("unknown_place", place, {**params}, near(name, places))
        if door.between[0] == door.between[1]:
            yield Problem("door_to_itself", document.place(path), {"door": door.id})


def _plans(draft: Draft, document: Document) -> Iterator[Problem]:
    """A plan is of a floor that has rooms, and a floor has one plan."""
    buildings = list(dict.fromkeys(written(document, "buildings").values()))
    implied = draft.centre.id if draft.centre is not None and not buildings else None
    only = buildings[0] if len(buildings) == 1 else implied
    floors = {(room.building or only, room.floor) for room in draft.rooms.values()}
    first: dict[tuple[str | None, int], Path] = {}
    for index, plan in draft.plans.items():
        path: Path = ("plans", index)
        where = (plan.building or only, plan.floor)
        params: dict[str, str | int] = {"building": where[0] or "", "floor": plan.floor}
        if plan.building is None and len(buildings) > 1:
            yield Problem("plan_which_building", document.place(path))
        elif where not in floors:
            yield Problem("plan_no_rooms", document.place(path), params)
        elif where in first:
            params["first"] = str(document.place(first[where]))
            yield Problem("plan_twice", document.place(path), params)
        first.setdefault(where, path)
