"""A small centre with history, and a store of mirrors that is only memory."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence

from device_drivers.contract import Quality, Value
from edge.reading import TimeSource
from hub.configuration.keeping import MirrorSettings
from hub.domain.centre import OUTSIDE, Building, Centre, Device, Door, Placement, Room
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.damage import Damage
from hub.store.outbox import Batch, MirrorCursor, RoomPoint
from hub.store.packing import RoomRow

NOON_MS = 1_795_320_000_000  # 2026-11-22 12:00 in Shanghai
TOKEN = "a-token-that-must-stay-secret"


async def until(claim: Callable[[], object], within_s: float = 30.0) -> None:
    """Wait until the claim holds.

    Raises:
        TimeoutError: it never does.
    """
    async with asyncio.timeout(within_s):
        while True:
            if claim():
                return
            await asyncio.sleep(0.01)


def device(name: str, **places: Placement) -> Device:
    return Device(name, "zigbee2mqtt", places, "built", 600_000, 600_000)


CENTRE = Centre(
    "hongmei",
    {"en": "Hongmei"},
    "Asia/Shanghai",
    (Building("main", {"en": "Main house"}),),
    (
        Room("gym", {"en": "Gym"}, "main", 4, "gym", 20),
        Room("hall", {"en": "Hall"}, "main", -1, "living_room", 60),
    ),
    (Door("front", ("hall", OUTSIDE)),),
    (
        Device("climate", "zigbee2mqtt", {"": Placement("gym")}, "built", 600_000, 600_000),
        Device("door", "zigbee2mqtt", {"": Placement(door="front")}, "built", 600_000, 600_000),
        device("io8", di1=Placement(door="front"), di2=Placement("hall", zone="bay")),
    ),
)


def change(
    value: Value = 21.5,
    at_ms: int = NOON_MS,
    *,
    device: str = "climate",
    channel: str = "temperature",
    part: str = "",
    tie: int = 0,
    quality: Quality = Quality.GOOD,
    reason: str = "",
    gap_from_ms: int | None = None,
) -> Change:
    return Change(
        1,
        SeriesKey(device, channel, part),
        value,
        "Cel",
        quality,
        reason,
        at_ms,
        at_ms,
        TimeSource.HUB,
        1,
        previous_until_ms=gap_from_ms,
        after_gap=gap_from_ms is not None,
        tie=tie,
    )


def changes(count: int, step_ms: int = 1_000) -> list[Change]:
    """A temperature that wanders."""
    return [change(20 + at % 50 / 10, NOON_MS + at * step_ms) for at in range(count)]


def room_point(
    status: str = "free", at_ms: int = NOON_MS, people: int | None = 0, room: str = "gym"
) -> RoomPoint:
    return RoomPoint(room, RoomRow(9, at_ms, status, people, at_ms))


def mirror_settings(url: str, **more: object) -> MirrorSettings:
    rows = {"kind": "influxdb", "url": url, "org": "centre", "bucket": "linli", "rate": 1_000_000}
    return MirrorSettings.model_validate({**rows, **more})


class MemorySource:
    """History as a list, ten changes a commit; the store's side of the contract."""

    def __init__(self, history: Sequence[Change] = (), commit: int = 10) -> None:
        self.commits: list[tuple[tuple[Change, ...], tuple[RoomPoint, ...]]] = []
        self.cursor = MirrorCursor()
        self.reached: list[MirrorCursor] = []
        self.rejected: list[tuple[str, str]] = []
        self.failure: Exception | None = None
        self.wish: MirrorCursor | None = None
        self.asked = 0
        self.is_full = False
        self.is_held = False
        self.limit = 1_000_000
        self.lost: tuple[Damage, ...] = ()
        for at in range(0, len(history), commit):
            self.commits.append((tuple(history[at : at + commit]), ()))

    @property
    def committed(self) -> int:
        return len(self.commits)

    async def mirror_rewound(self, name: str) -> MirrorCursor | None:
        if self.wish is None:
            return None
        self.cursor, self.wish = self.wish, None
        return self.cursor

    def mirror_cursor(self, name: str) -> MirrorCursor:
        return self.cursor

    async def outbox(self, cursor: MirrorCursor, limit: int) -> Batch:
        self.asked += 1
        if self.failure is not None:
            raise self.failure
        if self.is_held:
            return Batch((), (), cursor)
        changes: list[Change] = []
        rooms: list[RoomPoint] = []
        at = cursor.commit
        limit = min(limit, self.limit)
        while at < len(self.commits) and len(changes) + len(rooms) < limit:
            changes += self.commits[at][0]
            rooms += self.commits[at][1]
            at += 1
        times = [item.observed_ms for item in changes]
        behind = len(self.commits) - at
        oldest = min(times, default=None)
        lost, self.lost = self.lost, ()
        return Batch(tuple(changes), tuple(rooms), MirrorCursor(at), behind, oldest, lost)

    def mirror_reached(self, name: str, cursor: MirrorCursor) -> None:
        self.cursor = cursor
        self.reached.append(cursor)

    async def reject(self, name: str, lines: Sequence[tuple[str, str]]) -> None:
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        self.rejected += lines
