"""A machine that boots in the past, learns the time, or is set back: nothing lost, order kept."""

from __future__ import annotations

import json
import sqlite3
import time
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from device_drivers.contract import Quality
from edge.reading import TimeSource
from edge.timekeeping import Timekeeper
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.members import members
from hub.store.migrations import migrate
from hub.store.packing import pack
from hub.store.restamp import Boot, boots_of, keep_boot
from tests.broker import Broker
from tests.flow.hub_with_clock import WRONG
from tests.running_hub import RunningHub

DAY_S = 86_400.0
EVER = {"from": "2020-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
UNTRUSTED = "has not been set since it was switched on"
TIMES = ("observed_at", "received_at")
ROOMS = (
    "rooms:\n  - {id: gym, name: {en: Gym}, floor: 4, kind: gym}\n"
    "devices:\n"
    "  - {id: light, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/light}}\n"
)


class ClockedHub(RunningHub):
    """A hub whose machine's clock is wrong by so many seconds, and can be set."""

    def __init__(self, folder: Path, broker: int, trust: str, wrong_s: float) -> None:
        self.marker, self._wall = folder / "the-time-is-right", folder / "wall"
        clock = f"clock: {{trust: {trust}, marker: {self.marker}}}\n"
        super().__init__(folder, clock + ROOMS, broker)
        self.set_wall(wrong_s)
        _, _, _, _, config, _, data = self.command
        self.command = ["-m", "tests.flow.hub_with_clock", config, data, str(self._wall)]

    def set_wall(self, wrong_s: float) -> None:
        with self._wall.open("r+b" if self._wall.exists() else "wb") as file:
            file.write(WRONG.pack(wrong_s))

    async def clock_is(self, state: str) -> None:
        async def found() -> bool:
            return bool((await self.get("/readyz"))["clock"] == state)

        await self.until(found)

    async def values(self, count: int) -> list[dict[str, Any]]:
        """All readings of the light, once there are so many."""

        async def are_there() -> list[dict[str, Any]]:
            items = await self.readings(device="light", channel="illuminance", **EVER)
            return items if len(items) >= count else []

        items: list[dict[str, Any]] = await self.until(are_there)
        return items


async def shine(broker: Broker, values: range) -> None:
    """Each value is another one, so that every message is a change."""
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for value in values:
            payload = json.dumps({"illuminance": value})
            await client.publish("zigbee2mqtt/light", payload, qos=1)


def at(item: dict[str, Any]) -> float:
    return datetime.fromisoformat(item["observed_at"]).timestamp()


def in_order(items: list[dict[str, Any]]) -> list[int]:
    assert all(at(a) <= at(b) for a, b in pairwise(items))
    return [item["value"] for item in items]


@pytest.mark.timeout(90)
@pytest.mark.parametrize("wrong_s", [-400 * DAY_S, 3600.0])
async def test_readings_before_the_time_is_known_move_to_where_they_belong(
    tmp_path: Path, wrong_s: float
) -> None:
    async with Broker() as broker, ClockedHub(tmp_path, broker.port, "marker", wrong_s) as hub:
        await hub.connected()
        begun = time.time()
        await shine(broker, range(25))
        items = await hub.values(25)
        assert in_order(items) == list(range(25))
        assert {item["time_source"] for item in items} == {"unsynced"}
        assert begun - 1 <= at(items[0]) - wrong_s <= at(items[-1]) - wrong_s <= time.time() + 1
        await says_it_is_not_trusted(hub)

        hub.kill()  # the same boot goes on, and so does the count
        await hub.start()
        await hub.connected()
        await shine(broker, range(25, 40))
        items = await hub.values(40)
        assert in_order(items) == list(range(40))
        marks = [item["time_source"] for item in items]
        assert set(marks[25:]) <= {"unsynced", "queued"}, "some may have waited in the broker"

        await learns_the_time(hub, begun)
        await shine(broker, range(40, 45))
        items = await hub.values(45)
        assert in_order(items) == list(range(45))
        assert [item["time_source"] for item in items] == marks + ["hub"] * 5
        await hub.stop()
        await hub.start()
        again = await hub.values(45)
        for before, after in zip(items, again, strict=True):
            assert all(before[field] == after[field] for field in ("value", *TIMES))
        assert await hub.metric("linli_clock_trusted") == 1


async def says_it_is_not_trusted(hub: ClockedHub) -> None:
    await hub.clock_is("untrusted")
    assert await hub.metric("linli_clock_trusted") == 0
    assert UNTRUSTED in (await hub.client.get("/?lang=en")).text


async def learns_the_time(hub: ClockedHub, begun: float) -> None:
    """All that was said since ``begun`` is then where it belongs."""
    hub.set_wall(0.0)
    ended = time.time()
    hub.marker.touch()
    await hub.clock_is("trusted")
    assert UNTRUSTED not in (await hub.client.get("/?lang=en")).text
    assert await hub.metric("linli_clock_set_total") == 1

    async def are_right() -> list[dict[str, Any]]:
        items = await hub.values(40)
        return items if all(begun - 1 <= at(item) <= ended + 1 for item in items) else []

    assert in_order(await hub.until(are_right)) == list(range(40))


@pytest.mark.timeout(60)
async def test_a_clock_that_is_set_back_an_hour_overwrites_nothing(tmp_path: Path) -> None:
    async with Broker() as broker, ClockedHub(tmp_path, broker.port, "always", 0.0) as hub:
        await hub.connected()
        await shine(broker, range(20))
        await hub.values(20)
        hub.set_wall(-3600.0)

        async def is_noticed() -> bool:
            return await hub.metric("linli_clock_set_total") == 1

        await hub.until(is_noticed)
        await shine(broker, range(20, 40))
        items = await hub.values(40)
        assert sorted(item["value"] for item in items) == list(range(40))
        assert in_order(items) == [*range(20, 40), *range(20)]
        hub.kill()
        await hub.start()
        await hub.connected()
        await shine(broker, range(40, 50))
        items = await hub.values(50)
        assert in_order(items) == [*range(20, 50), *range(20)]


COMMITS = 20_000
SHIFT_MS = round(400 * DAY_S * 1000)


def history_of_a_boot_in_the_past(path: Path) -> int:
    """What a hub leaves that was killed before the time was known; answers its first true time.

    A thousand hours with a commit in every three minutes: enough that moving it takes a while.
    """
    keeper = Timekeeper()
    path.mkdir()
    db = sqlite3.connect(path / "linli.db", isolation_level=None)
    db.execute("PRAGMA page_size = 1024")
    db.execute("PRAGMA journal_mode = WAL")
    migrate(db, 0)
    step_ms = 180_000
    true_ms = round(time.time() * 1000) - COMMITS * step_ms
    base_ms = true_ms - SHIFT_MS
    uptime_ms = int(keeper.uptime_s() * 1000) - COMMITS * step_ms  # it is up for a while already
    key = SeriesKey("light", "illuminance")
    db.execute("BEGIN")
    db.execute("INSERT INTO series VALUES (1, ?, ?, ?)", key)
    for number in range(1, COMMITS + 1):
        ms = base_ms + number * step_ms - 60_000
        until = ms - step_ms if number > 1 else None
        change = Change(
            1, key, number, "lx", Quality.GOOD, "", ms, ms, TimeSource.UNSYNCED, number, until
        )
        row = (number, ms, ms, ms + 500, *members([1]), None, pack([change]))
        db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    keep_boot(db, Boot(keeper.boot_id(), base_ms, uptime_ms, 1))
    db.execute("COMMIT")
    db.close()
    return true_ms


def progress(path: Path) -> int:
    """Up to which commit rows are moved."""
    db = sqlite3.connect(f"file:{path / 'linli.db'}?mode=ro", uri=True)
    try:
        (boot,) = boots_of(db)
        return boot.done_commit or 0
    finally:
        db.close()


@pytest.mark.timeout(120)
async def test_killed_while_rows_move_none_moves_twice_or_is_forgotten(tmp_path: Path) -> None:
    hub = RunningHub(tmp_path, f"clock: {{trust: marker, marker: {tmp_path / 'm'}}}\n{ROOMS}")
    true_ms = history_of_a_boot_in_the_past(hub.data)
    (tmp_path / "m").touch()
    async with hub:
        seen = [0]
        for _ in range(3):

            async def is_further() -> bool:
                return progress(hub.data) > seen[-1]

            await hub.until(is_further, 30, every_s=0.001)
            hub.kill()
            seen.append(progress(hub.data))
            await hub.start()
        assert 0 < seen[1] < COMMITS, "killed too late to show anything"
        assert seen == sorted(seen)

        async def is_done() -> bool:
            return progress(hub.data) == COMMITS

        await hub.until(is_done, 60)
        items = await hub.readings(device="light", **EVER)
        assert len(items) == COMMITS
        first = datetime.fromisoformat(items[0]["observed_at"])
        assert abs(first.timestamp() * 1000 - true_ms - 120_000) < 2_000
        for number, item in enumerate(items):
            assert item["value"] == number + 1
            moment = datetime.fromisoformat(item["observed_at"])
            assert moment - first == timedelta(minutes=3 * number)
