"""The documents: a room as a device of Home Assistant, and the state that its entities read.

Device-based discovery: one document for a room, with all its entities. Home Assistant takes the
text ``None`` for "not known"; an unknown presence says that, since anything else would become off,
which means nobody. Entities expire when nothing is heard: a broker that lost its power keeps our
last word and no will, and would otherwise show a free room for ever.

Nothing personal is in them: no parameters of reasons (one may be an author's name), no text that
somebody typed.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from hub import __version__
from hub.api.documents import rfc3339
from hub.domain.centre import Centre, Room, pick
from hub.domain.room import Crowding, People, Presence, RoomState, Status, Text
from hub.domain.series import SeriesKey
from hub.field.topics import Topics
from hub.texts import render

EXPIRE_S = 300
"""A state that is not said again for so long is no longer believed."""
STATUSES = (Status.FREE, Status.IN_USE, Status.FULL, Status.CLOSED, Status.UNKNOWN)
PRESENCE = "{{ {'present': 'ON', 'absent': 'OFF'}.get(value_json.presence, 'None') }}"
PEOPLE = "{{ value_json.people.estimate if value_json.people else 'None' }}"
CROWDING = "{{ value_json.crowding if value_json.crowding else 'None' }}"
ATTRIBUTES = "{{ {'since': value_json.since, 'reasons': value_json.reasons} | tojson }}"


class StateDocument(msgspec.Struct, frozen=True):
    """What is known of a room. Fields are those of the API; reasons are codes alone."""

    room: str
    status: Status
    presence: Presence
    crowding: Crowding | None
    people: People | None
    confidence: float | None
    since: str
    as_of: str
    valid_until: str | None
    reasons: tuple[str, ...]


def state_document(state: RoomState) -> bytes:
    """What goes to the state topic."""
    document = StateDocument(
        room=state.room,
        status=state.status,
        presence=state.presence,
        crowding=state.crowding,
        people=state.people,
        confidence=state.confidence,
        since=rfc3339(state.since_ms),
        as_of=rfc3339(state.as_of_ms),
        valid_until=rfc3339(state.valid_until_ms) if state.valid_until_ms else None,
        reasons=tuple(dict.fromkeys(reason.code for reason in state.reasons)),
    )
    return msgspec.json.encode(document)


def config_document(centre: Centre, room: Room, topics: Topics, *, counted: bool) -> bytes:
    """What goes to the discovery topic; ``counted``: somebody counts the people in this room."""
    language = next(iter(centre.name))
    unique = topics.unique(room.id)
    entities = _entities(counted=counted, has_crowding=counted and room.capacity is not None)
    entities["status"] |= {
        "json_attributes_topic": topics.state(room.id),
        "json_attributes_template": ATTRIBUTES,
    }
    document = {
        "device": {
            "identifiers": [unique],
            "name": pick(room.name, language),
            "manufacturer": "Linli",
            "model": render(Text(f"kind.{room.kind}"), language),
            "sw_version": __version__,
            "suggested_area": _area(centre, room, language),
        },
        "origin": {"name": "Linli", "sw_version": __version__},
        "availability_topic": topics.status,
        "state_topic": topics.state(room.id),
        "qos": 1,
        "components": {
            name: {
                **entity,
                "name": render(Text(f"field.{name}"), language),
                "unique_id": f"{unique}_{name}",
                "expire_after": EXPIRE_S,
            }
            for name, entity in entities.items()
        },
    }
    return msgspec.json.encode(document)


def counted_rooms(centre: Centre, heard: Iterable[SeriesKey]) -> set[str]:
    """Rooms of which some device, at a door or inside, has ever told how many people."""
    devices = {device.id: device for device in centre.devices}
    doors = {door.id: door.between for door in centre.doors}
    rooms: set[str] = set()
    for key in heard:
        device = devices.get(key.device)
        if device is None or not key.channel.startswith("people."):
            continue
        place = device.places.get(key.part) or device.places.get("")
        if place is not None:
            rooms.update(doors.get(place.door, ()) if place.door else (place.room or "",))
    return rooms & {room.id for room in centre.rooms}


def _entities(*, counted: bool, has_crowding: bool) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {
        "status": {
            "platform": "sensor",
            "device_class": "enum",
            "options": list(STATUSES),
            "value_template": "{{ value_json.status }}",
        },
        "presence": {
            "platform": "binary_sensor",
            "device_class": "occupancy",
            "value_template": PRESENCE,
        },
    }
    if counted:
        found["people"] = {
            "platform": "sensor",
            "state_class": "measurement",
            "icon": "mdi:account-group",
            "value_template": PEOPLE,
        }
    if has_crowding:
        found["crowding"] = {
            "platform": "sensor",
            "device_class": "enum",
            "options": list(Crowding),
            "value_template": CROWDING,
        }
    return found


def _area(centre: Centre, room: Room, language: str) -> str:
    """The floor, behind its building where there are several."""
    code = "ui.basement" if room.floor < 0 else "ui.floor"
    floor = render(Text(code, {"floor": abs(room.floor)}), language)
    if len(centre.buildings) < 2:
        return floor
    building = next(item for item in centre.buildings if item.id == room.building)
    return f"{pick(building.name, language)} {floor}"
