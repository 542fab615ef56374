"""Devices on serial lines: presence radar, two blood-pressure monitors, a card reader."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

from simulator.centre import Device
from simulator.faults import FLAPS_S, FROZEN, Fault
from simulator.habits import PERFECT, Imperfections
from simulator.ports import Port, PseudoTerminal
from simulator.wires import and_tm265x, ld2410, omron_bp, rdm6300
from simulator.world import SECOND, CardShown, Fact, Measured, World

ARM_MOVED = 44  # A&D's E44
ABSENCE_TIMEOUT = 5 * SECOND  # the factory setting: so long it still reports who has left
HOUR_MS = 3_600 * SECOND
CARD_REPEATS = 3  # a reader repeats a card for as long as it lies there


class SerialDevice:
    """What all of them have: a cable, and faults that a cable brings."""

    possible_faults: tuple[Fault, ...] = (Fault.SILENT, Fault.UNPLUGGED)

    def __init__(
        self,
        device: Device,
        world: World,
        seed: int,
        imperfections: Imperfections = PERFECT,
        port: Port | None = None,
    ) -> None:
        """Without a port it makes its own, under the path of its line."""
        if device.serial is None:
            raise ValueError(f"{device.id} has no serial line")
        self.device = device
        self.world = world
        self.fault: Fault | None = None
        self.imperfections = imperfections
        self.port: Port = port or PseudoTerminal(Path(device.serial))
        self.random = Random(f"{device.id}/{seed}")
        self._zone = ZoneInfo(world.centre.timezone)

    def start(self, now_ms: int) -> None:
        """Plug it in."""
        self.port.plug()

    def stop(self) -> None:
        self.port.unplug()

    def break_down(self, fault: Fault, now_ms: int) -> None:
        self.fault = fault
        if fault is Fault.UNPLUGGED:
            self.port.unplug()

    def repair(self, now_ms: int) -> None:
        self.fault = None
        self.port.plug()

    def react(self, fact: Fact, now_ms: int) -> None:
        """Most have nothing to say of what happens elsewhere."""

    def tick(self, now_ms: int) -> None:
        """Most speak only when something happens."""

    def stream(self, now_ms: int) -> None:
        """For what repeats itself all the time."""

    def send(self, data: bytes) -> None:
        if self.fault is not Fault.SILENT:
            self.port.write(data)

    def local_time(self, now_ms: int) -> datetime:
        """The device's own clock: local, without a zone."""
        return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(self._zone)


