"""What a hostile client, a hostile page and a hostile neighbour try, against a real hub."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiomqtt
import httpx
import pytest

from hub import protocol
from hub.access import local_key
from hub.domain.access import Role
from tests.access.closed_hub import CSRF, FORM, PASSWORD, ClosedHub
from tests.broker import Broker
from tests.running_hub import ANSWER_WITHIN_S

EVIL = '"><script>alert(1)</script><img src=x onerror=alert(1)>\r\nSet-Cookie: x=y'
LOST = "Connection lost"
COUNTED = """
rooms:
  - {id: gym, name: {en: Gym}, floor: 4, kind: gym, capacity: 20}
devices:
  - {id: count, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/count}}
"""
WITHIN_S = 10


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ClosedHub]:
    hub = ClosedHub(tmp_path)
    hub.account("root", Role.ADMIN)
    async with hub:
        yield hub


async def raw(hub: ClosedHub, target: str, *headers: str, method: str = "GET") -> tuple[int, bytes]:
    """A request that no library would send."""
    reader, writer = await asyncio.open_connection("127.0.0.1", hub.port)
    lines = (f"{method} {target} HTTP/1.1", f"Host: 127.0.0.1:{hub.port}", *headers)
    writer.write("\r\n".join((*lines, "Connection: close", "", "")).encode("latin-1"))
    async with asyncio.timeout(WITHIN_S):
        answer = await reader.read()
    writer.close()
    return int(answer.split(b" ", 2)[1]), answer


@pytest.mark.parametrize(
    "target",
    [
        "//people",
        "/%2fpeople",
        "/people/",
        "/People",
        "/people;x",
        "/./people",
        "/people%00",
        "/people%0a",
        "/static/../people",
        "/static/x/%2e%2e/%2e%2e/people",
        "/availability/../people",
        "/healthz/../people",
        "/rooms/gym/sign/../../../people",
        "/static/x/..%2f..%2f..%2f..%2fetc%2fpasswd",
        "/static//etc/passwd",
        "/static/x/%2fetc%2fpasswd",
        "/redoc",
        "/docs/oauth2-redirect",
        "*",
        "/%ff",
    ],
)
async def test_an_odd_address_is_no_way_in(hub: ClosedHub, target: str) -> None:
    token = f"Authorization: Bearer {hub.token('all', Role.ADMIN)}"
    assert (await raw(hub, target))[0] == 404
    assert (await raw(hub, target, token))[0] in (401, 404)  # 401: not read yet


async def test_another_spelling_of_the_request_is_no_way_in(hub: ClosedHub) -> None:
    for target in (
        "http://127.0.0.1/people",
        "http://evil.example/people",
        "/people?",
        "/people#x",
    ):
        status, answer = await raw(hub, target)
        assert status == 303, target
        assert b"location: /sign-in" in answer
    for method in ("OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PURGE"):
        assert (await raw(hub, "/people", method=method))[0] == 405, method
    assert (await raw(hub, "/people", method="HEAD"))[0] == 303
    assert (await raw(hub, "/people", "HX-Request: true"))[0] == 401
    assert (await raw(hub, "/people", "X-Forwarded-For: 127.0.0.1", "X-Original-URL: /"))[0] == 303
    for host in ("evil.example", "127.0.0.1:1", "[::1]", "127.0.0.1.evil.example"):
        assert (await raw(hub, "/sign-in", f"Host: {host}"))[0] == 400, "two names"


async def test_a_key_counts_only_where_it_belongs(hub: ClosedHub) -> None:
    token = hub.token("grafana", Role.ADMIN)
    await hub.answers(200, "/api/v1/status", Authorization=f"Bearer {token}")
    name = f"linli-{hub.port}"
    async with hub.browser() as root:
        await root.sign_in("root")
        session = root.client.cookies[name]
    for query in (f"token={token}", f"access_token={token}", f"Authorization=Bearer%20{token}"):
        assert (await hub.client.get(f"/api/v1/status?{query}")).status_code == 401
    for headers in (
        {"Cookie": f"{name}={token}"},
        {"Cookie": f"linli-1={session}"},
        {"Authorization": f"Bearer {session}"},
        {"Authorization": f"Basic {token}"},
        {"Authorization": f"Bearer {token}x", "Cookie": f"{name}={session}"},
    ):
        assert (await hub.client.get("/api/v1/status", headers=headers)).status_code == 401


async def test_a_foreign_page_changes_nothing(hub: ClosedHub) -> None:
    body = {"kind": "closed", "reason": "because"}
    async with hub.browser() as root:
        await root.sign_in("root")
        page = await root.get("/account")
        secret = CSRF.search(page.text)
        assert secret
        own = {"Origin": hub.url, "X-CSRF-Token": secret[1]}
        overrides = "/api/v1/rooms/gym/overrides"
        tries: list[dict[str, str]] = [
            {"Content-Type": "text/plain"},
            {"Content-Type": "text/plain", "Origin": "null"},
            {"Content-Type": "application/json"},
            {"Content-Type": "application/json", "Origin": hub.url},
            {"Content-Type": "application/json", "Origin": f"{hub.url}.evil.example"},
            {"Content-Type": "application/json", **own, "Origin": "null"},
            {"Content-Type": "application/json", **own, "Origin": "http://localhost:1"},
            {
                "Content-Type": "text/plain",
                "Sec-Fetch-Site": "same-site",
                "X-CSRF-Token": secret[1],
            },
            {"Content-Type": FORM, "Sec-Fetch-Site": "cross-site"},
        ]
        for headers in tries:
            for method in ("POST", "DELETE"):
                path = overrides if method == "POST" else f"{overrides}/1"
                sent = json.dumps(body) if method == "POST" else ""
                answer = await root.client.request(method, path, content=sent, headers=headers)
                assert answer.status_code == 403, (method, headers)
        sign_in = {"name": "root", "password": PASSWORD}
        stranger = httpx.AsyncClient(base_url=hub.url, timeout=ANSWER_WITHIN_S)
        async with stranger:
            for headers in ({}, {"Origin": "null"}, {"Origin": "http://evil.example"}):
                answer = await stranger.post("/sign-in", data=sign_in, headers=headers)
                assert answer.status_code == 403, "somebody would be signed in as another"


async def test_what_people_type_is_text_on_every_page(hub: ClosedHub) -> None:
    async with hub.browser() as root:
        await root.sign_in("root")
        typed = {"title": EVIL, "password": PASSWORD, "role.staff": "on"}
        made = await root.send("/people", "/people", name="wang", **typed)
        assert made.status_code == 303
        for field in ("name", "title"):
            refused = await root.send("/people", "/people", **{**typed, field: EVIL, "name": EVIL})
            assert refused.status_code == 422
            assert "<script>alert" not in refused.text
        tomorrow = datetime.now(ZoneInfo("Asia/Shanghai")) + timedelta(days=1)
        closed = {
            "kind": "closed",
            "reason": EVIL.partition("\r")[0],
            "until": f"{tomorrow:%FT%H:%M}",
        }
        said = await root.send("/rooms/gym", "/rooms/gym/overrides", **closed)
        assert said.status_code == 303, said.text

        async def is_recorded() -> bool:
            return "onerror" in (await root.get("/audit")).text

        await hub.until(is_recorded)
        await root.post("/sign-in", name=EVIL, password="x", csrf="")
        for path in ("/people", "/audit", "/tokens", "/account", "/", "/rooms/gym", "/closing"):
            text = (await root.get(path)).text
            assert "<script>alert" not in text, path
            assert "<img src=x" not in text, path
        odd = await root.get("/people?done=" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in odd.text
        for path in ("/sign-in", "/availability", "/rooms/gym/sign", "/lobby"):
            answer = await hub.client.get(path, params={"next": EVIL, "lang": EVIL})
            assert "<script>alert" not in answer.text, path
            assert "x=y" not in str(answer.headers)


async def test_strangers_learn_nothing_of_ports_and_people(hub: ClosedHub) -> None:
    async def is_lost() -> bool:
        return bool((await asked.get("/readyz")).json()["links_down"])

    async with hub.browser() as asked:
        await asked.sign_in("root")
        await hub.until(is_lost)
        assert LOST in (await asked.get("/")).text
    for path in ("/sign-in", "/availability", "/rooms/gym/sign", "/readyz", "/no-such-page"):
        text = (await hub.client.get(path)).text
        assert "by-id" not in text, path
        assert LOST not in text, path
        assert LOST not in text, path
        assert "root" not in text, path


async def test_who_may_not_see_devices_is_told_of_rooms_alone(tmp_path: Path) -> None:
    async with Broker() as broker:
        hub = ClosedHub(tmp_path, centre=COUNTED, broker=broker.port)
        keys = {role: hub.token(role.value, role) for role in (Role.NURSE, Role.STAFF)}
        bearers = {role: {"Authorization": f"Bearer {key}"} for role, key in keys.items()}
        async with hub, asyncio.timeout(WITHIN_S), aiomqtt.Client("127.0.0.1", broker.port) as mqtt:

            async def is_connected() -> bool:
                answer = await hub.client.get("/readyz", headers=bearers[Role.STAFF])
                return bool(answer.json()["links_up"])

            await hub.until(is_connected)
            streams = {role: hub.events(**bearer) for role, bearer in bearers.items()}
            for stream in streams.values():
                assert (await anext(stream))[0] == "beat"
            await mqtt.publish("zigbee2mqtt/count", json.dumps({"people": 4}), qos=1)
            heard = {role: await names_of(stream) for role, stream in streams.items()}
    assert heard == {Role.STAFF: {"room", "device"}, Role.NURSE: {"room"}}


async def names_of(stream: AsyncGenerator[tuple[str, str, Any], None]) -> set[str]:
    """The names that come until the beat after the next."""
    names, beats = set(), 0
    async for name, _, _ in stream:
        names.add(name)
        beats += name == "beat"
        if beats == 2:
            break
    await stream.aclose()
    return names - {"beat"}


async def test_a_thousand_connections_leave_the_store_its_files(tmp_path: Path) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    hub = ClosedHub(tmp_path)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, before[1]))
        await hub.start()
        found = resource.prlimit(hub.pid, resource.RLIMIT_NOFILE)
        assert found[0] >= min(before[1], 2 * protocol.MOST)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
        await hub.__aexit__(None, None, None)


async def test_files_with_secrets_are_for_their_owner(hub: ClosedHub) -> None:
    async with hub.browser() as root:
        await root.sign_in("root")
    found = {path.name: path.stat().st_mode & 0o777 for path in hub.data.iterdir()}
    assert {"linli.db", "linli.db-wal", local_key.FILE} <= found.keys()
    assert set(found.values()) == {0o600}
    await hub.stop()
    for path in hub.data.iterdir():
        path.chmod(0o644)  # as an older version made them
    await hub.start()
    assert {path.stat().st_mode & 0o777 for path in hub.data.iterdir()} == {0o600}


async def test_commands_of_this_machine_may_ask_and_no_more(hub: ClosedHub) -> None:
    key = local_key.read(hub.data)
    bearer = {"Authorization": f"Bearer {key}"}
    for path, status in (
        ("/api/v1/mirrors", 200),
        ("/api/v1/status", 403),
        ("/api/v1/audit", 403),
        ("/people", 403),
    ):
        assert (await hub.client.get(path, headers=bearer)).status_code == status, path
    assert (await hub.client.post("/account/password", headers=bearer)).status_code == 403
    async with hub.browser() as root:
        await root.sign_in("root")
        assert "console" not in (await root.get("/tokens")).text
    await hub.stop()
    await hub.start()
    assert (await hub.client.get("/api/v1/mirrors", headers=bearer)).status_code == 401
