"""What a page's form sends: urlencoded, bounded, each field once.

The guard has compared the form's ``csrf`` field before a route is called (``{{ csrf }}`` in the
template renders it), so a route only reads:

    fields = await form(request)
    reason = fields.get("reason", "").strip()
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from starlette.requests import Request

from hub.domain.errors import BadFormError

MAX_FORM = 16 * 1024
"""Three passwords of 200 characters, each of which may take twelve bytes, are the longest."""
MAX_FIELDS = 200
URLENCODED = "application/x-www-form-urlencoded"


async def form(request: Request) -> Mapping[str, str]:
    """The fields of a form; of a name that comes twice, the last.

    Raises:
        BadFormError: it is not urlencoded, is too large, or is not UTF-8.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != URLENCODED:
        raise BadFormError(415, f"A form is sent as {URLENCODED}.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM:
            raise BadFormError(413, f"A form has at most {MAX_FORM // 1024} KiB.")
    return fields(bytes(body))


def fields(body: bytes) -> dict[str, str]:
    """Read urlencoded bytes.

    >>> fields(b"name=%E9%9B%A8&empty=&name=b")
    {'name': 'b', 'empty': ''}

    Raises:
        BadFormError
    """
    try:
        pairs = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_FIELDS,
        )
    except ValueError as error:  # not ASCII, not UTF-8 behind the percents, too many fields
        raise BadFormError(422, "This form cannot be read; load its page again.") from error
    return dict(pairs)
