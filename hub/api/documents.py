"""The public shapes of ``/api/v1``, and how the domain becomes them.

msgspec structs, because they are encoded thousands of times a second; their JSON Schemas go into
the OpenAPI document. In v1 a field is only added, never renamed or removed.
"""

from __future__ import annotations

import functools
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec

from hub import texts
from hub.domain.centre import Centre, Room, pick
from hub.domain.device import DeviceState
from hub.domain.room import RoomState, Text, ZoneState

Item = TypeVar("Item")

TIME_PARAMS = frozenset({"time", "until"})

encode = msgspec.json.Encoder().encode


class ReasonDocument(msgspec.Struct):
    """Why: a code for programs; ``because`` of the room holds the sentence."""

    code: str
    params: dict[str, str | int | float]


class PeopleDocument(msgspec.Struct):
    low: int
    estimate: int
    high: int


class ZoneDocument(msgspec.Struct):
    id: str
    name: str
    status: str
    presence: str
    people: PeopleDocument | None


class RoomDocument(msgspec.Struct):
    """What is known of a room, since when, until when, and why."""

    id: str
    name: str
    building: str
    floor: int
    kind: str
    capacity: int | None
    zones: list[ZoneDocument]
    status: str
    presence: str
    crowding: str | None
    people: PeopleDocument | None
    confidence: float | None
    since: str
    as_of: str
    valid_until: str | None
    reasons: list[ReasonDocument]
    because: list[str]


class ChannelDocument(msgspec.Struct):
    value: int | float | str | None
    unit: str
    quality: str
    reason: str
    observed_at: str
    until: str


class DeviceDocument(msgspec.Struct):
    """A device, its health, and the last value of each of its channels that is not personal."""

    id: str
    driver: str
    room: str | None
    zone: str | None
    door: str | None
    configured: bool
    maturity: str
    health: str
    last_heard: str | None
    channels: dict[str, ChannelDocument]


class ReadingDocument(msgspec.Struct):
    """One change; it held from ``observed_at`` until at least ``until``."""

    device: str
    channel: str
    value: int | float | str | None
    unit: str
    quality: str
    reason: str
    observed_at: str
    received_at: str
    time_source: str
    until: str | None


class CentreDocument(msgspec.Struct):
    id: str
    name: str


class AlertCounts(msgspec.Struct):
    raised: int
    acknowledged: int


class DeviceCounts(msgspec.Struct):
    ok: int
    faulty: int
    silent: int
    new: int


class StatusDocument(msgspec.Struct):
    """The whole centre at a glance."""

    centre: CentreDocument
    as_of: str
    rooms: list[RoomDocument]
    alerts: AlertCounts
    devices: DeviceCounts


class Page(msgspec.Struct, Generic[Item]):
    """Every list has this shape; ``next`` is the cursor of the next page."""

    items: list[Item]
    next: str | None = None


class HistoryDocument(msgspec.Struct):
    """A stretch of one status (``step=raw``), or how a minute, an hour or a day was shared out.

    ``share`` is of the covered time, by status; ``covered`` is the part of the stretch of which
    anything is known. ``people_mean`` is over the time in which people were counted.
    """

    from_: str = msgspec.field(name="from")
    to: str
    people_mean: float | None
    covered: float
    status: str | msgspec.UnsetType = msgspec.UNSET
    share: dict[str, float] | msgspec.UnsetType = msgspec.UNSET


class SummaryDocument(msgspec.Struct):
    """What a channel said in a minute, an hour or a day; only good values count.

    ``mean`` is weighted by time. ``share``, of the covered time by value, is for words and for
    yes (1) and no (0). ``covered`` is the part of the stretch of which anything is known.
    """

    device: str
    channel: str
    from_: str = msgspec.field(name="from")
    to: str
    mean: float | None
    min: int | float | None
    max: int | float | None
    share: dict[str, float]
    covered: float


class ErrorDocument(msgspec.Struct):
    """What went wrong: a code for programs, a sentence for people."""

    code: str
    params: dict[str, str | int | float]
    text: str


class MirrorDocument(msgspec.Struct):
    """A copy of the history on another server.

    State: trying (nothing acknowledged since the start), ok, catching_up, waiting or alarm.
    """

    id: str
    kind: str
    url: str
    state: str
    since: str
    last_success: str | None
    commits_behind: int
    oldest_unsent: str | None
    points: int
    rejected: int
    last_error: ErrorDocument | None


def rfc3339(at_ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339 with Z.

    >>> rfc3339(1_700_000_000_123)
    '2023-11-14T22:13:20.123Z'
    """
    return f"{_to_the_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@functools.lru_cache(maxsize=8192)
def _to_the_second(at_s: int) -> str:
    """Most times of a busy moment share their second; strftime takes half as long again."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()[:19]


def room_document(
    room: Room, state: RoomState, centre: Centre, language: str, now_ms: int
) -> RoomDocument:
    """A room in a reader's language; ``now_ms`` tells which times need their date."""
    zone_names = {zone.id: pick(zone.name, language) for zone in room.zones}
    return RoomDocument(
        id=room.id,
        name=pick(room.name, language),
        building=room.building,
        floor=room.floor,
        kind=room.kind,
        capacity=room.capacity,
        zones=[_zone(zone, zone_names) for zone in state.zones],
        status=state.status.value,
        presence=state.presence.value,
        crowding=state.crowding.value if state.crowding else None,
        people=_people(state),
        confidence=state.confidence,
        since=rfc3339(state.since_ms),
        as_of=rfc3339(state.as_of_ms),
        valid_until=rfc3339(state.valid_until_ms) if state.valid_until_ms else None,
        reasons=[ReasonDocument(text.code, _params(text)) for text in state.reasons],
        because=[texts.render(text, language, centre.timezone, now_ms) for text in state.reasons],
    )


def _zone(zone: ZoneState, names: dict[str, str]) -> ZoneDocument:
    name = names.get(zone.id, zone.id)
    return ZoneDocument(zone.id, name, zone.status.value, zone.presence.value, _people(zone))


def _people(state: RoomState | ZoneState) -> PeopleDocument | None:
    people = state.people
    return PeopleDocument(people.low, people.estimate, people.high) if people else None


def _params(text: Text) -> dict[str, str | int | float]:
    return {
        name: rfc3339(int(value)) if name in TIME_PARAMS and isinstance(value, int) else value
        for name, value in text.params.items()
    }


def device_document(state: DeviceState) -> DeviceDocument:
    return DeviceDocument(
        id=state.id,
        driver=state.driver,
        room=state.room,
        zone=state.zone,
        door=state.door,
        configured=state.configured,
        maturity=state.maturity,
        health=state.health.value,
        last_heard=rfc3339(state.last_heard_ms) if state.last_heard_ms is not None else None,
        channels={
            name: ChannelDocument(
                channel.value,
                channel.unit,
                channel.quality.value,
                channel.reason,
                rfc3339(channel.observed_ms),
                rfc3339(channel.until_ms),
            )
            for name, channel in state.channels.items()
        },
    )


DOCUMENTS: tuple[Any, ...] = (
    RoomDocument,
    DeviceDocument,
    StatusDocument,
    Page[RoomDocument],
    Page[DeviceDocument],
    Page[ReadingDocument],
    Page[SummaryDocument],
    Page[HistoryDocument],
    Page[MirrorDocument],
)
"""What the OpenAPI document must know."""
