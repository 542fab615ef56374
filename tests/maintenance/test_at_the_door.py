"""A real hub that lets in only who may: strangers report at a door, and do nothing else."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.access import Role
from tests.access.closed_hub import Browser, ClosedHub

CENTRE = """
rooms:
  - {id: gym, name: {en: Gym}, floor: 4, kind: gym}
devices:
  - {id: gym-door, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/gym_door}}
notify: {public_url: "https://linli.example"}
"""
DOOR = "/rooms/gym/report"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ClosedHub]:
    hub = ClosedHub(tmp_path, ', names: ["https://linli.example"]', CENTRE)
    hub.account("wang", Role.MAINTENANCE)
    hub.account("li.na", Role.STAFF)
    async with hub:
        yield hub


async def tell(browser: Browser, words: str) -> int:
    return (await browser.send(DOOR, DOOR, what="light", words=words)).status_code


async def test_a_stranger_may_report_a_little_and_read_nothing(hub: ClosedHub) -> None:
    async with hub.browser() as stranger, hub.browser() as wang:
        assert await tell(stranger, "number 1") == 200
        wrong = await stranger.send(DOOR, DOOR, what="nonsense", words="<b>kept</b>")
        assert wrong.status_code == 422
        assert "&lt;b&gt;kept" in wrong.text  # what was typed is not lost
        for page in ("/reports", "/work-orders", "/batteries", f"{DOOR}/sheet"):
            assert (await stranger.get(page)).status_code in (303, 401), page
        assert (await stranger.get("/rooms/attic/report")).status_code == 404
        statuses = [await tell(stranger, f"number {n}") for n in range(2, 8)]
        assert statuses == [200, 200, 200, 429, 429, 429]
        await wang.sign_in("wang")
        shown = (await wang.get("/reports")).text
        assert "number 4" in shown
        assert "number 5" not in shown
        assert "https://linli.example/rooms/gym/report" in (await wang.get(f"{DOOR}/sheet")).text


async def test_staff_see_what_is_done_and_maintenance_does_it(hub: ClosedHub) -> None:
    async with hub.browser() as li, hub.browser() as wang:
        await li.sign_in("li.na")
        await wang.sign_in("wang")
        made = await wang.send(
            "/work-orders", "/work-orders", title="paint", room="gym", due="2026-01-05"
        )
        assert made.headers["location"] == "/work-orders/1"
        page = (await li.get("/work-orders/1")).text
        assert "paint" in page
        assert 'action="/work-orders/1/done"' not in page
        refused = await li.send("/account", "/work-orders/1/cancel", note="no")
        assert refused.status_code == 403
        for fields in ({"title": ""}, {"title": "x", "due": "never"}, {"title": "x", "room": "y"}):
            answer = await wang.send("/work-orders", "/work-orders", **fields)
            assert answer.status_code in (404, 422), fields
        assert (await wang.send("/work-orders", "/work-orders/x/done")).status_code == 404
        life = await wang.send(
            "/devices/gym-door/life",
            "/devices/gym-door/life",
            what="battery",
            day="2026-01-05",
            note="CR2450",
        )
        assert life.status_code == 303
        assert "CR2450" in (await li.get("/devices/gym-door/life")).text
        csv = (await li.get("/batteries.csv")).text
        assert csv.startswith("\ufeffDevice,")
