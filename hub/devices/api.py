"""``devices`` and ``readings``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Protocol

from fastapi import APIRouter, Query
from fastapi.responses import Response

from device_drivers.channels import CHANNELS, is_personal
from device_drivers.contract import Quality
from hub.api.answers import answer, documented
from hub.api.documents import (
    DeviceDocument,
    Page,
    ReadingDocument,
    device_document,
    rfc3339,
)
from hub.api.times import parse_range
from hub.domain.errors import UnknownChannelError
from hub.domain.views import DevicesView, HubView
from hub.store.query import MAX_LIMIT, ReadingItem, ReadingsPage, ReadingsQuery

DAY_MS = 86_400_000


class ReadingsSource(Protocol):
    def readings(self, query: ReadingsQuery) -> Awaitable[ReadingsPage]: ...


def routes(devices: DevicesView, source: ReadingsSource, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["devices"])

    @router.get("/devices", responses=documented(Page[DeviceDocument]))
    async def list_devices() -> Response:
        """All devices, their health and their last values."""
        return answer(Page([device_document(state) for state in devices.devices()]))

    @router.get("/devices/{device}", responses=documented(DeviceDocument, on_404="No such device"))
    async def read_device(device: str) -> Response:
        """One device."""
        return answer(device_document(devices.device(device)))

    @router.get(
        "/readings",
        responses=documented(
            Page[ReadingDocument],
            on_404="No such device or channel",
            on_422="A time, limit or cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_readings(
        device: Annotated[str | None, Query(description="a device's id")] = None,
        channel: Annotated[str | None, Query(description="a channel of the catalogue")] = None,
        from_: Annotated[str | None, Query(alias="from", description="RFC 3339")] = None,
        to: Annotated[str | None, Query(description="RFC 3339")] = None,
        quality: Annotated[Quality | None, Query(description="only this quality")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")] = 1000,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """What sensors said, each change once, in order of time; without times the last day."""
        if channel is not None and (channel not in CHANNELS or is_personal(channel)):
            raise UnknownChannelError(channel)
        if device is not None:
            devices.device(device)
        from_ms, to_ms = parse_range(from_, to, hub.now_ms(), DAY_MS)
        query = ReadingsQuery(from_ms, to_ms, device, channel, quality, limit, cursor)
        page = await source.readings(query)
        # a page of 10,000 takes longer to write than the event loop may be held up
        return await asyncio.to_thread(_answer, page)

    return router


def _answer(page: ReadingsPage) -> Response:
    return answer(Page([_document(item) for item in page.items], page.next))


def _document(item: ReadingItem) -> ReadingDocument:
    return ReadingDocument(
        device=item.device,
        channel=f"{item.channel}.{item.part}" if item.part else item.channel,
        value=item.value,
        unit=item.unit,
        quality=item.quality.value,
        reason=item.reason,
        observed_at=rfc3339(item.observed_ms),
        received_at=rfc3339(item.received_ms),
        time_source=item.time_source.value,
        until=rfc3339(item.until_ms),
    )
