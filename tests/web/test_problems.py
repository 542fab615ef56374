"""What goes wrong inside the hub is told in the form asked for; nothing of it leaks."""

from __future__ import annotations

import httpx
from fastapi import FastAPI

from hub.api.answers import handle_errors
from hub.web.page import Frame
from tests.web.sample_centre import SampleHub


async def test_a_mistake_of_our_own_is_a_problem_or_a_page() -> None:
    hub = SampleHub()
    app = FastAPI()
    handle_errors(app, Frame(hub.centre, hub).error)

    @app.get("/api/v1/broken")
    @app.get("/broken")
    async def broken() -> None:
        raise ValueError("secret")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        problem = await client.get("/api/v1/broken")
        page = await client.get("/broken")
    assert (problem.status_code, page.status_code) == (500, 500)
    assert problem.headers["content-type"] == "application/problem+json"
    assert problem.json()["type"] == "urn:linli:problem:internal"
    assert page.headers["content-type"].startswith("text/html")
    assert "secret" not in problem.text + page.text
