"""The hub put together, top to bottom: the picture of ARCHITECTURE section 1 as code."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.clock import Clock
from edge.service import Edge
from hub import app, settings
from hub.access.guard import own_names
from hub.api import events, probes
from hub.api.documents import device_document, encode, room_document
from hub.api.stream import Broadcaster
from hub.bus import Bus
from hub.devices import api as devices_api
from hub.devices import pages as devices_pages
from hub.devices.service import DevicesService
from hub.domain.centre import Centre
from hub.domain.events import DeviceChanged, LinkChanged, RoomChanged
from hub.intake import Intake
from hub.rooms import api as rooms_api
from hub.rooms import pages as rooms_pages
from hub.rooms.api import StatusBoard
from hub.rooms.service import RoomsService
from hub.server import Server, listen
from hub.store.store import Store
from hub.vitals import Vitals
from hub.web import assets, page

log = logging.getLogger(__name__)

DATABASE = "linli.sqlite"
DEFAULT_INFLIGHT = 20


@dataclass(frozen=True, slots=True)
class Parts:
    """What lives as long as the hub."""

    store: Store
    edge: Edge
    rooms: RoomsService
    devices: DevicesService
    vitals: Vitals
    server: Server


async def serve(
    config: settings.CentreSettings,
    clock: Clock,
    stop: asyncio.Event,
    *,
    data: Path,
    ready: Callable[[str], None] | None = None,
) -> None:
    """Run the hub until ``stop`` is set; ``ready`` is told the address once it answers.

    Raises:
        PortBusyError, StoreError: nothing was started; the message says what to do.
    """
    with listen(config.http.host, config.http.port) as listener:
        host, port = listener.getsockname()[:2]
        parts = await _assemble(config, clock, data, port)
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(parts.server.serve(sockets=[listener]), name="web")
            acquiring = group.create_task(parts.edge.run(stop), name="edge")
            watching = [
                group.create_task(parts.rooms.run(), name="rooms"),
                group.create_task(parts.devices.run(), name="devices"),
                group.create_task(parts.vitals.watch_lag(), name="loop lag"),
            ]
            await parts.server.listening()
            parts.vitals.is_ready = True
            address = f"http://{host}:{port}"
            log.info("Serving on %s", address)
            if ready is not None:
                ready(address)
            await stop.wait()
            parts.vitals.is_ready = False
            # nothing new comes in; what came in is committed; then the broker may forget it
            await acquiring
            for task in watching:
                task.cancel()
            await parts.store.close()
            await parts.edge.finish()
            parts.server.should_exit = True
            await serving


async def _assemble(config: settings.CentreSettings, clock: Clock, data: Path, port: int) -> Parts:
    """Bytes on the left, people on the right."""
    place = settings.centre(config)
    inflight = config.mqtt.inflight if config.mqtt else DEFAULT_INFLIGHT
    store = await Store.open(data / DATABASE, clock, inflight)
    live, bus = store.live, Bus()
    live.silent_after.update({d.id: d.silent_after_ms for d in place.devices})
    intake = Intake(clock, live, store, bus)
    edge = Edge(
        config.devices,
        config.mqtt,
        intake,
        clock,
        ZoneInfo(place.timezone),
        f"linli-{place.id}",
        store.known_deliveries(),
    )
    rooms = RoomsService(place, clock, bus, store, live.series.values())
    devices = DevicesService(place, clock, bus, live, store.stopped_ms)
    vitals = Vitals(clock, intake, store)
    vitals.registry.register(probes.HubCollector(vitals, devices))
    broadcaster = _broadcaster(place, rooms, devices)
    board = StatusBoard(rooms, devices, vitals)
    _connect(bus, store, broadcaster, board)
    routers = [
        probes.routes(vitals),
        events.routes(broadcaster),
        rooms_api.routes(rooms, board, vitals),
        devices_api.routes(devices, store, vitals),
        rooms_pages.pages(rooms, devices, vitals),
        devices_pages.pages(devices, rooms, vitals),
        assets.routes(page.assets()),
    ]
    web = app.build(routers, config.access.open, own_names(config.http.host, port))
    return Parts(store, edge, rooms, devices, vitals, Server(web, broadcaster.close))


def _broadcaster(place: Centre, rooms: RoomsService, devices: DevicesService) -> Broadcaster:
    """Renders what changed as the API would."""
    by_id = {room.id: room for room in place.rooms}

    def render(name: str, item: str, language: str) -> bytes:
        if name == "device":
            return encode(device_document(devices.device(item)))
        return encode(room_document(by_id[item], rooms.state(item), place, language))

    return Broadcaster(render)


def _connect(bus: Bus, store: Store, broadcaster: Broadcaster, board: StatusBoard) -> None:
    """Who hears of what."""

    def room_changed(event: RoomChanged) -> None:
        store.append_room(event.state)
        board.forget()
        broadcaster.changed("room", event.state.room)

    def device_changed(event: DeviceChanged) -> None:
        board.forget()
        broadcaster.changed("device", event.device)

    bus.subscribe(RoomChanged, room_changed)
    bus.subscribe(DeviceChanged, device_changed)
    bus.subscribe(LinkChanged, lambda _: broadcaster.nudge())
