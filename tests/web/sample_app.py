"""The pages over the sample centre, with the security headers and the event stream of the hub.

python -m tests.web.sample_app [port]      to look at them by hand
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import uvicorn
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from hub.devices import pages as device_pages
from hub.domain.access import LOCAL
from hub.rooms import pages as room_pages
from hub.rooms import public_pages, room_page
from hub.rooms.beside import Beside
from hub.storage import pages as storage_pages
from hub.web.assets import routes
from hub.web.page import Frame, assets
from tests.web.sample_centre import SampleHub
from tests.web.sample_faults import SampleFaults
from tests.web.sample_history import SampleHistory
from tests.web.sample_past import explain
from tests.web.sample_plans import SamplePlans
from tests.web.sample_storage import SampleStorage

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
BEAT_S = 3.0


class Stream:
    """``/events``: a number for a change, a beat, and a way to fall silent as a dead line does."""

    def __init__(self) -> None:
        self._clients: set[asyncio.Queue[str]] = set()
        self._number = 0
        self.is_dead = False

    def changed(self) -> None:
        self._number += 1
        for queue in self._clients:
            queue.put_nowait(f"data: {self._number}\n\n")

    def end(self) -> None:
        """Let every open stream finish, or the server would wait for its browsers."""
        for queue in self._clients:
            queue.put_nowait("")

    async def serve(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._clients.add(queue)
        try:
            yield "event: beat\ndata: 0\n\n"
            while True:
                try:
                    text = await asyncio.wait_for(queue.get(), BEAT_S)
                except TimeoutError:
                    text = "event: beat\ndata: 0\n\n"
                if not text:
                    return
                if not self.is_dead:
                    yield text
        finally:
            self._clients.discard(queue)


def make(hub: SampleHub, stream: Stream) -> FastAPI:
    app = FastAPI()
    app.include_router(routes(assets()))
    planned = SamplePlans(hub)
    beside = Beside(planned.overrides, planned, planned.drawings, planned.zeroings, explain)
    app.include_router(room_pages.pages(hub, hub, hub, beside))
    app.include_router(public_pages.routes(hub, planned, hub))
    app.include_router(room_page.pages(hub, hub, hub, beside))
    app.include_router(device_pages.pages(hub, hub, SampleFaults(), hub, SampleHistory()))
    app.include_router(storage_pages.pages(SampleStorage(), hub.centre, hub))
    frame = Frame(hub.centre, hub)

    @app.get("/events")
    async def events() -> Response:
        if stream.is_dead:
            return Response(status_code=503)
        return StreamingResponse(stream.serve(), media_type="text/event-stream")

    @app.exception_handler(HTTPException)
    async def failed(request: Request, error: HTTPException) -> Response:
        return frame.error(request, error.status_code)

    @app.middleware("http")
    async def secure(
        request: Request, following: Callable[[Request], Awaitable[Response]]
    ) -> Response:
        request.state.principal = LOCAL
        response = await following(request)
        response.headers["Content-Security-Policy"] = CSP
        return response

    return app


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8099
    uvicorn.run(make(SampleHub(), Stream()), port=port, log_level="warning")
