"""The whole way: a broker, a hub with a mirror, InfluxDB 1.6.7 behind the shim, and the command."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import aiomqtt
import pytest

from tests.broker import Broker
from tests.influxd import BUCKET, ORG, TOKEN, Influxd, Shim, new
from tests.running_hub import RunningHub

CENTRE = """
mirrors:
  - {{kind: influxdb, url: "{url}", org: {org}, bucket: {bucket}, token_file: {token_file}}}
rooms:
  - {{id: gym, name: {{en: Gym}}, floor: 4, kind: gym, capacity: 20}}
devices:
  - {{id: climate, driver: zigbee2mqtt, room: gym, link: {{mqtt: zigbee2mqtt/climate}}}}
  - {{id: door, driver: zigbee2mqtt, room: gym, link: {{mqtt: zigbee2mqtt/door}}}}
"""


@pytest.fixture
def influxd(tmp_path: Path) -> Iterator[Influxd]:
    with new(tmp_path) as running:
        yield running


@pytest.fixture
def shim(influxd: Influxd) -> Iterator[Shim]:
    with Shim(influxd) as running:
        yield running


class Scene:
    """A hub, its broker, and what was said to it."""

    def __init__(self, hub: RunningHub, broker: Broker, folder: Path) -> None:
        self.hub = hub
        self._broker = broker
        self._folder = folder

    async def say(self, *payloads: dict[str, Any], device: str = "climate") -> None:
        async with aiomqtt.Client("127.0.0.1", self._broker.port) as client:
            for payload in payloads:
                await client.publish(f"zigbee2mqtt/{device}", json.dumps(payload), qos=1)

    async def mirror(self) -> Any:
        (found,) = (await self.hub.get("/api/v1/mirrors", lang="en"))["items"]
        return found

    async def becomes(self, state: str) -> Any:
        async def is_so() -> Any:
            found = await self.mirror()
            return found if found["state"] == state else None

        return await self.hub.until(is_so, 30)

    async def settled(self, points: int) -> Any:
        """Wait until so many points, and everything, are acknowledged."""

        async def is_so() -> Any:
            found = await self.mirror()
            is_all = found["points"] >= points and not found["commits_behind"]
            return found if is_all and found["state"] == "ok" else None

        return await self.hub.until(is_so, 30)

    async def has(self, influxd: Influxd, channel: str) -> dict[int, Any]:
        """Wait until the server has exactly what the hub has; what that is."""

        async def is_so() -> Any:
            items = await self.hub.readings(channel=channel)
            ours = [(ms(item["observed_at"]), item["value"]) for item in items]
            theirs = await asyncio.to_thread(influxd.values, channel)
            told = [(at // 1_000_000, value) for at, value in sorted(theirs.items())]
            return theirs if ours and told == ours else None

        found: dict[int, Any] = await self.hub.until(is_so, 30, 0.1)
        return found

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Status and output of `linli mirror ...`."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "hub.cli", "mirror", *arguments,
            "--config", str(self._folder / "centre.yaml"), "--data", str(self.hub.data),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        assert process.returncode is not None
        assert TOKEN not in said.decode()
        return process.returncode, said.decode()


def ms(time: str) -> int:
    return round(datetime.fromisoformat(time).timestamp() * 1000)


@pytest.fixture
async def scene(tmp_path: Path, shim: Shim, token_file: Path) -> AsyncIterator[Scene]:
    rest = CENTRE.format(url=shim.url, org=ORG, bucket=BUCKET, token_file=token_file)
    async with Broker(persistence=True) as broker, RunningHub(tmp_path, rest, broker.port) as hub:
        await hub.connected()
        yield Scene(hub, broker, tmp_path)


def contacts(count: int) -> list[dict[str, Any]]:
    return [{"contact": at % 2 == 0} for at in range(count)]


async def test_what_the_hub_hears_is_on_the_server_a_moment_later(
    scene: Scene, influxd: Influxd
) -> None:
    await scene.say(*contacts(9), device="door")
    await scene.has(influxd, "contact")

    found = await scene.settled(9)
    assert found["last_error"] is None
    assert found["rejected"] == 0
    assert set(influxd.values("room", "status").values()) <= {"unknown", "in_use", "free"}
    metrics = (await scene.hub.client.get("/metrics")).text
    assert 'linli_mirror_state{mirror="influxdb",state="ok"} 1.0' in metrics


async def test_both_are_killed_in_the_middle_and_nothing_is_missing_and_nothing_doubled(
    scene: Scene, influxd: Influxd
) -> None:
    await scene.say(*contacts(20), device="door")
    await scene.has(influxd, "contact")
    await asyncio.to_thread(influxd.kill)
    await scene.say(*contacts(20), device="door")
    waiting = await scene.becomes("waiting")
    assert waiting["last_error"]["code"] in ("mirror.unreachable", "mirror.broken")
    assert waiting["oldest_unsent"] is not None

    scene.hub.kill()
    await asyncio.to_thread(influxd.start)
    await scene.hub.start()
    await scene.hub.connected()
    await scene.say(*contacts(20), device="door")

    assert len(await scene.has(influxd, "contact")) >= 60
    await scene.becomes("ok")
    assert await scene.hub.stop() < 10


async def test_status_rewind_and_verify_while_the_hub_runs(scene: Scene, influxd: Influxd) -> None:
    await scene.say(*contacts(8), device="door")
    before = await scene.has(influxd, "contact")
    status, said = await scene.command("status")
    assert (status, said.splitlines()[0]) == (0, "as the hub says")
    assert "influxdb: ok" in said

    influxd.ask('DROP MEASUREMENT "contact"')
    assert influxd.values("contact") == {}
    status, said = await scene.command("rewind", "--all")
    assert status == 0, said
    assert await scene.has(influxd, "contact") == before
    await scene.settled(16)

    assert await scene.hub.stop() < 10
    status, said = await scene.command("status")
    assert status == 0
    assert "from the database" in said.splitlines()[0]
    assert "0 commits not sent" in said
    status, said = await scene.command("verify")
    assert status == 0, said
    assert "every point that was acknowledged is there, and the same" in said

    at = sorted(before)[3]
    influxd.ask(f'DELETE FROM "contact" WHERE time = {at}')  # noqa: S608 - a number
    tags = "centre=trial,building=trial,floor=4,room=gym,device=door"
    wrong = f"contact,{tags} value=7 {max(before)}"
    influxd.request("POST", "/write?db=linli", wrong.encode())
    status, said = await scene.command("verify", "--json")
    tally = json.loads(said)["channels"]["contact"]
    assert status == 1
    assert (tally["missing"], tally["different"], tally["extra"]) == (1, 1, 0)
    assert tally["here"] == len(before)


async def test_a_rewind_from_a_time_sends_what_came_after_it(
    scene: Scene, influxd: Influxd
) -> None:
    await scene.say(*contacts(8), device="door")
    await scene.has(influxd, "contact")
    await scene.settled(8)
    assert await scene.hub.stop() < 10
    with sqlite3.connect(scene.hub.data / "linli.db") as db:
        (last,) = db.execute("SELECT max(last_ms) FROM log WHERE body NOT NULL").fetchone()
    db.close()
    after = datetime.fromtimestamp(last / 1000 + 1).astimezone().isoformat()
    assert (await scene.command("rewind", "--from", after))[0] == 0
    assert "will begin again from" in (await scene.command("status"))[1]

    influxd.ask('DROP MEASUREMENT "contact"')
    await scene.hub.start()
    await scene.hub.connected()
    await scene.becomes("ok")
    assert influxd.values("contact") == {}


async def test_a_line_that_the_server_refuses_is_shown_by_the_command(
    scene: Scene, influxd: Influxd
) -> None:
    now_ns = int(datetime.now().astimezone().timestamp()) * 1_000_000_000
    influxd.request("POST", "/write?db=linli", f'humidity value="wet" {now_ns}'.encode())
    await scene.say({"humidity": 41.5, "temperature": 21.25})
    await scene.say(*contacts(2), device="door")  # an event; what waits goes with it
    await scene.has(influxd, "temperature")

    async def is_aside() -> bool:
        return bool((await scene.mirror())["rejected"] == 1)

    await scene.hub.until(is_aside, 30)
    status, said = await scene.command("status")
    assert "1 line set aside" in said
    assert "field type conflict" in said
    assert "humidity,building=trial" in said
    await scene.hub.stop()
    status, said = await scene.command("verify", "--json")
    assert status == 0, said
    assert json.loads(said)["channels"].get("humidity", {"set_aside": 1})["set_aside"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["rewind"], "Add --from TIME"),
        (["rewind", "--from", "yesterday"], "is a date or a time"),
        (["rewind", "--all", "--mirror", "elsewhere"], "There is: influxdb"),
        (["verify", "--from", "2026-11-22T00:00:00Z", "--to", "2026-11-21T00:00:00Z"], "before"),
        (["verify", "--from", "2026-11-22", "--to", "2026-11-22T00:00"], "before"),
        (["verify", "--from", "2026-11-22", "--to", "2026-11-21T16:00:00Z"], "before"),
    ],
)
async def test_a_wrong_command_says_what_is_wrong(
    tmp_path: Path, token_file: Path, arguments: list[str], words: str
) -> None:
    rest = CENTRE.format(url="http://127.0.0.1:1", org=ORG, bucket=BUCKET, token_file=token_file)
    hub = RunningHub(tmp_path, rest)
    await hub.client.aclose()
    async with Broker() as broker:
        status, said = await Scene(hub, broker, tmp_path).command(*arguments)

    assert status == 2
    assert words in said


async def test_without_history_the_command_says_so(tmp_path: Path, token_file: Path) -> None:
    rest = CENTRE.format(url="http://127.0.0.1:1", org=ORG, bucket=BUCKET, token_file=token_file)
    hub = RunningHub(tmp_path, rest)
    await hub.client.aclose()
    async with Broker() as broker:
        for what in (["status"], ["rewind", "--all"], ["verify"]):
            status, said = await Scene(hub, broker, tmp_path).command(*what)
            assert status == 1
            assert "There is no history" in said
