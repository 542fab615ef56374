"""How a request is refused: programs get a problem, people a page or the way to sign in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.access.rules import local_path
from hub.access.wire import Header, Receive, Scope, Send
from hub.api.answers import API, NO_STORE, PROBLEM_JSON, Problem, explain
from hub.api.documents import encode
from hub.domain.room import Text
from hub.texts import render
from hub.web.page import language_of

NO_ROUTE = "no_route"
"""A wrong address or method: told as the application tells it."""
SIGN_IN = "/sign-in"
FOR_PROGRAMS = frozenset({"/events", "/metrics", "/openapi.json"})


class Refusal(Exception):  # noqa: N818 - an answer, not an error
    """``code`` names its sentence (``refused.<code>``); ``to``: where a person is sent instead."""

    def __init__(
        self, status: int, code: str, *, headers: tuple[Header, ...] = (), to: str = ""
    ) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.headers = headers
        self.to = to


class Refusals:
    def __init__(self, page: Callable[[Request, int, Text | None], Response]) -> None:
        """``page`` makes the designed page of an error."""
        self._page = page

    async def __call__(self, refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        response = self._response(refusal, Request(scope))
        for name, value in refusal.headers:
            response.headers[name.decode()] = value.decode()
        await response(scope, receive, send)

    def _response(self, refusal: Refusal, request: Request) -> Response:
        path, text = request.url.path, Text(f"refused.{refusal.code}")
        is_partial = "hx-request" in request.headers
        if path.startswith(API) or path in FOR_PROGRAMS or is_partial:
            return _problem(refusal, text, language_of(request))
        if refusal.to:
            return RedirectResponse(_way(refusal, request), 303, NO_STORE)
        return self._page(request, refusal.status, None if refusal.code == NO_ROUTE else text)


def _problem(refusal: Refusal, text: Text, language: str) -> Response:
    if refusal.code == NO_ROUTE:
        found = explain(HTTPException(refusal.status), language)
    else:
        kind = f"urn:linli:problem:{refusal.code}"
        title = render(Text("problem.title.refused"), language)
        found = Problem(kind, title, refusal.status, render(text, language))
    return Response(encode(found), refusal.status, media_type=PROBLEM_JSON, headers=NO_STORE)


def _way(refusal: Refusal, request: Request) -> str:
    """Where to, and from there back to what was asked for."""
    query = f"?{request.url.query}" if request.url.query else ""
    is_page = refusal.to == SIGN_IN and request.method in ("GET", "HEAD")
    back = local_path(request.url.path + query) if is_page else ""
    return f"{refusal.to}?{urlencode({'next': back})}" if back not in ("", "/") else refusal.to
