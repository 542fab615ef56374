"""``mirrors``: how far each copy of the history is, and what stops it; and the same as metrics."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from hub import texts
from hub.api.answers import answer, documented
from hub.api.documents import ErrorDocument, MirrorDocument, Page, rfc3339
from hub.domain.room import Text
from hub.mirror.service import Mirror, Mirrors, State


def routes(mirrors: Mirrors) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["mirrors"])

    @router.get("/mirrors", responses=documented(Page[MirrorDocument]))
    async def list_mirrors(
        lang: Annotated[
            str | None, Query(description="zh-CN, zh-TW or en; wins over Accept-Language")
        ] = None,
        accepted: Annotated[
            str | None, Header(alias="Accept-Language", include_in_schema=False)
        ] = None,
    ) -> Response:
        """Copies of the history on other servers: how far they are, and what stops them."""
        language = texts.negotiate(lang, None, accepted)
        return answer(Page([document(mirror, language) for mirror in mirrors.items]))

    return router


def document(mirror: Mirror, language: str) -> MirrorDocument:
    trouble = mirror.trouble
    error = None
    if trouble is not None:
        said = texts.render(Text(trouble.code, trouble.params), language)
        error = ErrorDocument(trouble.code, dict(trouble.params), said)
    return MirrorDocument(
        id=mirror.id,
        kind=mirror.kind,
        url=mirror.url,
        state=mirror.state.value,
        since=rfc3339(mirror.since_ms),
        last_success=_time(mirror.last_success_ms),
        commits_behind=mirror.commits_behind,
        oldest_unsent=_time(mirror.oldest_unsent_ms),
        points=mirror.points,
        rejected=mirror.rejected,
        last_error=error,
    )


def _time(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)


class MirrorCollector:
    """Reads the mirrors' counters when somebody asks for them."""

    def __init__(self, mirrors: Mirrors) -> None:
        self._mirrors = mirrors

    def collect(self) -> Iterator[Metric]:
        state = GaugeMetricFamily(
            "linli_mirror_state", "1 for the state it is in.", labels=["mirror", "state"]
        )
        behind = GaugeMetricFamily(
            "linli_mirror_commits_behind", "Commits that are not sent.", labels=["mirror"]
        )
        points = CounterMetricFamily(
            "linli_mirror_points", "Points acknowledged since the start.", labels=["mirror"]
        )
        rejected = CounterMetricFamily(
            "linli_mirror_rejected", "Lines set aside since the start.", labels=["mirror"]
        )
        for mirror in self._mirrors.items:
            for name in State:
                state.add_metric([mirror.id, name.value], int(name is mirror.state))
            behind.add_metric([mirror.id], mirror.commits_behind)
            points.add_metric([mirror.id], mirror.points)
            rejected.add_metric([mirror.id], mirror.rejected)
        yield from (state, behind, points, rejected)
