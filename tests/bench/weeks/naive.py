"""Fixed thresholds, for comparison: what most alert tools offer. Each is one number for all
devices, and the best of them stands beside ours in the table.

A threshold forgives whatever it can without being clever: it knows links that are down as ours
does, its device is off the list while it waits, and it is over as soon as the value is back.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from device_drivers.contract import Quality
from edge.reading import Reading
from hub.domain.centre import Centre
from hub.domain.events import ClockChanged, FrameDiscarded, Heard, LinkChanged
from hub.domain.fault import FaultKind as K
from hub.domain.fault import Finding, Subject, SubjectKind
from hub.domain.room import RoomState, Status

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
Said = Callable[[str, Finding], None]

SILENT_MIN = (10, 30, 60, 150, 300, 1500)
NEVER_MIN = (10, 60, 240, 1500)
BATTERY_PCT = (10, 15, 20, 30)
QUALITY_PCT = (8, 12, 16, 24)
SAME_H = (3, 6, 12, 24, 48)
ON_H = (1, 3, 6, 12)
CHANGES = (20, 40, 80)  # in ten minutes
STEPS = {"temperature": (2.0, 4.0, 6.0)}
GARBLED = (3, 5, 10)  # in an hour
BAD = (1, 2, 3)  # in a row
APART = (2.0, 4.0, 6.0)  # degrees from the mean of all others
DOWN_S = (0, 60, 300)
LAG_S = (1, 2, 5)
OFF_H = (0.1, 0.5)
PASSES = (10, 40)  # movements in a room whose door has not moved, or whose other sensor is quiet
INSIDE = (10, 30, 60)  # people whom a counter says to be inside
NEVER_MS = -1


@dataclass
class Memory:
    """What a fixed threshold remembers of one device."""

    id: str
    rooms: frozenset[str]
    heard_ms: int
    is_new: bool = True
    battery: float = 100.0
    down: set[str] = field(default_factory=set)
    values: dict[str, tuple[float, int]] = field(default_factory=dict)
    changes: deque[int] = field(default_factory=deque)
    discards: deque[int] = field(default_factory=deque)
    bad: int = 0


class Naive:
    """All thresholds of all kinds at once. ``said`` hears of each with its name."""

    def __init__(self, centre: Centre, now_ms: int, said: Said, on: set[tuple[str, ...]]) -> None:
        sides = {door.id: door.between for door in centre.doors}
        self._said = said
        self._on = on
        self._due: list[tuple[int, int, str, int]] = []
        self._devices = {}
        self._near: dict[str, list[Memory]] = {}
        self._passed: dict[tuple[str, str], int] = {}
        self._closed: set[str] = set()
        self._lag: dict[int, int] = {}
        for device in centre.devices:
            rooms = {p.room for p in device.places.values() if p.room}
            rooms |= {s for p in device.places.values() if p.door for s in sides[p.door]}
            memory = Memory(device.id, frozenset(rooms), now_ms)
            self._devices[device.id] = memory
            for room in rooms:
                self._near.setdefault(room, []).append(memory)
            for minutes in NEVER_MIN:
                heapq.heappush(
                    self._due, (now_ms + minutes * MINUTE_MS, minutes, device.id, now_ms)
                )

    # -- what happens ------------------------------------------------------------------------

    def hear(self, event: Heard) -> None:
        memory, now_ms = self._devices[event.device], event.at_ms
        if not event.is_live:
            return
        self._speaks(memory, now_ms)
        is_bad = any(r.quality is Quality.BAD for r in event.readings)
        memory.bad = memory.bad + 1 if is_bad else 0
        for limit in BAD:
            code = any(r.reason not in ("", "implausible") for r in event.readings)
            self._set(K.OUT_OF_RANGE, f"{limit} bad", memory, memory.bad >= limit, now_ms)
            self._set(K.DEVICE_ERROR, f"{limit} bad", memory, code and memory.bad >= limit, now_ms)
        for reading in event.readings:
            self._take(memory, reading, now_ms)

    def _speaks(self, memory: Memory, now_ms: int) -> None:
        self._wait(memory, now_ms)
        memory.heard_ms, memory.is_new = now_ms, False
        for minutes in SILENT_MIN:
            self._set(K.SILENT, f"{minutes} min", memory, False, now_ms)
            for kind in (K.BATTERY_DEAD, K.DUPLICATE):
                self._set(kind, f"{minutes} min", memory, False, now_ms)
        for minutes in NEVER_MIN:
            self._set(K.NEVER_HEARD, f"{minutes} min", memory, False, now_ms)

    def _wait(self, memory: Memory, now_ms: int) -> None:
        """Plan the first threshold; each one plans the next."""
        heapq.heappush(self._due, (now_ms + SILENT_MIN[0] * MINUTE_MS, 0, memory.id, now_ms))

    def discard(self, event: FrameDiscarded) -> None:
        memory = self._devices[event.device]
        self._speaks(memory, event.at_ms)
        thrown = memory.discards
        thrown.append(event.at_ms)
        while thrown[0] < event.at_ms - HOUR_MS:
            thrown.popleft()
        for limit in GARBLED:
            self._set(K.GARBLED, f"{limit} an hour", memory, len(thrown) >= limit, event.at_ms)
            if len(thrown) < limit:
                continue
            heapq.heappush(self._due, (event.at_ms + HOUR_MS, -limit, memory.id, event.at_ms))

    def link(self, event: LinkChanged) -> None:
        for device in event.devices:
            down = self._devices[device].down
            if event.up:
                down.discard(event.name)
                self._devices[device].heard_ms = event.at_ms
                self._wait(self._devices[device], event.at_ms)
            else:
                down.add(event.name)
        kind = K.GATEWAY_DOWN if event.is_parent else K.LINK_DOWN
        kind = K.BROKER_DOWN if event.name == "mqtt" else kind
        subject = Subject(SubjectKind.LINK, event.name)
        self._tell(kind, "at once", subject, not event.up, event.at_ms)
        if kind is K.LINK_DOWN:
            self._tell(K.USB_DOWN, "at once", subject, not event.up, event.at_ms)

    def room(self, state: RoomState) -> None:
        if state.status is Status.CLOSED:
            self._closed.add(state.room)
        else:
            self._closed.discard(state.room)

    def clock_set(self, event: ClockChanged) -> None:
        """It does not know of that."""

    def lag(self, seconds: float, now_ms: int) -> None:
        for limit in LAG_S:
            subject = Subject(SubjectKind.HUB, "hub")
            self._tell(K.HUB_OVERLOADED, f"{limit} s", subject, seconds >= limit, now_ms)

    def frame(self) -> bytes:
        return b""

    @property
    def next_ms(self) -> int | None:
        return self._due[0][0] if self._due else None

    def advance(self, now_ms: int) -> None:
        while self._due and self._due[0][0] <= now_ms:
            at_ms, step, name, since_ms = heapq.heappop(self._due)
            memory = self._devices[name]
            if step < 0:
                self._ease(memory, -step, at_ms)
            elif memory.is_new and step:
                on = not memory.down
                self._set(K.NEVER_HEARD, f"{step} min", memory, on, at_ms)
            elif memory.heard_ms == since_ms and not memory.down and not memory.is_new:
                self._is_silent(memory, step, since_ms, at_ms)

    def _ease(self, memory: Memory, limit: int, now_ms: int) -> None:
        fresh = sum(at > now_ms - HOUR_MS for at in memory.discards)
        if fresh < limit:
            self._set(K.GARBLED, f"{limit} an hour", memory, False, now_ms)

    def _is_silent(self, memory: Memory, step: int, since_ms: int, now_ms: int) -> None:
        minutes = SILENT_MIN[step]
        self._set(K.SILENT, f"{minutes} min", memory, True, now_ms)
        if memory.battery <= 20:
            self._set(K.BATTERY_DEAD, f"{minutes} min", memory, True, now_ms)
        if step + 1 < len(SILENT_MIN):
            at_ms = since_ms + SILENT_MIN[step + 1] * MINUTE_MS
            heapq.heappush(self._due, (at_ms, step + 1, memory.id, since_ms))

    # -- values ------------------------------------------------------------------------------

    def _take(self, memory: Memory, reading: Reading, now_ms: int) -> None:
        value = reading.value
        if reading.quality is not Quality.GOOD or not isinstance(value, int | float):
            return
        if reading.channel == "battery.level":
            memory.battery = value
            for limit in BATTERY_PCT:
                self._set(K.BATTERY_LOW, f"{limit} %", memory, value <= limit, now_ms)
        elif reading.channel == "link.quality":
            for limit in QUALITY_PCT:
                self._set(K.WEAK_LINK, f"{limit} %", memory, value <= limit, now_ms)
        elif reading.channel == "tamper":
            self._set(K.TAMPER, "at once", memory, bool(value), now_ms)
        elif reading.channel in ("contact", "motion", "presence", "people.count"):
            self._flag(memory, reading.channel, value, now_ms)
        else:
            self._measured(memory, reading.channel, value, now_ms)
        self._dated(memory, reading, now_ms)

    def _dated(self, memory: Memory, reading: Reading, now_ms: int) -> None:
        off_h = abs(reading.observed_ms - now_ms) / HOUR_MS
        for limit in OFF_H:
            self._set(K.CLOCK_WRONG, f"{limit} h", memory, off_h > limit, now_ms)

    def _measured(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        was, since_ms = memory.values.get(channel, (value, now_ms))
        memory.values[channel] = (value, now_ms if was != value else since_ms)
        if channel == "humidity":
            return
        for hours in SAME_H:
            is_same = now_ms - memory.values[channel][1] >= hours * HOUR_MS
            self._set(K.STUCK, f"{hours} h the same", memory, is_same, now_ms, channel)
        if channel != "temperature":
            return
        for step in STEPS[channel]:
            for kind in (K.JUMP, K.NOISE, K.DUPLICATE):
                self._set(kind, f"step of {step:g}", memory, abs(value - was) >= step, now_ms)
        others = [m.values[channel][0] for m in self._devices.values() if channel in m.values]
        mean = sum(others) / len(others)
        for apart in APART:
            self._set(K.DRIFT, f"{apart:g} degrees off", memory, abs(value - mean) >= apart, now_ms)

    def _flag(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        was, since_ms = memory.values.get(channel, (value, now_ms))
        if was != value:
            since_ms = now_ms
            self._changed(memory, now_ms)
            self._passes(memory, channel, value, now_ms)
        memory.values[channel] = (value, since_ms)
        if channel == "people.count":
            for limit in INSIDE:
                self._set(K.COUNTER_IMBALANCE, f"{limit} inside", memory, value >= limit, now_ms)
            return
        is_shut = bool(memory.rooms & self._closed)
        for hours in ON_H:
            is_on = bool(value) and is_shut and now_ms - since_ms >= hours * HOUR_MS
            self._set(K.STUCK_ON, f"{hours} h on while shut", memory, is_on, now_ms)

    def _changed(self, memory: Memory, now_ms: int) -> None:
        changes = memory.changes
        changes.append(now_ms)
        while changes[0] < now_ms - 10 * MINUTE_MS:
            changes.popleft()
        for limit in CHANGES:
            on = len(changes) >= limit
            self._set(K.FLAPPING, f"{limit} in 10 min", memory, on, now_ms)

    def _passes(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        """Somebody is seen while a door, or another sensor of the room, does not move."""
        for kind, mine, other in (
            (K.DOOR_CONTRADICTED, ("motion", "presence", "people.count"), "contact"),
            (K.SENSORS_DISAGREE, ("motion", "presence"), "motion"),
            (K.SENSORS_DISAGREE, ("motion", "presence"), "presence"),
        ):
            if channel == other:
                self._passed[kind, memory.id] = 0
                for limit in PASSES:
                    self._set(kind, f"{limit} unseen", memory, False, now_ms)
            if channel not in mine or channel == other or not value:
                continue
            for room in memory.rooms:
                self._unseen(kind, other, room, now_ms)

    def _unseen(self, kind: K, other: str, room: str, now_ms: int) -> None:
        for beside in self._near[room]:
            if other not in beside.values:
                continue
            times = self._passed[kind, beside.id] = self._passed.get((kind, beside.id), 0) + 1
            for limit in PASSES:
                if times == limit:
                    self._set(kind, f"{limit} unseen", beside, True, now_ms)

    # -- saying ------------------------------------------------------------------------------

    def _set(
        self, kind: K, name: str, memory: Memory, on: bool, now_ms: int, channel: str = ""
    ) -> None:
        key = (kind, name, memory.id, channel)
        if on is (key in self._on):
            return
        (self._on.add if on else self._on.discard)(key)
        subject = Subject(SubjectKind.DEVICE, memory.id, channel)
        self._said(name, Finding(subject, kind, on, now_ms, now_ms))

    def _tell(self, kind: K, name: str, subject: Subject, on: bool, now_ms: int) -> None:
        key = (kind, name, subject.id)
        if on is (key in self._on):
            return
        (self._on.add if on else self._on.discard)(key)
        self._said(name, Finding(subject, kind, on, now_ms, now_ms))
