"""Every page over HTTP: one address with two shapes, three languages, nothing inline."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from hub.domain.room import Status, Text
from hub.domain.views import CopyState, StorageState
from hub.texts import render
from tests.web.sample_app import Stream, make
from tests.web.sample_centre import NOW_MS, SampleHub

PAGES = [
    "/",
    "/?view=plan",
    "/?status=free&building=main",
    "/?kind=gym&status=full&view=plan",
    "/wall",
    "/rooms/hall",
    "/rooms/care",
    "/rooms/hall?span=week",
    "/rooms/care?span=month",
    "/devices",
    "/devices/hall-climate",
    "/devices/hall-climate?channel=temperature&span=hour",
    "/devices/hall-climate?channel=temperature&span=week",
    "/devices/hall-radar-1?span=month",
    "/devices/storage-lock",
    "/storage",
    "/nowhere",
]


@pytest.fixture
def hub() -> SampleHub:
    return SampleHub()


@pytest.fixture
async def client(hub: SampleHub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make(hub, Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client


@pytest.mark.parametrize("language", ["zh-CN", "zh-TW", "en"])
async def test_a_wall_names_no_port_and_nobody_and_the_board_does(
    client: httpx.AsyncClient, hub: SampleHub, language: str
) -> None:
    closed = Text("override_closed", {"author": "li.na", "time": NOW_MS, "why": "The floor is wet"})
    lost = Text("link_lost", {"link": "/dev/serial/by-id/gym-radar"})
    hub.change("gym", status=Status.UNKNOWN, people=None, reasons=(lost,))
    hub.change("lecture", status=Status.CLOSED, reasons=(closed,))
    hub.down = {"/dev/serial/by-id/gym-radar": "gone"}
    absent = Text("backup.absent", {"path": "/media/stick"})
    hub.copied = [CopyState("backup", "", None, absent, needs_people=True)]
    wall = (await client.get(f"/wall?lang={language}")).text
    board = (await client.get(f"/?lang={language}")).text
    for name in ("gym-radar", "li.na", "/media/stick"):
        assert name not in wall
        assert name in board
    assert "The floor is wet" in wall
    for code in ("wall.link_lost", "ui.some_links_down"):
        assert render(Text(code, {"count": 1}), language) in wall


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("language", ["zh-CN", "zh-TW", "en"])
async def test_a_page_has_its_language_and_nothing_inline(
    client: httpx.AsyncClient, path: str, language: str
) -> None:
    html = (await client.get(path, headers={"Accept-Language": language})).text
    assert f'<html lang="{language}"' in html
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", html)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", html))
    assert "http://" not in html
    assert "https://" not in html


@pytest.mark.parametrize("path", PAGES[:-1])
async def test_the_live_part_is_what_the_page_itself_shows(
    client: httpx.AsyncClient, path: str
) -> None:
    whole = (await client.get(path)).text
    part = (await client.get(path, headers={"HX-Request": "true"})).text
    assert "<html" not in part
    assert part.strip() in whole


async def test_asking_for_a_language_is_remembered(client: httpx.AsyncClient) -> None:
    answer = await client.get("/?lang=en")
    assert answer.cookies["lang"] == "en"
    assert '<html lang="en"' in (await client.get("/devices")).text


async def test_a_live_part_never_changes_the_remembered_language(client: httpx.AsyncClient) -> None:
    answer = await client.get("/?lang=en", headers={"HX-Request": "true"})
    assert "lang" not in answer.cookies


@pytest.mark.parametrize(
    "path",
    [
        "/rooms/nowhere",
        "/?view=x",
        "/?floor=x",
        "/?kind=palace",
        "/?status=happy",
        "/devices/nothing",
        "/devices?room=x",
        "/devices?health=x",
        "/rooms/hall?span=x",
        "/devices/hall-climate?span=x",
        "/devices/hall-climate?channel=x",
        "/x",
    ],
)
async def test_what_is_not_there_is_said_on_a_page(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path, headers={"Accept-Language": "en"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'href="/"' in answer.text


async def test_devices_are_listed_worst_first_and_filtered(client: httpx.AsyncClient) -> None:
    page = (await client.get("/devices")).text
    ids = re.findall(r'id="device-([^"]+)"', page)
    assert ids[:3] == ["care-door", "care-radar", "children-climate"]
    assert len(ids) == len(set(ids)) == 20
    assert re.findall(r'id="fold-([^"]+)"', page)[-2:] == ["storage", "none"]
    page = (await client.get("/devices?health=silent&room=care")).text
    assert re.findall(r'id="device-([^"]+)"', page) == ["care-door", "care-radar"]
    page = (await client.get("/devices?health=faulty&room=care&lang=en")).text
    assert "No device matches" in page


async def test_the_board_shows_the_rooms_that_were_asked_for(client: httpx.AsyncClient) -> None:
    page = (await client.get("/?building=annex&status=free&lang=en")).text
    assert re.findall(r'<li [^>]*id="room-([^"]+)"', page) == ["storage", "meeting"]
    assert "East annex" in page
    assert '<option value="free" selected>' in page
    plan = (await client.get("/?view=plan&floor=3&lang=en")).text
    assert set(re.findall(r'id="(?:wide|drawn)-([^"]+)"', plan)) == {"cabin", "care"}
    nothing = (await client.get("/?kind=gym&status=full&lang=en")).text
    assert "No room matches." in nothing


async def test_a_room_says_what_is_planned_and_what_would_make_it_surer(
    client: httpx.AsyncClient, hub: SampleHub
) -> None:
    page = (await client.get("/rooms/reading?lang=en")).text
    assert "Reading club until 15:00" in page
    assert "11:00\N{EN DASH}15:00 Reading club" in page
    care = (await client.get("/rooms/care?lang=en")).text
    why, surer = care.split("What would make it surer")
    assert "A door contact" not in why
    assert "door" in surer.split("</ul>")[0]
    hub.change("care", confidence=0.992)
    assert "right 99.2 % of the time" in (await client.get("/rooms/care?lang=en")).text
    hall = (await client.get("/rooms/hall?lang=en")).text
    assert "Counters set to zero in the empty room, 06:02; off by 2" in hall


async def test_a_room_shows_what_staff_said_and_lets_them_say_more(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/rooms/lecture?lang=en")).text
    assert "Floor polished" in page
    assert 'action="/rooms/lecture/overrides"' in page
    live = (await client.get("/rooms/lecture?lang=en", headers={"HX-Request": "true"})).text
    assert "<form" not in live  # or typing would be lost at each change


async def test_a_bad_value_is_shown_with_its_reason(client: httpx.AsyncClient) -> None:
    page = (await client.get("/devices/children-climate?lang=en")).text
    assert "85\N{NO-BREAK SPACE}°C" in page
    assert "out of range" in page


async def test_trouble_of_the_hub_is_said_in_words(
    client: httpx.AsyncClient, hub: SampleHub
) -> None:
    assert "notices" not in (await client.get("/?lang=en")).text
    hub.stored = StorageState(NOW_MS - 600_000, in_memory=214, lost=3)
    hub.down = {"mqtt": "refused"}
    hub.factor = 20
    hub.trusted = False
    trouble = Text("mirror.unauthorized", {"status": 401})
    hub.copied = [
        CopyState("mirror", "influxdb", None, trouble, needs_people=True),
        CopyState("mirror", "patient", None, trouble),
    ]
    page = (await client.get("/?lang=en")).text
    assert "has not been set since it was switched on" in page
    assert "Nothing can be written to disk since 14:21" in page
    assert "3 changes of history are lost" in page
    assert "Mirror influxdb needs attention. The server does not accept" in page
    assert "patient" not in page
    assert "Connection lost: the MQTT broker (connection refused)" in page
    assert "time runs 20 times faster" in page


async def test_browser_files_keep_for_a_year_and_change_with_their_content(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/")).text
    links = set(re.findall(r'(?:href|src)="(/static/[^"#]+)', page))
    assert len(links) >= 10
    for link in links:
        answer = await client.get(link)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    old = await client.get("/static/0123456789ab/css/board.css")
    assert (old.status_code, old.headers["cache-control"]) == (200, "no-cache")
    assert (await client.get("/static/x/css/%2E%2E/page.py")).status_code == 404


async def test_pages_are_never_cached(client: httpx.AsyncClient) -> None:
    answer = await client.get("/")
    assert answer.headers["cache-control"] == "no-store"
    assert "HX-Request" in answer.headers["vary"]
