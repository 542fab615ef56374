"""The ASGI shapes of the guard, and what it adds to every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Header = tuple[bytes, bytes]

HEADERS: tuple[Header, ...] = (
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        b"object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
    ),
    (b"x-content-type-options", b"nosniff"),
    # "no-referrer" would make browsers hide, from us too, which page a form came from
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (
        b"permissions-policy",
        b"accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), "
        b"microphone=(), midi=(), payment=(), publickey-credentials-get=(), serial=(), usb=()",
    ),
)


def with_headers(send: Send, headers: tuple[Header, ...] = HEADERS) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message.get("headers", ()), *headers]
        await send(message)

    return sent


def ending_with(send: Send, is_good: Callable[[], bool]) -> Send:
    """End an open stream at its next word after the key stopped being good."""
    is_over = False

    async def sent(message: Message) -> None:
        nonlocal is_over
        if is_over:
            return  # the application hears of it as of a client that went away
        if message["type"] == "http.response.body" and message.get("more_body") and not is_good():
            is_over = True
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await send(message)

    return sent
