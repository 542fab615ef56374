"""``/statistics``: what was found and what became of it, and the same as a table."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.domain.centre import pick
from hub.domain.fault import FaultKind
from hub.domain.views import HubView
from hub.statistics.rules import Figures, Span
from hub.statistics.service import Statistics, StatisticsService
from hub.telling import duration
from hub.web.page import Frame, Translate, language_of, translator
from hub.web.spreadsheet import spreadsheet

COUNTS = ("ui.stats_found", "ui.stats_solved", "ui.stats_not_held")
SPANS = ("ui.stats_found_after", "ui.stats_mended_after")


class Row(NamedTuple):
    """Figures in a reader's words."""

    name: str
    found: int
    solved: int
    not_held: int
    found_after: str
    mended_after: str


def pages(statistics: StatisticsService, hub: HubView) -> APIRouter:
    frame = Frame(statistics.centre, hub)
    router = APIRouter(include_in_schema=False)

    @router.get("/statistics")
    async def show(request: Request) -> Response:
        span = _span(request)
        if span is None:
            return frame.error(request, 404)
        language = language_of(request)
        found = await statistics.of(span)
        shown = _Shown(frame, language)
        context = {"span": span, "spans": list(Span), "columns": COUNTS + SPANS}
        context |= shown.whole(found)
        return frame.document(request, "statistics", language, here="alerts", **context)

    @router.get("/statistics.csv")
    async def table(request: Request) -> Response:
        span = _span(request)
        if span is None:
            return frame.error(request, 404)
        language = language_of(request)
        shown, t = _Shown(frame, language), translator(language)
        found = await statistics.of(span)
        names = (t("ui.stats_building"), t("ui.stats_kind"))
        rows = [
            (shown.building(building), shown.kind(kind), *_exact(figures))
            for (building, kind), figures in found.cells
        ]
        heads = [*names, *map(t, COUNTS)]
        heads += [t("ui.stats_seconds", name=t(code)) for code in SPANS]
        return spreadsheet(f"faults-{span}-days", heads, rows)

    return router


class _Shown:
    """Statistics in one reader's words."""

    def __init__(self, frame: Frame, language: str) -> None:
        self._frame = frame
        self._language = language
        self._t: Translate = translator(language)
        self._buildings = {
            one.id: pick(one.name, language) or one.id for one in frame.centre.buildings
        }

    def whole(self, found: Statistics) -> dict[str, object]:
        by_building = [(self.building(one), figures) for one, figures in found.by_building]
        return {
            "all": self.row("", found.whole),
            "kinds": [self.row(self.kind(kind), figures) for kind, figures in found.by_kind],
            "buildings": [self.row(name, figures) for name, figures in by_building],
            "reports": found.reports,
            "answered_after": self._after(found.reports.answered_ms),
            "since": self._frame.date(found.since_ms)[:10],
        }

    def row(self, name: str, of: Figures) -> Row:
        after = self._after(of.found_ms), self._after(of.mended_ms)
        return Row(name, of.found, of.solved, of.not_held, *after)

    def kind(self, kind: FaultKind) -> str:
        return self._t(f"fault.{kind}.name")

    def building(self, building: str | None) -> str:
        if building is None:
            return self._t("ui.stats_elsewhere")
        return self._buildings.get(building, building)

    def _after(self, span_ms: int | None) -> str:
        return "–" if span_ms is None else duration(span_ms / 1000, self._language)


def _exact(of: Figures) -> tuple[int | str, ...]:
    """For who goes on reckoning: spans in seconds, nothing where nothing is known."""
    spans = ("" if ms is None else round(ms / 1000) for ms in (of.found_ms, of.mended_ms))
    return (of.found, of.solved, of.not_held, *spans)


def _span(request: Request) -> Span | None:
    asked = request.query_params.get("days", str(Span.MONTH.value))
    return next((span for span in Span if str(span.value) == asked), None)
