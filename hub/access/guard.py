"""Until users exist: this machine, by its own name, or nobody (decision 19).

Three doors, checked before any route: the caller's address is loopback, ``Host`` names this hub
(a page that lured a browser to another name for 127.0.0.1 is refused), and an ``Origin``, where a
browser sends one, is our own.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        b"object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

SETUP_NOTICE = (
    "Linli is running, but nobody may look yet.\n"
    "Users and sign-in are not part of this version. For a trial on this machine, put\n"
    "    access: {open: true}\n"
    "into the configuration and start it again; it is then served on this machine only.\n\n"
    "邻里已启动，但尚未开放访问。此版本还没有用户登录。若要在本机试用，\n"
    "请在配置中加入 access: {open: true} 并重新启动；届时仅本机可以访问。\n\n"
    "鄰里已啟動，但尚未開放存取。此版本還沒有使用者登入。若要在本機試用，\n"
    "請在設定中加入 access: {open: true} 並重新啟動；屆時僅本機可以存取。\n"
)
PROBES = frozenset({"/healthz", "/readyz"})


class Guard:
    """ASGI middleware around the whole application."""

    def __init__(self, app: App, is_open: bool, names: frozenset[str]) -> None:
        """``names``: every ``host:port`` under which a browser may call this hub."""
        self._app = app
        self._is_open = is_open
        self._names = names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            await _refuse(send, *refusal, as_problem=scope["path"].startswith("/api/"))
            return
        if scope["method"] == "HEAD" and not scope["path"].endswith("/events"):
            scope = {**scope, "method": "GET"}  # the server leaves the body out by itself
        await self._app(scope, receive, _with_headers(send))

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        headers = dict(scope["headers"])
        if not _is_loopback(scope.get("client")):
            return 403, "This hub answers only to programs on its own machine.\n"
        if headers.get(b"host", b"").decode("latin-1").lower() not in self._names:
            return 421, "This hub does not go by that name. Use the address it printed.\n"
        origin = headers.get(b"origin")
        if origin is not None and not self._is_own(origin.decode("latin-1").lower()):
            return 403, "A page of another site may not use this hub.\n"
        if not self._is_open and scope["path"] not in PROBES:
            return 503, SETUP_NOTICE
        return None

    def _is_own(self, origin: str) -> bool:
        scheme, _, name = origin.partition("://")
        return scheme == "http" and name in self._names


def own_names(host: str, port: int) -> frozenset[str]:
    """The names of a hub on that address; all loopback names are one.

    >>> sorted(own_names("127.0.0.1", 80))
    ['127.0.0.1', '127.0.0.1:80', '[::1]', '[::1]:80', 'localhost', 'localhost:80']
    """
    hosts = {host, "localhost", "127.0.0.1", "[::1]"} - {"::1"}
    names = {f"{name}:{port}" for name in hosts}
    return frozenset(names | hosts if port == 80 else names)


def is_loopback(host: str) -> bool:
    """Is that an address of this machine alone?

    >>> is_loopback("127.0.0.1"), is_loopback("0.0.0.0"), is_loopback("localhost")
    (True, False, True)
    """
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_loopback(client: tuple[str, int] | None) -> bool:
    return client is not None and is_loopback(client[0])


def _with_headers(send: Send) -> Send:
    async def sent(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *HEADERS]
        await send(message)

    return sent


async def _refuse(send: Send, status: int, text: str, *, as_problem: bool) -> None:
    kind, body = "text/plain; charset=utf-8", text.encode()
    if as_problem:
        kind = "application/problem+json"
        title = {"type": "urn:linli:problem:refused", "title": "The request was refused"}
        body = json.dumps({**title, "status": status, "detail": text}).encode()
    headers = [
        (b"content-type", kind.encode()),
        (b"cache-control", b"no-store"),
        *HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
