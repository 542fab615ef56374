"""The web application: routes of every subject behind one guard."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter, FastAPI

from hub import __version__
from hub.access.guard import Guard
from hub.api import docs
from hub.api.answers import REFERENCE, Problem, handle_errors
from hub.api.documents import DOCUMENTS
from hub.api.probes import Alive, Readiness
from hub.backup.api import DOCUMENTS as BACKUPS
from hub.storage.api import StorageDocument
from hub.web.page import Frame

DESCRIPTION = (
    "Which room is free, full or in trouble, and why; which device is silent. "
    "Times are UTC. Every list is `{items, next}`. Errors are `application/problem+json`."
)


def build(routers: list[APIRouter], frame: Frame, is_open: bool, names: frozenset[str]) -> Guard:
    """All routes, the error handlers and the OpenAPI document, behind the guard."""
    app = FastAPI(
        title="Linli",
        version=__version__,
        description=DESCRIPTION,
        redoc_url=None,
        docs_url=None,
        openapi_url="/openapi.json",
    )
    for router in (*routers, docs.pages(app, frame)):
        app.include_router(router)
    handle_errors(app, frame.error)
    _describe(app)
    return Guard(app, is_open, names)


def _describe(app: FastAPI) -> None:
    """Put the shapes of our own documents into the OpenAPI document."""
    plain = app.openapi

    def complete() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = plain()
            _, components = msgspec.json.schema_components(
                [*DOCUMENTS, *BACKUPS, StorageDocument, Problem, Alive, Readiness],
                ref_template=REFERENCE,
            )
            schema.setdefault("components", {}).setdefault("schemas", {}).update(components)
            app.openapi_schema = schema
        return app.openapi_schema

    app.openapi = complete  # type: ignore[method-assign]  # FastAPI's documented way to extend it
