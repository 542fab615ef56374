"""How long questions to sealed history take, in the store and over HTTP.

Forty days of the reference centre, nothing thinned: one is played message by message through the
store and sealed by it, the others are copies of it with their times moved (``played.py``,
``years.py``); behind them lies a hot day. Every answer is compared with what the sensors said.

The limit is measured in the same run: the same rows read by one bare statement of sqlite3 and
unpacked, without looking at what is in them. The real hub is then asked the same over HTTP, on a
machine whose clock says that the history ends now.
"""

from __future__ import annotations

import asyncio
import sqlite3
import struct
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hub.store.hours import WEEK_MS, row_id, week_id
from hub.store.packing import inflate
from hub.store.planes import decompress
from hub.store.rollup import HOUR_MS
from hub.store.shelf import shelf_of
from hub.store.store import DATABASE
from tests.bench import questions
from tests.bench.figures import Need, machine, quantile
from tests.bench.played import COMPARED, DAY_MS, NOON_MS, played
from tests.bench.questions import DENSE, PAGE, Asked
from tests.bench.reference_day import DEVICES, ROOMS
from tests.bench.years import Told, build
from tests.broker import Broker
from tests.running_hub import RunningHub

CACHE = Path.cwd() / ".cache"
DAYS, PLAYED = 40, 1
WEEK, MONTH = 7, 30
HOURS, ROOM = Need(5, "ms"), Need(20, "ms")
ALL = -1  # shelves of all series


