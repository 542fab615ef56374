"""What every simulated MQTT device does: report in time, on change, and fail."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from random import Random

from simulator.centre import Device
from simulator.faults import FLAPS_S, FROZEN, MUTE, Fault
from simulator.habits import PERFECT, Imperfections
from simulator.wires import zigbee2mqtt
from simulator.wires.mqtt import Publication
from simulator.world import SECOND, Fact, World

REPORT_EVERY = (200, 280)  # seconds; well inside the ten minutes after which silence proves nothing
FIRST_REPORT = (20, 150)  # seconds after the start: devices do not all speak at once
EMPTY_BATTERY = 3  # per cent
NO_VALUE = "?"

Publish = Callable[[Publication], None]


class MqttDevice(ABC):
    """Reports when it has something to say, and regularly when not."""

    possible_faults: tuple[Fault, ...] = (Fault.SILENT, Fault.STUCK, Fault.OFFLINE)

    def __init__(
        self,
        device: Device,
        world: World,
        publish: Publish,
        seed: int,
        imperfections: Imperfections = PERFECT,
    ) -> None:
        if device.topic is None:
            raise ValueError(f"{device.id} has no topic")
        self.device = device
        self.topic = device.topic
        self.world = world
        self.fault: Fault | None = None
        self.random = Random(f"{device.id}/{seed}")
        self.imperfections = imperfections
        self.report_every_s = REPORT_EVERY
        self._publish = publish
        self._next_report_ms = 0

    def start(self, now_ms: int) -> None:
        """Join; the first report follows within minutes."""
        self._next_report_ms = now_ms + self.random.randint(*FIRST_REPORT) * SECOND

    def announce(self) -> None:
        """Its gateway, or its own connection, calls it online."""
        self._publish(self.online(True))

    def break_down(self, fault: Fault, now_ms: int) -> None:
        self.fault = fault
        if fault is Fault.OFFLINE:
            self._publish(self.online(False))
        elif fault is Fault.LOW_BATTERY:
            self.report(now_ms)

    def repair(self, now_ms: int) -> None:
        was, self.fault = self.fault, None
        if was is Fault.OFFLINE:
            self.announce()
        self.look(now_ms)
        self.report(now_ms)

    @property
    def is_blind(self) -> bool:
        """What happens does not change what it says."""
        return self.fault in FROZEN

    def react(self, fact: Fact, now_ms: int) -> None:
        if not self.is_blind and self.notices(fact, now_ms):
            self.report(now_ms)

    def tick(self, now_ms: int) -> None:
        changed = not self.is_blind and self.passes_time(now_ms)
        if changed or now_ms >= self._next_report_ms:
            self.report(now_ms)

    @property
    def due_ms(self) -> int:
        """When time alone lets it speak next."""
        return self._next_report_ms

    def report(self, now_ms: int) -> None:
        self._next_report_ms = now_ms + self.pause_ms()
        if self.fault in MUTE:
            return
        for publication in self.messages(now_ms):
            self._publish(publication)

    def pause_ms(self) -> int:
        return self.random.randint(*self.report_every_s) * SECOND

    def notices(self, fact: Fact, now_ms: int) -> bool:
        """Whether this fact changes what it says."""
        return False

    def passes_time(self, now_ms: int) -> bool:
        """Whether time alone changes what it says."""
        return False

    @abstractmethod
    def look(self, now_ms: int) -> None:
        """Take in how things are now, after having been blind."""

    @abstractmethod
    def online(self, online: bool) -> Publication: ...

    @abstractmethod
    def messages(self, now_ms: int) -> tuple[Publication, ...]: ...


class ZigbeeDevice(MqttDevice):
    """Battery, link quality, and what it measures."""

    possible_faults = (Fault.SILENT, Fault.STUCK, Fault.OFFLINE, Fault.LOW_BATTERY)

    def __init__(
        self,
        device: Device,
        world: World,
        publish: Publish,
        seed: int,
        imperfections: Imperfections = PERFECT,
    ) -> None:
        super().__init__(device, world, publish, seed, imperfections)
        self.values: zigbee2mqtt.State = {}
        self._battery = self.random.randint(46, 100)
        self._link = self.random.randint(60, 220)
        self.flaps_s = FLAPS_S
        self._flaps_ms: int | None = None
        self._claims = False
        self.look(0)

    def say(self, seen: bool) -> None:
        """Claim that somebody is seen, or nobody, whatever is true."""

    def break_down(self, fault: Fault, now_ms: int) -> None:
        super().break_down(fault, now_ms)
        if fault in (Fault.STUCK_AT_0, Fault.STUCK_AT_1):
            self.say(fault is Fault.STUCK_AT_1)
            self.report(now_ms)
        elif fault is Fault.BAD:
            self.report(now_ms)
        elif fault is Fault.FLAPPING:
            self._flaps_ms = now_ms

    def repair(self, now_ms: int) -> None:
        self._flaps_ms = None
        super().repair(now_ms)

    @property
    def is_blind(self) -> bool:
        return super().is_blind or self._flaps_ms is not None

    @property
    def due_ms(self) -> int:
        due_ms = super().due_ms
        return due_ms if self._flaps_ms is None else min(due_ms, self._flaps_ms)

    def tick(self, now_ms: int) -> None:
        if self._flaps_ms is not None and now_ms >= self._flaps_ms:
            self._flaps_ms = now_ms + self.random.randint(*self.flaps_s) * SECOND
            self._claims = not self._claims
            self.say(self._claims)
            self.report(now_ms)
        super().tick(now_ms)

    def online(self, online: bool) -> Publication:
        return zigbee2mqtt.availability(self.topic, online)

    def messages(self, now_ms: int) -> tuple[Publication, ...]:
        self._link = max(20, min(255, self._link + self.random.randint(-4, 4)))
        battery = EMPTY_BATTERY if self.fault is Fault.LOW_BATTERY else self._battery
        own: zigbee2mqtt.State = {"battery": battery, "linkquality": self._link}
        values = dict.fromkeys(self.values, NO_VALUE) if self.fault is Fault.BAD else self.values
        return (zigbee2mqtt.state(self.topic, {**values, **own}),)
