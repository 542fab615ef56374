"""Every route with every role, as the table says: a real client, a real hub."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from starlette.responses import Response

from hub.access.routes import RULES, NoRuleError, Table, require_rules
from hub.domain.access import NOBODY, SCREEN, Permission, Role, permissions
from tests.access.closed_hub import Browser, ClosedHub

FILLED = {"room": "gym", "room_id": "gym", "device": "eye", "device_id": "eye", "name:path": "x"}
HOLE = re.compile(r"{([\w:]+)}")


def address(template: str) -> str:
    return HOLE.sub(lambda hole: FILLED.get(hole[1], "nobody"), template)


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ClosedHub]:
    hub = ClosedHub(tmp_path)
    hub.account("root", Role.ADMIN)
    async with hub:
        yield hub


async def status(client: httpx.AsyncClient, method: str, path: str, **headers: str) -> str:
    """Its number; a way to the sign-in page counts as being sent away."""
    async with client.stream(method, path, headers=headers) as answer:
        away = answer.headers.get("location", "").startswith("/sign-in?next=")
        is_challenged = away or answer.headers.get("location") == "/sign-in"
        return (
            "sent away" if is_challenged and answer.status_code == 303 else str(answer.status_code)
        )


async def test_every_route_asks_every_role_what_the_table_says(hub: ClosedHub) -> None:
    keys = {role: hub.token(role.value, role) for role in Role}
    await hub.answers(200, "/docs", Authorization=f"Bearer {keys[Role.ADMIN]}")
    wrong = []
    for (method, template), permission in RULES.items():
        for role, key in keys.items():
            bearer = f"Bearer {key}"
            found = await status(hub.client, method, address(template), Authorization=bearer)
            may = permissions(frozenset({role})) - {Permission.OWN}
            if (found in ("401", "403")) == (permission in may):
                wrong.append((method, template, role, found))
    assert wrong == []


async def test_nobody_and_keys_that_are_over_get_only_what_is_public(hub: ClosedHub) -> None:
    keys = {name: hub.token(name, Role.ADMIN) for name in ("revoked", "good")}
    keys["expired"] = hub.token("expired", Role.ADMIN, lasts_ms=1)
    await hub.answers(200, "/docs", Authorization=f"Bearer {keys['revoked']}")
    hub.revoke("revoked")
    await hub.answers(303, "/docs", Authorization=f"Bearer {keys['revoked']}")
    keys["mistyped"] = keys.pop("good")[:-1] + "!"
    asking = [{}, *({"Authorization": f"Bearer {key}"} for key in keys.values())]
    asking.append({"Cookie": f"linli-{hub.port}=made-up"})
    wrong = []
    for (method, template), permission in RULES.items():
        if template == "/set-up":
            continue  # there is an account: it leads to the sign-in page
        for headers in asking:
            if method == "POST":
                headers = {**headers, "Origin": hub.url}
            found = await status(hub.client, method, address(template), **headers)
            if (found in ("401", "sent away")) == NOBODY.may(permission):
                wrong.append((method, template, list(headers), found))
    assert wrong == []


async def test_a_session_and_a_screen_get_what_they_may(hub: ClosedHub) -> None:
    hub.account("li.na", Role.GRID_WORKER)
    async with hub.browser() as root, hub.browser() as li_na, hub.browser() as screen:
        assert (await root.sign_in("root")).status_code == 303
        assert (await li_na.sign_in("li.na")).status_code == 303
        made = await root.send("/tokens", "/tokens/screens", name="lobby")
        code = re.search(r'large">([A-Z2-9-]+)<', made.text)
        assert code, made.text
        assert (await screen.post("/screen/pair", code=code[1])).headers["location"] == "/wall"
        wrong = await walked(li_na, permissions(frozenset({Role.GRID_WORKER})))
        assert wrong + await walked(screen, SCREEN) == []


async def walked(browser: Browser, may: frozenset[Permission]) -> list[tuple[str, str]]:
    """Every page that may be looked at; those that change something have tests of their own."""
    wrong = []
    for (method, template), permission in RULES.items():
        if method == "GET" and address(template) not in ("/set-up", "/sign-in"):
            found = await status(browser.client, method, address(template))
            if (found == "403") == (permission in may) or found in ("401", "sent away"):
                wrong.append((template, found))
    return wrong


async def test_what_has_no_rule_is_not_there(hub: ClosedHub) -> None:
    for path in ("/devices/", "/Devices", "/rooms/gym/x", "/api/v1/rooms/gym%2Fx"):
        assert (await hub.client.get(path)).status_code == 404, path
    answer = await hub.client.request("PUT", "/api/v1/status")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


def test_a_route_without_a_rule_stops_the_start() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    require_rules(app.routes)

    @app.delete("/api/v1/status")
    async def forgotten() -> Response:
        return Response()

    with pytest.raises(NoRuleError, match="DELETE /api/v1/status"):
        require_rules(app.routes)


def test_a_mounted_application_is_no_way_around() -> None:
    app = FastAPI(docs_url=None, redoc_url=None)
    app.mount("/more", FastAPI())
    with pytest.raises(NoRuleError):
        require_rules(app.routes)


def test_the_table_finds_what_the_application_finds() -> None:
    table = Table()
    for method, template in RULES:
        methods = table.methods(address(template))
        assert methods is not None
        assert methods[method] is RULES[method, template], template
    assert table.methods("/rooms/a/b") is None
    assert table.methods("/") is not None
