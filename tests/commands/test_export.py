"""What is exported is what was stored: sealed and not, late, bad, odd, with its gaps."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from device_drivers.contract import Quality, Value
from edge.reading import Reading, Report, TimeSource
from hub.api.documents import rfc3339
from hub.domain.room import Status
from hub.store.query import ReadingItem
from hub.store.store import DATABASE, Store
from tests.settings.samples import GOOD
from tests.store.making import EVER, T0_MS, Time, catch_up, everything, feed, opened, report, room
from tests.store.test_sealing import HOUR, played

ODD: Sequence[Value] = ("=1+1", "'tis", 'say "hi", please', "two\r\nlines", "-5", "", "社区", None)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "centre.yaml"
    file.write_text(f"{GOOD}storage: {{path: {tmp_path}}}\n", encoding="utf-8")
    return file


class Ended(NamedTuple):
    status: int
    errors: str


async def run(config: Path, *words: str, language: str = "C.UTF-8") -> Ended:
    """The command in a process of its own, as it is used."""
    command = [sys.executable, "-m", "hub.cli", "export", "--config", str(config), *words]
    env = {**os.environ, "LC_ALL": language}
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE, env=env
    )
    _, errors = await process.communicate()
    assert process.returncode is not None
    return Ended(process.returncode, errors.decode())


async def export(config: Path, *words: str) -> str:
    """What the command writes into a file."""
    out = config.with_name("out")
    ended = await run(config, "--output", str(out), *words)
    assert ended.status == 0, ended.errors
    assert not out.with_name("out.part").exists()
    return out.read_bytes().decode()


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text, newline="")))


def lines(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def expected(item: ReadingItem) -> dict[str, Any]:
    return {
        "device": item.device,
        "channel": f"{item.channel}.{item.part}" if item.part else item.channel,
        "value": item.value,
        "unit": item.unit,
        "quality": item.quality.value,
        "reason": item.reason,
        "observed_at": rfc3339(item.observed_ms),
        "received_at": rfc3339(item.received_ms),
        "time_source": item.time_source.value,
        "until": rfc3339(item.until_ms),
    }


def as_cells(row: dict[str, Any]) -> dict[str, str]:
    """The same in CSV, an apostrophe in front of what a spreadsheet would calculate."""
    value = row["value"]
    if isinstance(value, str) and value[:1] in tuple("=+-@'\t\r\n"):
        value = f"'{value}"
    return {**row, "value": "" if value is None else str(value)}


async def say(store: Store, time: Time, value: Value, quality: Quality = Quality.GOOD) -> None:
    time.ms += 60_000
    reason = "" if quality is Quality.GOOD else "out_of_range"
    reading = Reading(
        "seat", "mode", "di1", value, "1", quality, reason, time.now, time.now, TimeSource.HUB
    )
    feed(store, Report("seat", (reading,), time.now, True))
    await catch_up(store)


async def stored(folder: Path) -> tuple[Time, Store]:
    """Two days: five chapters, the hot log, late readings, a silence, odd and bad values."""
    time, store = await played(folder, 48)
    await store.upkeep.look()
    time.ms += 3 * HOUR  # all fell silent: a gap
    for value in ODD:
        await say(store, time, value)
    await say(store, time, 99, Quality.BAD)
    feed(store, report("d1", time.now, temperature=1))
    feed(store, report("d2", T0_MS + HOUR, TimeSource.QUEUED, time.now, temperature=2))
    time.ms += 120_000  # telemetry waits a minute for its commit
    await catch_up(store)
    return time, store


async def test_every_reading_is_there_in_both_forms(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    items = [expected(item) for item in await everything(store)]
    await store.close()
    assert len(items) > 5000
    assert lines(await export(config, "--format", "ndjson")) == items
    assert table(await export(config)) == [as_cells(item) for item in items]


async def test_it_reads_while_the_hub_writes_and_says_what_was_committed(
    tmp_path: Path, config: Path
) -> None:
    time, store = await stored(tmp_path)
    before = await everything(store)
    feed(store, report("d1", time.now + 1, temperature=55))  # waits for its commit
    found = lines(await export(config, "--format", "ndjson"))
    told = [{key: row[key] for key in row if key != "until"} for row in found]
    items = [expected(item) for item in before]
    assert told == [{key: row[key] for key in row if key != "until"} for row in items]
    await store.close()
    assert lines(await export(config, "--format", "ndjson"))[-1]["value"] == 55


async def test_a_device_a_channel_and_a_time_are_chosen(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    items = [expected(item) for item in await everything(store, device="d1")]
    await store.close()
    assert lines(await export(config, "--format", "ndjson", "--device", "d1")) == items
    from_ms, to_ms = T0_MS + 20 * HOUR, T0_MS + 30 * HOUR
    chosen = [
        item
        for item in items
        if item["channel"] == "temperature"
        and rfc3339(from_ms) <= item["observed_at"] < rfc3339(to_ms)
    ]
    assert chosen
    words = ("--device", "d1", "--channel", "temperature", "--format", "ndjson")
    times = ("--from", rfc3339(from_ms), "--to", rfc3339(to_ms))
    assert lines(await export(config, *words, *times)) == chosen
    on_the_clocks = ("--from", "2026-01-02T04:00", "--to", "2026-01-02T14:00")  # of Shanghai
    assert lines(await export(config, *words, *on_the_clocks)) == chosen
    assert {row["channel"] for row in table(await export(config, "--channel", "mode"))} == {
        "mode",
        "mode.di1",
    }
    assert {row["device"] for row in table(await export(config, "--channel", "mode.di1"))} == {
        "seat"
    }


async def test_times_of_the_centre_are_the_same_moments(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    await store.close()
    words = ("--device", "d1")
    plain, local = (
        table(await export(config, *words)),
        table(await export(config, *words, "--local")),
    )
    assert all(row["observed_at"].endswith("+08:00") for row in local)
    for key in ("observed_at", "received_at", "until"):
        assert [datetime.fromisoformat(row[key]) for row in local] == [
            datetime.fromisoformat(row[key]) for row in plain
        ]


async def test_numbers_and_texts_stay_apart_in_csv(tmp_path: Path, config: Path) -> None:
    time, store = Time(), await opened(tmp_path, Time())
    for value in (7, "7", -5, "-5"):
        await say(store, time, value)
    await store.close()
    rows = (await export(config)).split("\r\n")
    assert [row.split(",")[2] for row in rows[1:-1]] == ["7", '"7"', "-5", '"\'-5"']


async def test_hours_and_days_are_those_of_the_store(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    keys = [series.key for series in store.live.series.values() if series.key.device == "d1"]
    hours = {key.channel: await store.hours(key, 0, EVER) for key in keys}
    await store.close()
    found = lines(await export(config, "--device", "d1", "--step", "hour", "--format", "ndjson"))
    for key in keys:
        told = {
            row["from"]: (row["mean"], row["min"], row["max"], row["covered"])
            for row in found
            if row["channel"] == key.channel and row["covered"]
        }
        assert told == {
            rfc3339(hour.from_ms): (
                hour.mean,
                hour.low,
                hour.high,
                min(round(hour.covered_ms / HOUR, 6), 1),
            )
            for hour in hours[key.channel]
            if hour.covered_ms
        }
    assert any(row["share"] == {"heat": 1} for row in found)
    uncovered = [row for row in found if not row["covered"]]
    assert uncovered
    assert all(row["mean"] is None and not row["share"] for row in uncovered)
    days = table(await export(config, "--device", "d1", "--step", "day", "--local"))
    assert {row["from"][11:] for row in days[1:] if row["channel"] == "mode"} >= {
        "00:00:00.000+08:00"
    }


async def test_the_first_hour_is_told_from_the_first_reading_on(
    tmp_path: Path, config: Path
) -> None:
    time = Time()
    time.ms = -T0_MS % HOUR + 20 * 60_000
    store = await opened(tmp_path, time)
    for value in ("heat", "cool"):
        await say(store, time, value)
    await store.close()
    for step in ("hour", "day"):
        times = ("--to", rfc3339(time.now))
        rows = lines(await export(config, "--step", step, "--format", "ndjson", *times))
        assert [row["share"] for row in rows] == [{"heat": 1}], step


async def test_minutes_need_a_beginning(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    await store.close()
    ended = await run(config, "--step", "minute")
    assert (ended.status, "--from" in ended.errors) == (2, True)
    times = ("--from", rfc3339(T0_MS + 24 * HOUR), "--to", rfc3339(T0_MS + 30 * HOUR))
    words = ("--device", "d1", "--channel", "temperature", "--step", "minute")
    rows = table(await export(config, *words, *times))
    assert len(rows) == 360
    known = [row for row in rows if float(row["covered"])]
    assert 0 < len(known) < len(rows)
    assert all((row["mean"] == "") == (row not in known) for row in rows)


async def test_a_room_as_stretches_and_as_shares(tmp_path: Path, config: Path) -> None:
    time, store = await stored(tmp_path)
    for status, people in ((Status.FULL, 3), (Status.FREE, 0)):
        store.append_room(room("gym", status, people))
        time.ms += HOUR
        await catch_up(store)
    steps = await store.room_steps("gym", T0_MS, EVER)
    await store.close()
    words = ("--room", "gym", "--to", rfc3339(T0_MS + 80 * HOUR))
    found = table(await export(config, *words))
    told = [(row["from"], row["status"], row["people_mean"]) for row in found]
    assert told == [
        (rfc3339(s.from_ms), s.status.value, "" if s.people is None else str(s.people))
        for s in steps
    ]
    assert [row["to"] for row in found][:-1] == [rfc3339(s.to_ms) for s in steps][:-1]
    days = table(await export(config, *words, "--step", "day"))
    assert len(days) >= 3
    assert float(days[0]["in_use"]) == pytest.approx(2 / 3, abs=0.1)
    assert all(float(day["full"] or 0) + float(day["free"] or 0) <= 1 for day in days)


async def test_the_memory_of_the_reader_is_not_the_size_of_the_history(tmp_path: Path) -> None:
    from hub.export import lines as forms
    from hub.export.rows import AT_A_TIME, readings
    from hub.store.export import History
    from hub.store.spans import Window

    _, store = await stored(tmp_path)
    count = len(await everything(store))
    await store.close()
    with History(tmp_path / DATABASE) as history:
        span = Window(0, T0_MS + 100 * HOUR)
        pieces = list(readings(history, span, None, forms.Csv(rfc3339)))
    assert [piece.rows for piece in pieces[:-1]] == [AT_A_TIME] * (len(pieces) - 1)
    assert sum(piece.rows for piece in pieces) == count
    shares = [piece.share for piece in pieces]
    assert shares == sorted(shares)
    assert shares[-1] <= 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--device", "seet"), "seat"),
        (("--channel", "card.token"), "There is no channel"),
        (("--room", "hal"), "hall"),
        (("--room", "hall", "--device", "seat"), "--room goes with neither"),
        (("--from", "yesterday"), "--from is a date or a time"),
        (("--from", "2026-01-02", "--to", "2026-01-01"), "not before"),
    ],
)
async def test_wrong_usage_is_said_and_nothing_is_made(
    tmp_path: Path, config: Path, words: tuple[str, ...], said: str
) -> None:
    store = await opened(tmp_path, Time())
    feed(store, report("seat", T0_MS, motion=1))
    await store.close()
    ended = await run(config, "--output", str(tmp_path / "out"), *words)
    assert ended.status == 2
    assert said in ended.errors
    assert not any(name.startswith("out") for name in os.listdir(tmp_path))  # noqa: PTH208


async def test_without_a_history_or_with_an_old_one_it_says_what_to_do(
    tmp_path: Path, config: Path
) -> None:
    ended = await run(config, language="zh_CN.UTF-8")
    assert (ended.status, "没有历史" in ended.errors) == (1, True)
    with sqlite3.connect(tmp_path / DATABASE) as db:
        db.execute("CREATE TABLE migrations (version INTEGER)")
        db.execute("INSERT INTO migrations VALUES (1)")
    ended = await run(config, language="zh_TW.UTF-8")
    assert (ended.status, "啟動一次中樞" in ended.errors) == (1, True)


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, config: Path) -> None:
    await (await opened(tmp_path, Time())).close()
    ended = await run(config, "--output", str(tmp_path / "nowhere" / "out.csv"))
    assert ended.status == 1
    assert "No such file" in ended.errors


async def test_a_reader_that_has_seen_enough_is_no_mistake(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    await store.close()
    command = f"{sys.executable} -m hub.cli export --config {config} | head -c 100"
    process = await asyncio.create_subprocess_shell(
        f"set -o pipefail; {command}",
        executable="/bin/bash",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert (process.returncode, len(out), errors) == (0, 100, b"")


async def test_an_export_that_is_ended_leaves_nothing(tmp_path: Path, config: Path) -> None:
    _, store = await stored(tmp_path)
    await store.close()
    pipe = tmp_path / "out.part"
    os.mkfifo(pipe)  # the command fills it, and then waits for somebody to read
    command = [sys.executable, "-m", "hub.cli", "export", "--config", str(config)]
    process = await asyncio.create_subprocess_exec(
        *command, "--output", str(tmp_path / "out"), stderr=asyncio.subprocess.PIPE
    )
    reader = await asyncio.to_thread(pipe.open, "rb", 0)
    await asyncio.to_thread(reader.read, 1)  # no more: the rest would find room
    # not SIGINT: who starts the tests in the background has it ignored, also here
    process.send_signal(signal.SIGTERM)
    # what it holds in its buffer goes out before it ends, so somebody has to take it
    (_, errors), _ = await asyncio.gather(process.communicate(), asyncio.to_thread(reader.read))
    reader.close()
    assert (process.returncode, errors) == (1, b"")
    assert not any(name.startswith("out") for name in os.listdir(tmp_path))  # noqa: PTH208
