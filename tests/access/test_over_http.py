"""What a crowd at the door, a screen that is long in use and a large form get, over a real port."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from hub.access import passwords
from hub.access.guard import Guard
from hub.access.hosts import Hosts
from hub.access.office import Office
from hub.access.pages import pages
from hub.access.passwords import RETRY_AFTER_S, WAITING, WORKERS
from hub.access.refusals import Refusals
from hub.access.rules import DAY_MS, MAX_PASSWORD, RENEW_MS, SCREEN_MS
from hub.api.answers import handle_errors
from hub.domain.access import LOCAL
from hub.rooms import pages as room_pages
from hub.rooms.beside import Beside
from hub.web.forms import MAX_FORM
from hub.web.page import Frame
from tests.access.closed_hub import FORM, PASSWORD
from tests.access.disk import Door
from tests.web.sample_centre import SampleHub
from tests.web.sample_past import explain
from tests.web.sample_plans import SamplePlans

NOW = 1_795_000_000_000
WITHIN_S = 10


class Entrance:
    """The guard and the pages behind it, and the accounts they ask."""

    def __init__(self, door: Door, port: int) -> None:
        self.door, self.port = door, port
        self.url = f"http://127.0.0.1:{port}"

    @asynccontextmanager
    async def client(self, number: int = 1) -> AsyncIterator[httpx.AsyncClient]:
        """A browser on our pages; each machine of the house has its own number."""
        transport = httpx.AsyncHTTPTransport(local_address=f"127.0.0.{number}")
        headers = {"Origin": self.url}
        async with httpx.AsyncClient(
            base_url=self.url, transport=transport, headers=headers, timeout=WITHIN_S
        ) as client:
            yield client

    async def sign_in(self, name: str, password: str, number: int = 1) -> httpx.Response:
        async with self.client(number) as client:
            return await client.post("/sign-in", data={"name": name, "password": password})


@pytest.fixture
async def entrance(tmp_path: Path) -> AsyncIterator[Entrance]:
    door, listener = Door(tmp_path, NOW), socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    hub = SampleHub()
    frame, plans, web = Frame(hub.centre, hub), SamplePlans(hub), FastAPI()
    beside = Beside(plans.overrides, plans, plans.drawings, plans.zeroings, explain)
    handle_errors(web, frame.error)
    web.include_router(pages(door.access, frame, port))
    web.include_router(room_pages.pages(hub, hub, hub, beside))
    guard = Guard(web, door.access, Hosts([], port, is_tls=False), port, Refusals(frame.error))
    server = uvicorn.Server(uvicorn.Config(guard, log_level="critical", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield Entrance(door, port)
    server.should_exit = True
    await serving
    door.close()


async def test_who_comes_while_a_crowd_signs_in_is_told_when_to_come_again(
    entrance: Entrance, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, may_go_on = threading.Semaphore(0), threading.Event()
    check = passwords.check_password

    def slow(password: str, hashed: str | None) -> tuple[bool, str | None]:
        inside.release()
        assert may_go_on.wait(WITHIN_S)
        return check(password, hashed)

    monkeypatch.setattr(passwords, "check_password", slow)
    crowd = [
        asyncio.create_task(entrance.sign_in(f"name{number}", "a wrong one", 10 + number))
        for number in range(WORKERS + WAITING)
    ]
    for _ in range(WORKERS):
        assert await asyncio.to_thread(inside.acquire, timeout=WITHIN_S)
    async with asyncio.timeout(WITHIN_S):
        worker = entrance.door.access._passwords
        while worker._inside < WORKERS + WAITING:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0)
    await nobody_more_gets_in(entrance)
    may_go_on.set()
    assert {answer.status_code for answer in await asyncio.gather(*crowd)} == {422}
    again = await entrance.sign_in("root", PASSWORD, 2)
    assert again.status_code == 303, "none of it counted as wrong"
    assert "set-cookie" in again.headers


async def nobody_more_gets_in(entrance: Entrance) -> None:
    for language, words in (
        ("en", "Too many people"),
        ("zh-CN", "登录的人太多"),
        ("zh-TW", "登入"),
    ):
        async with entrance.client(2) as client:
            answer = await client.post(
                "/sign-in",
                data={"name": "root", "password": PASSWORD},
                headers={"Accept-Language": language},
            )
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == str(RETRY_AFTER_S)
        assert "set-cookie" not in answer.headers
        assert words in answer.text
        assert 'value="root"' in answer.text, "the name stays"
        assert PASSWORD not in answer.text


async def test_a_screen_in_use_gets_its_whole_time_again_once_a_month(entrance: Entrance) -> None:
    door = entrance.door
    code = await Office(door.access).add_screen(LOCAL, "wall")
    async with entrance.client() as screen:
        paired = await screen.post("/screen/pair", data={"code": code})
        key = screen.cookies[f"linli-{entrance.port}"]
        assert f"Max-Age={SCREEN_MS // 1000}" in paired.headers["set-cookie"]
        assert "set-cookie" not in (await screen.get("/wall")).headers, "it is new"

        door.at_ms += RENEW_MS + DAY_MS
        renewed = (await screen.get("/wall")).headers["set-cookie"]
        assert re.fullmatch(
            rf"linli-{entrance.port}={key}; Path=/; HttpOnly; SameSite=Lax; "
            rf"Max-Age={SCREEN_MS // 1000}",
            renewed,
        )
        assert "set-cookie" not in (await screen.get("/wall")).headers, "once"

        door.at_ms += SCREEN_MS - DAY_MS
        assert (await screen.get("/wall")).status_code == 200, "beyond its first end"
        door.at_ms += SCREEN_MS + DAY_MS
        assert (await screen.get("/wall")).status_code == 303, "a screen in a drawer is let go"


async def test_a_large_form_is_refused_before_it_is_sent(entrance: Entrance) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", entrance.port)
    head = (
        f"POST /sign-in HTTP/1.1\r\nHost: 127.0.0.1:{entrance.port}\r\nOrigin: {entrance.url}\r\n"
        f"Content-Type: {FORM}\r\nContent-Length: {MAX_FORM + 1}\r\n\r\n"
    )
    writer.write(head.encode())
    async with asyncio.timeout(WITHIN_S):
        assert b"413" in await reader.readline()
    writer.close()


async def test_a_form_that_does_not_say_how_large_it_is_is_bounded_too(entrance: Entrance) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(MAX_FORM // 1024 + 1):
            yield b"a" * 1024

    async with entrance.client() as client:
        headers = {"Content-Type": FORM}
        answer = await client.post("/sign-in", content=endless(), headers=headers)
    assert answer.status_code == 413


async def test_the_longest_form_of_ours_is_taken(entrance: Entrance) -> None:
    """Three passwords of the longest that a browser sends, in letters that need most bytes."""
    longest = "\N{CJK UNIFIED IDEOGRAPH-20000}" * MAX_PASSWORD
    async with entrance.client() as client:
        await client.post("/sign-in", data={"name": "root", "password": PASSWORD})
        page = (await client.get("/account")).text
        secret = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        assert secret
        fields = {"csrf": secret[1], "old": PASSWORD, "password": longest, "again": longest}
        assert (await client.post("/account/password", data=fields)).status_code == 303
        page = (await client.get("/account")).text
        secret = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
        assert secret
        fields |= {"csrf": secret[1], "old": longest}
        assert (await client.post("/account/password", data=fields)).status_code == 303
