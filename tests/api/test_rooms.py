"""Filters, answers that are ready, and what everybody may know."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest

from device_drivers.contract import Message, Sample
from edge.stamp import Stamp
from hub.api.pace import MOST, Pace
from hub.rooms.availability import BURST
from tests.api.whole_hub import WholeHub, whole_hub

BEGIN_S = 1_795_320_000.0  # noon of 22 November 2026 in Shanghai
CENTRE = """
buildings:
  - {id: main, name: {en: Main}}
  - {id: annex, name: {en: Annex}}
timetable:
  rooms: {yard: {hours: {mon-sun: "07:00-09:00"}}}
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, building: main, floor: 4, kind: gym, capacity: 6}
  - {id: hall, name: {en: Hall, zh-CN: 大厅}, building: main, floor: 1, kind: living_room}
  - {id: yard, name: {en: Yard, zh-CN: 院子}, building: annex, floor: 1, kind: gym}
  - {id: store, name: {en: Store}, building: annex, floor: 1, kind: storage}
devices:
  - {id: eye, driver: zigbee2mqtt, room: gym, link: {mqtt: a/eye}}
"""


class Hour:
    """A hub, and the time that the test says it is."""

    def __init__(self) -> None:
        self.now_s = BEGIN_S
        self.hub: WholeHub

    async def get(
        self, path: str, status: int = 200, known: str | None = None, language: str = "zh-CN"
    ) -> httpx.Response:
        headers = {"Accept-Language": language} | ({"If-None-Match": known} if known else {})
        response = await self.hub.client.get(f"/api/v1/{path}", headers=headers)
        assert response.status_code == status, response.text
        return response

    async def see(self, room: str, people: int) -> None:
        said = {"kind": "looked", "people": people}
        path = f"/api/v1/rooms/{room}/overrides"
        assert (await self.hub.client.post(path, json=said)).status_code == 200


@pytest.fixture
async def hour(tmp_path: Path) -> AsyncIterator[Hour]:
    hour = Hour()
    async with whole_hub(tmp_path, CENTRE, lambda: hour.now_s) as hour.hub:
        yield hour


def ids(response: httpx.Response) -> list[str]:
    document: dict[str, Any] = response.json()
    return [room["id"] for room in document.get("items", document.get("rooms", []))]


@pytest.mark.parametrize("path", ["rooms", "status"])
async def test_rooms_by_building_floor_kind_and_status(hour: Hour, path: str) -> None:
    await hour.see("gym", 2)
    assert ids(await hour.get(path)) == ["gym", "hall", "yard", "store"]
    assert ids(await hour.get(f"{path}?building=main")) == ["gym", "hall"]
    assert ids(await hour.get(f"{path}?building=main&building=annex&floor=1")) == [
        "hall",
        "yard",
        "store",
    ]
    assert ids(await hour.get(f"{path}?kind=gym&floor=4&floor=1")) == ["gym", "yard"]
    assert ids(await hour.get(f"{path}?status=in_use")) == ["gym"]
    assert ids(await hour.get(f"{path}?status=unknown&status=closed")) == ["hall", "yard", "store"]
    assert ids(await hour.get(f"{path}?status=free")) == []


@pytest.mark.parametrize(
    ("query", "allowed"),
    [
        ("building=man", "annex, main"),
        ("floor=2", "1, 4"),
        ("kind=gymn", "gym, living_room, storage"),
        ("status=open", "closed, full, in_use, free, unknown"),
        ("status=free&status=", "closed, full, in_use, free, unknown"),
    ],
)
async def test_a_value_that_is_not_there_is_refused_with_those_that_are(
    hour: Hour, query: str, allowed: str
) -> None:
    for path in ("rooms", "status"):
        problem = (await hour.get(f"{path}?lang=en&{query}", 422)).json()
        assert problem["type"] == "urn:linli:problem:bad_query"
        assert f"is one of {allowed}." in problem["detail"]


@pytest.mark.parametrize("path", ["status", "rooms", "rooms/gym", "rooms?kind=gym"])
async def test_who_has_it_already_is_told_so_until_it_changes(hour: Hour, path: str) -> None:
    first = await hour.get(path)
    tag = first.headers["etag"]
    same = await hour.get(path, 304, tag)
    assert (same.content, same.headers["etag"]) == (b"", tag)
    assert "content-type" not in same.headers
    other = await hour.get(path, known=tag, language="en")
    assert other.headers["etag"] != tag, "another language is another answer"
    await hour.see("gym", 3)
    new = await hour.get(path, known=f'{tag}, "else"')
    assert new.headers["etag"] != tag
    assert new.headers["cache-control"] == "private, no-cache"


async def test_the_ready_status_is_the_one_of_the_route(hour: Hour) -> None:
    """A query that only the route reads, and the same question without it."""
    await hour.see("hall", 4)
    for lang in ("en", "zh-TW"):
        ready = await hour.get(f"status?lang={lang}")
        routed = await hour.get(f"status?lang={lang}&x=1")
        assert ready.content == routed.content
        assert ready.headers["etag"] == routed.headers["etag"]
        head = await hour.hub.client.head(f"/api/v1/status?lang={lang}")
        assert (head.status_code, head.headers["etag"]) == (200, ready.headers["etag"])
    assert (await hour.hub.client.post("/api/v1/status")).status_code == 405


async def test_reasons_name_devices_by_what_they_are(hour: Hour) -> None:
    stamp = Stamp("eye", hour.hub.clock, ZoneInfo("UTC"))
    intake = hour.hub.parts.vitals.intake
    intake.report(stamp.report(Message((Sample("motion", 1, ""),))))
    room = (await hour.get("rooms/gym?lang=en")).json()
    assert "eye" in {reason["params"].get("device") for reason in room["reasons"]}
    assert any("motion sensor eye" in sentence for sentence in room["because"]), room["because"]


async def test_what_is_planned_is_told_with_each_room(hour: Hour) -> None:
    yard = (await hour.get("rooms/yard?lang=en")).json()
    assert (yard["status"], yard["opening"]["open"]) == ("closed", False)
    assert yard["opening"]["until"] == "2026-11-22T23:00:00.000Z"
    assert (await hour.get("rooms/gym")).json()["opening"]["until"] is None


# --- what everybody may know --------------------------------------------------------------------


async def test_availability_says_no_more_than_everybody_may_know(hour: Hour) -> None:
    await hour.see("gym", 5)
    response = await hour.get("availability?lang=en")
    gym = response.json()["items"][0]
    assert gym == {
        "id": "gym",
        "name": "Gym",
        "kind": "gym",
        "status": "in_use",
        "crowding": "high",
        "opening": {"open": True, "until": None, "purpose": None, "name": None, "limit": None},
    }
    assert set(response.json()) == {"items", "next", "as_of"}
    assert response.headers["cache-control"] == "public, max-age=10"
    assert "eye" not in response.text


async def test_availability_lists_the_rooms_that_a_visitor_may_look_for(hour: Hour) -> None:
    listed = [room["id"] for room in (await hour.get("availability")).json()["items"]]
    assert listed == ["gym", "hall", "yard"]
    assert [room["id"] for room in (await hour.get("rooms?kind=storage")).json()["items"]] == [
        "store"
    ]


async def test_availability_is_written_every_ten_seconds_whatever_happens(hour: Hour) -> None:
    first = await hour.get("availability")
    await hour.see("gym", 5)
    hour.now_s += 9
    assert (await hour.get("availability")).content == first.content
    await hour.get("availability", 304, first.headers["etag"])
    hour.now_s += 1
    assert (await hour.get("availability")).content != first.content


async def test_who_asks_too_often_is_told_when_to_come_again(hour: Hour) -> None:
    for _ in range(BURST):
        await hour.get("availability")
    refused = await hour.get("availability?lang=en", 429)
    assert refused.headers["content-type"] == "application/problem+json"
    assert int(refused.headers["retry-after"]) >= 1
    assert json.loads(refused.content)["type"] == "urn:linli:problem:too_often"


def test_a_bucket_fills_up_again_and_the_table_stays_small() -> None:
    now_s = 0.0
    pace = Pace(2, 0.5, lambda: now_s)
    assert [pace.wait_s("10.0.0.1") for _ in range(4)] == [0, 0, 2, 2]
    assert pace.wait_s("10.0.0.2") == 0, "others have their own"
    now_s = 2.0
    assert [pace.wait_s("10.0.0.1") for _ in range(2)] == [0, 2]
    for number in range(MOST + 50):
        pace.wait_s(f"2001:db8:{number // 65536:x}:{number % 65536:x}::1")
    assert len(pace) == MOST
    assert [pace.wait_s(f"2001:db8::{end}") for end in range(4)] == [0, 0, 2, 2], "one /64 is one"
