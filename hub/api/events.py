"""``/api/v1/events`` for programs, ``/events`` for our own pages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from starlette.types import Receive, Scope, Send

from hub import texts
from hub.api.documents import device_document, encode, room_document
from hub.api.stream import Broadcaster
from hub.domain.views import DevicesView, HubView, RoomsView

STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Never ends.", "content": {"text/event-stream": {}}}
}


class EventStream(Response):
    """A response that sends what a generator yields, and ends it when the client goes.

    Starlette's own StreamingResponse does the same with a task group and a dozen calls for each
    chunk; at 200 events a second that was a tenth of the hub's CPU.
    """

    media_type = "text/event-stream"

    def __init__(self, events: AsyncGenerator[bytes, None]) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._events = events

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        await send(start)
        sending = asyncio.ensure_future(self._send_all(send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            await self._events.aclose()

    async def _send_all(self, send: Send) -> None:
        async for text in self._events:
            await send({"type": "http.response.body", "body": text, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _left(receive: Receive) -> None:
    """Return when the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


def routes(broadcaster: Broadcaster) -> APIRouter:
    router = APIRouter(tags=["events"])

    # the status must be told: FastAPI cannot read it off a response class of our own, and then
    # makes no OpenAPI document at all
    @router.get("/api/v1/events", status_code=200, response_class=EventStream, responses=STREAM)
    async def follow(
        lang: Annotated[str | None, Query(description="zh-CN, zh-TW or en")] = None,
        accepted: Annotated[
            str | None, Header(alias="Accept-Language", include_in_schema=False)
        ] = None,
        last_event_id: Annotated[str | None, Header(description="resumes after it")] = None,
    ) -> EventStream:
        """Rooms and devices as they change: `room`, `device`, `beat` each 3 s, `reset`.

        A `room` or `device` event carries the same document as the route of that name. After
        `reset` read the state anew: what happened in between is not known any more.
        """
        language = texts.negotiate(lang, None, accepted)
        return EventStream(broadcaster.follow(language, last_event_id))

    @router.get("/events", include_in_schema=False, response_class=EventStream)
    async def pulse() -> EventStream:
        """That something changed, as a number; pages fetch their state themselves."""
        return EventStream(broadcaster.pulse())

    return router


def broadcaster(rooms: RoomsView, devices: DevicesView, hub: HubView) -> Broadcaster:
    """Says what changed as the routes of that name would."""
    by_id = {room.id: room for room in rooms.rooms()}

    def render(name: str, item: str, language: str) -> bytes:
        if name == "device":
            return encode(device_document(devices.device(item)))
        state = rooms.state(item)
        return encode(room_document(by_id[item], state, rooms.centre, language, hub.now_ms()))

    return Broadcaster(render)
