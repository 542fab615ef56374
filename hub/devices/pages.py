"""The list of devices, worst first, and the page of one device with all its channels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.domain.centre import pick
from hub.domain.device import DeviceState, Health
from hub.domain.views import DevicesView, FaultsView, HubView, RoomsView
from hub.store.windows import Source
from hub.telling import sentence as told
from hub.web.device import WORST_FIRST, context, device_line, first_channel
from hub.web.device_folds import folds
from hub.web.history_page import Past
from hub.web.history_spans import DEVICE_SPANS
from hub.web.page import Frame, language_of, translator


class Filter(NamedTuple):
    """What the reader asked for; empty means all."""

    health: str
    room: str

    def address(self, health: str) -> str:
        query = {key: value for key, value in (("health", health), ("room", self.room)) if value}
        return f"/devices?{urlencode(query)}" if query else "/devices"


class Chip(NamedTuple):
    """A health with its count, as a link that filters by it."""

    key: str
    label: str
    devices: int
    address: str


def pages(
    devices: DevicesView, rooms: RoomsView, faults: FaultsView, hub: HubView, source: Source
) -> APIRouter:
    """``/devices`` and ``/devices/{id}``; ``source``: the store."""
    frame = Frame(rooms.centre, hub)
    history = Past(frame, source)
    router = APIRouter(include_in_schema=False)

    @router.get("/devices")
    async def show_devices(request: Request) -> Response:
        language = language_of(request)
        wanted = _filter(request)
        if wanted is None:
            return frame.error(request, 404)
        here = devices.in_room(wanted.room) if wanted.room else devices.devices()
        shown = [d for d in here if not wanted.health or d.health == wanted.health]
        shown.sort(key=lambda device: (WORST_FIRST.index(device.health), device.id))
        lines = [device_line(frame, device, language) for device in shown]
        return frame.answer(
            request,
            "devices",
            here="devices",
            filter=wanted,
            chips=_chips(here, wanted, language),
            rooms=[(room.id, pick(room.name, language)) for room in rooms.rooms()],
            broken=[d for d in lines if d.needs_you],
            folds=folds(rooms, [d for d in lines if not d.needs_you], language),
            is_one=bool(wanted.room or wanted.health),
        )

    @router.get("/devices/{device_id}")
    async def show_device(request: Request, device_id: str) -> Response:
        device = next((d for d in devices.devices() if d.id == device_id), None)
        if device is None:
            return frame.error(request, 404)
        channel = request.query_params.get("channel", first_channel(device))
        span = request.query_params.get("span", "day")
        if span not in DEVICE_SPANS or channel not in (None, *device.channels):
            return frame.error(request, 404)
        language = language_of(request)
        past = {} if channel is None else await history.context(device, channel, span, language)
        here = context(frame, device, language)
        found = [(number, faults.alert(number)) for number in device.alerts]
        alerts = [(number, told(one, language), one.severity) for number, one in found]
        return frame.answer(request, "device", here="devices", alerts=alerts, **here, **past)

    def _filter(request: Request) -> Filter | None:
        """None where the address names a room or a health that there is not."""
        wanted = Filter(
            request.query_params.get("health", ""), request.query_params.get("room", "")
        )
        known = wanted.room in ("", *(room.id for room in rooms.rooms()))
        return wanted if known and wanted.health in ("", *Health) else None

    return router


def _chips(here: Sequence[DeviceState], wanted: Filter, language: str) -> list[Chip]:
    t = translator(language)
    counts = Counter(device.health for device in here)
    chips = [Chip("", t("ui.all"), len(here), wanted.address(""))]
    chips += [
        Chip(h, t(f"health.{h}"), counts[h], wanted.address(h))
        for h in WORST_FIRST
        if counts[h] or h == wanted.health
    ]
    return chips
