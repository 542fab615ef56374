"""The hub put together, top to bottom: the picture of ARCHITECTURE section 1 as code."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from edge.clock import Clock
from edge.timekeeping import Timekeeper
from hub import app, attending, fitting, hearing, planning, settings
from hub.api import events
from hub.api.room_board import RoomBoard
from hub.api.stream import Broadcaster
from hub.bus import Bus
from hub.clockwatch import ClockWatch
from hub.devices.service import DevicesService
from hub.domain.events import RoomChanged
from hub.intake import Intake
from hub.lifetime import Parts, live
from hub.mirror.service import Mirrors
from hub.rooms.service import RoomsService
from hub.rooms.status import StatusBoard
from hub.server import Server, listen
from hub.store.store import Store
from hub.vitals import Vitals

BELIEVED = Timekeeper("always")


async def serve(
    config: settings.CentreSettings,
    clock: Clock,
    stop: asyncio.Event,
    *,
    data: Path,
    ready: Callable[[str], None] | None = None,
    keeper: Timekeeper = BELIEVED,
    config_file: Path | None = None,
    show_code: Callable[[str, str], None] | None = None,
) -> None:
    """Run the hub until ``stop`` is set; ``ready`` is told the address once it answers.

    ``keeper`` knows when the machine's time is right; a made-up clock is always believed.
    ``config_file`` goes into backups; without it none are made. ``show_code`` is told the address
    and the code for the first account, where there is none yet.

    Raises:
        PortBusyError, StoreError: nothing was started; the message says what to do.
    """
    with listen(config.http.host, config.http.port) as listener:
        port = listener.getsockname()[1]
        store = await Store.open(data, clock, config.mqtt.inflight, fitting.keep(config.storage))
        before = await planning.recalled(store, clock)
        files = fitting.Files(data, config_file)
        parts = assemble(config, clock, keeper, store, before, files, port)

        def answering(address: str) -> None:
            if ready is not None:
                ready(address)
            if show_code is not None and parts.access.setup_code is not None:
                show_code(address, parts.access.setup_code)

        await live(parts, listener, stop, answering)


def assemble(
    config: settings.CentreSettings,
    clock: Clock,
    keeper: Timekeeper,
    store: Store,
    before: planning.Recalled,
    files: fitting.Files,
    port: int,
) -> Parts:
    """Bytes on the left, people on the right."""
    place, bus = settings.centre(config), Bus()
    watch = ClockWatch(clock, keeper, store.times, bus)  # before anything is stamped
    intake = Intake(clock, store.live, store, bus)
    edge = fitting.edge(config, place, intake, store, clock)
    bus.subscribe(RoomChanged, lambda event: store.append_room(event.state))
    plans = planning.plans(config, place, store, before, clock, bus)
    known = store.live.series.values()
    rooms = RoomsService(place, clock, bus, store, known, *plans, store.past.append)
    attended = attending.attend(
        *(config, place, clock, bus, store, plans.timetable, before, files.data, intake)
    )
    standing = attended.faults.alerts()
    devices = DevicesService(place, clock, bus, store.live, store.stopped_ms, standing)
    mirrors = Mirrors(config.mirrors, place, store.mirrors, clock)
    backups = fitting.backups(config, files, store, clock)
    storage = fitting.storage(config.storage, store, files.data, clock, mirrors, backups)
    access, audit = fitting.access(config, files.data, store, clock, bus)
    field = fitting.field(config, files.data, rooms, store, bus)
    vitals = Vitals(clock, intake, store)
    fitting.consult(vitals, mirrors, backups, attended.faults, plans.timetable)
    subjects = app.Subjects(
        *(place, store, rooms, plans, devices, attended),
        *(storage, mirrors, backups, access, audit, vitals),
    )
    server, broadcaster = answering(config, bus, subjects, port)
    tasks = {"clock": watch.run, "rooms": rooms.run, "devices": devices.run, "access": access.run}
    tasks |= {"upkeep": store.upkeep.run, "mirrors": mirrors.run, "audit": audit.run}
    tasks |= {"loop lag": vitals.watch_lag, "beat": broadcaster.beat, "field": field.run}
    tasks |= {"backups": backups.run} if backups else {}
    tasks |= attended.tasks
    return Parts(store, edge, vitals, server, tasks, access)


def answering(
    config: settings.CentreSettings, bus: Bus, subjects: app.Subjects, port: int
) -> tuple[Server, Broadcaster]:
    """What people and programs see of it: pages, the API, and streams of what changes."""
    rooms, devices, faults = subjects.rooms, subjects.devices, subjects.attended.faults
    said = RoomBoard(rooms, devices, subjects.vitals)
    broadcaster = events.broadcaster(said, devices, faults)
    board = StatusBoard(said, rooms, devices, faults, subjects.vitals)
    hearing.connect(bus, subjects.place, subjects.vitals, broadcaster, board)
    web = app.build(config, subjects, broadcaster, board, port)
    return Server(web, broadcaster.close, config.http.tls), broadcaster
