"""Line protocol, resending and the cursor against Debian's InfluxDB 1.6.7, behind the shim.

This is no test of InfluxDB 2 or 3; ``test_real_influxdb.py`` is, where one is given.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Generator
from pathlib import Path

import pytest

from device_drivers.contract import Quality
from hub.mirror import rules, service
from hub.mirror.lines import LineWriter
from hub.mirror.service import State
from hub.store.outbox import MirrorCursor
from tests.influxd import Influxd, Shim, new
from tests.mirror.making import CENTRE, NOON_MS, MemorySource, change, changes, room_point, until
from tests.mirror.protocol import parse
from tests.mirror.trial import Trial


@pytest.fixture(scope="module")
def one_influxd(tmp_path_factory: pytest.TempPathFactory) -> Generator[Influxd, None, None]:
    with new(tmp_path_factory.mktemp("influx")) as running:
        yield running


@pytest.fixture
def influxd(one_influxd: Influxd) -> Influxd:
    """Empty."""
    one_influxd.ask('DROP DATABASE "linli"')
    one_influxd.ask('CREATE DATABASE "linli"')
    return one_influxd


@pytest.fixture
def shim(influxd: Influxd) -> Generator[Shim, None, None]:
    with Shim(influxd) as running:
        yield running


@pytest.fixture
async def trial(shim: Shim, token_file: Path) -> AsyncGenerator[Trial, None]:
    made = Trial(shim.url, token_file)
    yield made
    await made.mirror.close()


async def test_every_value_and_every_time_arrives(influxd: Influxd, trial: Trial) -> None:
    wanted = trial.history(5_000)

    await trial.steps()

    assert influxd.values("temperature") == wanted
    assert trial.source.rejected == []


async def test_ties_gaps_texts_and_rooms_arrive_as_they_are(influxd: Influxd, trial: Trial) -> None:
    odd = 'says "a\\b",\n= 你好 #'
    trial.source.commits = [
        (
            (
                change(1, tie=0),
                change(2, tie=1),
                change(3, tie=999_999, gap_from_ms=NOON_MS - 60_000),
                change(None, channel="humidity", quality=Quality.BAD, reason="malformed"),
                change(odd, channel="mode", part="a b,c=d"),
                change(float("nan"), channel="co2"),
            ),
            (room_point("in_use", people=3),),
        )
    ]

    await trial.steps()

    base = NOON_MS * 1_000_000
    assert influxd.values("temperature") == {base: 1, base + 1: 2, base + 999_999: 3}
    assert influxd.values("humidity", "quality") == {base: "bad"}
    assert influxd.values("humidity", "reason") == {base: "malformed"}
    assert influxd.values("mode", "text") == {base: odd}
    assert influxd.values("co2", "text") == {base: "nan"}
    assert influxd.values("gap", "seconds") == {base - 60_000 * 1_000_000: 60}
    assert influxd.values("room", "status") == {base: "in_use"}
    assert influxd.values("room", "code") == {base: 2}
    (series,) = influxd.ask('SELECT "text" FROM "mode" GROUP BY *')
    assert series["tags"] == {
        "building": "main",
        "centre": "hongmei",
        "device": "climate",
        "floor": "4",
        "part": "a b,c=d",
        "room": "gym",
    }
    assert trial.source.rejected == []


async def test_writing_it_all_again_changes_nothing(influxd: Influxd, trial: Trial) -> None:
    wanted = trial.history(500)
    await trial.steps()

    trial.source.cursor = MirrorCursor()
    await trial.steps()

    assert influxd.values("temperature") == wanted
    ((_, count),) = influxd.ask('SELECT count("value") FROM "temperature"')[0]["values"]
    assert count == 500


async def test_a_field_of_another_type_is_set_aside_and_the_rest_goes_on(
    influxd: Influxd, trial: Trial
) -> None:
    foreign_line = f'humidity,centre=x value="wet" {NOON_MS * 1_000_000}'.encode()
    status, _ = influxd.request("POST", "/write?db=linli", foreign_line)
    assert status == 204
    wanted = trial.history(200)
    foreign = [change(50 + at, NOON_MS + at, channel="humidity") for at in range(3)]
    trial.source.commits.insert(5, (tuple(foreign), ()))

    await trial.steps()

    assert influxd.values("temperature") == wanted
    assert [line.partition(",")[0] for line, _ in trial.source.rejected] == ["humidity"] * 3
    assert all("conflict" in reason for _, reason in trial.source.rejected)


async def test_a_missing_database_is_an_alarm_that_waits(influxd: Influxd, trial: Trial) -> None:
    wanted = trial.history(20)
    influxd.ask('DROP DATABASE "linli"')
    await trial.steps(State.ALARM)
    assert trial.mirror.trouble is not None
    assert trial.mirror.trouble.code == "mirror.not_found"

    influxd.ask('CREATE DATABASE "linli"')
    await trial.steps()
    assert influxd.values("temperature") == wanted


async def test_killed_in_the_middle_nothing_is_missing_and_nothing_doubled(
    tmp_path: Path, token_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three times: while it works, and right after it stored a request, before its answer."""
    monkeypatch.setattr(rules, "BACKOFF_S", (0.05, 0.2))
    monkeypatch.setattr(service, "POLL_S", 0.02)
    with new(tmp_path) as influxd, Shim(influxd) as shim:
        trial = Trial(shim.url, token_file)
        made = changes(20_000)
        trial.source.commits = MemorySource(made, commit=400).commits
        wanted = {
            point.at_ns: point.fields["value"]
            for point in map(parse, LineWriter(CENTRE).lines(made))
        }
        shim.after = {2: influxd.kill, 5: influxd.kill}
        running = asyncio.create_task(trial.mirror.run())
        for _ in range(2):
            await until(lambda: trial.mirror.state is State.WAITING)
            assert trial.source.cursor.commit < len(trial.source.commits)
            await asyncio.to_thread(influxd.start)
            await until(lambda: trial.mirror.state is not State.WAITING)
        shim.after = {shim.requests + 1: influxd.kill}
        trial.source.cursor = MirrorCursor()
        await until(lambda: trial.mirror.state is State.WAITING)
        await asyncio.to_thread(influxd.start)
        await until(
            lambda: (
                trial.mirror.state is State.OK
                and trial.source.cursor.commit == len(trial.source.commits)
            )
        )
        running.cancel()
        await asyncio.wait({running})
        await trial.mirror.close()

        assert influxd.values("temperature") == wanted
        assert trial.source.rejected == []
