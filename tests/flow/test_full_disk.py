"""A full disk costs history at worst, never the live state; and it is said, and it heals."""

from __future__ import annotations

import errno
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import aiomqtt
import pytest

from tests.broker import Broker
from tests.running_hub import RunningHub

CENTRE = """
rooms: [{id: gym, name: {en: Gym}, floor: 4, kind: gym}]
devices:
  - {id: eye, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/eye}}
"""
MESSAGES = 200  # far more than the broker's window of 20


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "data"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk here: run as root to test a full one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(file: Path) -> None:
    """Until nothing more fits."""
    with file.open("wb", buffering=0) as out:
        for size in (65_536, 1):
            try:
                while True:
                    out.write(b"x" * size)
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise


async def send(broker: Broker, numbers: range) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for number in numbers:
            payload = json.dumps({"presence": True, "illuminance": number})
            await client.publish("zigbee2mqtt/eye", payload, qos=1)


async def test_live_state_goes_on_and_what_waited_is_written_when_there_is_room(
    small_disk: Path, tmp_path: Path
) -> None:
    async with Broker(inflight=20) as broker, RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await hub.connected()
        await send(broker, range(10))

        async def all_committed() -> bool:
            text = (await hub.client.get("/metrics")).text
            return "linli_storage_in_memory 0.0" in text and "linli_messages_total 10.0" in text

        await hub.until(all_committed, 70)
        ballast = small_disk / "ballast"
        fill(ballast)
        await send(broker, range(10, MESSAGES))

        async def is_announced() -> bool:
            return bool((await hub.get("/readyz"))["storage"] == "failing")

        await hub.until(is_announced, 30)

        async def is_live() -> bool:
            eye = await hub.get("/api/v1/devices/eye")
            return bool(eye["channels"]["illuminance"]["value"] == MESSAGES - 1)

        await hub.until(is_live, 30)
        assert (await hub.get("/api/v1/rooms/gym"))["status"] == "in_use"
        ballast.unlink()

        async def is_well() -> bool:
            return bool((await hub.get("/readyz"))["storage"] == "ok")

        await hub.until(is_well, 30)
        await hub.stop()
        await hub.start()
        values = [item["value"] for item in await hub.readings(channel="illuminance")]
        assert values == list(range(MESSAGES))
        log = hub.log.read_text()
        assert log.count("cannot be written") == 1, "said once"
        assert log.count("is written again") == 1, "its end too"
