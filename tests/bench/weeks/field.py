"""Network and hub of the labelled weeks: bytes in, events out, in virtual time.

    bytes, publications > the real driver > the real stamp > Heard, FrameDiscarded, LinkChanged
                        > the real detection

What the edge and the hub's intake do beside that (topics, links, parents, restarts) is done here
in as few lines as it takes. Of rooms the detection is told what the timetable says, open or
closed, and nothing of who is there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol
from zoneinfo import ZoneInfo

from device_drivers.contract import Discard, Message, MqttDriver, MqttPart, SerialDriver, Value
from device_drivers.registry import drivers
from device_drivers.topics import parents, subscriptions, subtopic
from edge.reading import TimeSource
from edge.settings import MqttLink
from edge.stamp import Stamp
from hub import settings
from hub.domain.centre import Centre
from hub.domain.events import ClockChanged, FrameDiscarded, Heard, LinkChanged
from hub.domain.room import Presence, RoomState, Status
from hub.intake import PERSONAL
from hub.settings import CentreSettings
from simulator.wires.mqtt import Publication
from tests.bench.truth.offline import VirtualClock

MQTT = "mqtt"


class Detects(Protocol):
    """What is fed: the hub's detection, and the fixed thresholds beside it."""

    @property
    def next_ms(self) -> int | None: ...
    def hear(self, event: Heard) -> None: ...
    def discard(self, event: FrameDiscarded) -> None: ...
    def link(self, event: LinkChanged) -> None: ...
    def room(self, state: RoomState) -> None: ...
    def clock_set(self, event: ClockChanged) -> None: ...
    def lag(self, seconds: float, now_ms: int) -> None: ...
    def advance(self, now_ms: int) -> None: ...
    def frame(self) -> bytes: ...


Start = Callable[[Centre, int, tuple[bytes | None, ...]], tuple[Detects, ...]]


