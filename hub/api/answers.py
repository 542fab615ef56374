"""Answers of the API: encoded documents, and errors as ``application/problem+json``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from hub.api.documents import encode
from hub.domain.errors import BadQueryError, NotFoundError
from hub.store.query import BadCursorError, QueryTooSlowError, StoreBusyError

NO_STORE = {"Cache-Control": "no-store"}


class Problem(msgspec.Struct, rename={"kind": "type"}):
    """RFC 9457: what went wrong, in a form that programs can read."""

    kind: str
    title: str
    status: int
    detail: str


def answer(document: object) -> Response:
    """A document as JSON."""
    return Response(encode(document), media_type="application/json", headers=NO_STORE)


def problem(status: int, code: str, title: str, detail: str) -> Response:
    body = encode(Problem(f"urn:linli:problem:{code}", title, status, detail))
    return Response(body, status, media_type="application/problem+json", headers=NO_STORE)


def documented(document: Any, **problems: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route whose answer is that document."""
    found: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "As asked.",
            "content": {"application/json": {"schema": _reference(document)}},
        }
    }
    for name, description in problems.items():
        content = {"application/problem+json": {"schema": _reference(Problem)}}
        found[int(name.removeprefix("on_"))] = {"description": description, "content": content}
    return found


def _reference(document: Any) -> Mapping[str, Any]:
    (schema,), _ = msgspec.json.schema_components([document], ref_template=REFERENCE)
    return schema


REFERENCE = "#/components/schemas/{name}"


def handle_errors(app: FastAPI) -> None:
    """One place that turns what a caller did wrong into an answer."""

    async def not_found(_: Request, error: Exception) -> Response:
        code = error.code if isinstance(error, NotFoundError) else "not_found"
        kind = code.removeprefix("unknown_")
        return problem(404, code, f"There is no such {kind}", f"No {kind} is called {error}.")

    async def bad_query(_: Request, error: Exception) -> Response:
        name = error.parameter if isinstance(error, BadQueryError) else "query"
        return problem(422, "bad_query", f"The parameter {name} cannot be used", str(error))

    async def invalid(_: Request, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        detail = "; ".join(f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in found)
        return problem(422, "bad_query", "A parameter cannot be used", detail)

    async def refused(_: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        detail = str(error.detail) if isinstance(error, HTTPException) else ""
        return problem(status, f"http_{status}", detail or "The request was refused", detail)

    async def bad_cursor(_: Request, error: Exception) -> Response:
        return problem(422, "bad_query", "The parameter cursor cannot be used", str(error))

    async def too_slow(_: Request, __: Exception) -> Response:
        remedy = "Ask for a shorter time, one device or fewer rows."
        return problem(503, "too_slow", "The answer took too long", remedy)

    async def busy(_: Request, __: Exception) -> Response:
        remedy = "Too many long questions wait already; ask again in some seconds."
        return problem(503, "busy", "The history is busy", remedy)

    app.add_exception_handler(NotFoundError, not_found)
    app.add_exception_handler(BadQueryError, bad_query)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(BadCursorError, bad_cursor)
    app.add_exception_handler(QueryTooSlowError, too_slow)
    app.add_exception_handler(StoreBusyError, busy)
