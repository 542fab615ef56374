"""``/api/v1/events`` for programs, ``/events`` for our own pages."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from hub import texts
from hub.api.alert_documents import alert_document
from hub.api.documents import device_document, encode
from hub.api.room_board import RoomBoard
from hub.api.stream import ALL, ROOMS, Broadcaster
from hub.domain.access import NOBODY, Permission
from hub.domain.views import DevicesView, FaultsView

HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
OF_ALL = (Permission.DEVICES, Permission.ALERTS)
STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "Never ends.", "content": {"text/event-stream": {}}}
}


def routes(broadcaster: Broadcaster) -> APIRouter:
    router = APIRouter(tags=["events"])

    @router.get("/api/v1/events", response_class=StreamingResponse, responses=STREAM)
    async def follow(
        request: Request,
        lang: Annotated[str | None, Query(description="zh-CN, zh-TW or en")] = None,
        accepted: Annotated[
            str | None, Header(alias="Accept-Language", include_in_schema=False)
        ] = None,
        last_event_id: Annotated[str | None, Header(description="resumes after it")] = None,
    ) -> StreamingResponse:
        """What changes: `room`, `device`, `alert`, `beat` each 3 s, `reset`.

        Who may not see devices and alerts hears of rooms alone.
        A `room`, `device` or `alert` event carries the same document as the route of that name.
        After `reset` read the state anew: what happened in between is not known any more.
        """
        language = texts.negotiate(lang, None, accepted)
        principal = getattr(request.state, "principal", NOBODY)
        names = ALL if all(map(principal.may, OF_ALL)) else ROOMS
        return _streamed(broadcaster.follow(language, last_event_id, names))

    @router.get("/events", include_in_schema=False, response_class=StreamingResponse)
    async def pulse() -> StreamingResponse:
        """That something changed, as a number; pages fetch their state themselves."""
        return _streamed(broadcaster.pulse())

    return router


def _streamed(events: AsyncGenerator[bytes, None]) -> StreamingResponse:
    return StreamingResponse(events, media_type="text/event-stream", headers=HEADERS)


def broadcaster(board: RoomBoard, devices: DevicesView, faults: FaultsView) -> Broadcaster:
    """Says what changed as the routes of that name would."""

    def render(name: str, item: str, language: str) -> bytes:
        if name == "device":
            return encode(device_document(devices.device(item)))
        if name == "alert":
            return encode(alert_document(faults.alert(int(item)), board.centre, language))
        return board.document(item, language)

    return Broadcaster(render)
