"""The hub's rooms without sockets and without waiting: bytes in, states out, in virtual time.

    bytes, publications > the real driver > the real stamp > Heard > the real Watch

What the edge and the hub's intake do beside that (topics, links, parents, health of devices, a
restart with what was remembered) is done here in as few lines as it takes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from device_drivers.contract import Discard, Message, MqttDriver, MqttPart, Quality, SerialDriver
from device_drivers.registry import drivers
from device_drivers.topics import parents, subscriptions, subtopic
from edge.clock import Clock
from edge.reading import Reading, Report, TimeSource
from edge.settings import MqttLink
from edge.stamp import Stamp
from hub import settings
from hub.devices.rules import Record, health
from hub.domain.centre import Centre, Device
from hub.domain.device import Health
from hub.domain.events import HealthChanged, Heard, LinkChanged
from hub.domain.opening import AlwaysOpen
from hub.domain.room import RoomState
from hub.domain.series import Series, SeriesKey
from hub.rooms.watch import Watch
from hub.settings import CentreSettings
from simulator.wires.mqtt import Publication

Tell = Callable[[RoomState], None]


class VirtualClock(Clock):
    """Says what it is told."""

    def __init__(self) -> None:
        super().__init__(true_time=lambda: 0.0)
        self.at_ms = 0

    def now_ms(self) -> int:
        return self.at_ms


@dataclass
class Listener:
    """One device, as the edge reads it and the hub judges its health."""

    stamp: Stamp
    record: Record
    bad: set[tuple[str, str]] = field(default_factory=set)
    is_faulty: bool = False


class OfflineHub:
    """Times handed in are those of its own clock, which may be wrong."""

    def __init__(self, configured: CentreSettings, tell: Tell, now_ms: int) -> None:
        self.centre: Centre = settings.centre(configured)
        self.clock = VirtualClock()
        self.clock.at_ms = now_ms
        self._tell = tell
        zone = ZoneInfo(self.centre.timezone)
        self._listeners = {
            device.id: Listener(
                Stamp(device.id, self.clock, zone), Record(device.silent_after_ms, now_ms)
            )
            for device in self.centre.devices
        }
        self._drivers = {device.id: drivers()[device.driver] for device in self.centre.devices}
        self._bound: dict[str, tuple[str, str]] = {}
        self.parents: dict[str, set[str]] = {}
        self._learn_topics(configured)
        self._known: dict[SeriesKey, Reading] = {}
        self.reports = 0
        self._rooms_of = {
            device.id: tuple(room.id for room in self.centre.rooms if room.id in placed)
            for device in self.centre.devices
            for placed in [self._placed(device)]
        }
        self._sure: dict[str, float | None] = {}
        self.watch = self._new_watch()

    def _placed(self, device: Device) -> set[str]:
        """The rooms that a device speaks for."""
        sides = {door.id: door.between for door in self.centre.doors}
        places = device.places.values()
        named = {place.room for place in places if place.room is not None}
        return named.union(*(sides[place.door] for place in places if place.door is not None))

    def _learn_topics(self, configured: CentreSettings) -> None:
        for item in configured.devices:
            driver = self._drivers[item.id]
            if isinstance(item.link, MqttLink) and isinstance(driver, MqttDriver):
                for topic, bound in subscriptions(driver, item.link.mqtt).items():
                    self._bound[topic] = item.id, bound
                for topic in parents(driver, item.link.mqtt):
                    self.parents.setdefault(topic, set()).add(item.id)
        self.on_mqtt = frozenset().union(*self.parents.values())

    def _new_watch(self) -> Watch:
        watch = Watch(self.centre, AlwaysOpen(), self._tell)
        watch.begin([_series(r) for r in self._known.values()], (), self.clock.at_ms)
        return watch

    # -- time --------------------------------------------------------------------------------

    def advance(self, until_ms: int) -> None:
        """Look at every moment at which time alone changes something, at that very moment."""
        while (due := self.watch.agenda.next_ms) is not None and due <= until_ms:
            self.clock.at_ms = max(due, self.clock.at_ms)
            self.watch.advance(self.clock.at_ms)
            self._tell_how_sure(self.watch.states)
        self.clock.at_ms = until_ms

    def _tell_how_sure(self, rooms: Iterable[str]) -> None:
        """The watch does not tell when only its confidence changes; the score wants to know."""
        for room in rooms:
            state = self.watch.states[room]
            if state.confidence != self._sure.get(room):
                self._sure[room] = state.confidence
                self._tell(state)

    def set_clock(self, now_ms: int) -> None:
        """The machine's time was set, and the hub noticed."""
        shift_ms, self.clock.at_ms = now_ms - self.clock.at_ms, now_ms
        for listener in self._listeners.values():
            listener.record.down_ms += shift_ms
        self.watch.start_over(now_ms)

    def restart(self) -> None:
        """All that is left is what the store remembers."""
        self.watch = self._new_watch()

    # -- what arrives ------------------------------------------------------------------------

    def hear_mqtt(self, what: Publication, way: TimeSource = TimeSource.HUB) -> None:
        if what.topic in self.parents:
            self._hear_parent(what)
            return
        if what.topic not in self._bound:
            return  # nobody subscribed to it
        device, bound = self._bound[what.topic]
        driver, part = self._drivers[device], subtopic(bound, what.topic)
        assert isinstance(driver, MqttDriver)
        assert part is not None
        understood = driver.decode(MqttPart(part, what.payload))
        if isinstance(understood, Discard):
            self._discard(device)
        elif understood is not None:
            self._report(device, understood, way)

    def decoder(self, device: str) -> Callable[[bytes], None]:
        """A serial line as the edge reads it; a new line holds nothing over."""
        driver = self._drivers[device]
        assert isinstance(driver, SerialDriver)
        framer, decode = driver.framing(), driver.decode

        def feed(data: bytes) -> None:
            for item in framer.feed(data):
                understood = item if isinstance(item, Discard) else decode(item)
                if isinstance(understood, Discard):
                    self._discard(device)
                else:
                    self._report(device, understood, TimeSource.HUB)

        return feed

    def link(self, name: str, devices: frozenset[str], *, up: bool) -> None:
        self.watch.link(LinkChanged(name, devices, up, "gone", False, self.clock.at_ms))

    def _hear_parent(self, what: Publication) -> None:
        devices, up = frozenset(self.parents[what.topic]), b"online" in what.payload
        self.watch.link(LinkChanged(what.topic, devices, up, "", True, self.clock.at_ms))

    def _report(self, device: str, message: Message, way: TimeSource) -> None:
        self.reports += 1
        listener = self._listeners[device]
        report = listener.stamp.report(message, way)
        is_live = report.is_live and {r.channel for r in report.readings} != {"online"}
        if is_live:
            listener.record.heard_ms, listener.record.down_ms = report.received_ms, 0
        listener.record.discarded.append(False)
        self._note(listener, report)
        event = Heard(device, report.readings, report.received_ms, is_live, True)
        self.watch.hear(event)
        self._judge(device, listener)
        self._tell_how_sure(self._rooms_of[device])

    def _note(self, listener: Listener, report: Report) -> None:
        for reading in report.readings:
            key = SeriesKey(reading.device, reading.channel, reading.part)
            known = self._known.get(key)
            if not reading.is_live and known and reading.observed_ms < known.observed_ms:
                continue
            self._known[key] = reading
            if reading.quality is Quality.BAD:
                listener.bad.add((reading.channel, reading.part))
            elif listener.bad:
                listener.bad.discard((reading.channel, reading.part))

    def _discard(self, device: str) -> None:
        listener = self._listeners[device]
        listener.record.discarded.append(True)
        self._judge(device, listener)

    def _judge(self, device: str, listener: Listener) -> None:
        """Tell the watch when a device becomes faulty, or well again."""
        record, now_ms = listener.record, self.clock.at_ms
        record.has_bad_sample = bool(listener.bad)
        if not (record.has_bad_sample or listener.is_faulty or True in record.discarded):
            return
        verdict = health(record, now_ms)
        if (verdict is Health.FAULTY) is not listener.is_faulty:
            listener.is_faulty = verdict is Health.FAULTY
            self.watch.health(HealthChanged(device, verdict, now_ms))


def _series(reading: Reading) -> Series:
    """What the store gives back at a start."""
    series = Series(SeriesKey(reading.device, reading.channel, reading.part), 1)
    series.value, series.unit = reading.value, reading.unit
    series.quality, series.reason = reading.quality, reading.reason
    series.observed_ms = series.until_ms = series.held_ms = reading.observed_ms
    series.received_ms, series.time_source = reading.received_ms, reading.time_source
    series.restored = True
    return series
