"""Was what the hub promised there, after the power went?

1. SQLite finds nothing wrong (``integrity_check``), with the stdlib's own sqlite3.
2. A hub opens it, and its history is the beginning of the history that was written in the end: the
   same items with the same values and times, in the same order, none between them missing.
3. What was acknowledged to the broker before the cut is among them: nothing of it may be lost.
4. What was read is among them unless it is younger than decision 5 allows: events a second,
   telemetry a minute. ``SLACK_S`` is for a machine that records and does other work meanwhile.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from edge.clock import Clock
from hub.store.query import ReadingItem
from hub.store.store import DATABASE, Store
from tests.powercut.load import TOPIC, is_event, temperature
from tests.powercut.wire import Message
from tests.store.making import everything

EVENT_S, TELEMETRY_S = 1.0, 60.0
SLACK_S = 2.0

Row = tuple[object, ...]
History = dict[tuple[str, str], list[Row]]
"""(device, channel) to what it said, in order."""


class Promise(msgspec.Struct):
    """A message of the load, and when it had to be safe. Moments are numbers of lines."""

    number: int
    received: int
    received_s: float
    is_event: bool
    acknowledged: int | None


def promises(found: Iterable[Message]) -> list[Promise]:
    """What the messages of the load oblige the hub to; one that came twice counts once."""
    made: dict[int, Promise] = {}
    for message in found:
        if not message.topic.startswith(TOPIC):
            continue
        number = int(msgspec.json.decode(message.payload)["illuminance"])
        promise = made.get(number)
        if promise is None:
            promise = made[number] = Promise(
                number, message.received, message.received_s, is_event(number), None
            )
        if promise.acknowledged is None:
            promise.acknowledged = message.acknowledged
    return list(made.values())


def check_integrity(folder: Path) -> None:
    file = folder / DATABASE
    if not file.exists():
        return
    with contextlib.closing(sqlite3.connect(file)) as db:
        found = db.execute("PRAGMA integrity_check").fetchall()
    assert found == [("ok",)], found


async def history(folder: Path) -> History:
    """What a hub reads there, live state included."""
    store = await Store.open(folder, Clock())
    try:
        items = await everything(store, limit=10_000)
    finally:
        await store.close()
    found: History = defaultdict(list)
    for item in items:
        found[item.device, item.channel].append(_row(item))
    return found


def check_history(found: History, final: History) -> None:
    """It is a beginning of the final one, series by series."""
    for key, rows in found.items():
        assert rows == final.get(key, [])[: len(rows)], f"{key}: another history"


def check_promises(
    found: History, promises: Sequence[Promise], cut: int, cut_s: float, speed: float = 1.0
) -> None:
    """``cut_s`` is the true time of the cut; ``speed`` how fast the hub's clock ran."""
    stored = {row[0] for (_, channel), rows in found.items() for row in rows if channel == LIGHT}
    warm = {row[0] for (_, channel), rows in found.items() for row in rows if channel == WARMTH}
    for promise in promises:
        if promise.received >= cut:
            continue
        number, allowed = promise.number, EVENT_S if promise.is_event else TELEMETRY_S
        age_s = cut_s - promise.received_s
        is_old = age_s > allowed / speed + SLACK_S
        if promise.acknowledged is not None and promise.acknowledged < cut:
            assert number in stored, f"{number} was acknowledged and is lost"
        elif is_old:
            assert number in stored, f"{number} is lost, {age_s:.1f} s after it came"
        if number in stored:
            assert temperature(number) in warm, f"{number} is there only in part"


LIGHT, WARMTH = "illuminance", "temperature"


def _row(item: ReadingItem) -> Row:
    return (
        item.value,
        item.unit,
        item.quality,
        item.reason,
        item.observed_ms,
        item.received_ms,
        item.time_source,
    )
