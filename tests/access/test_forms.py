"""A form is read once, bounded, and never half."""

from __future__ import annotations

import httpx
import pytest
from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response

from hub.api.answers import explain
from hub.domain.errors import BadFormError
from hub.web.forms import MAX_FORM, URLENCODED, form


async def sent(body: bytes, kind: str = URLENCODED) -> httpx.Response:
    app = FastAPI()

    @app.post("/")
    async def read(request: Request) -> Response:
        try:
            return JSONResponse(dict(await form(request)))
        except BadFormError as error:
            return Response(status_code=explain(error, "en").status)

    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        return await client.post("/", content=body, headers={"content-type": kind})


async def test_fields_are_text_and_blanks_are_kept() -> None:
    answer = await sent(b"reason=%E6%B8%85%E6%B4%81+1&until=&x=%26", f"{URLENCODED}; charset=UTF-8")
    assert answer.json() == {"reason": "清洁 1", "until": "", "x": "&"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"a=1", "text/plain", 415),
        (b"{}", "application/json", 415),
        (b"a=" + b"x" * MAX_FORM, URLENCODED, 413),
        (b"a=%ff", URLENCODED, 422),
        ("a=雨".encode(), URLENCODED, 422),
        (b"&".join(b"a=1" for _ in range(201)), URLENCODED, 422),
    ],
)
async def test_what_is_no_form_is_refused_with_a_reason(
    body: bytes, kind: str, status: int
) -> None:
    assert (await sent(body, kind)).status_code == status
