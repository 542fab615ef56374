"""One request of HTTP from a worker's thread: no redirects, and the answer read with a bound."""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Mapping
from urllib.parse import urlsplit

from hub.notify.letter import ANSWER_S, CONNECT_S, of_status, refused, unknown
from hub.notify.queue import Outcome

MOST_READ = 64 * 1024
PIECE = 4096


def call(method: str, url: str, body: bytes | None, headers: Mapping[str, str]) -> Outcome:
    """Ask, and what became of it. Never raises for what a server or a network does."""
    try:
        parts = urlsplit(url)
        path = _path(parts.path, parts.query)
        line = _connection(parts.scheme, parts.hostname or "", parts.port)
    except (ValueError, http.client.InvalidURL):
        return refused("bad_url")
    try:
        line.connect()
    except (OSError, UnicodeError):  # a refused connection, a name nobody knows, a bad certificate
        line.close()
        return refused("no_connection")
    try:
        line.sock.settimeout(ANSWER_S)
        line.request(method, path, body, dict(headers))
        return _answer(line)
    except (OSError, http.client.HTTPException):
        return unknown()
    finally:
        line.close()


def _answer(line: http.client.HTTPConnection) -> Outcome:
    """The status counts only with the whole answer: one that is cut was not finished by anybody.

    Raises:
        OSError, http.client.HTTPException: it is cut, too slow, or no HTTP.
    """
    until = time.monotonic() + ANSWER_S
    response = line.getresponse()
    left = MOST_READ
    while left > 0 and (piece := response.read1(min(PIECE, left))):
        left -= len(piece)
        if time.monotonic() > until:
            raise TimeoutError
    if left > 0 and response.length:
        raise http.client.IncompleteRead(b"")
    return of_status(response.status, response.getheader("Retry-After"))


def _path(path: str, query: str) -> str:
    """What is asked for, as it stands on the wire.

    >>> _path("", "key=1")
    '/?key=1'

    Raises:
        ValueError: it has blanks, or signs that are not written as ``%E5``.
    """
    whole = f"{path or '/'}{'?' + query if query else ''}"
    if not whole.isascii() or not whole.isprintable() or " " in whole:
        raise ValueError(whole)
    return whole


def _connection(scheme: str, host: str, port: int | None) -> http.client.HTTPConnection:
    """
    Raises:
        ValueError: the address has no host, or another scheme.
    """
    if not host or scheme not in ("http", "https"):
        raise ValueError(scheme)
    if scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, port, timeout=CONNECT_S, context=context)
    return http.client.HTTPConnection(host, port, timeout=CONNECT_S)
