"""A small house whose devices say what a test lets them say."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from device_drivers.channels import CHANNELS
from device_drivers.contract import Quality, Value
from edge.reading import Reading, TimeSource
from hub.domain.centre import Building, Centre, Device, Placement, Room
from hub.domain.events import FrameDiscarded, Heard, LinkChanged
from hub.domain.fault import FaultKind, Finding
from hub.domain.room import Presence, RoomState, Status
from hub.faults.detect.watch import Detection

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
BEGIN = 1_800_000_000_000


def device(name: str, silent_after_ms: int = 25 * HOUR, room: str = "gym") -> Device:
    return Device(
        name, "zigbee2mqtt", {"": Placement(room=room)}, "built", silent_after_ms, 10 * MINUTE
    )


def centre(devices: Iterable[Device]) -> Centre:
    rooms = tuple(Room(name, {"en": name}, "main", 1, "gym", 20) for name in ("gym", "hall"))
    main = (Building("main", {"en": "Main"}),)
    return Centre("c", {"en": "Centre"}, "UTC", main, rooms, (), tuple(devices))


class House:
    """``found`` keeps every finding. Time is in ms since it was begun."""

    def __init__(self, *devices: Device, learnt: bytes | None = None, at_ms: int = 0) -> None:
        self.centre = centre(devices)
        self.found: list[Finding] = []
        self.now = at_ms
        self.detection = Detection(self.centre, BEGIN + at_ms, self.found.append, learnt)

    def again(self, standing: Iterable[Finding] = ()) -> House:
        """The hub is started anew, in this moment."""
        new = House(learnt=self.detection.frame(), at_ms=self.now)
        new.centre = self.centre
        learnt = self.detection.frame()
        new.detection = Detection(self.centre, BEGIN + self.now, new.found.append, learnt, standing)
        return new

    def at(self, ms: int) -> House:
        self.now = ms
        return self

    def reading(
        self,
        name: str,
        channel: str,
        value: Value,
        quality: Quality = Quality.GOOD,
        reason: str = "",
        source: TimeSource = TimeSource.HUB,
    ) -> Reading:
        at = BEGIN + self.now
        unit = CHANNELS[channel].unit
        return Reading(name, channel, "", value, unit, quality, reason, at, at, source)

    def hear(self, name: str, said_ms: int | None = None, /, **values: Value) -> None:
        """Live; ``link_quality=80`` is the channel link.quality."""
        readings = tuple(
            self.reading(name, channel.replace("_", "."), value)
            for channel, value in values.items()
        ) or (self.reading(name, "contact", 0),)
        self.detection.hear(Heard(name, readings, BEGIN + self.now, True, True, said_ms))

    def bad(self, name: str, channel: str, value: Value, reason: str) -> None:
        spoilt = self.reading(name, channel, value, Quality.BAD, reason)
        self.detection.hear(Heard(name, (spoilt,), BEGIN + self.now, True, True))

    def remembered(self, name: str, source: TimeSource) -> None:
        old = self.reading(name, "contact", 1, source=source)
        self.detection.hear(Heard(name, (old,), BEGIN + self.now, False, True))

    def online(self, name: str, value: int) -> None:
        said = self.reading(name, "online", value)
        self.detection.hear(Heard(name, (said,), BEGIN + self.now, False, True))

    def discard(self, name: str, reason: str = "checksum") -> None:
        self.detection.discard(FrameDiscarded(name, BEGIN + self.now, reason))

    def link(self, name: str, up: bool, *devices: str, is_parent: bool = False) -> None:
        why = "" if up else "gone"
        event = LinkChanged(name, frozenset(devices), up, why, is_parent, BEGIN + self.now)
        self.detection.link(event)

    def room(self, name: str, status: Status) -> None:
        at = BEGIN + self.now
        state = RoomState(name, status, Presence.UNKNOWN, None, None, None, at, at, None, ())
        self.detection.advance(at)
        self.detection.room(state)

    def pass_time(self, until_ms: int) -> None:
        self.now = until_ms
        self.detection.advance(BEGIN + until_ms)

    def beat(self, name: str, every_ms: int, until_ms: int, /, **values: Value) -> None:
        """It speaks regularly from now on, for the last time before ``until_ms``."""
        while self.now + every_ms < until_ms:
            self.now += every_ms
            self.hear(name, **values)
        self.pass_time(until_ms)

    def is_on(self, kind: FaultKind, name: str = "") -> bool:
        told = [f for f in self.found if f.kind is kind and name in ("", f.subject.id)]
        return bool(told) and told[-1].is_on

    @property
    def kinds(self) -> set[FaultKind]:
        return {finding.kind for finding in self.found}


def weeks(
    house: House, days: float, every_ms: int, say: Callable[[int], dict[str, float]]
) -> House:
    """Let "eye" say what ``say`` answers for each moment."""
    until = house.now + round(days * DAY)
    while house.now + every_ms <= until:
        house.at(house.now + every_ms).hear("eye", **say(house.now))
    return house


def last(house: House, kind: FaultKind) -> Finding:
    return [finding for finding in house.found if finding.kind is kind][-1]
