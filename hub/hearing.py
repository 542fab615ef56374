"""Who hears of what on the bus, where more than one subject is concerned."""

from __future__ import annotations

from hub.api.stream import Broadcaster
from hub.bus import Bus
from hub.domain.centre import Centre
from hub.domain.events import (
    AlertChanged,
    ClockChanged,
    DeviceChanged,
    LinkChanged,
    OrderChanged,
    OverrideChanged,
    RoomAged,
    RoomChanged,
    ScheduleChanged,
)
from hub.rooms.status import StatusBoard
from hub.vitals import Vitals


def connect(
    bus: Bus, place: Centre, vitals: Vitals, broadcaster: Broadcaster, board: StatusBoard
) -> None:
    """What changes goes to open streams, and out of what is put together already."""

    def room_changed(room: str) -> None:
        board.forget()
        broadcaster.changed("room", room)

    def planned_anew(_: ScheduleChanged) -> None:
        for room in place.rooms:
            room_changed(room.id)

    def device_changed(event: DeviceChanged) -> None:
        board.forget()
        broadcaster.changed("device", event.device)

    def alert_changed(event: AlertChanged) -> None:
        board.forget()
        broadcaster.changed("alert", str(event.alert.id))

    bus.subscribe(RoomChanged, lambda event: room_changed(event.state.room))
    bus.subscribe(RoomAged, lambda event: room_changed(event.room))
    bus.subscribe(OverrideChanged, lambda event: room_changed(event.room))
    bus.subscribe(ScheduleChanged, planned_anew)
    bus.subscribe(DeviceChanged, device_changed)
    bus.subscribe(AlertChanged, alert_changed)
    bus.subscribe(OrderChanged, lambda _: broadcaster.nudge())
    bus.subscribe(LinkChanged, lambda _: broadcaster.nudge())
    bus.subscribe(ClockChanged, vitals.note_clock)
    bus.subscribe(ClockChanged, lambda _: broadcaster.nudge())
