"""What a program asks for in the body of a request: one JSON document, read and described once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

import msgspec
from starlette.requests import Request

from hub.api.answers import DOCUMENTS
from hub.api.schemas import reference
from hub.domain.errors import BadFormError, BadQueryError

MAX_BODY = 8 * 1024  # bytes; all of them are a few words and a time

Wish = TypeVar("Wish", bound=msgspec.Struct)


async def read_wish(request: Request, kind: type[Wish]) -> Wish:
    """
    Raises:
        BadFormError: it is too large.
        BadQueryError: it is no such document.
    """
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise BadFormError(413, "The body is too large.")
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except msgspec.MsgspecError as error:
        raise BadQueryError("body", "unfit", detail=str(error), allowed="") from error


def described(kind: type[msgspec.Struct], example: Mapping[str, object]) -> dict[str, object]:
    """What OpenAPI says of such a body."""
    content = {"application/json": {"schema": reference(kind), "example": example}}
    return {DOCUMENTS: (kind,), "requestBody": {"required": True, "content": content}}