class Radar(SerialDevice):
    """LD2410: reports all the time, whether or not there is anybody."""

    possible_faults = (Fault.SILENT, Fault.STUCK, Fault.UNPLUGGED)

    def __init__(
        self,
        device: Device,
        world: World,
        seed: int,
        imperfections: Imperfections = PERFECT,
        port: Port | None = None,
    ) -> None:
        super().__init__(device, world, seed, imperfections, port)
        self._last = ld2410.report(ld2410.Target.NONE)
        self._seen_ms: int | None = None
        self._told_ms = 0
        self._lost_until_ms = 0
        self._flaps_ms = 0

    def break_down(self, fault: Fault, now_ms: int) -> None:
        super().break_down(fault, now_ms)
        if fault is Fault.STUCK_AT_0:
            self._last = ld2410.report(ld2410.Target.NONE)
        elif fault is Fault.STUCK_AT_1:
            self._last = self._somebody(is_moving=False)
        elif fault is Fault.BAD:
            self._last = ld2410.report(ld2410.Target.CALIBRATING)

    def stream(self, now_ms: int) -> None:
        if self.fault is Fault.FLAPPING:
            self._flap(now_ms)
        elif self.fault not in (*FROZEN, Fault.BAD):
            self._last = self._look(now_ms)
        self._told_ms = now_ms
        self.send(self._last)

    def _flap(self, now_ms: int) -> None:
        if now_ms >= self._flaps_ms:
            self._flaps_ms = now_ms + self.random.randint(*FLAPS_S) * SECOND
            nobody = ld2410.report(ld2410.Target.NONE)
            self._last = self._somebody(is_moving=True) if self._last == nobody else nobody

    def _look(self, now_ms: int) -> bytes:
        room, zone = self.device.room or "", self.device.zone
        if self.world.someone(room, zone, now_ms) and not self._loses(room, zone, now_ms):
            self._seen_ms = now_ms
        if self._seen_ms is None or now_ms - self._seen_ms >= ABSENCE_TIMEOUT:
            return ld2410.report(ld2410.Target.NONE)
        return self._somebody(is_moving=self.world.stirs(room, zone, now_ms))

    def _loses(self, room: str, zone: str | None, now_ms: int) -> bool:
        """Does it overlook people who keep still? Now and then, for some seconds."""
        sensor = self.imperfections
        still_ms = self.world.still_ms(room, zone, now_ms)
        if not sensor.radar_loses or still_ms < sensor.radar_still_s * SECOND:
            return False
        chance = sensor.radar_loses * min(now_ms - self._told_ms, still_ms) / HOUR_MS
        if now_ms >= self._lost_until_ms and self.random.random() < chance:
            lost_s = self.random.randint(*sensor.radar_loses_s)
            self._lost_until_ms = now_ms + lost_s * SECOND
        return now_ms < self._lost_until_ms

    def _somebody(self, *, is_moving: bool) -> bytes:
        distance = self.random.randint(80, 420)
        still = self.random.randint(45, 90)
        if not is_moving:
            return ld2410.report(
                ld2410.Target.STILL, still_cm=distance, still_energy=still, detection_cm=distance
            )
        return ld2410.report(
            ld2410.Target.BOTH,
            moving_cm=distance,
            moving_energy=self.random.randint(50, 100),
            still_cm=distance + 10,
            still_energy=still,
            detection_cm=distance,
        )


class PressureMonitor(SerialDevice, ABC):
    """Speaks once, when a measurement has ended."""

    def react(self, fact: Fact, now_ms: int) -> None:
        if isinstance(fact, Measured) and fact.place == self.device.room:
            self.send(self.result(fact, now_ms))

    @abstractmethod
    def result(self, fact: Measured, now_ms: int) -> bytes:
        """The bytes of one ended measurement."""

    @staticmethod
    def mean(fact: Measured) -> int:
        """The usual estimate: a third of the way from diastolic to systolic."""
        return fact.diastolic + (fact.systolic - fact.diastolic) // 3


class AndMonitor(PressureMonitor):
    """A&D TM-2655: says so when the measurement failed."""

    def result(self, fact: Measured, now_ms: int) -> bytes:
        at = self.local_time(now_ms)
        if fact.failed:
            return and_tm265x.failure(at, ARM_MOVED)
        mean = self.mean(fact)
        return and_tm265x.result(at, fact.systolic, mean, fact.diastolic, fact.pulse)


class OmronMonitor(PressureMonitor):
    """HBP-9020: its line has no error form that is known; a failed one is not sent."""

    def result(self, fact: Measured, now_ms: int) -> bytes:
        if fact.failed:
            return b""
        at = self.local_time(now_ms)
        return omron_bp.line(at, fact.systolic, self.mean(fact), fact.diastolic, fact.pulse)


class CardReader(SerialDevice):
    """RDM6300."""

    def react(self, fact: Fact, now_ms: int) -> None:
        if isinstance(fact, CardShown) and fact.place == self.device.room:
            self.send(rdm6300.frame(fact.card) * CARD_REPEATS)


SERIAL: dict[str, type[SerialDevice]] = {
    "ld2410": Radar,
    "and_tm265x": AndMonitor,
    "omron_hbp9020": OmronMonitor,
    "rdm6300": CardReader,
}
"""Driver name to the device that speaks its wire."""
