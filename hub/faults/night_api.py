"""``nights``: what closed hours showed, each morning."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from hub.api.answers import answer, documented
from hub.api.documents import Moment, Page, rfc3339
from hub.domain.centre import Centre
from hub.faults.api import Language
from hub.faults.night import Night
from hub.faults.night_service import NightService
from hub.faults.night_words import paragraph

USUAL, MOST = 30, 400


class NightDocument(msgspec.Struct):
    """``day`` is its morning. ``quiet``: rooms in which nothing was seen, counted or open;
    ``unsure``: rooms whose sensors told nothing."""

    day: str
    since: Moment
    until: Moment
    quiet: list[str]
    unsure: list[str]
    text: str


def routes(nights: NightService) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["alerts"])

    @router.get(
        "/nights",
        responses=documented(Page[NightDocument], on_422="A limit that cannot be used"),
    )
    async def list_nights(
        language: Language,
        limit: Annotated[int, Query(ge=1, le=MOST, description="so many nights")] = USUAL,
    ) -> Response:
        """What closed hours showed, the newest night first."""
        found = await nights.nights(limit)
        return answer(Page([_document(night, nights.centre, language) for night in found]))

    return router


def _document(night: Night, centre: Centre, language: str) -> NightDocument:
    return NightDocument(
        day=night.day,
        since=rfc3339(night.from_ms),
        until=rfc3339(night.until_ms),
        quiet=list(night.quiet),
        unsure=list(night.unsure),
        text=paragraph(night, centre, language),
    )
