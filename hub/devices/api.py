"""``devices`` and ``readings``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Protocol
from zoneinfo import ZoneInfo

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response

from device_drivers.channels import CHANNELS, is_personal
from device_drivers.contract import Quality
from hub.api.answers import answer, documented
from hub.api.documents import (
    DeviceDocument,
    Page,
    ReadingDocument,
    SummaryDocument,
    device_document,
    rfc3339,
)
from hub.api.summaries import summary
from hub.api.times import STEP, Cut, Step, SumStep, cut, parse_range, resume, write_moment
from hub.domain.centre import Centre
from hub.domain.errors import BadQueryError, UnknownChannelError
from hub.domain.series import SeriesKey
from hub.domain.views import DevicesView, HubView
from hub.store.query import MAX_LIMIT, ReadingItem, ReadingsPage, ReadingsQuery
from hub.store.rollup import HourRow
from hub.store.spans import Window
from hub.store.windows import Source, Wanted, by_hours, by_steps

DAY_MS = 86_400_000
MAX_CUT_DAYS = 62  # of a page, in zones with half hours: each day reads the steps of an hour


class StretchDocument(msgspec.Struct):
    """From the first time in it to the last one."""

    from_: str = msgspec.field(name="from")
    to: str


class ReadingsDocument(msgspec.Struct):
    """A page of readings. ``damaged``: stretches of which something cannot be read any more,
    because the disk forgot it; what is missing there was not silent."""

    items: list[ReadingDocument]
    next: str | None = None
    damaged: list[StretchDocument] = []


class ReadingsSource(Source, Protocol):
    """The store."""

    def readings(self, query: ReadingsQuery) -> Awaitable[ReadingsPage]: ...


def routes(devices: DevicesView, source: ReadingsSource, hub: HubView, centre: Centre) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["devices"])
    sums = Summaries(source, devices, centre)

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
            ReadingsDocument,
            Page[SummaryDocument],
            on_404="No such device or channel",
            on_422="A time, step, limit or cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_readings(
        device: Annotated[str | None, Query(description="a device's id")] = None,
        channel: Annotated[
            str | None,
            Query(description="a channel of the catalogue; in steps also with its part"),
        ] = None,
        from_: Annotated[str | None, Query(alias="from", description="RFC 3339")] = None,
        to: Annotated[str | None, Query(description="RFC 3339")] = None,
        step: Annotated[Step, Query(description=f"{STEP}; others need device and channel")] = "raw",
        quality: Annotated[Quality | None, Query(description="only this quality; raw only")] = None,
        limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="items a page")] = 1000,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """What sensors said: each change once, in order of time, or sums of one channel.

        Without times the last day. Sums count good values, and list what nothing covers as such.
        """
        if device is not None:
            devices.device(device)
        now = hub.now_ms()
        from_ms, to_ms = parse_range(from_, to, now, DAY_MS)
        if step != "raw":
            wanted = sums.wanted(device, channel, quality)
            # what has not happened yet is no gap
            span = resume(Window(from_ms, min(to_ms, now)), cursor)
            found = cut(span, step, sums.zone, sums.most(step, limit, now))
            return await sums.page(wanted, step, found, now)
        if channel is not None and (channel not in CHANNELS or is_personal(channel)):
            raise UnknownChannelError(channel)
        query = ReadingsQuery(from_ms, to_ms, device, channel, quality, limit, cursor)
        page = await source.readings(query)
        # a page of 10,000 takes longer to write than the event loop may be held up
        return await asyncio.to_thread(_answer, page)

    return router


def _answer(page: ReadingsPage) -> Response:
    items = [_document(item) for item in page.items]
    damaged = [StretchDocument(rfc3339(first), rfc3339(last)) for first, last in page.damaged]
    return answer(ReadingsDocument(items, page.next, damaged))


def _document(item: ReadingItem) -> ReadingDocument:
    return ReadingDocument(
        device=item.device,
        channel=f"{item.channel}.{item.part}" if item.part else item.channel,
        value=item.value,
        unit=item.unit,
        quality=item.quality,
        reason=item.reason,
        observed_at=rfc3339(item.observed_ms),
        received_at=rfc3339(item.received_ms),
        time_source=item.time_source,
        until=rfc3339(item.until_ms),
    )


class Summaries:
    """Sums of one channel of one device."""

    def __init__(self, source: Source, devices: DevicesView, centre: Centre) -> None:
        self.zone = ZoneInfo(centre.timezone)
        self._source = source
        self._devices = devices
        self._silent_after = {device.id: device.silent_after_ms for device in centre.devices}

    def wanted(self, device: str | None, channel: str | None, quality: Quality | None) -> Wanted:
        """The one series that was asked for.

        Raises:
            BadQueryError, UnknownChannelError
        """
        if device is None or channel is None:
            missing = "device" if device is None else "channel"
            raise BadQueryError(missing, "sums_of_one")
        if quality not in (None, Quality.GOOD):
            raise BadQueryError("quality", "sums_of_good")
        name, part = _split(channel)
        if not part:
            said = self._devices.device(device).channels
            parts = [key.removeprefix(f"{name}.") for key in said if key.startswith(f"{name}.")]
            if len(parts) > 1 and name not in said:
                several = ", ".join(f"{name}.{part}" for part in sorted(parts))
                raise BadQueryError("channel", "several_parts", known=several)
            if parts and name not in said:
                part = parts[0]
        return Wanted(SeriesKey(device, name, part), self._silent_after[device])

    def most(self, step: SumStep, limit: int, now_ms: int) -> int:
        """Where days cut hours in two, each day needs steps: a page is then shorter."""
        offset = datetime.fromtimestamp(now_ms // 1000, self.zone).utcoffset()
        is_cut = step == "day" and offset is not None and offset % timedelta(hours=1)
        return min(limit, MAX_CUT_DAYS) if is_cut else limit

    async def page(self, wanted: Wanted, step: SumStep, found: Cut, now_ms: int) -> Response:
        if step == "minute":
            rows = await by_steps(self._source, wanted, found.windows)
        else:
            rows = await by_hours(self._source, wanted, found.windows, now_ms)
        return await asyncio.to_thread(_answer_sums, wanted.key, found, rows)


def _split(channel: str) -> tuple[str, str]:
    """``contact.di1``: a channel of the catalogue, and a part of the device.

    Raises:
        UnknownChannelError: the catalogue has none, or it is personal.
    """
    if channel in CHANNELS and not is_personal(channel):
        return channel, ""
    name, _, part = channel.rpartition(".")
    if not part or name not in CHANNELS or is_personal(name):
        raise UnknownChannelError(channel)
    return name, part


def _answer_sums(key: SeriesKey, found: Cut, rows: Sequence[HourRow]) -> Response:
    documents = [
        summary(key, window, row, rfc3339) for window, row in zip(found.windows, rows, strict=True)
    ]
    return answer(Page(documents, write_moment(found.next_ms)))
