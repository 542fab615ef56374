"""``/api/v1/audit``: who changed what."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from hub.access.audit import Audit
from hub.access.records import Entry
from hub.api.answers import answer, documented
from hub.api.documents import Page, rfc3339
from hub.domain.errors import BadQueryError

MAX_LIMIT = 1_000


class AuditDocument(msgspec.Struct):
    """One change that somebody made, or that a command made in his name."""

    at: str
    who: str
    action: str
    target: str
    before: str
    after: str


def routes(audit: Audit) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["access"])

    @router.get(
        "/audit",
        responses=documented(
            Page[AuditDocument],
            on_422="A limit or cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_audit(
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")] = 100,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """Accounts, tokens, signing in, what staff said of rooms: the newest first, two years."""
        before = None if cursor is None else read_cursor(cursor)
        found = await audit.entries(before, limit + 1)
        more = str(found[limit - 1].id) if len(found) > limit else None
        return answer(Page([_document(entry) for entry in found[:limit]], more))

    return router


def read_cursor(text: str) -> int:
    """
    Raises:
        BadQueryError: it did not come from here.
    """
    if not (text.isascii() and text.isdigit() and len(text) < 17):
        raise BadQueryError("cursor", "cursor")
    return int(text)


def _document(entry: Entry) -> AuditDocument:
    return AuditDocument(rfc3339(entry.at_ms), *entry[2:])
