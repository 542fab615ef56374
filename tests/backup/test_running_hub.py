"""A real hub under load: backed up while it runs, restored, and asked for the same values."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import aiomqtt

from tests.broker import Broker
from tests.running_hub import RunningHub

CENTRE = """
rooms: [{id: gym, name: {en: Gym}, floor: 4, kind: gym}]
devices:
  - {id: eye, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/eye}}
"""


async def send(broker: Broker, first: int, stop: asyncio.Event) -> int:
    """Numbers without a pause, each once; the first one that was not sent."""
    number = first
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        while not stop.is_set():
            # presence turns each time: an event, committed within a second
            payload = json.dumps({"presence": bool(number % 2), "illuminance": number})
            await client.publish("zigbee2mqtt/eye", payload, qos=1)
            number += 1
            await asyncio.sleep(0.001)
    return number


async def linli(*words: str | Path) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "hub.cli", *map(str, words),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


def values(items: list[dict[str, Any]]) -> list[Any]:
    return [(item["value"], item["observed_at"], item["quality"]) for item in items]


async def test_what_was_committed_before_a_backup_comes_back(tmp_path: Path) -> None:
    config = ("--config", tmp_path / "centre.yaml", "--data", tmp_path / "data")
    stick = tmp_path / "stick"
    stick.mkdir()
    async with Broker(inflight=20) as broker, RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await hub.connected()
        stop = asyncio.Event()
        sending = asyncio.create_task(send(broker, 0, stop))

        async def many() -> bool:
            return len(await hub.readings(channel="illuminance")) > 200

        await hub.until(many, 30)
        before = values(await hub.readings(channel="illuminance"))
        status, said = await linli("backup", stick, *config)
        assert status == 0, said
        (file,) = stick.iterdir()
        status, said = await linli("restore", file, *config)
        assert (status, "A hub uses" in said) == (1, True)
        stop.set()
        sent = await sending

        async def all_there() -> bool:
            return len(await hub.readings(channel="illuminance")) == sent

        await hub.until(all_there, 30)
        everything = values(await hub.readings(channel="illuminance"))
        await hub.stop()
        status, said = await linli("restore", file, *config)
        assert status == 0, said
        assert "the state before is in" in said
        await hub.start()
        restored = values(await hub.readings(channel="illuminance"))

    assert restored == everything[: len(restored)], "a beginning of what there was, bit by bit"
    assert len(before) - 200 < len(restored) < len(everything)
