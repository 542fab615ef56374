"""``rooms/{id}/explain``: why a room was what it was at a past moment."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response

from hub import texts
from hub.api.answers import answer, documented
from hub.api.documents import (
    Moment,
    OpeningDocument,
    PeopleDocument,
    ReasonDocument,
    opening_document,
    reason_params,
    rfc3339,
)
from hub.api.times import parse_time
from hub.domain.centre import Centre
from hub.domain.room import Presence, RoomState, Status
from hub.domain.views import HubView
from hub.rooms.explained import Evidence, Explained, History, explained
from hub.rooms.override_api import OverrideDocument
from hub.rooms.override_api import document as override_document

Lang = Annotated[str | None, Query(description="zh-CN, zh-TW or en; wins over Accept-Language")]
Accepted = Annotated[str | None, Header(alias="Accept-Language", include_in_schema=False)]


class PastStateDocument(msgspec.Struct):
    """What the rules say of the moment, from what the sensors had said by then."""

    status: Status
    presence: Presence
    people: PeopleDocument | None
    since: Moment
    reasons: list[ReasonDocument]
    because: list[str]


class EvidenceDocument(msgspec.Struct):
    """What a channel had shown. ``trouble``: why it proves nothing; empty where it counts."""

    device: str
    channel: str
    part: str
    value: int | None
    since: Moment | None
    heard: Moment | None
    trouble: str


class ExplainedDocument(msgspec.Struct):
    """``said``: the status that was shown then; null: the hub did not run. ``state`` null: what the
    sensors said then was not kept. ``agrees`` false: configuration or rules have changed since."""

    room: str
    at: Moment
    said: Status | None
    state: PastStateDocument | None
    agrees: bool
    opening: OpeningDocument
    evidence: list[EvidenceDocument]
    overrides: list[OverrideDocument]


def routes(history: History, centre: Centre, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["rooms"])

    @router.get(
        "/rooms/{room}/explain",
        responses=documented(
            ExplainedDocument,
            on_404="No such room",
            on_422="A time that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def explain_room(
        room: str,
        at: Annotated[str | None, Query(description="RFC 3339; now if left out")] = None,
        lang: Lang = None,
        accepted: Accepted = None,
    ) -> Response:
        """Why a room was free, in use or unknown at a past moment, replayed from the history."""
        now_ms = hub.now_ms()
        found = await explained(history, centre, room, parse_time("at", at, now_ms))
        language = texts.negotiate(lang, None, accepted)
        return answer(_document(found, centre.timezone, language, now_ms))

    return router


def _document(found: Explained, zone: str, language: str, now_ms: int) -> ExplainedDocument:
    state = found.state
    return ExplainedDocument(
        room=found.room,
        at=rfc3339(found.at_ms),
        said=None if found.said is None else found.said.status,
        state=None if state is None else _state(state, zone, language, now_ms),
        agrees=found.agrees,
        opening=opening_document(found.slot, language),
        evidence=[_evidence(item) for item in found.evidence],
        overrides=[override_document(item) for item in found.overrides],
    )


def _state(state: RoomState, zone: str, language: str, now_ms: int) -> PastStateDocument:
    people = state.people
    return PastStateDocument(
        status=state.status,
        presence=state.presence,
        people=None if people is None else PeopleDocument(people.low, people.estimate, people.high),
        since=rfc3339(state.since_ms),
        reasons=[ReasonDocument(text.code, reason_params(text)) for text in state.reasons],
        because=[texts.render(text, language, zone, now_ms) for text in state.reasons],
    )


def _evidence(item: Evidence) -> EvidenceDocument:
    return EvidenceDocument(
        item.device,
        item.channel,
        item.part,
        item.value,
        rfc3339(item.since_ms) if item.since_ms else None,
        None if item.heard_ms is None else rfc3339(item.heard_ms),
        item.trouble,
    )
