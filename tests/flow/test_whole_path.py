"""Bytes in, answer out: a real hub, a real broker, real pseudo-terminals, asked over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiomqtt
import pytest
import pytest_asyncio

from simulator.wires import ld2410
from tests.broker import Broker
from tests.running_hub import RunningHub
from tests.serialport import SerialCable

CENTRE = """
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}
  - {id: lane, name: {en: Lane}, floor: 1, kind: corridor}
devices:
  - {id: gym-door, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/gym_door}}
  - {id: gym-pir, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/gym_pir}}
  - {id: lane-radar, driver: zigbee2mqtt, room: lane, link: {mqtt: zigbee2mqtt/lane}}
"""


async def say(broker: Broker, topic: str, payload: Any, *, retain: bool = False) -> None:
    body = payload if isinstance(payload, str | bytes) else json.dumps(payload)
    async with aiomqtt.Client("127.0.0.1", broker.port) as client:
        await client.publish(topic, body, qos=1, retain=retain)


@pytest.fixture
async def broker() -> AsyncIterator[Broker]:
    async with Broker() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHub]:
    """A hub for tests that only ask it, and leave it as it was."""
    folder = tmp_path_factory.mktemp("asked")
    async with Broker() as broker, RunningHub(folder, CENTRE, broker.port) as running:
        await running.connected()
        yield running


@pytest.fixture
async def hub(broker: Broker, tmp_path: Path) -> AsyncIterator[RunningHub]:
    async with RunningHub(tmp_path, CENTRE, broker.port) as running:
        await running.connected()
        yield running


async def room(hub: RunningHub, name: str) -> Any:
    return await hub.get(f"/api/v1/rooms/{name}", lang="en")


async def becomes(hub: RunningHub, name: str, status: str) -> Any:
    async def is_so() -> Any:
        found = await room(hub, name)
        return found if found["status"] == status else None

    return await hub.until(is_so)


async def test_a_message_becomes_a_status_with_a_reason_in_words(
    broker: Broker, hub: RunningHub
) -> None:
    assert (await room(hub, "gym"))["status"] == "unknown"
    await say(broker, "zigbee2mqtt/gym_pir", {"occupancy": True})
    found = await becomes(hub, "gym", "in_use")
    assert found["reasons"][0]["code"] == "motion"
    assert found["because"][0].startswith("Motion")
    chinese = await hub.get("/api/v1/rooms/gym", lang="zh-CN")
    assert chinese["name"] == "健身房"
    assert chinese["because"] != found["because"]


async def test_the_stream_says_what_the_route_says(broker: Broker, hub: RunningHub) -> None:
    stream = hub.events(**{"Accept-Language": "en"})
    assert (await anext(stream))[0] == "beat"
    await say(broker, "zigbee2mqtt/gym_pir", {"occupancy": True, "battery": 77})
    seen: dict[str, Any] = {}
    async with asyncio.timeout(5):
        while {"room", "device"} - seen.keys():
            name, _, document = await anext(stream)
            seen[name] = document
    assert seen["room"] == await room(hub, "gym")
    assert seen["device"] == await hub.get("/api/v1/devices/gym-pir")
    await stream.aclose()


async def test_a_client_that_comes_back_misses_nothing_or_is_told_so(
    broker: Broker, hub: RunningHub
) -> None:
    watching = hub.events()
    assert (await anext(watching))[0] == "beat"
    await say(broker, "zigbee2mqtt/gym_pir", {"battery": 50})
    async with asyncio.timeout(5):
        while not (first := await anext(watching))[1]:
            pass
    await say(broker, "zigbee2mqtt/gym_door", {"battery": 60})
    again = hub.events(**{"Last-Event-ID": first[1]})
    async with asyncio.timeout(5):
        name, _, document = await anext(again)
        while document.get("id") != "gym-door":
            name, _, document = await anext(again)
    assert name == "device"
    stale = hub.events(**{"Last-Event-ID": "00000000-1"})
    assert (await anext(stale))[0] == "reset"
    for stream in (watching, again, stale):
        await stream.aclose()


async def test_a_retained_message_sets_the_state_and_is_never_fresh(
    broker: Broker, tmp_path: Path
) -> None:
    await say(broker, "zigbee2mqtt/lane", {"presence": False}, retain=True)
    async with RunningHub(tmp_path, CENTRE, broker.port) as hub:
        await hub.connected()

        async def is_known() -> Any:
            device = await hub.get("/api/v1/devices/lane-radar")
            return device if device["channels"] else None

        device = await hub.until(is_known)
        assert device["channels"]["presence"]["value"] == 0
        assert device["last_heard"] is None
        assert device["health"] == "new"
        (reading,) = await hub.readings(channel="presence")
        assert reading["time_source"] == "retained"
        lane = await room(hub, "lane")
        assert lane["status"] == "unknown"
        assert "retained" in {reason["code"] for reason in lane["reasons"]}


async def test_what_waited_in_the_broker_is_queued_and_kept_in_order(
    broker: Broker, hub: RunningHub
) -> None:
    await say(broker, "zigbee2mqtt/gym_door", {"illuminance": 1})

    async def has_come() -> Any:
        return await hub.readings(channel="illuminance")

    await hub.until(has_come)
    await hub.stop()
    for value in (2, 3, 4):
        await say(broker, "zigbee2mqtt/gym_door", {"illuminance": value, "contact": True})
    await hub.start()

    async def all_there() -> Any:
        items = await hub.readings(channel="illuminance")
        return items if len(items) == 4 else None

    items = await hub.until(all_there)
    assert [(item["value"], item["time_source"]) for item in items] == [
        (1, "hub"),
        (2, "queued"),
        (3, "queued"),
        (4, "queued"),
    ]
    await say(broker, "zigbee2mqtt/gym_door", {"illuminance": 5})

    async def is_live() -> bool:
        last = (await hub.readings(channel="illuminance"))[-1]
        return bool(last["value"] == 5 and last["time_source"] == "hub")

    await hub.until(is_live)


async def test_a_lost_broker_is_told_and_its_return_too(broker: Broker, hub: RunningHub) -> None:
    await say(broker, "zigbee2mqtt/gym_pir", {"occupancy": True})
    await becomes(hub, "gym", "in_use")
    await broker.stop()

    async def is_down() -> bool:
        return bool((await hub.get("/readyz"))["links_down"])

    await hub.until(is_down, 15)
    assert (await hub.get("/api/v1/status"))["rooms"], "the hub goes on"
    await broker.start()
    await hub.connected()
    await say(broker, "zigbee2mqtt/gym_pir", {"battery": 12})

    async def is_heard() -> bool:
        channels = (await hub.get("/api/v1/devices/gym-pir"))["channels"]
        return "battery.level" in channels

    await hub.until(is_heard)


HOSTILE = [
    b"",
    b"\xff\xfe\x00",
    b"[1, 2]",
    b"[" * 1_000 + b"]" * 1_000,
    b'{"contact": ' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    b'{"battery": 1' + b"0" * 400 + b"}",
    b"{" + b" " * 300_000 + b"}",
    b'{"contact": {"a": 1}, "battery": NaN, "linkquality": "strong"}',
]


async def test_hostile_payloads_are_counted_and_the_service_goes_on(
    broker: Broker, hub: RunningHub
) -> None:
    for payload in HOSTILE:
        await say(broker, "zigbee2mqtt/gym_pir", payload)
    await say(broker, "zigbee2mqtt/gym_pir", {"occupancy": True})
    await becomes(hub, "gym", "in_use")
    metrics = (await hub.client.get("/metrics")).text
    for reason in ("malformed", "oversize"):
        assert f'linli_discards_total{{device="gym-pir",reason="{reason}"}}' in metrics
    assert "Traceback" not in hub.log.read_text()


async def test_an_unplugged_radar_ends_its_proof_at_once(tmp_path: Path) -> None:
    with SerialCable(tmp_path, "radar") as cable:
        text = (
            "rooms:\n  - {id: lane, name: {en: Lane}, floor: 1, kind: meeting}\ndevices:\n"
            f"  - {{id: eye, driver: ld2410, room: lane, link: {{serial: {cable.path}}}}}\n"
        )
        async with RunningHub(tmp_path, text) as hub:
            await hub.connected()
            cable.write(ld2410.report(ld2410.Target.STILL))
            await becomes(hub, "lane", "in_use")
            cable.unplug()
            found = await becomes(hub, "lane", "unknown")
            assert {reason["code"] for reason in found["reasons"]} == {"link_lost"}
            cable.plug()
            await hub.connected()
            cable.write(ld2410.report(ld2410.Target.BOTH))
            await becomes(hub, "lane", "in_use")


@pytest.mark.asyncio(loop_scope="module")
async def test_only_this_machine_by_its_own_name_and_pages_of_its_own(asked: RunningHub) -> None:
    other = await asked.client.get("/", headers={"Host": "evil.example"})
    assert other.status_code == 421
    foreign = await asked.client.get("/api/v1/status", headers={"Origin": "http://evil.example"})
    assert foreign.status_code == 403
    own = await asked.client.get(
        "/api/v1/status", headers={"Origin": f"http://127.0.0.1:{asked.port}"}
    )
    assert own.status_code == 200
    assert "default-src 'self'" in own.headers["content-security-policy"]


@pytest.mark.asyncio(loop_scope="module")
async def test_a_monitor_may_ask_for_the_head_alone(asked: RunningHub) -> None:
    for path in ("/healthz", "/readyz", "/", "/api/v1/status"):
        response = await asked.client.head(path)
        assert response.status_code == 200, path
        assert response.content == b""


async def test_a_device_that_invents_names_is_bounded(tmp_path: Path) -> None:
    text = CENTRE + ("  - {id: box, driver: tasmota, room: lane, link: {mqtt: box}}\n")
    async with Broker() as broker, RunningHub(tmp_path, text, broker.port) as hub:
        await hub.connected()
        for start in range(0, 1_000, 100):
            names = {f"DS{number}": {"Temperature": 20} for number in range(start, start + 100)}
            await say(broker, "tele/box/SENSOR", names)

        async def is_refused() -> bool:
            text = (await hub.client.get("/metrics")).text
            return "linli_readings_refused_total 800.0" in text

        await hub.until(is_refused)
        assert len((await hub.get("/api/v1/devices/box"))["channels"]) == 200


BAD = {
    "/api/v1/rooms/nowhere": 404,
    "/api/v1/devices/nobody": 404,
    "/api/v1/readings?device=nobody": 404,
    "/api/v1/readings?channel=bp.systolic": 404,
    "/api/v1/readings?from=yesterday": 422,
    "/api/v1/readings?from=2026-11-20T10:00:00": 422,
    "/api/v1/readings?limit=0": 422,
    "/api/v1/readings?cursor=nonsense": 422,
    f"/api/v1/readings?cursor={'9' * 26}.1": 422,
    "/api/v1/readings?from=2026-11-21T00:00:00Z&to=2026-11-20T00:00:00Z": 422,
    "/api/v1/rooms/gym/history?step=century": 422,
    "/api/v1/nothing": 404,
}


@pytest.mark.parametrize("path", BAD)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_bad_question_gets_a_problem_that_says_why(asked: RunningHub, path: str) -> None:
    response = await asked.client.get(path)
    assert response.status_code == BAD[path]
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["detail"]


@pytest.mark.asyncio(loop_scope="module")
async def test_every_route_is_documented(asked: RunningHub) -> None:
    paths = (await asked.get("/openapi.json"))["paths"]
    api = "status rooms rooms/{room} rooms/{room}/history devices devices/{device} readings events"
    api += " storage mirrors backups audit availability timetable rooms/{room}/overrides"
    api += " rooms/{room}/overrides/{number} rooms/{room}/explain"
    api += " faults faults/{number} alerts alerts/{number} alerts/{number}/acknowledge"
    api += " alerts/{number}/shelve alerts/{number}/unshelve alerts/{number}/assign nights"
    api += " notifications"
    api += " reports work-orders work-orders/{number} statistics"
    for decision in ("done", "confirm", "comment", "assign", "cancel"):
        api += f" work-orders/{{number}}/{decision}"
    probes = {"/healthz", "/readyz", "/metrics"}
    assert {f"/api/v1/{name}" for name in api.split()} | probes == set(paths)
    page = await asked.client.get("/docs")
    assert page.status_code == 200
    assert "/api/v1/rooms/{room}/history" in page.text
