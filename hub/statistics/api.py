"""``statistics``: how fast faults are found and mended, and whether repairs last."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from hub.api.answers import answer, documented
from hub.api.documents import Moment, rfc3339
from hub.domain.fault import FaultKind
from hub.statistics.rules import Figures, Span
from hub.statistics.service import StatisticsService


class FiguresDocument(msgspec.Struct):
    """``detected_after_s``: median from the beginning of a fault until it was found.
    ``repaired_after_s``: median from the alert until it was over or its repair was proven.
    ``not_held``: how often a repair had to be done again. ``building`` and ``kind`` are null where
    all are counted, ``building`` also where a fault belongs to none."""

    building: str | None
    kind: FaultKind | None
    found: int
    solved: int
    not_held: int
    detected_after_s: int | None
    repaired_after_s: int | None


class AnsweredDocument(msgspec.Struct):
    """What people said at doors."""

    answered: int
    unanswered: int
    answered_after_s: int | None


class StatisticsDocument(msgspec.Struct):
    """``cells``: by building and kind."""

    from_: Moment = msgspec.field(name="from")
    to: Moment
    whole: FiguresDocument
    by_kind: list[FiguresDocument]
    by_building: list[FiguresDocument]
    cells: list[FiguresDocument]
    reports: AnsweredDocument


def routes(statistics: StatisticsService) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["alerts"])

    @router.get(
        "/statistics",
        responses=documented(
            StatisticsDocument,
            on_422="A span that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def read_statistics(
        days: Annotated[Span, Query(description="how far back: 30, 90 or 365 days")] = Span.MONTH,
    ) -> Response:
        """What was found, how fast, how fast it was mended, and whether that lasted."""
        found = await statistics.of(days)
        reports = found.reports
        document = StatisticsDocument(
            rfc3339(found.since_ms),
            rfc3339(found.until_ms),
            _figures(found.whole),
            [_figures(figures, kind=kind) for kind, figures in found.by_kind],
            [_figures(figures, building=one) for one, figures in found.by_building],
            [_figures(figures, *cell) for cell, figures in found.cells],
            AnsweredDocument(reports.answered, reports.unanswered, _seconds(reports.answered_ms)),
        )
        return answer(document)

    return router


def _figures(
    of: Figures, building: str | None = None, kind: FaultKind | None = None
) -> FiguresDocument:
    spans = _seconds(of.found_ms), _seconds(of.mended_ms)
    return FiguresDocument(building, kind, of.found, of.solved, of.not_held, *spans)


def _seconds(span_ms: int | None) -> int | None:
    return None if span_ms is None else round(span_ms / 1000)
