"""Sensors as they are in the field: how often each kind speaks, and what it says beside its value.

A battery device says little: what changed, and every hour or four that it lives. The people are
those of ``simulator``, and so are contacts, motion sensors, counters and radars; here they get
the rhythm, the battery and the radio of real ones.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from simulator.centre import Device
from simulator.mqtt_device import MqttDevice, Publish, ZigbeeDevice
from simulator.mqtt_devices import DoorContact, MotionSensor, PeopleCounter, TasmotaDevice
from simulator.wires.mqtt import Publication
from simulator.world import DAY, SECOND, Entered, Fact, World
from tests.bench.weeks.games import Sensing
from tests.bench.weeks.nature import Battery, Chemistry, Indoors, Radio
from tests.bench.weeks.place import BATTERY, SPARE, TASMOTA, Kind, Thing

Said = dict[str, Any]
"""As in the payload: the keys of the wire, and what JSON can say."""

MINUTE_MS = 60_000
CHECKS_IN_MIN: dict[Kind, tuple[int, ...]] = {
    Kind.CONTACT: (50, 60, 120),
    Kind.WINDOW: (50, 60, 240),
    Kind.MOTION: (50, 60, 120),
    Kind.CLIMATE: (60,),
    Kind.LIGHT: (60, 120),
    Kind.LEAK: (50, 240),
    Kind.COUNTER: (5, 10),
    Kind.AIR: (5, 10),
    Kind.SWITCH: (5,),
    Kind.PLUG: (5,),
}
"""After how many minutes without news a device says that it lives; makes differ."""
RADAR_EVERY_MS = 30 * SECOND
"""A real one reports ten times a second; its silence is measured in this instead."""


class Measuring(ZigbeeDevice):
    """Looks every few minutes, and speaks where something moved enough or its hour is over."""

    looks_every_s = (280, 620)
    steps: dict[str, float] = {}  # noqa: RUF012 - never changed
    read: Callable[[int], Said]

    def __init__(self, device: Device, world: World, publish: Publish, seed: int) -> None:
        self._look_ms = 0
        self._seen: tuple[int, Said] = (0, {})
        self.read = lambda _: {}
        super().__init__(device, world, publish, seed)

    def look(self, now_ms: int) -> None:
        """What was measured when it last spoke stays until it speaks again."""

    @property
    def due_ms(self) -> int:
        return min(super().due_ms, self._look_ms)

    def passes_time(self, now_ms: int) -> bool:
        if now_ms < self._look_ms:
            return False
        self._look_ms = now_ms + self.random.randint(*self.looks_every_s) * SECOND
        return any(
            abs(value - float(self.values.get(name, 1e9))) >= self.steps[name]
            for name, value in self._look_now(now_ms).items()
        )

    def tick(self, now_ms: int) -> None:
        if self.is_blind:
            self._look_ms = now_ms + DAY
        super().tick(now_ms)

    def repair(self, now_ms: int) -> None:
        self._look_ms = now_ms
        super().repair(now_ms)

    def messages(self, now_ms: int) -> tuple[Publication, ...]:
        if not self.is_blind:
            self.values |= self._look_now(now_ms)
        return super().messages(now_ms)

    def _look_now(self, now_ms: int) -> Said:
        """One look at a moment: what it decides by is what it says."""
        if self._seen[0] != now_ms:
            self._seen = now_ms, self.read(now_ms)
        return self._seen[1]


class Climate(Measuring):
    steps = {"temperature": 0.3, "humidity": 2.0}  # noqa: RUF012


class AirQuality(Measuring):
    looks_every_s = (110, 130)
    steps = {"temperature": 0.3, "humidity": 2.0, "co2": 40}  # noqa: RUF012


class LightSensor(Measuring):
    looks_every_s = (300, 420)
    steps = {"illuminance": 60}  # noqa: RUF012


class Leak(Measuring):
    """It has never seen water: all we hear is that it lives."""

    looks_every_s = (DAY // SECOND, DAY // SECOND)


class Fridge(TasmotaDevice):
    """A metered plug with a thermometer behind a door that is opened now and then."""

    def look(self, now_ms: int) -> None:
        cycle = abs((now_ms // SECOND % 2400) / 1200 - 1)
        degrees = round(3.4 + 1.6 * cycle + self.random.uniform(-0.1, 0.1), 1)
        self._readings = {"DS18B20": {"Id": "01131B123456", "Temperature": degrees}}
        self._readings["TempUnit"] = "C"


class Window(DoorContact):
    """Opened in the morning of some days, and shut when people go."""

    @property
    def _door(self) -> str:
        return f"window-{self.device.id}"

    def notices(self, fact: Fact, now_ms: int) -> bool:
        return False

    def move(self, now_ms: int, *, is_open: bool) -> None:
        if not self.is_blind:
            self.values["contact"] = not is_open
            self.report(now_ms)


class Counter(PeopleCounter):
    """``misses_out``: share of those who leave that it does not see."""

    misses_out = 0.0

    def notices(self, fact: Fact, now_ms: int) -> bool:
        is_out = isinstance(fact, Entered) and fact.left == self.device.room
        if is_out and self.misses_out and self.random.random() < self.misses_out:
            return False
        return super().notices(fact, now_ms)


MAKES: dict[Kind, type[MqttDevice]] = {
    Kind.CONTACT: DoorContact,
    Kind.WINDOW: Window,
    Kind.MOTION: MotionSensor,
    Kind.COUNTER: Counter,
    Kind.CLIMATE: Climate,
    Kind.AIR: AirQuality,
    Kind.LIGHT: LightSensor,
    Kind.LEAK: Leak,
    Kind.SWITCH: TasmotaDevice,
    Kind.PLUG: Fridge,
}
MEASURES: dict[Kind, tuple[str, ...]] = {
    Kind.CLIMATE: ("temperature", "humidity"),
    Kind.AIR: ("temperature", "humidity", "co2"),
    Kind.LIGHT: ("illuminance",),
}


class Ailment:
    """What can be wrong with a sensor: it bends what is said, or how it is sent.

    ``is_inside``: in what is measured, so that the sensor itself believes it.
    """

    is_inside = False

    def bend(self, said: Said, now_ms: int) -> Said:
        return said

    def carry(self, payloads: list[bytes], now_ms: int) -> list[bytes]:
        return payloads


class Wire:
    """Between one simulated sensor and the network: its battery, its radio, its ailments."""

    def __init__(
        self, thing: Thing, seed: int, sensing: Sensing, send: Publish, now: Callable[[], int]
    ) -> None:
        random = Random(f"wire/{thing.id}/{seed}")
        self.thing = thing
        self.random = random
        self.ailments: list[Ailment] = []
        self.is_on = True  # has power, is mounted
        self.indoors: Indoors | None = None
        self._send = send
        self._now = now
        chemistry = random.choice(list(Chemistry))
        used = random.uniform(0.03, sensing.battery_used)
        self.battery = Battery(chemistry, used, random, shakes=sensing.battery_shakes)
        if random.random() < 1 / 3:
            self.battery.floor = random.uniform(*sensing.battery_floor)
        if random.random() < sensing.battery_idles:
            self.battery = Battery(Chemistry.ALKALINE, random.uniform(0.79, 0.84), random)
            self.battery.per_day = 1 / 2000
        usual = random.uniform(*sensing.radio_usual)
        self.radio = Radio(usual, random, sensing.loses)
        self._offset = random.gauss(0, 0.3)
        self._step = random.choice((0.1, 0.1, 0.1, 0.5, 1.0))
        self.spoken_ms = 0

    def measure(self, now_ms: int) -> Said:
        """What a sensor of this kind reads in its room."""
        assert self.indoors is not None
        air, random = self.indoors.air(self.thing.room, now_ms), self.random
        measured = {
            name: _reading(name, getattr(air, FIELDS[name]), self._offset, random, self._step)
            for name in MEASURES.get(self.thing.kind, ())
        }
        for ailment in tuple(self.ailments):  # a glitch ends with its first word
            if ailment.is_inside:
                measured = ailment.bend(measured, now_ms)
        return measured

    def publish(self, what: Publication) -> None:
        if not self.is_on:
            return
        now_ms = self._now()
        if what.retain:
            self._send(what)
            return
        payloads = [what.payload]
        if self.ailments or self.thing.kind not in TASMOTA:
            payloads = [msgspec.json.encode(self._said(what.payload, now_ms))]
        for ailment in self.ailments:
            payloads = ailment.carry(payloads, now_ms)
        if self.thing.kind not in TASMOTA and not self.radio.arrives():
            return
        for payload in payloads:
            self._send(Publication(what.topic, payload))

    def write(self, data: bytes) -> list[bytes]:
        """A serial line: what really goes down the cable."""
        payloads = [data] if self.is_on else []
        for ailment in self.ailments:
            payloads = ailment.carry(payloads, self._now())
        return payloads

    def _said(self, payload: bytes, now_ms: int) -> Said:
        said: Said = msgspec.json.decode(payload)
        said.pop("battery", None)
        if self.thing.kind not in TASMOTA:
            said |= self._own(now_ms)
        for ailment in self.ailments:
            if not ailment.is_inside:
                said = ailment.bend(said, now_ms)
        return said

    def _own(self, now_ms: int) -> Said:
        """Battery and link quality; what hangs on the mains has no battery."""
        indoors = self.indoors
        assert indoors is not None
        room = self.thing.room
        people, is_open = indoors.world.people_in(room), indoors.hours.is_open(now_ms)
        own: Said = {"linkquality": self.radio.quality(people, is_open=is_open)}
        if self.thing.kind in BATTERY:
            degrees = indoors.air(room, now_ms).temperature
            own["battery"] = self.battery.level(now_ms, degrees)
        if self.thing.kind in TAMPERED:
            own["tamper"] = False
        return own


TAMPERED = frozenset({Kind.CONTACT, Kind.MOTION})
FIELDS = {
    "temperature": "temperature",
    "humidity": "humidity",
    "co2": "co2",
    "illuminance": "light",
}


def _reading(name: str, true: float, offset: float, random: Random, step: float) -> float:
    """With the sensor's own offset and noise, in its own ``step`` of temperature."""
    if name == "temperature":
        return round(round((true + offset + random.gauss(0, 0.06)) / step) * step, 1)
    if name == "humidity":
        return round(max(5.0, true + 3 * offset + random.gauss(0, 0.4)), 1)
    if name == "co2":
        return round(true + random.gauss(0, 9))
    return round(max(0.0, true * random.uniform(0.95, 1.05)))


def make(thing: Thing, world: World, wire: Wire, seed: int, sensing: Sensing) -> MqttDevice:
    """A sensor of its kind with its own rhythm."""
    kind = MAKES[thing.kind]
    random = Random(f"rhythm/{thing.id}/{seed}")
    if issubclass(kind, Measuring):
        item: MqttDevice = kind(thing.simulated(), world, wire.publish, seed)
        assert isinstance(item, Measuring)
        item.read = wire.measure
    else:
        item = kind(thing.simulated(), world, wire.publish, seed, sensing.imperfections)
    minutes = random.choice(CHECKS_IN_MIN[thing.kind])
    item.report_every_s = int(minutes * 57), int(minutes * 63)
    return item


def interval_ms(item: MqttDevice) -> int:
    """After how long without news it says that it lives."""
    return sum(item.report_every_s) * SECOND // 2


def is_spare(thing: Thing) -> bool:
    return thing.id.startswith(SPARE)
