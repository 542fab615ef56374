"""Thirty days of a centre through the rooms' core: 100 rooms, 300 devices, 2.6 million reports.

``linli explain --with`` judges a past month again, so the core has to be quick without a clock or
a bus. Every device speaks each five minutes and whenever something changes; each room is used once
a day, at its own hour. What is said of it is compared with that in the middle of its visit and in
the middle of its pause, on every day, and every report is counted.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.centre import Centre, Device, Placement, Room
from hub.domain.events import Heard
from hub.domain.opening import AlwaysOpen
from hub.domain.room import RoomState, Status
from hub.rooms.watch import Watch
from tests.bench.figures import Need, machine

ROOMS, DAYS = 100, 30
REPEAT_MS, MINUTE_MS, HOUR_MS, DAY_MS = 300_000, 60_000, 3_600_000, 86_400_000
BEGIN_MS = 1_767_225_600_000
CHANNELS = ("contact", "motion", "presence")
ENTERS_MS, LEAVES_MS = 9 * HOUR_MS, 11 * HOUR_MS
CHANGES = (
    ("contact", ENTERS_MS, 1),
    ("motion", ENTERS_MS + 500, 1),
    ("presence", ENTERS_MS + 600, 1),
    ("contact", ENTERS_MS + 4_000, 0),
    ("contact", LEAVES_MS, 1),
    ("motion", LEAVES_MS + 3_000, 0),
    ("contact", LEAVES_MS + 4_000, 0),
    ("presence", LEAVES_MS + 7_000, 0),
)
"""One visit, in milliseconds of the room's own day."""
IN_USE_MS, FREE_MS = 10 * HOUR_MS, 15 * HOUR_MS
NEED = Need(120, "s")
REPORTS = ROOMS * DAYS * (len(CHANNELS) * DAY_MS // REPEAT_MS + len(CHANGES))


def centre() -> Centre:
    rooms = tuple(
        Room(f"r{n}", {"en": f"Room {n}"}, "main", 1, "meeting", 10) for n in range(ROOMS)
    )
    devices = tuple(
        Device(f"{room.id}-{channel}", "zigbee2mqtt", {"": Placement(room.id)}, "", DAY_MS, 600_000)
        for room in rooms
        for channel in CHANNELS
    )
    return Centre("c", {"en": "C"}, "UTC", (), rooms, (), devices)


def value_at(channel: str, ms: int) -> int:
    """What a sensor says at a time of its room's day."""
    return next((v for name, at, v in reversed(CHANGES) if name == channel and at <= ms), 0)


def said_by_room(number: int) -> list[tuple[int, str, int]]:
    """One day of a room: when, which device, which value."""
    late_ms = number * MINUTE_MS  # rooms are not all used at the same minute
    room = f"r{number}"
    changes = [(late_ms + at, f"{room}-{name}", value) for name, at, value in CHANGES]
    repeats = [
        (at, f"{room}-{channel}", value_at(channel, at - late_ms))
        for turn, channel in enumerate(CHANNELS)
        for at in range(number * 977 + turn * 100_003 % REPEAT_MS, DAY_MS, REPEAT_MS)
    ]
    return sorted(changes + repeats)


def month() -> Iterator[tuple[int, str, int]]:
    day = list(heapq.merge(*(said_by_room(number) for number in range(ROOMS))))
    for number in range(DAYS):
        begun_ms = BEGIN_MS + number * DAY_MS
        for at_ms, device, value in day:
            yield begun_ms + at_ms, device, value


def heard(at_ms: int, device: str, value: int) -> Heard:
    channel = device.rpartition("-")[2]
    good, hub = Quality.GOOD, TimeSource.HUB
    readings = (
        Reading(device, channel, "", value, "1", good, "", at_ms, at_ms, hub),
        Reading(device, "battery.level", "", 80, "%", good, "", at_ms, at_ms, hub),
    )
    return Heard(device, readings, at_ms, True, False)


class Checks:
    """Looks at each room twice a day, at the very moment."""

    def __init__(self, watch: Watch) -> None:
        self._watch = watch
        self._due = sorted(
            (BEGIN_MS + day * DAY_MS + number * MINUTE_MS + at, f"r{number}", status)
            for day in range(DAYS)
            for number in range(ROOMS)
            for at, status in ((IN_USE_MS, Status.IN_USE), (FREE_MS, Status.FREE))
        )
        self._next = 0
        self.wrong: list[tuple[int, str, Status]] = []

    @property
    def next_ms(self) -> int:
        return self._due[self._next][0] if self._next < len(self._due) else 2**62

    def run(self) -> None:
        due_ms, room, wanted = self._due[self._next]
        self._watch.advance(due_ms)
        if self._watch.states[room].status is not wanted:
            self.wrong.append(self._due[self._next])
        self._next += 1

    @property
    def done(self) -> int:
        return self._next


def run() -> None:
    print(f"days: {machine()}", flush=True)
    told: list[RoomState] = []
    watch = Watch(centre(), AlwaysOpen(), told.append)
    watch.begin((), (), BEGIN_MS)
    checks = Checks(watch)
    reports, begun = 0, time.monotonic()
    for at_ms, device, value in month():
        while checks.next_ms <= at_ms:
            checks.run()
        event = heard(at_ms, device, value)
        watch.advance(at_ms)
        watch.hear(event)
        reports += 1
    while checks.next_ms < 2**62:
        checks.run()
    took_s = time.monotonic() - begun
    if reports != REPORTS or checks.done != 2 * ROOMS * DAYS or checks.wrong:
        raise SystemExit(
            f"bench_days: {reports} of {REPORTS} reports, {checks.done} looks, wrong:"
            f" {checks.wrong[:3]} and {len(checks.wrong)} in all"
        )
    print(
        f"{DAYS} days in {NEED.verdict(took_s)}: {reports} reports of {2 * reports} readings,"
        f" {took_s / reports * 1e6:.1f} us each; {len(told)} changes told,"
        f" {checks.done} states as they should be",
        flush=True,
    )


if __name__ == "__main__":
    run()
