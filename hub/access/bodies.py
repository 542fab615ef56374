"""What a request may bring: so much, and within a time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from hub.access.wire import Message, Receive
from hub.domain.errors import BadFormError

MAX_BODY = 256 * 1024
WITHIN_S = 20.0


class SlowBodyError(Exception):
    """A body that does not end."""


def too_large(most: int) -> BadFormError:
    return BadFormError(413, f"At most {most // 1024} KiB.")


def declared(headers: Mapping[bytes, bytes]) -> int:
    """The length a request says it has; 0 where it says none."""
    text = headers.get(b"content-length", b"0")
    return int(text) if text.isdigit() and len(text) < 12 else 0


def bounded(receive: Receive, most: int) -> Receive:
    """The same body for whoever reads it, up to a size; for those that do not say theirs."""
    size = 0

    async def received() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise too_large(most)
        return message

    return received


async def whole(receive: Receive, most: int) -> tuple[bytes, Receive]:
    """A body, and the same again for the route.

    Raises:
        BadFormError: it is larger.
        SlowBodyError: it did not come in time, or the caller went away.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(WITHIN_S):
            while True:
                message = await receive()
                if message["type"] != "http.request":
                    raise SlowBodyError
                body += message.get("body", b"")
                if len(body) > most:
                    raise too_large(most)
                if not message.get("more_body"):
                    break
    except TimeoutError as error:
        raise SlowBodyError from error
    return bytes(body), _again(bytes(body), receive)


def _again(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def received() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()  # that the caller went away
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return received
