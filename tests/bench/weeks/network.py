"""What lies between sensors and the hub: gateways, broker, cables, power; and its outages."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from enum import StrEnum

import msgspec

from edge.reading import TimeSource
from simulator.wires import zigbee2mqtt
from simulator.wires.mqtt import Publication
from tests.bench.weeks.field import MQTT, Field
from tests.bench.weeks.place import ANNEX, FRONT, Kind, Thing, things

BASES = (FRONT, ANNEX)
MQTT_LINK = MQTT
ALL = frozenset(thing.id for thing in things())
QUEUE = 1000


class What(StrEnum):
    """What is out."""

    GATEWAY = "gateway"  # its last will says so
    HANG = "gateway hangs"  # it lives, and hears no radio any more
    BROKER = "broker"
    HUB = "hub"  # the program is started anew; the broker queues
    HUB_CUT = "hub's plug pulled"
    HOUSE_CUT = "no power"
    LINE = "a serial adapter"
    USB = "a USB hub"


class Outage(msgspec.Struct, frozen=True):
    """``devices`` cannot be heard from then to then."""

    what: What
    from_ms: int
    until_ms: int
    devices: frozenset[str] = ALL
    base: str = ""

    def overlaps(self, from_ms: int, until_ms: int) -> int:
        return max(0, min(until_ms, self.until_ms) - max(from_ms, self.from_ms))


class Network:
    """Takes what sensors send, and hands it to the hub if and as it arrives."""

    def __init__(self, field: Field) -> None:
        self.field = field
        self._out: list[Outage] = []
        self._kept: deque[Publication] = deque(maxlen=QUEUE)
        self._retained: dict[str, Publication] = {}
        self._lines = {thing.id: thing for thing in things() if thing.line is not None}
        self.power: Callable[[bool], None] = lambda _: None

    def send(self, what: Publication) -> None:
        """From a sensor or a gateway."""
        base = what.topic.partition("/")[0]
        for outage in self._out:
            if outage.what in (What.GATEWAY, What.HANG) and outage.base == base:
                return
            if outage.what in (What.BROKER, What.HUB_CUT, What.HOUSE_CUT):
                return
        if what.retain:
            self._retained[what.topic] = what
        if any(outage.what is What.HUB for outage in self._out):
            self._kept.append(what)
            return
        self.field.hear_mqtt(what)

    def write(self, device: str, payloads: Iterable[bytes]) -> bool:
        """Down a cable."""
        if not self.field.is_up or any(
            outage.what in (What.LINE, What.USB) and device in outage.devices
            for outage in self._out
        ):
            return False
        for data in payloads:
            self.field.hear_line(device, data)
        return True

    # -- outages -----------------------------------------------------------------------------

    def begin(self, outage: Outage) -> None:
        what = outage.what
        if what is What.GATEWAY:
            self.send(zigbee2mqtt.bridge(outage.base, online=False))
        self._out.append(outage)
        if what is What.BROKER:
            self.field.link(MQTT, self.field.on_mqtt, up=False, why="gone")
        elif what in (What.LINE, What.USB):
            for device in sorted(outage.devices):
                self._plug(device, up=False)
        elif what in (What.HUB, What.HUB_CUT, What.HOUSE_CUT):
            self.field.halt(orderly=what is What.HUB)
            if what is What.HOUSE_CUT:
                self.power(False)

    def end(self, outage: Outage) -> None:
        self._out.remove(outage)
        what = outage.what
        if what is What.GATEWAY:
            self.send(zigbee2mqtt.bridge(outage.base, online=True))
        elif what is What.BROKER:
            self._connect()
        elif what in (What.LINE, What.USB):
            for device in sorted(outage.devices):
                self._plug(device, up=True)
        elif what in (What.HUB, What.HUB_CUT, What.HOUSE_CUT):
            self._boot(outage)

    def start(self) -> None:
        """The first start of the hub in this house."""
        for base in BASES:
            what = zigbee2mqtt.bridge(base, online=True)
            self._retained[what.topic] = what
        self.field.boot()
        self._connect()
        for device in self._lines:
            self._plug(device, up=True)

    def _boot(self, outage: Outage) -> None:
        if any(o.what in (What.HUB, What.HUB_CUT, What.HOUSE_CUT) for o in self._out):
            return  # another one holds it down
        self.field.boot()
        for device in self._lines:
            is_out = any(o.what in (What.LINE, What.USB) and device in o.devices for o in self._out)
            self._plug(device, up=not is_out)
        if any(o.what is What.BROKER for o in self._out):
            self.field.link(MQTT, self.field.on_mqtt, up=False, why="gone")
        else:
            self._connect()
        while self._kept:
            self.field.hear_mqtt(self._kept.popleft(), TimeSource.QUEUED)
        if outage.what is What.HOUSE_CUT:
            self.power(True)

    def _connect(self) -> None:
        """The broker tells what it retained whenever somebody subscribes."""
        self.field.link(MQTT, self.field.on_mqtt, up=True)
        for what in self._retained.values():
            self.field.hear_mqtt(what, TimeSource.RETAINED)

    def _plug(self, device: str, *, up: bool) -> None:
        line = self._lines[device].line
        assert line is not None
        self.field.link(line, (device,), up=up, why="" if up else "gone")


class Cable:
    """A serial port between a simulated device and the hub; ``through`` is its wire."""

    def __init__(self, network: Network, thing: Thing, through: Callable[[bytes], list[bytes]]):
        self._network = network
        self._device = thing.id
        self._through = through

    def plug(self) -> None:
        """It is always plugged in; outages pull it."""

    def unplug(self) -> None:
        """Nothing of it is left on any machine."""

    def write(self, data: bytes) -> bool:
        return self._network.write(self._device, self._through(data))


def behind(base: str) -> frozenset[str]:
    """The devices of a gateway."""
    return frozenset(t.id for t in things() if t.driver == "zigbee2mqtt" and t.base == base)


def usb() -> frozenset[str]:
    """What hangs on one USB hub: all serial devices of the front rooms."""
    return frozenset(t.id for t in things() if t.line is not None and t.base == FRONT)


def lines() -> list[Thing]:
    return [t for t in things() if t.kind in (Kind.RADAR, Kind.PRESSURE, Kind.CARD)]
