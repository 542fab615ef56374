"""History over HTTP on a real store: steps, pages, parts, gaps and what is refused."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import httpx
import pytest
from fastapi import FastAPI
from msgspec import structs

from edge.reading import TimeSource
from hub.api.answers import handle_errors
from hub.devices import api as devices_api
from hub.domain.centre import Centre, Device, Room
from hub.domain.device import ChannelState, DeviceState, Health
from hub.domain.errors import UnknownDeviceError, UnknownRoomError
from hub.domain.room import RoomState, Status
from hub.domain.views import RoomStep
from hub.rooms import api as rooms_api
from hub.store.store import Store
from tests.store.making import T0_MS, Time, catch_up, feed, opened, report, room

MINUTE, HOUR = 60_000, 3_600_000
START = "2026-01-01T00:00:00Z"  # T0


class Views:
    """Rooms, devices and clock of a hub with one room and one device, on a real store."""

    def __init__(self, store: Store, time: Time, zone: str) -> None:
        device = Device("d", "ld2410", {}, "tried", 10 * MINUTE, 5_000)
        self.centre = Centre("trial", {"en": "Trial"}, zone, (), (), (), (device,))
        self._store = store
        self._time = time

    def now_ms(self) -> int:
        return self._time.now

    def rooms(self) -> Sequence[Room]:
        return ()

    def state(self, name: str) -> RoomState:
        if name != "gym":
            raise UnknownRoomError(name)
        return room(name, Status.FREE)

    async def steps(self, name: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        return await self._store.room_steps(name, from_ms, to_ms)

    def device(self, name: str) -> DeviceState:
        if name != "d":
            raise UnknownDeviceError(name)
        said = {
            f"{s.key.channel}.{s.key.part}".rstrip("."): ChannelState(
                s.value, s.unit, s.quality, s.reason, s.observed_ms, s.until_ms
            )
            for s in self._store.live.by_device.get("d", ())
        }
        return DeviceState("d", "ld2410", None, None, None, "tried", Health.OK, None, said)


@dataclass
class Asked:
    """A client, and the store behind what it asks."""

    client: httpx.AsyncClient
    store: Store
    time: Time

    async def get(self, path: str, **params: str | int) -> Any:
        response = await self.client.get(f"/api/v1/{path}", params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def items(self, path: str, **params: str | int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, **params, **cursor)
            found += page["items"]
            if page["next"] is None:
                return found
            cursor = {"cursor": page["next"]}

    async def refused(self, path: str, **params: str | int) -> str:
        response = await self.client.get(f"/api/v1/{path}", params={"lang": "en", **params})
        assert response.status_code == 422, response.text
        return str(response.json()["detail"])


@asynccontextmanager
async def asking(folder: Path, zone: str = "Asia/Shanghai") -> AsyncIterator[Asked]:
    time = Time()
    store = await opened(folder, time)
    views: Any = Views(store, time, zone)
    app = FastAPI()
    app.include_router(rooms_api.routes(views, Mock(), views))
    app.include_router(devices_api.routes(views, store, views, views.centre))
    handle_errors(app, Mock())
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield Asked(client, store, time)
    await store.close()


async def live(hub: Asked, minutes: range, **values: Any) -> None:
    for minute in minutes:
        hub.time.ms = minute * MINUTE
        feed(hub.store, report("d", hub.time.now, **values))
    await catch_up(hub.store)


async def test_a_channel_by_minute_hour_and_day(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        await live(hub, range(0, 90, 5), temperature=20)
        await live(hub, range(90, 121, 5), temperature=26)
        asked: dict[str, Any] = {"device": "d", "channel": "temperature", "from": START}
        first, second = await hub.items("readings", step="hour", **asked)
        assert first == {
            "device": "d",
            "channel": "temperature",
            "from": "2026-01-01T00:00:00.000Z",
            "to": "2026-01-01T01:00:00.000Z",
            "mean": 20.0,
            "min": 20,
            "max": 20,
            "share": {},
            "covered": 1.0,
        }
        assert (second["mean"], second["min"], second["max"]) == (23.0, 20, 26)
        minutes = await hub.items("readings", step="minute", limit=50, **asked)
        assert len(minutes) == 120
        assert [item["mean"] for item in minutes[88:92]] == [20, 20, 26, 26]
        (day,) = await hub.items("readings", step="day", **asked)
        assert (day["from"], day["to"]) == (first["from"], second["to"])
        assert (day["mean"], day["covered"]) == (21.5, 1.0)


async def test_a_gap_is_listed_as_a_gap(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        await live(hub, range(0, 31, 5), temperature=20)
        await live(hub, range(240, 301, 5), temperature=20)
        asked: dict[str, Any] = {"device": "d", "channel": "temperature", "from": START}
        hours = await hub.items("readings", step="hour", **asked)
        assert [hour["covered"] for hour in hours] == [0.5, 0, 0, 0, 1]
        assert hours[1]["mean"] is None
        assert hours[1]["share"] == {}


async def test_yes_and_no_are_shares_of_the_covered_time(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        await live(hub, range(0, 15, 5), contact=1)
        await live(hub, range(15, 61, 5), contact=0)
        asked: dict[str, Any] = {"device": "d", "channel": "contact", "from": START}
        (hour,) = await hub.items("readings", step="hour", **asked)
        assert hour["share"] == {"0": 0.75, "1": 0.25}


async def test_a_late_reading_is_in_the_minutes_at_once_and_in_the_bounds(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        await live(hub, range(0, 65, 5), temperature=20)
        feed(hub.store, report("d", T0_MS + 7 * MINUTE, TimeSource.QUEUED, temperature=31))
        asked: dict[str, Any] = {"device": "d", "channel": "temperature", "from": START}
        minutes = await hub.items("readings", step="minute", **asked)
        assert [(m["max"], m["mean"]) for m in minutes[6:9]] == [(20, 20), (31, 20), (20, 20)]


async def test_a_part_is_named_or_is_the_only_one(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        parts = report("d", T0_MS, contact=1)
        for name in ("di1", "di2"):
            said = tuple(structs.replace(one, part=name) for one in parts.readings)
            feed(hub.store, structs.replace(parts, readings=said))
            hub.time.ms = MINUTE
            asked: dict[str, Any] = {"device": "d", "step": "minute", "from": START}
            if name == "di1":
                (item,) = await hub.items("readings", channel="contact", **asked)
                assert item["channel"] == "contact.di1"
        detail = await hub.refused("readings", channel="contact", **asked)
        assert "contact.di1, contact.di2" in detail
        (item,) = await hub.items("readings", channel="contact.di2", **asked)
        assert item["channel"] == "contact.di2"


async def test_what_cannot_be_summed_up_is_refused_in_words(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        assert "one device and channel" in await hub.refused("readings", step="hour", device="d")
        assert "one device" in await hub.refused("readings", step="day", channel="contact")
        asked = {"device": "d", "channel": "contact", "step": "hour"}
        assert "good values" in await hub.refused("readings", quality="bad", **asked)
        assert "cursor" in await hub.refused("readings", cursor="1.2.3", **asked)
        assert "cursor" in await hub.refused("rooms/gym/history", cursor="x")
        await hub.refused("rooms/gym/history", limit=10_001)
        for channel in ("bp.systolic", "bp.systolic.x", "contact.", "nothing", "card.token.x"):
            params = {**asked, "channel": channel}
            response = await hub.client.get("/api/v1/readings", params=params)
            assert response.status_code == 404, channel
        response = await hub.client.get("/api/v1/rooms/none/history", params={"step": "day"})
        assert response.status_code == 404


async def test_a_room_by_hour_and_its_stretches_by_page(tmp_path: Path) -> None:
    async with asking(tmp_path) as hub:
        for minute in range(0, 180, 15):
            hub.time.ms = minute * MINUTE
            used = minute % 60 < 15
            state = room("gym", Status.IN_USE if used else Status.FREE, 4 if used else 0)
            hub.store.append_room(state)
        hub.time.ms = 180 * MINUTE
        await catch_up(hub.store)
        asked: dict[str, Any] = {"from": "2025-12-31T23:00:00Z"}
        hours = await hub.items("rooms/gym/history", step="hour", limit=3, **asked)
        assert [hour["covered"] for hour in hours] == [0, 1, 1, 1]
        assert hours[0] | {"from": "", "to": ""} == {
            "from": "",
            "to": "",
            "people_mean": None,
            "covered": 0.0,
            "share": {},
        }
        assert hours[2]["share"] == {"in_use": 0.25, "free": 0.75}
        assert hours[2]["people_mean"] == 1.0
        raw = await hub.items("rooms/gym/history", limit=2, **asked)
        assert [item["status"] for item in raw] == ["in_use", "free"] * 3
        assert "share" not in raw[0]
        assert all(a["to"] == b["from"] for a, b in pairwise(raw))


@pytest.mark.parametrize(
    ("zone", "begin", "end", "lengths"),
    [
        ("Asia/Shanghai", "+08:00", "+08:00", [24, 24, 24]),
        ("Asia/Kolkata", "+05:30", "+05:30", [24, 24, 24]),
        ("Europe/Berlin", "+01:00", "+02:00", [24, 23, 24]),
    ],
)
async def test_days_are_those_of_the_centre(
    tmp_path: Path, zone: str, begin: str, end: str, lengths: list[int]
) -> None:
    async with asking(tmp_path, zone) as hub:
        hub.time.ms = 86 * 24 * HOUR  # 2026-03-28
        hub.store.append_room(room("gym", Status.FREE))
        for half in range(0, 5 * 48):
            hub.time.ms = 86 * 24 * HOUR + half * HOUR // 2
            feed(hub.store, report("d", hub.time.now, temperature=half))
            for repeat in (9, 18, 27):
                at = hub.time.now + repeat * MINUTE
                feed(hub.store, report("d", at, temperature=half))
        await catch_up(hub.store)
        asked: dict[str, Any] = {
            "from": f"2026-03-28T00:00:00{begin}",
            "to": f"2026-03-31T00:00:00{end}",
            "step": "day",
        }
        named = {"device": "d", "channel": "temperature"}
        days = await hub.items("readings", **asked, **named)
        minutes = await hub.items("readings", **asked | {"step": "minute"}, **named, limit=10_000)
        assert len(minutes) == sum(lengths) * 60
        at = 0
        for day, length in zip(days, lengths, strict=True):
            inside = minutes[at : at + length * 60]
            at += length * 60
            assert (day["from"], day["to"]) == (inside[0]["from"], inside[-1]["to"])
            covered = sum(minute["covered"] for minute in inside)
            assert day["covered"] * len(inside) == pytest.approx(covered, abs=0.1)
            weighted = sum(m["covered"] * (m["mean"] or 0) for m in inside)
            assert day["mean"] == pytest.approx(weighted / covered, abs=1e-4)
        rooms = await hub.items("rooms/gym/history", **asked)
        assert [(day["from"], day["to"]) for day in rooms] == [(d["from"], d["to"]) for d in days]
        assert all(day["share"] == {"free": 1} for day in rooms)
