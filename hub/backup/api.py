"""``backups``, and their figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Protocol

import msgspec
from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from prometheus_client.core import GaugeMetricFamily, Metric

from hub.api.answers import answer, documented
from hub.api.documents import TIME_PARAMS, rfc3339
from hub.backup.catalogue import Item, Tried
from hub.backup.service import BackupState
from hub.domain.room import Text
from hub.domain.views import HubView
from hub.texts import negotiate, render


class BackupsView(Protocol):
    @property
    def state(self) -> BackupState: ...


class TriedDocument(msgspec.Struct):
    """An attempt: a backup or a rehearsal."""

    at: str
    ok: bool
    code: str
    params: dict[str, str | int | float]
    text: str


class BackupDocument(msgspec.Struct):
    """A file in the backup folder. ``result``: of its rehearsal."""

    name: str
    made_at: str
    size: int
    encrypted: bool
    whole: bool
    rehearsed_at: str | None
    result: TriedDocument | None


class BackupsDocument(msgspec.Struct):
    """``enabled`` is false where the configuration has no section `backup`."""

    items: list[BackupDocument]
    next: str | None
    enabled: bool
    ok: bool
    working: bool
    code: str
    params: dict[str, str | int | float]
    text: str
    last_backup: TriedDocument | None
    last_rehearsal: TriedDocument | None


OFF = BackupState(Text("backup.off"), True)


def routes(backups: BackupsView | None, zone: str, hub: HubView) -> APIRouter:
    """``backups``: None where none are made."""
    router = APIRouter(prefix="/api/v1", tags=["backups"])

    @router.get("/backups", responses=documented(BackupsDocument))
    async def list_backups(
        lang: Annotated[str | None, Query(description="zh-CN, zh-TW or en")] = None,
        accepted: Annotated[str | None, Header(alias="Accept-Language")] = None,
    ) -> Response:
        """Backups in the folder, the newest first; whether they were tried out; what is wrong."""
        language = negotiate(lang, None, accepted)
        state = OFF if backups is None else backups.state
        is_enabled = backups is not None
        return answer(document(state, is_enabled, language, zone, hub.now_ms()))

    return router


def document(
    state: BackupState, is_enabled: bool, language: str, zone: str, now_ms: int
) -> BackupsDocument:
    """The state in a reader's language; ``now_ms`` tells which times need their date."""

    def tried(found: Tried | None) -> TriedDocument | None:
        if found is None:
            return None
        text = render(found.text, language, zone, now_ms)
        return TriedDocument(
            rfc3339(found.at_ms), found.is_ok, found.text.code, _params(found.text), text
        )

    def item(found: Item) -> BackupDocument:
        return BackupDocument(
            found.name,
            rfc3339(found.made_ms),
            found.size,
            found.encrypted,
            found.is_whole,
            rfc3339(found.tried.at_ms) if found.tried else None,
            tried(found.tried),
        )

    return BackupsDocument(
        [item(found) for found in state.items],
        None,
        is_enabled,
        state.is_ok,
        state.is_working,
        state.text.code,
        _params(state.text),
        render(state.text, language, zone, now_ms),
        tried(state.last_backup),
        tried(state.last_rehearsal),
    )


def _params(text: Text) -> dict[str, str | int | float]:
    return {
        name: rfc3339(value) if name in TIME_PARAMS and isinstance(value, int) else value
        for name, value in text.params.items()
    }


class BackupCollector:
    """Reads the state when somebody asks for metrics."""

    def __init__(self, backups: BackupsView) -> None:
        self._backups = backups

    def collect(self) -> Iterator[Metric]:
        state = self._backups.state
        whole = [item for item in state.items if item.is_whole]
        yield GaugeMetricFamily(
            "linli_backup_failing", "1 while backups need a hand.", int(not state.is_ok)
        )
        yield GaugeMetricFamily("linli_backup_files", "Backups in the folder.", len(whole))
        if whole:
            yield GaugeMetricFamily(
                "linli_backup_made_seconds", "When the newest was made.", whole[0].made_ms / 1000
            )
            yield GaugeMetricFamily("linli_backup_bytes", "Its size.", whole[0].size)
        if state.last_rehearsal is not None:
            yield GaugeMetricFamily(
                "linli_backup_rehearsal_ok",
                "1 if the last rehearsal went well.",
                int(state.last_rehearsal.is_ok),
            )
