"""Answers of the API: encoded documents, and errors as ``application/problem+json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from hub.api.documents import encode
from hub.domain.errors import BadFormError, BadQueryError, NotFoundError
from hub.store.query import BadCursorError, QueryTooSlowError, StoreBusyError

NO_STORE = {"Cache-Control": "no-store"}
PROBLEM_JSON = "application/problem+json"
API = "/api/"


class Problem(msgspec.Struct, rename={"kind": "type"}):
    """RFC 9457: what went wrong, in a form that programs can read."""

    kind: str
    title: str
    status: int
    detail: str


def answer(document: object) -> Response:
    """A document as JSON."""
    return Response(encode(document), media_type="application/json", headers=NO_STORE)


def documented(*documents: Any, **problems: str) -> dict[int | str, dict[str, Any]]:
    """The ``responses`` of a route whose answer is that document, or one of those."""
    shapes = [_reference(document) for document in documents]
    found: dict[int | str, dict[str, Any]] = {
        200: {
            "description": "As asked.",
            "content": {
                "application/json": {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}
            },
        }
    }
    for name, description in problems.items():
        content = {PROBLEM_JSON: {"schema": _reference(Problem)}}
        found[int(name.removeprefix("on_"))] = {"description": description, "content": content}
    return found


def _reference(document: Any) -> Mapping[str, Any]:
    (schema,), _ = msgspec.json.schema_components([document], ref_template=REFERENCE)
    return schema


REFERENCE = "#/components/schemas/{name}"


def handle_errors(app: FastAPI, page: Callable[[Request, int], Response]) -> None:
    """One place that turns what went wrong into an answer: a problem for programs, a page else."""
    told = (
        NotFoundError,
        BadFormError,
        BadQueryError,
        BadCursorError,
        QueryTooSlowError,
        StoreBusyError,
        RequestValidationError,
        HTTPException,
    )

    async def tell(request: Request, error: Exception) -> Response:
        found = explain(error)
        if not request.url.path.startswith(API):
            return page(request, found.status)
        body = encode(found)
        return Response(body, found.status, media_type=PROBLEM_JSON, headers=NO_STORE)

    for kind in (*told, Exception):  # the last one is our own mistake: told, and then logged
        app.add_exception_handler(kind, tell)


def explain(error: Exception) -> Problem:
    """What a caller did wrong, or what we could not do."""
    match error:
        case NotFoundError():
            kind = error.code.removeprefix("unknown_")
            return _problem(404, error.code, f"There is no such {kind}", f"None is called {error}.")
        case BadQueryError() | BadCursorError():
            name = error.parameter if isinstance(error, BadQueryError) else "cursor"
            return _problem(422, "bad_query", f"The parameter {name} cannot be used", str(error))
        case BadFormError():
            return _problem(error.status, "bad_form", "The form cannot be used", str(error))
        case RequestValidationError():
            found = (f"{'.'.join(map(str, e['loc'][1:]))}: {e['msg']}" for e in error.errors())
            return _problem(422, "bad_query", "A parameter cannot be used", "; ".join(found))
        case QueryTooSlowError():
            remedy = "Ask for a shorter time, one device or fewer rows."
            return _problem(503, "too_slow", "The answer took too long", remedy)
        case StoreBusyError():
            remedy = "Too many long questions wait already; ask again in some seconds."
            return _problem(503, "busy", "The history is busy", remedy)
        case HTTPException():
            status, detail = error.status_code, str(error.detail)
            return _problem(status, f"http_{status}", "The request was refused", detail)
    remedy = "This is a mistake of the hub; its log says which. Please report it."
    return _problem(500, "internal", "The hub could not answer", remedy)


def _problem(status: int, code: str, title: str, detail: str) -> Problem:
    return Problem(f"urn:linli:problem:{code}", title, status, detail)
