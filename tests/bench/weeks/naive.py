"""Fixed thresholds, for comparison: what most alert tools offer. Each is one number for all
devices, several are tried of each kind, and the best of them stands beside ours in the table.

They are given what can be given without being clever: links that are known to be down excuse their
devices, a start of the hub begins all waits anew, and a value that is back ends its alarm.
"""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from device_drivers.contract import Quality
from hub.domain.centre import Centre
from hub.domain.events import ClockChanged, FrameDiscarded, Heard, LinkChanged
from hub.domain.fault import FaultKind as K
from hub.domain.fault import Finding, Subject, SubjectKind
from hub.domain.room import RoomState, Status

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
Said = Callable[[str, Finding], None]

HOLDS_S = (0.0, 30.0, 60.0, 300.0)
TRIED: dict[K, tuple[str, tuple[float, ...]]] = {
    K.SILENT: ("silent for {:g} min", (10, 30, 60, 150, 300, 1500)),
    K.NEVER_HEARD: ("not heard for {:g} min", (10, 60, 240, 720, 1500)),
    K.BATTERY_DEAD: ("at most 20 %, then silent for {:g} min", (10, 30, 60, 150, 300, 1500)),
    K.BATTERY_LOW: ("at most {:g} %", (10, 15, 20, 30)),
    K.WEAK_LINK: ("at most {:g} %", (5, 8, 12, 16, 24)),
    K.GARBLED: ("{:g} in an hour", (2, 3, 5, 10)),
    K.OUT_OF_RANGE: ("{:g} in a row", (1, 2, 3)),
    K.DEVICE_ERROR: ("{:g} in a row", (1, 2, 3, 10)),
    K.STUCK: ("the same for {:g} h", (3, 6, 12, 24)),
    K.STUCK_ON: ("on for {:g} h while shut", (1, 3, 6)),
    K.FLAPPING: ("{:g} changes in 10 min", (20, 40, 60)),
    K.JUMP: ("a step of {:g} degrees", (2, 4, 6)),
    K.NOISE: ("a step of {:g} degrees", (1, 2, 4)),
    K.DUPLICATE: ("a step of {:g} degrees", (2, 4, 6)),
    K.DRIFT: ("{:g} degrees from the mean of all", (2, 4, 6)),
    K.DOOR_CONTRADICTED: ("{:g} movements beside it", (10, 40, 100)),
    K.SENSORS_DISAGREE: ("{:g} movements beside it", (10, 40, 100)),
    K.COUNTER_IMBALANCE: ("{:g} inside", (10, 30, 60)),
    K.CLOCK_WRONG: ("{:g} h off", (0.05, 0.5)),
    K.HUB_OVERLOADED: ("{:g} s late", (1, 2, 5)),
    K.TAMPER: ("at once", (1,)),
    K.LINK_DOWN: ("down for {:g} s", HOLDS_S),
    K.USB_DOWN: ("two ports down for {:g} s", HOLDS_S),
    K.GATEWAY_DOWN: ("down for {:g} s", HOLDS_S),
    K.BROKER_DOWN: ("down for {:g} s", HOLDS_S),
}
"""What is compared of each kind, in words, and the numbers, growing."""
SMALLER_IS_WORSE = frozenset({K.BATTERY_LOW, K.WEAK_LINK})
EMPTY_PCT = 20
HUB = Subject(SubjectKind.HUB, "hub")
USB = Subject(SubjectKind.LINK, "usb")
PEOPLE = frozenset({"motion", "presence", "people.count"})
FLAGS = frozenset({"contact", "motion", "presence"})


@dataclass
class Memory:
    """What fixed thresholds remember of one device."""

    subject: Subject
    rooms: frozenset[str]
    heard_ms: int
    is_new: bool = True
    battery: float = 100.0
    bad: int = 0
    down: set[str] = field(default_factory=set)
    values: dict[str, tuple[float, int]] = field(default_factory=dict)
    recent: dict[K, deque[int]] = field(default_factory=dict)
    unseen: dict[K, int] = field(default_factory=dict)

    def lately(self, kind: K, now_ms: int, within_ms: int, *, more: bool = True) -> int:
        """How many there were within so long; ``more``: now is one of them."""
        times = self.recent.setdefault(kind, deque())
        if more:
            times.append(now_ms)
        while times and times[0] <= now_ms - within_ms:
            times.popleft()
        return len(times)


