"""Keeps every device's record current, and says when one falls silent, fails or comes back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from device_drivers.contract import Quality
from edge.clock import Clock
from hub.agenda import Agenda
from hub.bus import Bus
from hub.devices.alerted import Alerted
from hub.devices.rules import Record, clock_set, health, silent_at
from hub.domain.centre import Centre, Device
from hub.domain.device import ChannelState, DeviceState, Health
from hub.domain.errors import UnknownDeviceError
from hub.domain.events import (
    ClockChanged,
    DeviceChanged,
    FrameDiscarded,
    HealthChanged,
    Heard,
)
from hub.domain.fault import Alert
from hub.domain.series import Series
from hub.live import LiveState


class DevicesService:
    """``stopped_ms``: when the hub last ran before this start; None at its first. ``alerts``: those
    that are open already."""

    def __init__(
        self,
        centre: Centre,
        clock: Clock,
        bus: Bus,
        live: LiveState,
        stopped_ms: int | None,
        alerts: Iterable[Alert] = (),
    ) -> None:
        self._devices = {device.id: device for device in centre.devices}
        self._rooms_of_door = {door.id: door.between for door in centre.doors}
        self._bus = bus
        self._live = live
        self._records: dict[str, Record] = {}
        self._healths: dict[str, Health] = {}
        self._clock = clock
        self._alerted = Alerted(bus, alerts, lambda device: bus.publish(DeviceChanged(device)))
        self._agenda = Agenda(self._look)
        now = clock.now_ms()
        for device in centre.devices:
            record = self._records[device.id] = self._recall(device, now, stopped_ms)
            self._healths[device.id] = health(record, now)
            self._agenda.plan(device.id, silent_at(record))
        bus.subscribe(Heard, self._on_heard)
        bus.subscribe(FrameDiscarded, self._on_discard)
        bus.subscribe(ClockChanged, self._on_clock)

    def _recall(self, device: Device, now_ms: int, stopped_ms: int | None) -> Record:
        heard = self._live.heard.get(device.id)
        down = 0
        if heard is not None and stopped_ms is not None:
            down = max(now_ms - max(stopped_ms, heard), 0)
        record = Record(device.silent_after_ms, now_ms, heard, down)
        record.has_bad_sample = self._has_bad_sample(device.id)
        return record

    def devices(self) -> Sequence[DeviceState]:
        return tuple(self.device(device) for device in self._devices)

    def device(self, device: str) -> DeviceState:
        """Raises UnknownDeviceError."""
        try:
            configured = self._devices[device]
        except KeyError:
            raise UnknownDeviceError(device) from None
        place = next(iter(configured.places.values()))
        single = len(configured.places) == 1
        return DeviceState(
            id=device,
            driver=configured.driver,
            room=place.room if single else None,
            zone=place.zone if single else None,
            door=place.door if single else None,
            maturity=configured.maturity,
            health=self._healths[device],
            last_heard_ms=self._records[device].heard_ms,
            channels={_name(s): _channel(s) for s in self._live.by_device.get(device, ())},
            alerts=self._alerted.of(device),
        )

    def in_room(self, room: str) -> Sequence[DeviceState]:
        """The devices that watch a room, those on its doors included."""
        return tuple(
            self.device(device.id)
            for device in self._devices.values()
            if any(self._watches(place.room, place.door, room) for place in device.places.values())
        )

    def _watches(self, placed: str | None, door: str | None, room: str) -> bool:
        return placed == room or (door is not None and room in self._rooms_of_door[door])

    def counts(self) -> dict[Health, int]:
        found = dict.fromkeys(Health, 0)
        for verdict in self._healths.values():
            found[verdict] += 1
        return found

    async def run(self) -> None:
        """Notice silence."""
        await self._agenda.run(self._clock)

    def _on_heard(self, event: Heard) -> None:
        record = self._records.get(event.device)
        if record is None:
            return
        record.discarded.append(False)
        heard = self._live.heard.get(event.device)
        if heard is not None and heard != record.heard_ms:
            record.heard_ms, record.down_ms = heard, 0
        if event.changed:
            record.has_bad_sample = self._has_bad_sample(event.device)
        if not self._judge(event.device, event.at_ms) and event.changed:
            self._bus.publish(DeviceChanged(event.device))

    def _on_discard(self, event: FrameDiscarded) -> None:
        record = self._records.get(event.device)
        if record is not None:
            record.discarded.append(True)
            self._judge(event.device, event.at_ms)

    def _on_clock(self, event: ClockChanged) -> None:
        if not event.is_trusted:
            return  # our clock goes on as before
        for device, record in self._records.items():
            clock_set(record, event.shift_ms, event.moved_from_ms)
            if not self._judge(device, event.at_ms):
                self._bus.publish(DeviceChanged(device))
            self._agenda.plan(device, silent_at(record))

    def _has_bad_sample(self, device: str) -> bool:
        return any(s.quality is Quality.BAD for s in self._live.by_device.get(device, ()))

    def _judge(self, device: str, now_ms: int) -> bool:
        verdict = health(self._records[device], now_ms)
        if verdict is self._healths[device]:
            return False
        self._healths[device] = verdict
        self._agenda.plan(device, silent_at(self._records[device]))
        self._bus.publish(HealthChanged(device, verdict, now_ms))
        self._bus.publish(DeviceChanged(device))
        return True

    def _look(self, device: str, now_ms: int) -> int | None:
        """Time may have made it silent. A silent device is planned again when it speaks."""
        self._judge(device, now_ms)
        due = silent_at(self._records[device])
        return due if due > now_ms else None


def _name(series: Series) -> str:
    return f"{series.key.channel}.{series.key.part}" if series.key.part else series.key.channel


def _channel(series: Series) -> ChannelState:
    return ChannelState(
        value=series.value,
        unit=series.unit,
        quality=series.quality,
        reason=series.reason,
        observed_ms=series.observed_ms,
        until_ms=series.until_ms,
    )
