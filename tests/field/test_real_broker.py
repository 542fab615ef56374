"""A real hub and a real Mosquitto: what a newcomer to the broker finds at each moment."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker
from tests.field.trial import (
    CENTRE,
    CONFIG,
    DEVICES,
    GYM,
    LANE,
    ON,
    OTHER_PREFIX,
    STATE,
    Watcher,
    say,
    watching,
)
from tests.running_hub import RunningHub, config

CONFIGS = {CONFIG.format("trial", "gym"), CONFIG.format("trial", "lane")}
STATES = {STATE.format("trial", "gym"), STATE.format("trial", "lane")}
EVERYTHING = CONFIGS | STATES | {"linli/trial/status"}


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker(persistence=True) as running:
        yield running


@pytest.fixture
async def watcher(broker: Broker) -> AsyncIterator[Watcher]:
    async with watching(broker) as found:
        yield found


async def restart(hub: RunningHub, broker: Broker, rest: str) -> None:
    """With another file."""
    await hub.stop()
    rewrite(hub, broker, rest)
    await hub.start()


def rewrite(hub: RunningHub, broker: Broker, rest: str) -> None:
    file = Path(hub.command[hub.command.index("--config") + 1])
    file.write_text(config(hub.port, broker.port, rest))


def state(watcher: Watcher, room: str) -> Any:
    return watcher.document(STATE.format("trial", room))


async def test_rooms_are_devices_and_what_is_known_of_them_is_kept(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        assert watcher.kept.keys() == EVERYTHING
        assert state(watcher, "gym")["status"] == "unknown"
        assert state(watcher, "gym")["presence"] == "unknown"
        await hub.connected()
        await say(broker, "zigbee2mqtt/gym_pir", {"occupancy": True})
        await watcher.until(lambda _: state(watcher, "gym")["status"] == "in_use")
        shown = await hub.get("/api/v1/rooms/gym")
        said = state(watcher, "gym")
        assert said["reasons"] == [reason["code"] for reason in shown["reasons"]]
        same = ("status", "presence", "crowding", "people", "since", "confidence")
        assert {name: said[name] for name in same} == {name: shown[name] for name in same}


async def test_the_states_come_before_online(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port):
        await watcher.status("trial", b"online")
    topics = [topic for topic, _ in watcher.heard]
    assert set(topics[: topics.index("linli/trial/status")]) == CONFIGS | STATES


async def test_a_killed_hub_is_offline_and_a_stopped_one_too(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        hub.kill()
        await watcher.status("trial", b"offline")
        await hub.start()
        await watcher.status("trial", b"online")
        await hub.stop()
        await watcher.status("trial", b"offline")


async def test_a_room_that_is_gone_is_taken_away_also_by_a_hub_without_memory(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        await restart(hub, broker, f"{ON}rooms:\n{GYM}{DEVICES}")
        without_lane = EVERYTHING - {topic for topic in EVERYTHING if "lane" in topic}
        await watcher.until(lambda kept: kept.keys() == without_lane)
        await restart(hub, broker, CENTRE)
        await watcher.until(lambda kept: kept.keys() == EVERYTHING)
        (hub.data / "published.json").unlink()
        await restart(hub, broker, f"{ON}rooms:\n{LANE}")
        without_gym = EVERYTHING - {topic for topic in EVERYTHING if "gym" in topic}
        await watcher.until(lambda kept: kept.keys() == without_gym)


async def test_switched_off_it_takes_everything_back_and_stays_silent(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        await restart(hub, broker, CENTRE.removeprefix(ON))
        await watcher.until(lambda kept: not kept)

        async def has_forgotten() -> bool:
            return not (hub.data / "published.json").exists()

        await hub.until(has_forgotten)
        silence = len(watcher.heard)
        await hub.connected()
        await say(broker, "zigbee2mqtt/gym_pir", {"occupancy": True})

        async def is_in_use() -> bool:
            return bool((await hub.get("/api/v1/rooms/gym"))["status"] == "in_use")

        await hub.until(is_in_use)
        assert len(watcher.heard) == silence


async def test_another_prefix_moves_everything(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        await restart(hub, broker, OTHER_PREFIX + CENTRE.removeprefix(ON))
        moved = {topic.replace("homeassistant/", "home/ha/") for topic in EVERYTHING}
        await watcher.until(lambda kept: kept.keys() == moved)
        await watcher.status("trial", b"online")


async def test_two_centres_leave_each_other_alone(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    other = CONFIG.format("trial-gym", "hall")
    stranger = "homeassistant/sensor/boiler/config"
    await say(broker, other, {"device": {}}, retain=True)
    await say(broker, stranger, {"name": "Boiler"}, retain=True)
    await say(broker, CONFIG.format("trial", "old"), {"device": {}}, retain=True)
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.until(lambda kept: kept.keys() == EVERYTHING | {other, stranger})
        await restart(hub, broker, CENTRE.removeprefix(ON))
        await watcher.until(lambda kept: kept.keys() == {other, stranger})


async def test_a_broker_that_forgot_everything_is_told_again(
    broker: Broker, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port):
        async with watching(broker) as before:
            await before.status("trial", b"online")
        await broker.kill()
        (broker.folder / "mosquitto.db").unlink(missing_ok=True)
        await broker.start()
        async with watching(broker) as after:
            await after.status("trial", b"online")
            assert after.kept.keys() == EVERYTHING


async def test_home_assistant_that_starts_is_told_everything(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port):
        await watcher.status("trial", b"online")
        watcher.kept.clear()
        await say(broker, "homeassistant/status", "online")
        await watcher.until(lambda kept: kept.keys() >= EVERYTHING)


async def test_a_count_brings_people_and_crowding(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    gym = CONFIG.format("trial", "gym")
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        assert watcher.document(gym)["components"].keys() == {"status", "presence"}
        await hub.connected()
        await say(broker, "zigbee2mqtt/gym_count", {"people": 17})
        await watcher.until(lambda _: "people" in watcher.document(gym)["components"])
        await watcher.until(lambda _: state(watcher, "gym")["people"])
        assert watcher.document(gym)["components"].keys() >= {"people", "crowding"}
        assert state(watcher, "gym")["crowding"] == "high"
        await hub.stop()
        await hub.start()
        await watcher.status("trial", b"online")
        assert "people" in watcher.document(gym)["components"]


async def test_what_staff_say_goes_no_further(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        said = {"kind": "closed", "reason": "Herr Geheim is ill", "until": until}
        answer = await hub.client.post("/api/v1/rooms/gym/overrides", json=said)
        assert answer.status_code < 300, answer.text
        await watcher.until(lambda _: state(watcher, "gym")["status"] == "closed")
    everything = b"".join(payload for _, payload in watcher.heard)
    assert b"Geheim" not in everything
    assert b"local" not in everything.lower()
    assert b"gym-pir" not in everything


async def test_a_broker_that_is_away_holds_nothing_up(broker: Broker, tmp_path: Path) -> None:
    await broker.kill()
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:

        async def is_told() -> int:
            return hub.log.read_text().count("Home Assistant is not told")

        assert await hub.until(is_told) == 1
        assert (await hub.get("/api/v1/rooms/gym"))["status"] == "unknown"
        assert await hub.stop() < 8


async def test_a_frozen_broker_does_not_keep_the_hub_from_stopping(
    broker: Broker, watcher: Watcher, tmp_path: Path
) -> None:
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await watcher.status("trial", b"online")
        broker.freeze()
        try:
            await hub.stop(within_s=15)
        finally:
            broker.thaw()
    assert json.loads((hub.data / "published.json").read_text())
