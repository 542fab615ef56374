"""One cause, one alert, through a real broker and a real hub: a gateway with 60 sensors dies, the
hub is killed meanwhile, somebody takes care of it, and the gateway returns."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import aiomqtt
import pytest

from tests.broker import Broker
from tests.flow.hub_in_haste import HastyHub
from tests.running_hub import RunningHub

SPEED = 200.0
SENSORS = [f"s-{number:02d}" for number in range(60)]
BRIDGE = "zigbee2mqtt/bridge/state"
CENTRE = (
    "rooms:\n"
    "  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}\n"
    "  - {id: cabin, name: {en: Health cabin}, floor: 3, kind: health_cabin, capacity: 2}\n"
    "devices:\n"
) + "".join(
    f"  - {{id: {name}, driver: zigbee2mqtt, room: {room}, link: {{mqtt: zigbee2mqtt/{name}}}}}\n"
    for name, room in zip(SENSORS, ("gym", "cabin") * 30, strict=True)
)


class WatchfulHub(HastyHub):
    def __init__(self, folder: Path, broker: int) -> None:
        super().__init__(folder, CENTRE, broker, SPEED)

    async def alerts(self, **params: str | int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = (await self.get("/api/v1/alerts", lang="en", **params))[
            "items"
        ]
        return found

    async def decisions(self) -> list[str]:
        return [line["action"] for line in (await self.get("/api/v1/audit"))["items"]]

    async def kept(self, number: int, state: str) -> None:
        """Wait until the disk has it: a power cut now loses nothing of it."""

        async def is_there() -> bool:
            uri = f"file:{self.data / 'linli.db'}?mode=ro"
            with contextlib.closing(sqlite3.connect(uri, uri=True)) as db:
                row = db.execute("SELECT body FROM alerts WHERE id = ?", (number,)).fetchone()
            return row is not None and bool(json.loads(row[0])["state"] == state)

        await self.until(is_there)

    async def all_alerted(self, number: int) -> None:
        """Wait until every sensor shows this alert."""

        async def is_marked() -> bool:
            devices = (await self.get("/api/v1/devices"))["items"]
            return [device["alerts"] for device in devices] == [[number]] * 60

        await self.until(is_marked)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker() as running:
        yield running


async def bridge(broker: Broker, state: str) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(BRIDGE, json.dumps({"state": state}), qos=1, retain=True)


async def everybody_speaks(broker: Broker, hub: RunningHub) -> None:
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        for name in SENSORS:
            await client.publish(f"zigbee2mqtt/{name}", '{"occupancy": true}', qos=1)

    async def is_heard() -> bool:
        devices = (await hub.get("/api/v1/devices"))["items"]
        return all(device["channels"] for device in devices)

    await hub.until(is_heard)


async def test_a_gateway_with_sixty_sensors_dies_and_returns(
    broker: Broker, tmp_path: Path
) -> None:
    await bridge(broker, "online")
    async with WatchfulHub(tmp_path, broker.port) as hub:
        await hub.connected()
        await everybody_speaks(broker, hub)
        assert await hub.alerts() == []
        alert = await one_alert_of_all(broker, hub)
        number = alert["id"]
        await hub.all_alerted(number)
        assert (await hub.get("/api/v1/status"))["alerts"] == {"raised": 1, "acknowledged": 0}
        page = (await hub.client.get("/devices/s-07?lang=en")).text
        assert f'href="/alerts/{number}"' in page

        done = await hub.client.post(f"/api/v1/alerts/{number}/acknowledge", json={})
        assert done.json()["state"] == "acknowledged"
        await hub.kept(number, "acknowledged")
        await hub.until(hub.decisions)
        hub.kill()
        await hub.start()
        await hub.connected()
        (again,) = await hub.alerts()
        assert {**alert, **{key: again[key] for key in ("state", *TAKEN)}} == again
        assert again["state"] == "acknowledged"
        await hub.all_alerted(number)

        await bridge(broker, "online")

        async def is_over() -> Any:
            return not await hub.alerts()

        await hub.until(is_over, 20)
        (over,) = await hub.alerts(state="cleared")
        assert (over["id"], over["state"]) == (number, "cleared")
        refused = await hub.client.post(f"/api/v1/alerts/{number}/acknowledge", json={})
        assert refused.status_code == 409
        assert await hub.decisions() == ["alert.acknowledge"]


TAKEN = ("acknowledged_at", "acknowledged_by")


async def one_alert_of_all(broker: Broker, hub: WatchfulHub) -> dict[str, Any]:
    """The gateway dies; all its sensors and their rooms are in one alert."""
    await bridge(broker, "offline")
    (alert,) = await hub.until(hub.alerts, 20)
    assert alert["kind"] == "gateway_down"
    assert alert["devices"] == SENSORS
    assert alert["rooms_blinded"] == ["cabin", "gym"]
    assert alert["severity"] == "urgent", "a health cabin is blind, and the house is open"
    assert "Health cabin, Gym" in alert["effect"]
    return cast("dict[str, Any]", alert)


async def test_the_stream_tells_alerts_from_their_first_to_their_last(
    broker: Broker, tmp_path: Path
) -> None:
    await bridge(broker, "online")
    async with WatchfulHub(tmp_path, broker.port) as hub:
        await hub.connected()
        await everybody_speaks(broker, hub)
        stream = hub.events(**{"Accept-Language": "zh-CN"})
        await bridge(broker, "offline")
        first = await next_alert(stream)
        assert first["state"] == "raised"
        assert "网关" in first["text"]
        await bridge(broker, "online")
        while (last := await next_alert(stream))["state"] != "cleared":
            assert last["id"] == first["id"]
        await stream.aclose()


async def next_alert(stream: Any) -> dict[str, Any]:
    async for name, _, document in stream:
        if name == "alert":
            found: dict[str, Any] = document
            return found
    raise AssertionError("the stream ended")