class Field:
    """``start`` makes what detects, anew after each start of the hub, from what was kept."""

    def __init__(
        self,
        configured: CentreSettings,
        is_open: Callable[[int], bool],
        start: Start,
        now_ms: int,
    ) -> None:
        self.centre: Centre = settings.centre(configured)
        self.clock = VirtualClock()
        self.clock.at_ms = now_ms
        self._is_open = is_open
        self.is_up = False
        self._start = start
        self._drivers = {device.id: drivers()[device.driver] for device in self.centre.devices}
        zone = ZoneInfo(self.centre.timezone)
        self._stamps = {d.id: Stamp(d.id, self.clock, zone) for d in self.centre.devices}
        self._bound: dict[str, tuple[str, str]] = {}
        self.parents: dict[str, set[str]] = {}
        self._lines: dict[str, str] = {}
        self._learn_links(configured)
        self.on_mqtt = frozenset(device for device, _ in self._bound.values())
        self._feeds = {name: self._framed(name) for name in self._lines}
        self._said: dict[str, dict[tuple[str, str], Value]] = {}
        self._kept: tuple[bytes | None, ...] = ()
        self.detects: tuple[Detects, ...] = ()
        self.events = 0

    def _learn_links(self, configured: CentreSettings) -> None:
        for item in configured.devices:
            driver = self._drivers[item.id]
            if not isinstance(item.link, MqttLink):
                self._lines[item.id] = str(item.link.serial)
                continue
            assert isinstance(driver, MqttDriver)
            for topic, bound in subscriptions(driver, item.link.mqtt).items():
                self._bound[topic] = item.id, bound
            for topic in parents(driver, item.link.mqtt):
                self.parents.setdefault(topic, set()).add(item.id)

    # -- the hub itself ----------------------------------------------------------------------

    def boot(self) -> None:
        """The program starts; links come up, with what is plugged in."""
        now_ms = self.clock.at_ms
        self.detects = self._start(self.centre, now_ms, self._kept)
        self.is_up = True
        self.tell_rooms()

    def halt(self, *, orderly: bool) -> None:
        """It ends; in a power cut only what was kept within the hour is left."""
        if orderly:
            self.keep()
        self.is_up, self.detects = False, ()

    def keep(self) -> None:
        """What was learnt goes to disk, as it does once an hour."""
        if self.is_up:
            self._kept = tuple(item.frame() for item in self.detects)

    def advance(self, until_ms: int) -> None:
        """Look at every moment at which time alone changes something, at that very moment."""
        while self.is_up:
            dues = [due for item in self.detects if (due := item.next_ms) is not None]
            if not dues or min(dues) > until_ms:
                break
            self.clock.at_ms = max(min(dues), self.clock.at_ms)
            for item in self.detects:
                item.advance(self.clock.at_ms)
        self.clock.at_ms = until_ms

    def tell_rooms(self) -> None:
        """What the timetable says of all rooms now."""
        now_ms = self.clock.at_ms
        status = Status.UNKNOWN if self._is_open(now_ms) else Status.CLOSED
        for room in self.centre.rooms:
            state = RoomState(
                room.id, status, Presence.UNKNOWN, None, None, None, now_ms, now_ms, None, ()
            )
            for item in self.detects:
                item.room(state)

    def lag(self, seconds: float) -> None:
        for item in self.detects:
            item.lag(seconds, self.clock.at_ms)

    # -- what arrives ------------------------------------------------------------------------

    def link(
        self, name: str, devices: Iterable[str], *, up: bool, why: str = "", is_parent: bool = False
    ) -> None:
        if not self.is_up:
            return
        event = LinkChanged(name, frozenset(devices), up, why, is_parent, self.clock.at_ms)
        for item in self.detects:
            item.link(event)

    def hear_mqtt(self, what: Publication, way: TimeSource = TimeSource.HUB) -> None:
        if what.topic in self.parents:
            up = b"online" in what.payload
            self.link(
                what.topic, self.parents[what.topic], up=up, why="parent_down", is_parent=True
            )
            return
        above = what.topic.rpartition("/")[0]
        device, bound = self._bound.get(what.topic) or self._bound[f"{above}/+"]
        driver, part = self._drivers[device], subtopic(bound, what.topic)
        assert isinstance(driver, MqttDriver)
        assert part is not None
        self._take(device, driver.decode(MqttPart(part, what.payload)), way)

    def hear_line(self, device: str, data: bytes) -> None:
        for understood in self._feeds[device](data):
            self._take(device, understood, TimeSource.HUB)

    def _framed(self, device: str) -> Callable[[bytes], list[Message | Discard]]:
        driver = self._drivers[device]
        assert isinstance(driver, SerialDriver)
        framer, decode = driver.framing(), driver.decode

        def feed(data: bytes) -> list[Message | Discard]:
            found = [*framer.feed(data), *framer.idle()]
            return [item if isinstance(item, Discard) else decode(item) for item in found]

        return feed

    def _take(self, device: str, understood: Message | Discard | None, way: TimeSource) -> None:
        if not self.is_up or understood is None:
            return
        self.events += 1
        if isinstance(understood, Discard):
            thrown = FrameDiscarded(device, self.clock.at_ms, understood.reason.value)
            for item in self.detects:
                item.discard(thrown)
            return
        event = self._heard(device, understood, way)
        for item in self.detects:
            item.hear(event)

    def _heard(self, device: str, message: Message, way: TimeSource) -> Heard:
        """As the hub's intake makes it of a report: without what is personal."""
        report = self._stamps[device].report(message, way)
        readings = report.readings
        channels = {reading.channel for reading in readings}
        if not PERSONAL.isdisjoint(channels):
            readings = tuple(r for r in readings if r.channel not in PERSONAL)
        is_live = report.is_live and channels != {"online"}
        said = self._said.setdefault(device, {})
        now = {(r.channel, r.part): r.value for r in readings}
        changed = any(said.get(key, said) != value for key, value in now.items())
        said.update(now)
        return Heard(device, readings, report.received_ms, is_live, changed, report.said_ms)
