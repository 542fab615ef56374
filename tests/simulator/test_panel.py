"""The panel: its buttons do what they say, and nobody else may press them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from edge.clock import Clock
from simulator.faults import Fault
from simulator.panel.server import panel
from simulator.panel.words import TEXTS
from simulator.world import SECOND, CardShown, Measured
from tests.simulator.test_house import Lived

PORT = 9911
HOME = f"http://127.0.0.1:{PORT}"
JSON = {"accept": "application/json"}


@pytest.fixture
async def lived(tmp_path: Path) -> AsyncIterator[Lived]:
    lived = Lived(tmp_path, empty=True)
    yield lived
    lived.house.stop()


@pytest.fixture
async def page(lived: Lived) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(panel(lived.house, Clock(), PORT))
    async with httpx.AsyncClient(transport=transport, base_url=HOME) as client:
        yield client


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW", "en"])
async def test_the_page_names_every_room_in_each_language(
    page: httpx.AsyncClient, lived: Lived, language: str
) -> None:
    answer = await page.get("/", params={"lang": language})
    assert answer.status_code == 200
    assert f'<html lang="{language}">' in answer.text
    for room in lived.house.centre.rooms:
        assert room.name[language].replace("'", "&#39;") in answer.text


async def test_the_page_carries_its_guards(page: httpx.AsyncClient) -> None:
    headers = (await page.get("/")).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    text = (await page.get("/")).text
    assert "style=" not in text
    assert "onclick" not in text


async def test_motion_brings_somebody(page: httpx.AsyncClient, lived: Lived) -> None:
    answer = await page.post("/rooms/meeting/motion", headers=JSON)
    lived.live(2)
    assert answer.status_code == 204
    assert lived.said("meeting-motion")[-1]["motion"] == 1


async def test_without_script_a_button_leads_back_to_the_page(page: httpx.AsyncClient) -> None:
    answer = await page.post("/doors/gym-door/open", params={"lang": "en"})
    assert answer.status_code == 303
    assert answer.headers["location"] == "/?lang=en"


async def test_state_shows_the_open_door(page: httpx.AsyncClient, lived: Lived) -> None:
    await page.post("/doors/gym-door/open", headers=JSON)
    lived.live(2)
    rooms = (await page.get("/state")).json()["rooms"]
    gym = next(room for room in rooms if room["id"] == "gym")
    assert gym["doors"][0]["is_open"] is True


async def test_unplug_and_plug_in(page: httpx.AsyncClient, lived: Lived) -> None:
    port = lived.house.devices["cabin-bp"]
    await page.post("/devices/cabin-bp/break/unplugged", headers=JSON)
    assert port.fault is Fault.UNPLUGGED
    await page.post("/devices/cabin-bp/repair", headers=JSON)
    assert port.fault is None


async def test_measure_is_seen_by_reader_and_monitor(page: httpx.AsyncClient, lived: Lived) -> None:
    answer = await page.post("/rooms/cabin/measure", headers=JSON)
    facts = lived.house.world.advance(lived.now_ms + 10 * SECOND)
    assert answer.status_code == 204
    told = [fact for fact in facts if isinstance(fact, CardShown | Measured)]
    assert [type(fact) for fact in told] == [CardShown, Measured]
    assert {fact.place for fact in told} == {"cabin"}


@pytest.mark.parametrize(
    "path",
    [
        "/rooms/nowhere/motion",
        "/doors/nowhere/open",
        "/devices/nowhere/repair",
        "/devices/gym-door/break/unplugged",
        "/devices/gym-door/break/melted",
        "/devices/nowhere/break/silent",
        "/rooms/gym/break/silent",
        "/rooms/gym/demolish",
    ],
)
async def test_what_does_not_exist_cannot_be_pressed(page: httpx.AsyncClient, path: str) -> None:
    assert (await page.post(path)).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"origin": HOME}, 303),
        ({"origin": HOME, "sec-fetch-site": "same-origin"}, 303),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"host": "evil.example"}, 421),
        ({"host": "127.0.0.1:1"}, 421),
    ],
)
async def test_only_its_own_page_may_press(
    page: httpx.AsyncClient, lived: Lived, headers: dict[str, str], status: int
) -> None:
    answer = await page.post("/devices/gym-door/break/silent", headers=headers)
    assert answer.status_code == status
    assert (lived.house.devices["gym-door"].fault is not None) == (status == 303)


async def test_a_foreign_name_sees_nothing(page: httpx.AsyncClient) -> None:
    answer = await page.get("/state", headers={"host": "rebound.example:9911"})
    assert answer.status_code == 421
    assert "rooms" not in answer.text


def test_every_text_exists_in_every_language() -> None:
    assert all(len(texts) == 3 and all(texts) for texts in TEXTS.values())
    assert {f"now_{fault}" for fault in Fault} | set(Fault) <= TEXTS.keys()
