"""Decision 6 on the real thing: a killed hub loses nothing that the broker held."""

from __future__ import annotations

import asyncio
import json
import random
from pathlib import Path

import aiomqtt
import pytest

from tests.broker import Broker
from tests.running_hub import RunningHub

MESSAGES = 5_000
KILLS = 30
DEVICES = 10
SEED = 20261122

ROOMS = "rooms:\n  - {id: gym, name: {en: Gym}, floor: 4, kind: gym}\ndevices:\n" + "".join(
    f"  - {{id: light{n}, driver: zigbee2mqtt, room: gym, link: {{mqtt: zigbee2mqtt/light{n}}}}}\n"
    for n in range(DEVICES)
)


async def publish(port: int, numbers: range) -> None:
    """Each message has a value of its own, so that every one of them is a change."""
    async with aiomqtt.Client("127.0.0.1", port, max_inflight_messages=100) as client:
        for number in numbers:
            payload = json.dumps({"illuminance": number})
            await client.publish(f"zigbee2mqtt/light{number % DEVICES}", payload, qos=1)


def values(items: list[dict[str, object]]) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {f"light{n}": [] for n in range(DEVICES)}
    for item in items:
        found[str(item["device"])].append(item["value"])
    return found


EXPECTED = {f"light{n}": list(range(n, MESSAGES, DEVICES)) for n in range(DEVICES)}


@pytest.mark.timeout(240)
async def test_killed_at_thirty_moments_nothing_is_lost_doubled_or_out_of_order(
    tmp_path: Path,
) -> None:
    moments = random.Random(SEED)
    share = MESSAGES // KILLS
    async with (
        Broker(inflight=1000, config=["max_queued_messages 20000"]) as broker,
        RunningHub(tmp_path, ROOMS, broker.port, inflight=1000) as hub,
    ):
        await hub.connected()
        for kill in range(KILLS):
            last = MESSAGES if kill == KILLS - 1 else (kill + 1) * share
            sending = asyncio.create_task(publish(broker.port, range(kill * share, last)))
            # from "nothing arrived yet" to "committed, perhaps acknowledged"
            await asyncio.sleep(moments.uniform(0.0, 1.3))
            hub.kill()
            await sending
            await hub.start()

        async def everything_arrived() -> bool:
            items = await hub.readings(channel="illuminance")
            return len(items) >= MESSAGES

        await hub.until(everything_arrived, 60)
        await hub.stop()
        await hub.start()
        assert values(await hub.readings(channel="illuminance")) == EXPECTED


async def test_sigterm_commits_everything_and_the_down_time_is_a_gap(tmp_path: Path) -> None:
    async with (
        Broker(inflight=20) as broker,
        RunningHub(tmp_path, ROOMS, broker.port) as hub,
    ):
        await hub.connected()
        await publish(broker.port, range(100))

        async def arrived() -> bool:
            return len(await hub.readings(channel="illuminance")) == 100

        await hub.until(arrived)
        before = await hub.readings(channel="illuminance")
        await hub.stop()
        await asyncio.sleep(1.5)  # the gap itself: time in which nobody watches
        await hub.start()
        after = await hub.readings(channel="illuminance")
        assert after == before, "coverage ends where it ended"
        history = (await hub.get("/api/v1/rooms/gym/history"))["items"]
        assert len(history) == 2, "one stretch before and one after, nothing between"
        assert history[0]["to"] < history[1]["from"]
        assert {item["status"] for item in history} == {"unknown"}
