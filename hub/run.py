"""The hub put together, top to bottom: the picture of ARCHITECTURE section 1 as code."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.clock import Clock
from edge.service import Edge
from edge.timekeeping import Timekeeper
from hub import app, settings
from hub.access.guard import own_names
from hub.api import events, probes
from hub.api.stream import Broadcaster
from hub.bus import Bus
from hub.clockwatch import ClockWatch
from hub.configuration.keeping import StorageSection
from hub.devices import api as devices_api
from hub.devices import pages as devices_pages
from hub.devices.service import DevicesService
from hub.domain.events import ClockChanged, DeviceChanged, LinkChanged, RoomChanged
from hub.intake import Intake
from hub.mirror import api as mirror_api
from hub.mirror.service import Mirrors
from hub.rooms import api as rooms_api
from hub.rooms import pages as rooms_pages
from hub.rooms.api import StatusBoard
from hub.rooms.service import RoomsService
from hub.server import Server, listen
from hub.storage import api as storage_api
from hub.storage import pages as storage_pages
from hub.storage.rules import Bounds
from hub.storage.service import Card, Storage
from hub.store.store import Store
from hub.vitals import Vitals
from hub.web import assets, page

log = logging.getLogger(__name__)

BELIEVED = Timekeeper("always")


@dataclass(frozen=True, slots=True)
class Parts:
    """What lives as long as the hub."""

    store: Store
    watch: ClockWatch
    edge: Edge
    mirrors: Mirrors
    rooms: RoomsService
    devices: DevicesService
    vitals: Vitals
    broadcaster: Broadcaster
    server: Server


async def serve(
    config: settings.CentreSettings,
    clock: Clock,
    stop: asyncio.Event,
    *,
    data: Path,
    ready: Callable[[str], None] | None = None,
    keeper: Timekeeper = BELIEVED,
) -> None:
    """Run the hub until ``stop`` is set; ``ready`` is told the address once it answers.

    ``keeper`` knows when the machine's time is right; a made-up clock is always believed.

    Raises:
        PortBusyError, StoreError: nothing was started; the message says what to do.
    """
    with listen(config.http.host, config.http.port) as listener:
        host, port = listener.getsockname()[:2]
        parts = await _assemble(config, clock, keeper, data, port)
        async with asyncio.TaskGroup() as group:
            group.create_task(parts.server.serve(sockets=[listener]), name="web")
            acquiring = group.create_task(parts.edge.run(stop), name="edge")
            watching = [
                group.create_task(parts.watch.run(), name="clock"),
                group.create_task(parts.mirrors.run(), name="mirrors"),
                group.create_task(parts.rooms.run(), name="rooms"),
                group.create_task(parts.devices.run(), name="devices"),
                group.create_task(parts.vitals.watch_lag(), name="loop lag"),
                group.create_task(parts.broadcaster.beat(), name="beat"),
            ]
            try:
                await parts.server.listening.wait()
                parts.vitals.is_ready = True
                gc.collect()
                gc.freeze()  # what lives as long as the hub need not be walked each time
                log.info("Serving on http://%s:%d", host, port)
                if ready is not None:
                    ready(f"http://{host}:{port}")
                await stop.wait()
                await acquiring  # from here on nothing new comes in
            finally:
                parts.vitals.is_ready = False
                for task in watching:
                    task.cancel()
                # what came in is committed, and only then may the broker forget it
                await parts.store.close()
                await parts.edge.finish()
                parts.server.should_exit = True


async def _assemble(
    config: settings.CentreSettings, clock: Clock, keeper: Timekeeper, data: Path, port: int
) -> Parts:
    """Bytes on the left, people on the right."""
    place = settings.centre(config)
    store = await Store.open(data, clock, config.mqtt.inflight)
    live, bus = store.live, Bus()
    watch = ClockWatch(clock, keeper, store.times, bus)  # before anything is stamped
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
        topic_root=f"linli/{place.id}/hub",
    )
    bus.subscribe(RoomChanged, lambda event: store.append_room(event.state))
    rooms = RoomsService(place, clock, bus, store, live.series.values())
    devices = DevicesService(place, clock, bus, live, store.stopped_ms)
    vitals = Vitals(clock, intake, store)
    vitals.registry.register(probes.HubCollector(vitals, devices))
    vitals.registry.register(storage_api.WrittenCollector(store.wear))
    storage = _storage(config.storage, store, data, clock)
    mirrors = Mirrors(config.mirrors, place, store.mirrors, clock)
    vitals.registry.register(mirror_api.MirrorCollector(mirrors))
    broadcaster = events.broadcaster(rooms, devices, vitals)
    board = StatusBoard(rooms, devices, vitals)
    _connect(bus, broadcaster, board)
    bus.subscribe(ClockChanged, vitals.note_clock)
    routers = [
        probes.routes(vitals),
        events.routes(broadcaster),
        rooms_api.routes(rooms, board, vitals),
        devices_api.routes(devices, store, vitals, place),
        rooms_pages.pages(rooms, devices, vitals),
        devices_pages.pages(devices, rooms, vitals),
        storage_api.routes(storage),
        storage_pages.pages(storage, place, vitals),
        mirror_api.routes(mirrors),
        assets.routes(page.assets()),
    ]
    names = own_names(config.http.host, port)
    web = app.build(routers, page.Frame(place, vitals), config.access.open, names)
    server = Server(web, broadcaster.close)
    return Parts(store, watch, edge, mirrors, rooms, devices, vitals, broadcaster, server)


def _storage(section: StorageSection, store: Store, data: Path, clock: Clock) -> Storage:
    card = Card(section.card_size, section.card_rewrites)
    bounds = Bounds(section.max_size, int(section.keep.total_seconds() * 1000))
    return Storage(store, data, card, bounds, clock.now_ms)


def _connect(bus: Bus, broadcaster: Broadcaster, board: StatusBoard) -> None:
    """Who hears of what."""

    def room_changed(event: RoomChanged) -> None:
        board.forget()
        broadcaster.changed("room", event.state.room)

    def device_changed(event: DeviceChanged) -> None:
        board.forget()
        broadcaster.changed("device", event.device)

    bus.subscribe(RoomChanged, room_changed)
    bus.subscribe(DeviceChanged, device_changed)
    bus.subscribe(LinkChanged, lambda _: broadcaster.nudge())
    bus.subscribe(ClockChanged, lambda _: broadcaster.nudge())