class Bare:
    """The same bytes, read and unpacked without a store."""

    def __init__(self, file: Path) -> None:
        self._db = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)

    def close(self) -> None:
        self._db.close()

    def hours(self, number: int, begin: int, end: int) -> float:
        shelf = shelf_of(number)
        weeks = "SELECT body FROM weeks WHERE id BETWEEN ? AND ?"
        loose = "SELECT body FROM hours WHERE id BETWEEN ? AND ?"
        ids = (week_id(shelf, begin // WEEK_MS), week_id(shelf, end // WEEK_MS))
        bounds = (row_id(shelf, begin), row_id(shelf, end))
        return self._ms((weeks, ids, decompress), (loose, bounds, inflate))

    def rooms(self, begin: int, end: int) -> float:
        sql = "SELECT body FROM room_chapters WHERE last_ms >= ? AND first_ms < ?"
        return self._ms((sql, (begin, end), _unframed))

    def shelves(self, shelf: int, begin: int, end: int) -> float:
        sql = (
            "SELECT s.body FROM chapters c CROSS JOIN shelves s ON s.id BETWEEN (c.id << 24) + ?"
            " AND (c.id << 24) + ? WHERE c.last_ms >= ? AND c.first_ms < ?"
        )
        bounds = (0, (1 << 24) - 1) if shelf == ALL else (shelf, shelf)
        return self._ms((sql, (*bounds, begin, end), _unframed))

    def _ms(self, *reads: tuple[str, tuple[int, ...], Callable[[bytes], object]]) -> float:
        took = []
        for _ in range(5):
            begun = time.monotonic()
            for sql, bounds, unpack in reads:
                for (body,) in self._db.execute(sql, bounds):
                    unpack(body)
            took.append((time.monotonic() - begun) * 1000)
        return quantile(took, 0.5)


def _unframed(body: bytes) -> bytes:
    return decompress(body[1:])


def middle(end_ms: int) -> int:
    """Midnight of a day in the middle of what is sealed."""
    day = end_ms - DAYS // 2 * DAY_MS
    return day - day % DAY_MS


def is_met(begin_ms: int, shelf: int) -> bool:
    """Here all shelves are moved."""
    return True


def tell(name: str, asked: Asked, limit_ms: float, need: Need | None = None) -> None:
    figure = f"{asked.ms:.3g} ms" if need is None else need.verdict(asked.ms)
    print(
        f"{name}: {figure}, {asked.cpu:.3g} ms of CPU; {asked.ms / limit_ms:.1f} x bare sqlite3"
        f" and unpacking ({limit_ms:.3g} ms); slowest of {len(asked.wall_ms)}"
        f" {max(asked.wall_ms):.3g} ms; {asked.rows} rows compared, {asked.wrong} wrong",
        flush=True,
    )


async def in_store(folder: Path, told: Told, end_ms: int) -> int:
    """Ask the store; how many answers were wrong."""
    store, took = await questions.opened(folder, end_ms)
    print(f"opened in {took.ms:.0f} ms, {took.cpu:.0f} ms of CPU", flush=True)
    numbers = {series.key: series.number for series in store.live.series.values()}
    some = next(n for key, n in numbers.items() if key[:2] == (f"device-{COMPARED[3]}", DENSE))
    week, month, noon = end_ms - WEEK * DAY_MS, end_ms - MONTH * DAY_MS, middle(end_ms) + NOON_MS
    earlier = middle(end_ms) - WEEK * DAY_MS
    with closing(Bare(folder / DATABASE)) as bare:
        every = [
            await questions.hours(store, told, end_ms, WEEK),
            await questions.hours(store, told, middle(end_ms), WEEK),
            await questions.rooms(store, told, end_ms, MONTH),
            await questions.pages(store, told, noon),
            await many(lambda device: questions.dense(store, told, end_ms, WEEK, device)),
        ]
        limits = [
            bare.hours(some, week, end_ms),
            bare.hours(some, earlier, middle(end_ms)),
            bare.rooms(month, end_ms),
            bare.shelves(ALL, noon, noon + HOUR_MS),
            bare.shelves(shelf_of(some), week, end_ms),
        ]
    await store.close()
    for (name, need), asked, limit in zip(NAMES, every, limits, strict=True):
        tell(name, asked, limit, need)
    return sum(asked.wrong for asked in every)


NAMES = (
    ("one series, the last 7 days by the hour", HOURS),
    ("one series, 7 days of a month ago by the hour", HOURS),
    ("the statuses of a room in 30 days", ROOM),
    ("a page of 1,000 of all devices, in the middle", None),
    ("every change of a lively series in 7 days", None),
)


async def many(ask: Callable[[int], Awaitable[Asked]]) -> Asked:
    whole = Asked()
    for device in COMPARED[:10]:
        asked = await ask(device)
        whole.wall_ms += asked.wall_ms
        whole.cpu_ms += asked.cpu_ms
        whole.rows += asked.rows
        whole.wrong += asked.wrong
    return whole


# --- over HTTP ----------------------------------------------------------------------------------


def centre() -> str:
    """The devices and rooms of ``reference_day.py``."""
    rooms = (
        f"  - {{id: room-{n}, name: {{en: Room {n}}}, floor: 1, kind: meeting}}"
        for n in range(ROOMS)
    )
    devices = (
        f"  - {{id: device-{n}, driver: zigbee2mqtt, room: room-{n % ROOMS},"
        f" link: {{mqtt: zigbee2mqtt/device-{n}}}}}"
        for n in range(DEVICES)
    )
    return "\n".join(("rooms:", *rooms, "devices:", *devices)) + "\n"


def text(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


async def over_http(place: Path, told: Told, end_ms: int) -> int:
    """Ask the real hub; how many answers were wrong."""
    wall = place / "wall"
    wall.write_bytes(struct.pack("<d", end_ms / 1000 + 5 - time.time()))
    async with Broker() as broker:
        hub = RunningHub(place, centre(), broker.port)
        hub.command = ["-m", "tests.flow.hub_with_clock", hub.command[-3], str(hub.data), str(wall)]
        async with hub:
            return await asked_hub(hub, told, end_ms)


async def asked_hub(hub: RunningHub, told: Told, end_ms: int) -> int:
    end = end_ms - end_ms % HOUR_MS
    week = {"from": text(end - WEEK * DAY_MS), "to": text(end)}
    month = {"from": text(end - MONTH * DAY_MS), "to": text(end)}
    noon = {"from": text(middle(end_ms) + NOON_MS), "to": text(end)}
    hours, steps, days, page = Asked(), Asked(), Asked(), Asked()
    for device in COMPARED:
        asked: dict[str, Any] = {"device": f"device-{device}", "channel": DENSE, "step": "hour"}
        items = await timed(hub, hours, "/api/v1/readings", {**asked, **week})
        series = f"device-{device} {DENSE}"
        begins = range(end - WEEK * DAY_MS, end, HOUR_MS)
        said = [(text(at), *told.hour(series, at)[1:]) for at in begins]
        hours.compared([(i["from"], i["min"], i["max"]) for i in items], [*said])
    for room in told.truth.rooms:
        path = f"/api/v1/rooms/{room}/history"
        items = await timed(hub, steps, path, {**month, "limit": 10_000})
        begun = told.room(room, end - MONTH * DAY_MS, end)
        found = [(i["from"], i["status"]) for i in items]
        steps.compared([*found], [(text(at), status) for at, status in begun])
        items = await timed(hub, days, path, {**month, "step": "day"})
        days.compared([round(sum(i["share"].values()), 3) for i in items], [1.0] * len(items))
    for _ in range(10):
        items = await timed(hub, page, "/api/v1/readings", {**noon, "limit": PAGE})
        rows = [(i["observed_at"], i["device"], i["channel"], i["value"]) for i in items]
        said_rows = told.noon(middle(end_ms))[:PAGE]
        page.compared([*rows], [(text(int(str(r[0]))), *r[3:]) for r in said_rows])
    return tell_http({"hours": hours, "30 days of a room": steps, "by the day": days, "page": page})


async def timed(
    hub: RunningHub, asked: Asked, path: str, parameters: dict[str, Any]
) -> list[dict[str, Any]]:
    """The items of an answer; its time holds the way there and back, and this program's part."""
    begun = questions.stamp()
    answer = await hub.client.get(path, params=parameters)
    asked.timed(begun)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def tell_http(every: dict[str, Asked]) -> int:
    for name, asked in every.items():
        print(
            f"over HTTP, {name}: {asked.ms:.3g} ms, slowest of {len(asked.wall_ms)}"
            f" {max(asked.wall_ms):.3g} ms; {asked.rows} rows compared, {asked.wrong} wrong",
            flush=True,
        )
    return sum(asked.wrong for asked in every.values())


def main() -> None:
    CACHE.mkdir(exist_ok=True)
    print(f"history: {machine()}", flush=True)
    source = played(CACHE, PLAYED)
    told = Told(source, PLAYED)
    end_ms = told.truth.end_ms
    print(f"played: {told.truth.changes} changes in {told.truth.commits} commits", flush=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        place = Path(name)
        (place / "data").mkdir()
        build(source, PLAYED, DAYS, place / "data", is_met)
        with closing(sqlite3.connect(place / "data" / DATABASE)) as db:
            chapters, changes = db.execute("SELECT count(*), sum(changes) FROM chapters").fetchone()
            size = (place / "data" / DATABASE).stat().st_size
        print(f"{DAYS} days: {changes} changes in {chapters} chapters, {size / 1e6:.0f} MB")
        wrong = asyncio.run(in_store(place / "data", told, end_ms))
        wrong += asyncio.run(over_http(place, told, end_ms))
    if wrong or chapters < DAYS * 4:
        raise SystemExit(f"bench_history: {wrong} answers are wrong")


if __name__ == "__main__":
    main()
