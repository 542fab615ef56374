"""A day of a small centre, lived through intake, store and rooms, with all that can go wrong.

The clock is pushed from one moment to the next; before each message comes what time alone changes.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import NamedTuple

from device_drivers.contract import Quality, Value
from edge.clock import Clock
from edge.reading import Reading, Report, TimeSource
from hub import settings
from hub.bus import Bus
from hub.domain.centre import OUTSIDE, Centre, Device, Door, Placement, Room, Zone
from hub.domain.device import Health
from hub.domain.events import HealthChanged, RoomChanged, ScheduleChanged
from hub.domain.opening import Slot
from hub.domain.room import OverrideKind, RoomState, Text
from hub.intake import Intake
from hub.rooms.overrides import Overrides, Wish, remembered
from hub.rooms.service import RoomsService
from hub.store.store import Store
from tests.store.making import Time, catch_up

SECOND, MINUTE, HOUR = 1_000, 60_000, 3_600_000


class Told(NamedTuple):
    """What people saw change."""

    at_ms: int
    status: str
    people: tuple[int, ...] | None
    reasons: tuple[tuple[str, object], ...]
    purpose: str | None


def told(state: RoomState, at_ms: int) -> Told:
    people = state.people
    counts = None if people is None else (people.low, people.estimate, people.high)
    reasons = tuple((text.code, text.params.get("device")) for text in state.reasons)
    return Told(at_ms, state.status.value, counts, reasons, state.purpose)


@dataclass
class Sensor:
    """A device with one channel, how often it repeats itself, and how often it changes."""

    id: str
    channel: str
    place: Placement
    every_ms: int
    changes_ms: int
    proof_ms: int = 10 * MINUTE
    silent_ms: int = 25 * HOUR
    value: int = 0
    quiet_until_ms: int = 0
    says_ms: int = 0
    turns_ms: int = 0

    def device(self) -> Device:
        return Device(
            self.id, "zigbee2mqtt", {"": self.place}, "built", self.silent_ms, self.proof_ms
        )


def sensors() -> list[Sensor]:
    gym, hall, lab = (Placement(room=name) for name in ("gym", "hall", "lab"))
    bay = Placement(room="lab", zone="bay")
    return [
        Sensor("gym-radar", "presence", gym, 2 * SECOND, 6 * MINUTE, 5 * SECOND, 10 * MINUTE),
        Sensor("gym-gate", "people.count", Placement(door="gym-door"), 30 * SECOND, 4 * MINUTE),
        Sensor("hall-pir", "occupancy", hall, 7 * MINUTE, 9 * MINUTE),
        Sensor("hall-contact", "contact", Placement(door="hall-door"), 50 * MINUTE, 11 * MINUTE),
        Sensor("lab-pir", "occupancy", bay, 40 * SECOND, 5 * MINUTE, 2 * MINUTE, 10 * MINUTE),
        Sensor("lab-eye", "motion", lab, 4 * MINUTE, 8 * MINUTE),
        Sensor("lab-contact", "contact", Placement(door="lab-door"), 6 * MINUTE, 13 * MINUTE),
        Sensor("gym-air", "temperature", gym, MINUTE, MINUTE),
    ]


def centre(found: list[Sensor]) -> Centre:
    rooms = (
        Room("gym", {"en": "Gym"}, "main", 1, "gym", 8),
        Room("hall", {"en": "Hall"}, "main", 1, "living_room", 40),
        Room("lab", {"en": "Lab"}, "main", 1, "meeting", None, (Zone("bay", {"en": "Bay"}),)),
    )
    doors = (
        Door("gym-door", ("gym", "hall")),
        Door("hall-door", (OUTSIDE, "hall")),
        Door("lab-door", ("hall", "lab")),
    )
    devices = tuple(sensor.device() for sensor in found)
    return Centre("c", {"en": "C"}, "Asia/Shanghai", (), rooms, doors, devices)


@dataclass
class Plans:
    """A timetable that is edited: an hour of each purpose in turn, and closed at times."""

    shift_ms: int = 0

    def slot(self, room: str, at_ms: int) -> Slot:
        hour = (at_ms + self.shift_ms) // HOUR
        from_ms = hour * HOUR - self.shift_ms
        if hour % 5 == 0:
            return Slot(False, from_ms, from_ms + HOUR, reasons=(Text("closed_hours"),))
        return Slot(True, from_ms, from_ms + HOUR, f"purpose{hour % 3}")


@dataclass
class Life:
    """The hub, its clock and what befalls it."""

    path: Path
    seed: int
    is_configured: bool = False  # as ``settings`` says, with the driver's own times of proof
    mishaps: bool = True  # something befalls the hub every few minutes
    time: Time = field(default_factory=Time)
    plans: Plans = field(default_factory=Plans)
    told: defaultdict[str, list[Told]] = field(default_factory=lambda: defaultdict(list))
    sensors: list[Sensor] = field(default_factory=sensors)

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        self.centre = centre(self.sensors)
        if self.is_configured:
            self.centre = settings.centre(settings.parse(self.settings()))
        self.clock = Clock(true_time=self.time)
        self.began_ms = self.time.now

    def settings(self) -> str:
        """The same centre as a file."""
        rows = ["centre: {id: c, name: {en: C}, timezone: Asia/Shanghai}", "rooms:"]
        for room in self.centre.rooms:
            zones = "".join(f", zones: [{{id: {zone.id}}}]" for zone in room.zones)
            limit = "" if room.capacity is None else f", capacity: {room.capacity}"
            name = room.name["en"]
            kind = room.kind
            rows.append(f"  - {{id: {room.id}, name: {{en: {name}}}, kind: {kind}{limit}{zones}}}")
        rows.append("doors:")
        for door in self.centre.doors:
            rows.append(f"  - {{id: {door.id}, between: [{', '.join(door.between)}]}}")
        rows.append("devices:")
        for sensor in self.sensors:
            place = sensor.place
            where = f"door: {place.door}" if place.door else f"room: {place.room}"
            zone = f", zone: {place.zone}" if place.zone else ""
            silent = f"silent_after: {sensor.silent_ms // SECOND}s"
            link = f"link: {{mqtt: zigbee2mqtt/{sensor.id}}}"
            rows.append(
                f"  - {{id: {sensor.id}, driver: zigbee2mqtt, {where}{zone}, {silent}, {link}}}"
            )
        return "\n".join([*rows, f"storage: {{path: {self.path}}}", ""])

    async def start(self) -> None:
        self.bus = Bus()
        self.store = await Store.open(self.path, self.clock)
        self.store.live.silent_after.update({s.id: s.silent_ms for s in self.sensors})
        self.intake = Intake(self.clock, self.store.live, self.store, self.bus)
        self.bus.subscribe(RoomChanged, self._hear)
        known = await remembered(self.store, self.clock.now_ms())
        rooms = tuple(room.id for room in self.centre.rooms)
        self.overrides = Overrides(rooms, self.store, self.clock, self.bus, known)
        self.rooms = RoomsService(
            self.centre,
            self.clock,
            self.bus,
            self.store,
            self.store.live.series.values(),
            self.plans,
            self.overrides,
            self.store.past.append,
        )

    async def stop(self) -> None:
        self.rooms.stop()
        await self.store.close()

    def _hear(self, event: RoomChanged) -> None:
        self.store.append_room(event.state)
        self.told[event.state.room].append(told(event.state, self.clock.now_ms()))

    async def go_on(self, to_ms: int) -> None:
        """What time alone changes, each at its moment."""
        agenda = self.rooms.watch.agenda
        while (due := agenda.next_ms) is not None and due <= to_ms:
            self.time.ms += max(due - self.time.now, 0)  # the clock may have been set
            self.rooms.watch.advance(self.time.now)
        self.time.ms += to_ms - self.time.now
        await catch_up(self.store)

    async def live(self, hours: float, restart_at: tuple[float, ...] = ()) -> None:
        """Let sensors speak and things go wrong."""
        begin = self.time.now
        end, stops = begin + round(hours * HOUR), [begin + round(at * HOUR) for at in restart_at]
        for sensor in self.sensors:
            sensor.says_ms = begin + self.random.randrange(sensor.every_ms)
            sensor.turns_ms = begin + self.random.randrange(sensor.changes_ms)
        self._trouble_ms = begin + 5 * MINUTE
        while (at := self._next_ms()) < end:
            if stops and stops[0] <= at:
                await self._restart(stops.pop(0))
            else:
                await self.go_on(at)
                await self._happen(at)
        await self.go_on(end)

    def _next_ms(self) -> int:
        return min(self._trouble_ms, *(min(s.says_ms, s.turns_ms) for s in self.sensors))

    async def _happen(self, at: int) -> None:
        for sensor in self.sensors:
            if is_turn := sensor.turns_ms <= at:
                sensor.turns_ms = at + self.random.randrange(SECOND, 2 * sensor.changes_ms)
                self._change(sensor)
            if is_turn or sensor.says_ms <= at:
                sensor.says_ms = at + sensor.every_ms
                self._say(sensor)
        if self._trouble_ms <= at:
            self._trouble_ms = at + self.random.randrange(SECOND, 12 * MINUTE)
            if self.mishaps:
                await self._befall()

    async def _restart(self, at: int) -> None:
        await self.go_on(at)
        await self.stop()
        self.time.ms += 20 * MINUTE
        await self.start()
        self._trouble_ms = max(self._trouble_ms, self.time.now + 7)
        for sensor in self.sensors:
            if self.random.random() < 0.7:
                self._say(sensor, TimeSource.RETAINED)
            back = self.time.now + self.random.randrange(1, MINUTE)  # each in its own time
            sensor.says_ms = max(sensor.says_ms, back)
            sensor.turns_ms = max(sensor.turns_ms, back)

    def _change(self, sensor: Sensor) -> None:
        if sensor.channel in ("people.count", "temperature"):
            sensor.value = max(sensor.value + self.random.choice((-2, -1, 1, 1)), 0)
        else:
            sensor.value = 1 - sensor.value

    def _say(
        self, sensor: Sensor, source: TimeSource = TimeSource.HUB, value: Value = None
    ) -> None:
        now = self.time.now
        if source is TimeSource.HUB and now < sensor.quiet_until_ms:
            return
        chance = self.random.random()
        is_bad = chance < 0.01 and source is TimeSource.HUB
        observed = now
        if chance > 0.98 and source is TimeSource.HUB:  # its own clock is a little behind
            observed, source = now - 700, TimeSource.DEVICE
        quality, reason = (Quality.BAD, "fault") if is_bad else (Quality.GOOD, "")
        said = sensor.value if value is None else value
        reading = Reading(
            sensor.id, sensor.channel, "", said, "1", quality, reason, observed, now, source
        )
        live = source not in (TimeSource.RETAINED, TimeSource.QUEUED)
        self.intake.report(Report(sensor.id, (reading,), now, live))

    async def _befall(self) -> None:
        """Something that happens to a hub."""
        now, sensor = self.time.now, self.random.choice(self.sensors)
        some = frozenset(s.id for s in self.random.sample(self.sensors, 3))
        is_up = self.random.random() < 0.6
        what = self.random.randrange(8)
        if what < 4:
            self._break(what, sensor, some, is_up)
        elif what == 4:
            at, way = self.time.now, self.random.choice((TimeSource.HUB, TimeSource.RETAINED))
            said = Reading(sensor.id, "online", "", int(is_up), "1", Quality.GOOD, "", at, at, way)
            self.intake.report(Report(sensor.id, (said,), now, False))
        elif what == 5:
            self._say(sensor, self.random.choice((TimeSource.RETAINED, TimeSource.QUEUED)), 1)
        elif what == 6:
            self.plans.shift_ms += self.random.randrange(HOUR)
            self.bus.publish(ScheduleChanged(now))
        else:
            await self._decide(now)

    def _break(self, what: int, sensor: Sensor, some: frozenset[str], is_up: bool) -> None:
        now = self.time.now
        if what == 0:
            sensor.quiet_until_ms = now + self.random.randrange(SECOND, 40 * MINUTE)
        elif what == 1:
            self.intake.link(self.random.choice(("mqtt", "usb")), some, is_up, "gone")
        elif what == 2:
            self.intake.parent("bridge", some, is_up)
        else:
            health = Health.OK if is_up else Health.FAULTY
            self.bus.publish(HealthChanged(sensor.id, health, now))

    async def _decide(self, now: int) -> None:
        room = self.random.choice(self.centre.rooms).id
        said = self.overrides.of(room)
        if said and self.random.random() < 0.4:
            await self.overrides.end(said[-1].id, "mei")
        elif self.random.random() < 0.3:
            until = now + self.random.randrange(MINUTE, HOUR)
            await self.overrides.say(Wish(room, OverrideKind.CLOSED, None, "paint", until), "mei")
        else:
            people = self.random.choice((0, 0, 3))
            await self.overrides.say(Wish(room, OverrideKind.LOOKED, people), "mei")
