"""Reports, receipts and a clock that tests push."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

from device_drivers.contract import Quality, Value
from edge.clock import Clock
from edge.reading import Delivery, Reading, Report, TimeSource
from hub.domain.room import People, Presence, RoomState, Status
from hub.live import Change
from hub.store.query import ReadingItem, ReadingsQuery
from hub.store.retention import Keep
from hub.store.store import Store

T0_MS = 1_767_225_600_000
EVER = 2**52
NOT_LIVE = (TimeSource.QUEUED, TimeSource.RETAINED)


@dataclass
class Time:
    """A clock's true time, in milliseconds since T0, moved by hand."""

    ms: int = 0

    def __call__(self) -> float:
        return (T0_MS + self.ms) / 1000

    @property
    def now(self) -> int:
        return T0_MS + self.ms

    def clock(self) -> Clock:
        return Clock(true_time=self)


@dataclass
class Ledger:
    """What was settled, in order, and in which commit."""

    settled: list[tuple[int, int]] = field(default_factory=list)

    def receipt(self, mid: int, digest: bytes = b"12345678") -> Note:
        return Note(self, Delivery(mid, digest), mid)

    def numbers(self) -> list[int]:
        return [number for number, _ in self.settled]


@dataclass
class Note:
    ledger: Ledger
    delivery: Delivery | None
    number: int

    def settle(self, commit: int) -> None:
        self.ledger.settled.append((self.number, commit))


def report(
    device: str,
    at_ms: int,
    source: TimeSource = TimeSource.HUB,
    received_ms: int | None = None,
    **values: Value,
) -> Report:
    """A message; ``link_quality=1`` is the channel ``link.quality``."""
    received = at_ms if received_ms is None else received_ms
    readings = tuple(
        reading(device, name.replace("_", "."), value, at_ms, source, received)
        for name, value in values.items()
    )
    return Report(device, readings, received, source not in NOT_LIVE)


def reading(
    device: str,
    channel: str,
    value: Value,
    at_ms: int,
    source: TimeSource = TimeSource.HUB,
    received_ms: int | None = None,
) -> Reading:
    received = at_ms if received_ms is None else received_ms
    return Reading(device, channel, "", value, "1", Quality.GOOD, "", at_ms, received, source)


def room(name: str, status: Status, people: int | None = None) -> RoomState:
    count = None if people is None else People(people, people, people)
    return RoomState(name, status, Presence.UNKNOWN, None, count, None, 0, 0, None, ())


def feed(store: Store, message: Report, urgent: bool = False) -> tuple[Change, ...]:
    """What the intake does with a report."""
    changes = store.live.apply(message)
    if changes:
        store.append(changes, message.receipt, urgent)
    elif message.receipt is not None:
        message.receipt.settle(0)
    return changes


async def catch_up(store: Store) -> None:
    """Let the store commit what is due by the clock that was just pushed."""
    store.look()
    loop, writer = asyncio.get_running_loop(), store._commits._thread
    async with asyncio.timeout(20):
        while store.is_due():
            await asyncio.sleep(0)
            await loop.run_in_executor(writer, bool)  # its turn comes when the commit is done


async def everything(
    store: Store, limit: int = 1000, device: str | None = None, channel: str | None = None
) -> list[ReadingItem]:
    items: list[ReadingItem] = []
    cursor: str | None = None
    while True:
        asked = ReadingsQuery(-EVER, EVER, device, channel, limit=limit, cursor=cursor)
        page = await store.readings(asked)
        items += page.items
        cursor = page.next
        if cursor is None:
            return items


async def opened(folder: Path, time: Time, inflight: int = 20, keep: Keep | None = None) -> Store:
    return await Store.open(folder, time.clock(), inflight, keep)
