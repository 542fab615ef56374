"""Decision 13: what a monitor or a card reader says goes nowhere, by any path.

Marked values are sent over real lines; then everything that can be read of the hub is searched.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path

from simulator.wires import and_tm265x, omron_bp, rdm6300
from tests.broker import Broker
from tests.running_hub import RunningHub
from tests.serialport import SerialCable

CARD = 3_808_980_205
PATIENT = "31415926535897932384"
SYSTOLIC, MEAN, DIASTOLIC, PULSE = 263, 229, 197, 211
MARKS = re.compile(rb"3808980205|31415926535897932384|\b(?:263|229|197|211)\b")
TIMES = re.compile(rb"\d{4}-\d\d-\d\dT[\d:.]+Z|/static/\w+|_created \S+|_sum \S+|id: \S+")
PERSONAL = ("bp.", "pulse.rate", "card.token")
PATHS = (
    "/api/v1/status",
    "/api/v1/rooms",
    "/api/v1/devices",
    "/api/v1/devices/cabin-bp",
    "/api/v1/devices/cabin-card",
    "/api/v1/readings",
    "/metrics",
    "/readyz",
    "/",
    "/devices",
    "/devices/cabin-bp",
    "/devices/cabin-card",
    "/rooms/cabin",
)


def centre(lines: dict[str, SerialCable]) -> str:
    rooms = "rooms:\n  - {id: cabin, name: {en: Cabin}, floor: 3, kind: health_cabin}\ndevices:\n"
    return rooms + "".join(
        f"  - {{id: {name}, driver: {driver}, room: cabin, link: {{serial: {lines[name].path}}}}}\n"
        for name, driver in (
            ("cabin-bp", "and_tm265x"),
            ("cabin-bp2", "omron_hbp9020"),
            ("cabin-card", "rdm6300"),
        )
    )


def frames() -> dict[str, bytes]:
    at = datetime(2026, 11, 20, 15, 20)  # noqa: DTZ001 - a monitor's clock knows no zone
    return {
        "cabin-bp": and_tm265x.result(at, SYSTOLIC, MEAN, DIASTOLIC, PULSE),
        "cabin-bp2": omron_bp.line(at, SYSTOLIC, MEAN, DIASTOLIC, PULSE).replace(
            omron_bp.NO_ID.encode(), PATIENT.encode()
        ),
        "cabin-card": rdm6300.frame(CARD),
    }


async def test_marked_values_are_nowhere(tmp_path: Path) -> None:
    cables = {name: SerialCable(tmp_path, name) for name in frames()}
    with cables["cabin-bp"], cables["cabin-bp2"], cables["cabin-card"]:
        async with (
            Broker() as broker,
            RunningHub(tmp_path, centre(cables), broker.port) as hub,
        ):
            await hub.connected(3)
            events = bytearray()
            following = asyncio.create_task(follow(hub, events))

            async def is_followed() -> bool:
                return bool(events)

            await hub.until(is_followed)
            for name, frame in frames().items():
                cables[name].write(frame)
                cables[name].write(frame[: len(frame) // 2])  # also a torn one, and noise
                cables[name].write(b"\xff\x00" + frame)

            async def all_heard() -> bool:
                devices = (await hub.get("/api/v1/devices"))["items"]
                return all(device["last_heard"] for device in devices)

            await hub.until(all_heard)
            for device in (await hub.get("/api/v1/devices"))["items"]:
                assert device["channels"] == {}
                assert device["health"] == "ok"
            for channel in ("bp.systolic", "pulse.rate", "card.token", "no.such.channel"):
                response = await hub.client.get("/api/v1/readings", params={"channel": channel})
                assert response.status_code == 404
                assert response.json()["type"] == "urn:linli:problem:unknown_channel"
            for path in PATHS:
                await search(hub, path)
            assert b"cabin-bp" in events, "the stream was followed"
            await hub.stop()
            await following
    assert not MARKS.search(TIMES.sub(b"", bytes(events))), "in the events"
    assert not MARKS.search(hub.log.read_bytes()), "in the log"
    search_files(hub.data)


async def follow(hub: RunningHub, events: bytearray) -> None:
    """Keep everything the event stream says until it ends."""
    async with hub.client.stream("GET", "/api/v1/events", timeout=None) as response:
        async for chunk in response.aiter_raw():
            events += chunk


async def search(hub: RunningHub, path: str) -> None:
    """No mark in an answer; times may hold any digits, so they are taken out first."""
    response = await hub.client.get(path)
    assert response.status_code == 200, path
    assert not MARKS.search(TIMES.sub(b"", response.content)), f"in {path}"


def search_files(folder: Path) -> None:
    """Not in the files either: no name of a personal channel, no card, nothing kept at all."""
    for file in folder.rglob("*"):
        if file.is_file():
            content = file.read_bytes()
            assert str(CARD).encode() not in content
            assert PATIENT.encode() not in content
            for name in PERSONAL:
                assert name.encode() not in content, f"{name} in {file.name}"
    (database,) = folder.glob("*.db")
    with closing(sqlite3.connect(database)) as db:
        tables = [row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type='table'")]
        assert tables
        for table in tables:
            for row in db.execute(f"SELECT * FROM {table}"):  # noqa: S608 - our own schema
                for field in row:
                    assert field not in (SYSTOLIC, MEAN, DIASTOLIC, PULSE, CARD)
