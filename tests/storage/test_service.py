"""The account of a real store in a real folder, over the API, the page and the metrics."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from hub.domain.views import CopyState
from hub.storage.api import StorageDocument, document
from hub.storage.rules import DAY_MS, Bounds
from hub.storage.service import Account, Card, Day, Storage
from tests.broker import Broker
from tests.powercut import load
from tests.running_hub import RunningHub
from tests.store.making import T0_MS, Time, catch_up, feed, opened, report
from tests.store.test_wear import skip_unless_counted

KEPT = Bounds(8_000_000_000, 730 * DAY_MS)


async def test_an_account_of_a_store_that_was_written(tmp_path: Path) -> None:
    skip_unless_counted(tmp_path)
    time = Time()
    store = await opened(tmp_path, time)
    try:
        storage = Storage(store, tmp_path, Card(None, 500), KEPT, lambda: time.now)
        empty = await storage.account()
        assert (empty.oldest_ms, empty.growth, empty.pace) == (None, None, None)
        for number in range(20):
            feed(store, report("d1", time.now, count=number), urgent=True)
            time.ms += 1_000
        await catch_up(store)
        time.ms += 3 * 3_600_000
        found = await storage.account()
    finally:
        await store.close()
    assert found.oldest_ms == T0_MS
    assert found.database > 0
    assert found.card_size > found.free > 0
    assert found.days[0].by_purpose["changes"] > 0
    assert found.pace is not None
    assert found.pace.basis == "start"
    assert found.years is not None
    assert found.years > 0


def test_purposes_are_summed_up_by_file() -> None:
    day = Day(
        20_000, {"changes": 1, "sealing": 2, "moving": 4, "log": 8, "backup": 16, "other": 32}
    )
    assert day.by_file == {"wal": 3, "database": 4, "log": 8, "backup": 16, "other": 32}
    assert day.total == 63


def test_what_is_not_known_is_null_and_copies_are_told() -> None:
    copies = [CopyState("mirror", "influxdb", 1_700_000_000_123)]
    account = Account(
        T0_MS, 1, 2, 3, 500, None, None, None, None, None, [Day(20_000, {"log": 5})], copies
    )
    found = document(account)
    assert (found.card.years, found.card.within_budget, found.history.full_at) == (None,) * 3
    assert found.written[0].day == "2024-10-04"
    assert (found.copies[0].ok, found.copies[0].last) == (True, "2023-11-14T22:13:20.123Z")


async def test_a_running_hub_tells_what_it_writes(tmp_path: Path) -> None:
    async with RunningHub(tmp_path, load.ROOMS) as hub:

        async def is_told() -> StorageDocument | None:
            answer = await hub.client.get("/api/v1/storage")
            found = msgspec.json.decode(answer.content, type=StorageDocument)
            return found if found.written and found.written[-1].total else None

        found: StorageDocument = await hub.until(is_told)
        assert found.card.bytes_per_day is None, "it runs for less than an hour"
        metrics = (await hub.client.get("/metrics")).text
        page = await hub.client.get("/storage", headers={"Accept-Language": "en"})
    counted = dict(re.findall(r'linli_written_bytes_total\{purpose="(\w+)"\} (\S+)', metrics))
    assert "log" in counted
    assert float(counted["log"]) > 0
    assert page.status_code == 200
    assert "has not run long enough" in page.text


async def test_the_sum_over_all_purposes_is_what_the_kernel_counted(tmp_path: Path) -> None:
    skip_unless_counted(tmp_path)
    async with (
        Broker() as broker,
        RunningHub(tmp_path, load.ROOMS, broker.port) as hub,
    ):
        await hub.connected()

        async def both() -> tuple[int, int] | None:
            """Ours and the kernel's, at a moment at which nothing is written."""
            before = kernel_count(hub.pid)
            text = (await hub.client.get("/metrics")).text
            counts = re.findall(r"linli_written_bytes_total{.*?} (\S+)", text)
            ours = round(sum(float(count) for count in counts))
            return (ours, before) if before == kernel_count(hub.pid) else None

        ours_before, kernel_before = await hub.until(both)
        await load.publish(broker.port, range(1, 300), rate=300)

        async def is_all_counted() -> bool:
            found = await both()
            if found is None:
                return False
            ours, kernel = found[0] - ours_before, found[1] - kernel_before
            return bool(ours == kernel > 100_000)

        await hub.until(is_all_counted)


def kernel_count(pid: int) -> int:
    """What the kernel says this process has written."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
