"""Answers of the API: encoded documents, and errors as ``application/problem+json``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from hub.api.documents import encode
from hub.api.ready import Prepared, Reply, known
from hub.api.schemas import reference
from hub.domain.errors import BadFormError, BadQueryError, NotFoundError, RefusedDecisionError
from hub.domain.room import Text
from hub.store.query import BadCursorError, QueryTooSlowError, StoreBusyError
from hub.texts import negotiate, render

NO_STORE = {"Cache-Control": "no-store"}
REVALIDATED = b"private, no-cache"
"""Keep a copy, and ask each time whether it is still right."""
PROBLEM_JSON = "application/problem+json"
API = "/api/"
DOCUMENTS = "documents"
"""Where a route says which shapes it names; taken out before anybody sees it."""

Responses = dict[int | str, dict[str, Any]]
UNFIT = {  # pydantic's types of error: our code, and which of its figures says what is allowed
    "less_than_equal": ("at_most", "le"),
    "greater_than_equal": ("at_least", "ge"),
    "literal_error": ("one_of", "expected"),
    "enum": ("one_of", "expected"),
    "int_parsing": ("whole_number", ""),
}
FORMS = {413: "form_large", 415: "form_kind"}


class Problem(msgspec.Struct, rename={"kind": "type"}):
    """RFC 9457: what went wrong, in a form that programs can read."""

    kind: str
    title: str
    status: int
    detail: str


def answer(document: object) -> Response:
    """A document as JSON."""
    return encoded(encode(document))


def encoded(body: bytes) -> Response:
    """A document that is JSON already."""
    return Response(body, media_type="application/json", headers=NO_STORE)


def tagged(request: Request, body: bytes) -> Response:
    """The same for whom has no copy of it; for who has, that it is still right."""
    tag = blake2b(body, digest_size=12).hexdigest()
    return Prepared(body, tag, REVALIDATED).reply(known(request)).response()


def too_often(wait_s: int, language: str) -> Reply:
    """Somebody asks more than his share."""
    found = _problem(429, "too_often", Text("problem.wait", {"seconds": wait_s}), language)
    body = encode(found)
    headers = [
        (b"content-type", PROBLEM_JSON.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", str(wait_s).encode()),
    ]
    return Reply(429, headers, body)


UNCHANGED: Responses = {
    304: {"description": "What you have (`If-None-Match`) is still right; no body."}
}


def documented(*documents: Any, **problems: str) -> Responses:
    """The ``responses`` of a route whose answer is that document, or one of those."""
    shapes = [reference(document) for document in documents]
    found: Responses = {
        200: {
            "description": "As asked.",
            "content": {
                "application/json": {"schema": shapes[0] if len(shapes) == 1 else {"anyOf": shapes}}
            },
            DOCUMENTS: documents,
        }
    }
    for name, description in problems.items():
        found[int(name.removeprefix("on_"))] = problematic(description)
    return found


def refused(*, is_public: bool) -> Responses:
    """What the guard may say before any route."""
    found: Responses = {
        421: problematic("The hub is not called by this name"),
        503: problematic("The hub is not set up yet, or cannot answer now"),
    }
    if not is_public:
        found[401] = problematic("Nobody in particular asks, or the token is not good")
        found[403] = problematic("Whoever asks may not")
    return found


def problematic(description: str) -> dict[str, Any]:
    """A response that is a problem."""
    content = {PROBLEM_JSON: {"schema": reference(Problem)}}
    return {"description": description, "content": content}


def handle_errors(app: FastAPI, page: Callable[[Request, int], Response]) -> None:
    """One place that turns what went wrong into an answer: a problem for programs, a page else."""
    told = (
        NotFoundError,
        BadFormError,
        BadQueryError,
        BadCursorError,
        QueryTooSlowError,
        StoreBusyError,
        RefusedDecisionError,
        RequestValidationError,
        HTTPException,
    )

    async def tell(request: Request, error: Exception) -> Response:
        asked, accepted = request.query_params.get("lang"), request.headers.get("Accept-Language")
        found = explain(error, negotiate(asked, None, accepted))
        if not request.url.path.startswith(API):
            return page(request, found.status)
        body = encode(found)
        return Response(body, found.status, media_type=PROBLEM_JSON, headers=NO_STORE)

    for kind in (*told, Exception):  # the last one is our own mistake: told, and then logged
        app.add_exception_handler(kind, tell)


def explain(error: Exception, language: str) -> Problem:
    """What a caller did wrong, or what we could not do, in his language."""
    match error:
        case NotFoundError():
            return _problem(
                404, error.code, Text("problem.no_such", {"name": error.name}), language
            )
        case BadQueryError() | BadCursorError():
            text = error.text if isinstance(error, BadQueryError) else Text("query.cursor")
            return _problem(422, "bad_query", text, language)
        case BadFormError():
            code = FORMS.get(error.status, "form_broken")
            return _problem(error.status, "bad_form", Text(f"problem.{code}"), language)
        case RefusedDecisionError():
            return _problem(error.status, "refused", error.text, language)
        case RequestValidationError():
            found = [_unfit(dict(item)) for item in error.errors()]
            return _problem(422, "bad_query", found[0], language, *found[1:])
        case QueryTooSlowError() | StoreBusyError():
            is_slow = isinstance(error, QueryTooSlowError)
            code, remedy = ("too_slow", "shorter") if is_slow else ("busy", "later")
            return _problem(503, code, Text(f"problem.{remedy}"), language)
        case HTTPException():
            return _refusal(error, language)
    return _problem(500, "internal", Text("problem.report"), language)


def _unfit(item: Mapping[str, Any]) -> Text:
    """One parameter that the route does not take like that."""
    code, limit = UNFIT.get(item["type"], ("unfit", ""))
    params = {"parameter": ".".join(map(str, item["loc"][1:])), "detail": str(item["msg"])}
    allowed = str(item.get("ctx", {}).get(limit, ""))
    return Text(f"query.{code}", {**params, "allowed": allowed})


def _refusal(error: HTTPException, language: str) -> Problem:
    status, detail = error.status_code, str(error.detail)
    code = {404: "no_address", 405: "no_method"}.get(status, "refused")
    text = Text(f"problem.{code}", {"status": status, "detail": detail})
    found = _problem(status, "refused", text, language)
    return msgspec.structs.replace(found, kind=f"urn:linli:problem:http_{status}")


def _problem(status: int, code: str, detail: Text, language: str, *more: Text) -> Problem:
    title = render(Text(f"problem.title.{code}"), language)
    said = " ".join(render(text, language) for text in (detail, *more))
    return Problem(f"urn:linli:problem:{code}", title, status, said)
