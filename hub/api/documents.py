"""The public shapes of ``/api/v1``, and how the domain becomes them.

msgspec structs, because they are encoded thousands of times a second; their JSON Schemas go into
the OpenAPI document. In v1 a field is only added, never renamed or removed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Generic, TypeVar

import msgspec

from device_drivers.contract import Quality
from edge.reading import TimeSource
from hub import texts
from hub.domain.centre import Centre, Room, pick
from hub.domain.device import DeviceState, Health
from hub.domain.opening import Slot
from hub.domain.room import Crowding, Presence, RoomState, Status, Text, ZoneState

Item = TypeVar("Item")

Moment = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""RFC 3339 with Z."""

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
    status: Status
    presence: Presence
    people: PeopleDocument | None


class OpeningDocument(msgspec.Struct):
    """What is planned now, and until when; ``until`` is null where nothing will change.

    ``limit``: how many people the purpose allows; null: the room's capacity.
    """

    open: bool
    until: Moment | None
    purpose: str | None
    name: str | None
    limit: int | None


class RoomDocument(msgspec.Struct):
    """What is known of a room, since when, until when, and why."""

    id: str
    name: str
    building: str
    floor: int
    kind: str
    capacity: int | None
    zones: list[ZoneDocument]
    status: Status
    presence: Presence
    crowding: Crowding | None
    people: PeopleDocument | None
    confidence: float | None
    since: Moment
    as_of: Moment
    valid_until: Moment | None
    reasons: list[ReasonDocument]
    because: list[str]
    opening: OpeningDocument
    override: int | None  # the id of what staff said, where it was heeded


class ChannelDocument(msgspec.Struct):
    value: int | float | str | None
    unit: str
    quality: Quality
    reason: str
    observed_at: Moment
    until: Moment


class DeviceDocument(msgspec.Struct):
    """A device, its health, and the last value of each of its channels that is not personal.

    ``alerts``: open ones that concern it, also those of the wires it hangs on.
    """

    id: str
    driver: str
    room: str | None
    zone: str | None
    door: str | None
    configured: bool
    maturity: str
    health: Health
    last_heard: Moment | None
    channels: dict[str, ChannelDocument]
    alerts: list[int]


class ReadingDocument(msgspec.Struct):
    """One change; it held from ``observed_at`` until at least ``until``."""

    device: str
    channel: str
    value: int | float | str | None
    unit: str
    quality: Quality
    reason: str
    observed_at: Moment
    received_at: Moment
    time_source: TimeSource
    until: Moment | None


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
    as_of: Moment
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

    from_: Moment = msgspec.field(name="from")
    to: Moment
    people_mean: float | None
    covered: float
    status: Status | msgspec.UnsetType = msgspec.UNSET
    share: dict[str, float] | msgspec.UnsetType = msgspec.UNSET


class SummaryDocument(msgspec.Struct):
    """What a channel said in a minute, an hour or a day; only good values count.

    ``mean`` is weighted by time. ``share``, of the covered time by value, is for words and for
    yes (1) and no (0). ``covered`` is the part of the stretch of which anything is known.
    """

    device: str
    channel: str
    from_: Moment = msgspec.field(name="from")
    to: Moment
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
    since: Moment
    last_success: Moment | None
    commits_behind: int
    oldest_unsent: Moment | None
    points: int
    rejected: int
    last_error: ErrorDocument | None


@functools.lru_cache(maxsize=8192)
def rfc3339(at_ms: int) -> str:
    """Milliseconds since 1970 as RFC 3339 with Z; kept, since one message gives several values.

    >>> rfc3339(1_700_000_000_123)
    '2023-11-14T22:13:20.123Z'
    """
    return f"{_to_the_second(at_ms // 1000)}.{at_ms % 1000:03d}Z"


@functools.lru_cache(maxsize=8192)
def _to_the_second(at_s: int) -> str:
    """Most times of a busy moment share their second; strftime takes half as long again."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()[:19]


def room_document(
    room: Room,
    state: RoomState,
    slot: Slot,
    said: Iterable[Text],
    centre: Centre,
    language: str,
    now_ms: int,
) -> RoomDocument:
    """A room in a reader's language; ``now_ms`` tells which times need their date.

    ``said`` are the state's reasons with whatever names people know devices by.
    """
    zone_names = {zone.id: pick(zone.name, language) for zone in room.zones}
    return RoomDocument(
        id=room.id,
        name=pick(room.name, language),
        building=room.building,
        floor=room.floor,
        kind=room.kind,
        capacity=room.capacity,
        zones=[_zone(zone, zone_names) for zone in state.zones],
        status=state.status,
        presence=state.presence,
        crowding=state.crowding,
        people=_people(state),
        confidence=state.confidence,
        since=rfc3339(state.since_ms),
        as_of=rfc3339(state.as_of_ms),
        valid_until=rfc3339(state.valid_until_ms) if state.valid_until_ms else None,
        reasons=[ReasonDocument(text.code, reason_params(text)) for text in state.reasons],
        because=[texts.render(text, language, centre.timezone, now_ms) for text in said],
        opening=opening_document(slot, language),
        override=state.override,
    )


def opening_document(slot: Slot, language: str) -> OpeningDocument:
    return OpeningDocument(
        open=slot.is_open,
        until=None if slot.until_ms is None else rfc3339(slot.until_ms),
        purpose=slot.purpose,
        name=None if slot.name is None else pick(slot.name, language),
        limit=slot.limit,
    )


def _zone(zone: ZoneState, names: dict[str, str]) -> ZoneDocument:
    name = names.get(zone.id, zone.id)
    return ZoneDocument(zone.id, name, zone.status, zone.presence, _people(zone))


def _people(state: RoomState | ZoneState) -> PeopleDocument | None:
    people = state.people
    return PeopleDocument(people.low, people.estimate, people.high) if people else None


def reason_params(text: Text) -> dict[str, str | int | float]:
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
        health=state.health,
        last_heard=rfc3339(state.last_heard_ms) if state.last_heard_ms is not None else None,
        channels={
            name: ChannelDocument(
                channel.value,
                channel.unit,
                channel.quality,
                channel.reason,
                rfc3339(channel.observed_ms),
                rfc3339(channel.until_ms),
            )
            for name, channel in state.channels.items()
        },
        alerts=list(state.alerts),
    )
