"""Answers that are bytes already: given before the router looks at a request.

    guard  >  ready answer  >  router > route > document > bytes

The hot addresses of the API (a hundred screens that poll) cost a third that way. Permissions are
not decided here: the guard stands in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hub import texts

Headers = list[tuple[bytes, bytes]]

JSON = (b"content-type", b"application/json")
ONLY_LANGUAGE = re.compile(rb"lang=([A-Za-z-]{0,20})")


class Reply(NamedTuple):
    """What goes to the server as it is."""

    status: int
    headers: Headers
    body: bytes

    def response(self) -> Response:
        """The same, for a route."""
        response = Response(self.body, self.status)
        response.raw_headers = list(self.headers)
        return response


class Asked(NamedTuple):
    """What matters of a request to an answer in three languages."""

    language: str
    known: bytes | None
    """``If-None-Match``: what the client has."""


class Prepared:
    """One document in one language, with the shorter answer for who has it already.

    The ETag is weak: two documents with the same one say the same, at different times perhaps.
    """

    __slots__ = ("_full", "_tag", "_unchanged")

    def __init__(self, body: bytes, tag: str, cache: bytes) -> None:
        """``tag`` names what the document says; ``cache`` is the ``Cache-Control``."""
        self._tag = f'"{tag}"'.encode()
        shared = [(b"etag", b"W/" + self._tag), (b"cache-control", cache), VARY]
        length = (b"content-length", str(len(body)).encode())
        self._full = Reply(200, [JSON, length, *shared], body)
        self._unchanged = Reply(304, shared, b"")

    @property
    def body(self) -> bytes:
        return self._full.body

    def reply(self, known: bytes | None) -> Reply:
        if known is not None and (self._tag in known or known.strip() == b"*"):
            return self._unchanged
        return self._full


VARY = (b"vary", b"Accept-Language")

Supplier = Callable[[Scope], Reply | None]
"""None: the route itself has to look at this request."""


class ReadyAnswers:
    """ASGI middleware between the guard and the application."""

    def __init__(self, app: ASGIApp, suppliers: Mapping[str, Supplier]) -> None:
        self._app = app
        self._suppliers = suppliers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        supplier = self._suppliers.get(scope.get("path", ""))
        reply = supplier(scope) if supplier is not None and scope["method"] == "GET" else None
        if reply is None:
            await self._app(scope, receive, send)
            return
        status, headers, body = reply
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def asked(scope: Scope) -> Asked | None:
    """None where the query has more than a language."""
    lang = None
    if query := scope["query_string"]:
        match = ONLY_LANGUAGE.fullmatch(query)
        if match is None:
            return None
        lang = match[1].decode()
    accepted = known = None
    for name, value in scope["headers"]:
        if name == b"accept-language":
            accepted = value.decode("latin-1")
        elif name == b"if-none-match":
            known = value
    return Asked(texts.negotiate(lang, None, accepted), known)


def known(request: Request) -> bytes | None:
    """What the caller of a route has: its ``If-None-Match``."""
    sent = request.headers.get("If-None-Match")
    return None if sent is None else sent.encode("latin-1")