class Naive:
    """All thresholds of all kinds at once. ``said`` hears of each with its name."""

    def __init__(self, centre: Centre, now_ms: int, said: Said) -> None:
        sides = {door.id: door.between for door in centre.doors}
        self._said = said
        self._levels: dict[tuple[K, Subject], int] = {}
        self._due: list[tuple[int, str]] = []
        self._devices: dict[str, Memory] = {}
        self._near: dict[str, list[Memory]] = {}
        self._closed: set[str] = set()
        self._ports: set[str] = set()
        self._held: dict[str, tuple[K, Subject, int]] = {}
        self._degrees: dict[str, float] = {}
        self._sum = 0.0
        for device in centre.devices:
            rooms = {p.room for p in device.places.values() if p.room}
            rooms |= {s for p in device.places.values() if p.door for s in sides[p.door]}
            subject = Subject(SubjectKind.DEVICE, device.id)
            memory = self._devices[device.id] = Memory(subject, frozenset(rooms), now_ms)
            for room in rooms:
                self._near.setdefault(room, []).append(memory)
            heapq.heappush(self._due, (now_ms + MINUTE_MS, device.id))

    def resume(self, now_ms: int) -> None:
        """The hub was down, and begins to listen."""
        for memory in self._devices.values():
            memory.heard_ms = now_ms

    # -- what happens ------------------------------------------------------------------------

    def hear(self, event: Heard) -> None:
        if not event.is_live:
            return
        memory, now_ms = self._devices[event.device], event.at_ms
        self._speaks(memory, now_ms)
        if event.said_ms is not None:
            off_h = abs(event.said_ms - now_ms) / HOUR_MS
            self._weigh(K.CLOCK_WRONG, memory.subject, off_h, now_ms)
        reasons = {r.reason for r in event.readings if r.quality is Quality.BAD}
        memory.bad = memory.bad + 1 if reasons else 0
        is_code = bool(reasons - {"implausible", "malformed"})
        self._weigh(K.OUT_OF_RANGE, memory.subject, 0 if is_code else memory.bad, now_ms)
        self._weigh(K.DEVICE_ERROR, memory.subject, memory.bad if is_code else 0, now_ms)
        for reading in event.readings:
            value = reading.value
            if reading.quality is Quality.GOOD and isinstance(value, int | float):
                self._take(memory, reading.channel, value, now_ms)

    def discard(self, event: FrameDiscarded) -> None:
        memory = self._devices[event.device]
        self._speaks(memory, event.at_ms)
        thrown = memory.lately(K.GARBLED, event.at_ms, HOUR_MS)
        self._weigh(K.GARBLED, memory.subject, thrown, event.at_ms)

    def link(self, event: LinkChanged) -> None:
        for device in event.devices:
            memory = self._devices[device]
            memory.heard_ms = event.at_ms
            (memory.down.discard if event.up else memory.down.add)(event.name)
        kind = K.GATEWAY_DOWN if event.is_parent else K.LINK_DOWN
        kind = K.BROKER_DOWN if event.name == "mqtt" else kind
        self._hold(kind, Subject(SubjectKind.LINK, event.name), not event.up, event.at_ms)
        if kind is K.LINK_DOWN:
            (self._ports.discard if event.up else self._ports.add)(event.name)
            self._hold(K.USB_DOWN, USB, len(self._ports) > 1, event.at_ms)

    def _hold(self, kind: K, subject: Subject, is_down: bool, now_ms: int) -> None:
        """A link that was lost is weighed again when its next hold is over."""
        key = f"{kind}/{subject.id}"
        if not is_down:
            self._held.pop(key, None)
            self._weigh(kind, subject, -1, now_ms)
        elif key not in self._held:
            self._held[key] = kind, subject, now_ms
            for hold_s in HOLDS_S:
                heapq.heappush(self._due, (now_ms + round(hold_s * 1000), key))

    def room(self, state: RoomState) -> None:
        is_closed = state.status is Status.CLOSED
        (self._closed.add if is_closed else self._closed.discard)(state.room)

    def clock_set(self, event: ClockChanged) -> None:
        """It does not know of that."""

    def lag(self, seconds: float, now_ms: int) -> None:
        self._weigh(K.HUB_OVERLOADED, HUB, seconds, now_ms)

    def frame(self) -> bytes:
        return b""

    # -- silence -----------------------------------------------------------------------------

    @property
    def next_ms(self) -> int | None:
        return self._due[0][0]

    def advance(self, now_ms: int) -> None:
        """Each device is looked at once a minute where it is silent, else when it might be."""
        while self._due[0][0] <= now_ms:
            _, name = heapq.heappop(self._due)
            if "/" in name:
                if name in self._held:
                    kind, subject, since_ms = self._held[name]
                    self._weigh(kind, subject, (now_ms - since_ms) / 1000, now_ms)
                continue
            memory = self._devices[name]
            silent_ms = now_ms - memory.heard_ms
            if not memory.down:
                self._is_silent(memory, silent_ms / MINUTE_MS, now_ms)
            first_ms = round(TRIED[K.SILENT][1][0] * MINUTE_MS)
            heapq.heappush(self._due, (now_ms + max(5 * MINUTE_MS, first_ms - silent_ms), name))
            garbled = memory.recent.get(K.GARBLED)
            if garbled:
                thrown = memory.lately(K.GARBLED, now_ms, HOUR_MS, more=False)
                self._weigh(K.GARBLED, memory.subject, thrown, now_ms)

    def _is_silent(self, memory: Memory, minutes: float, now_ms: int) -> None:
        if memory.is_new:
            self._weigh(K.NEVER_HEARD, memory.subject, minutes, now_ms)
            return
        self._weigh(K.SILENT, memory.subject, minutes, now_ms)
        if memory.battery <= EMPTY_PCT:
            self._weigh(K.BATTERY_DEAD, memory.subject, minutes, now_ms)

    def _speaks(self, memory: Memory, now_ms: int) -> None:
        memory.heard_ms = now_ms
        if memory.is_new:
            memory.is_new = False
            self._weigh(K.NEVER_HEARD, memory.subject, 0, now_ms)
        self._weigh(K.SILENT, memory.subject, 0, now_ms)
        self._weigh(K.BATTERY_DEAD, memory.subject, 0, now_ms)

    # -- values ------------------------------------------------------------------------------

    def _take(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        if channel == "battery.level":
            memory.battery = value
            self._weigh(K.BATTERY_LOW, memory.subject, value, now_ms)
        elif channel == "link.quality":
            self._weigh(K.WEAK_LINK, memory.subject, value, now_ms)
        elif channel == "tamper":
            self._weigh(K.TAMPER, memory.subject, value, now_ms)
        elif channel in FLAGS or channel in PEOPLE:
            self._flag(memory, channel, value, now_ms)
        elif channel in ("temperature", "co2", "illuminance"):
            self._measured(memory, channel, value, now_ms)

    def _measured(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        was, since_ms = memory.values.get(channel, (value, now_ms))
        since_ms = since_ms if was == value else now_ms
        memory.values[channel] = value, since_ms
        subject = Subject(SubjectKind.DEVICE, memory.subject.id, channel)
        self._weigh(K.STUCK, subject, (now_ms - since_ms) / HOUR_MS, now_ms)
        if channel != "temperature":
            return
        for kind in (K.JUMP, K.NOISE, K.DUPLICATE):
            self._weigh(kind, memory.subject, abs(value - was), now_ms)
        self._sum += value - self._degrees.get(memory.subject.id, 0.0)
        self._degrees[memory.subject.id] = value
        mean = self._sum / len(self._degrees)
        self._weigh(K.DRIFT, memory.subject, abs(value - mean), now_ms)

    def _flag(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        was, since_ms = memory.values.get(channel, (value, now_ms))
        if was != value:
            since_ms = now_ms
            changes = memory.lately(K.FLAPPING, now_ms, 10 * MINUTE_MS)
            self._weigh(K.FLAPPING, memory.subject, changes, now_ms)
            self._moved(memory, channel, value, now_ms)
        memory.values[channel] = value, since_ms
        if channel == "people.count":
            self._weigh(K.COUNTER_IMBALANCE, memory.subject, value, now_ms)
            return
        is_on = bool(value) and bool(memory.rooms & self._closed)
        hours = (now_ms - since_ms) / HOUR_MS if is_on else 0
        self._weigh(K.STUCK_ON, memory.subject, hours, now_ms)

    def _moved(self, memory: Memory, channel: str, value: float, now_ms: int) -> None:
        """Something was seen: what stands beside it saw nothing of that so far."""
        kind = K.DOOR_CONTRADICTED if channel == "contact" else K.SENSORS_DISAGREE
        memory.unseen[kind] = 0
        self._weigh(kind, memory.subject, 0, now_ms)
        if channel not in PEOPLE or not value:
            return
        for room in memory.rooms:
            for beside in self._near[room]:
                self._unseen(beside, now_ms, is_self=beside is memory)

    def _unseen(self, beside: Memory, now_ms: int, *, is_self: bool) -> None:
        if is_self:
            return
        for kind, channels in ((K.DOOR_CONTRADICTED, {"contact"}), (K.SENSORS_DISAGREE, PEOPLE)):
            if not channels.isdisjoint(beside.values):
                times = beside.unseen[kind] = beside.unseen.get(kind, 0) + 1
                self._weigh(kind, beside.subject, times, now_ms)

    # -- saying ------------------------------------------------------------------------------

    def _weigh(self, kind: K, subject: Subject, value: float, now_ms: int) -> None:
        """Which of the kind's thresholds does it pass, and which did it before?"""
        words, limits = TRIED[kind]
        level = _level(limits, value, is_upside_down=kind in SMALLER_IS_WORSE)
        key = (kind, subject)
        was = self._levels.get(key, 0)
        if level == was:
            return
        self._levels[key] = level
        ordered = limits[::-1] if kind in SMALLER_IS_WORSE else limits
        for limit in ordered[min(level, was) : max(level, was)]:
            finding = Finding(subject, kind, level > was, now_ms, now_ms)
            self._said(words.format(limit), finding)


def _level(limits: Sequence[float], value: float, *, is_upside_down: bool) -> int:
    """How many thresholds are passed.

    >>> _level((10, 20), 20, is_upside_down=False), _level((10, 20), 15, is_upside_down=True)
    (2, 1)
    """
    if is_upside_down:
        return sum(value <= limit for limit in limits)
    return bisect_right(limits, value)
