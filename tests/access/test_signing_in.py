"""Set-up, signing in and out, forms, waiting, screens: as a browser does it, with a real hub."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hub.domain.access import Role
from tests.access.closed_hub import PASSWORD, ClosedHub

WITHIN_S = 10
ADMIN = "root"


@pytest.fixture
async def hub(tmp_path: Path) -> AsyncIterator[ClosedHub]:
    hub = ClosedHub(tmp_path, ", names: [hub.example, 'https://safe.example']")
    hub.account("root", Role.ADMIN)
    hub.account("li.na", Role.STAFF)
    async with hub:
        yield hub


async def test_a_new_hub_serves_only_its_set_up_and_that_once(tmp_path: Path) -> None:
    hub = ClosedHub(tmp_path)
    async with hub, hub.browser() as browser:
        for path in ("/", "/devices", "/sign-in", "/screen/pair"):
            assert (await browser.get(path)).headers["location"] == "/set-up"
        for path in ("/api/v1/status", "/metrics", "/openapi.json", "/events"):
            answer = await browser.get(path)
            assert answer.status_code == 503
            assert answer.headers["content-type"] == "application/problem+json"
        fields = {"name": "Root", "password": PASSWORD, "again": PASSWORD}
        wrong = await browser.send("/set-up", "/set-up", code="AAAA-AAAA", **fields)
        assert wrong.status_code == 422
        short = {**fields, "password": "short", "again": "short"}
        code = hub.setup_code()
        assert (await browser.post("/set-up", code=code, **short)).status_code == 422
        typed = code.lower().replace("-", " ")
        made = await browser.post("/set-up", code=typed, **fields)
        assert made.headers["location"] == "/people"
        assert (await browser.get("/people")).status_code == 200
        assert (await browser.get("/set-up")).headers["location"] == "/sign-in"
        again = await browser.post("/set-up", code=code, **fields)
        assert again.status_code != 200
        assert code not in (await hub.client.get("/sign-in")).text


async def test_of_two_who_know_the_code_one_is_the_first(tmp_path: Path) -> None:
    hub = ClosedHub(tmp_path)
    async with hub, hub.browser() as one, hub.browser() as other:
        fields = {"code": hub.setup_code(), "password": PASSWORD, "again": PASSWORD}
        answers = await asyncio.gather(
            one.post("/set-up", name="one", **fields), other.post("/set-up", name="other", **fields)
        )
        assert sorted(a.headers.get("location") == "/people" for a in answers) == [False, True]
        with hub.console() as console:
            assert len(console.rows().accounts) == 1


async def test_who_signs_in_gets_where_he_wanted_and_gets_out_again(hub: ClosedHub) -> None:
    async with hub.browser() as li_na:
        away = await li_na.get("/rooms/gym?span=week")
        assert away.headers["location"] == "/sign-in?next=%2Frooms%2Fgym%3Fspan%3Dweek"
        signed = await li_na.post(
            "/sign-in", name=" LI.na", password=PASSWORD, next="/rooms/gym?span=week"
        )
        assert signed.headers["location"] == "/rooms/gym?span=week"
        cookie = signed.headers["set-cookie"]
        assert cookie.startswith(f"linli-{hub.port}=")
        assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        page = await li_na.get("/rooms/gym")
        assert page.status_code == 200
        assert "/people" not in page.text
        assert (await li_na.get("/people")).status_code == 403
        gone = await li_na.send("/account", "/sign-out")
        assert "Max-Age=0" in gone.headers["set-cookie"]
        old = cookie.partition(";")[0]
        answer = await hub.client.get("/api/v1/status", headers={"Cookie": old})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == 'Bearer realm="linli"'


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
async def test_nobody_is_sent_to_another_site(hub: ClosedHub, to: str) -> None:
    async with hub.browser() as li_na:
        signed = await li_na.post("/sign-in", name="li.na", password=PASSWORD, next=to)
        assert signed.headers["location"] == "/sign-in"
        assert (await li_na.get("/sign-in")).headers["location"] == "/"


async def test_signing_in_again_gives_another_key_and_ends_the_old(hub: ClosedHub) -> None:
    async with hub.browser() as li_na:
        await li_na.sign_in("li.na")
        old = dict(li_na.client.cookies)
        await li_na.send("/account", "/sign-in", name="li.na", password=PASSWORD)
        (key,) = (cookie.value for cookie in li_na.client.cookies.jar)
        assert key not in old.values()
        pairs = "; ".join(f"{name}={value}" for name, value in old.items())
        assert (
            await hub.client.get("/api/v1/status", headers={"Cookie": pairs})
        ).status_code == 401


async def test_a_form_without_the_sessions_secret_changes_nothing(hub: ClosedHub) -> None:
    async with hub.browser() as root, hub.browser() as li_na:
        await root.sign_in("root")
        await li_na.sign_in("li.na")
        page = (await li_na.get("/account")).text
        foreign = re.search(r'name="csrf" value="(\w+)"', page)
        assert foreign
        for fields in ({}, {"csrf": ""}, {"csrf": "0" * 32}, {"csrf": foreign[1]}):
            answer = await root.post("/tokens/screens", name="hall-screen", **fields)
            assert answer.status_code == 403
        for headers in ({}, {"Origin": "http://evil.example"}, {"Origin": "null"}):
            own = re.search(r'name="csrf" value="(\w+)"', (await root.get("/tokens")).text)
            assert own
            data = {"name": "hall-screen", "csrf": own[1]}
            answer = await root.client.post("/tokens/screens", data=data, headers=headers)
            assert answer.status_code == 403
        assert "hall-screen" not in (await root.get("/tokens")).text
        assert (
            await root.send("/tokens", "/tokens/screens", name="hall-screen")
        ).status_code == 200


async def test_wrong_attempts_wait_and_the_right_password_never_loses_its_right(
    hub: ClosedHub,
) -> None:
    async with hub.browser() as browser, hub.browser() as root:
        for _ in range(3):
            assert (await browser.sign_in("li.na", "something else")).status_code == 422
        refused = await browser.sign_in("li.na")
        assert refused.status_code == 429
        wait_s = int(refused.headers["retry-after"])
        assert 1 <= wait_s <= 2
        assert f"{wait_s} second" in refused.text
        assert (await root.sign_in("root")).status_code == 303

        async def is_in() -> bool:
            return (await browser.sign_in("li.na")).status_code == 303

        await hub.until(is_in)


async def test_a_name_that_does_not_exist_is_answered_like_one_that_does(hub: ClosedHub) -> None:
    async with hub.browser() as browser:
        one = await browser.sign_in("li.na", "not the password")
        other = await browser.sign_in("nobody", "not the password")
        assert one.status_code == other.status_code == 422
        assert one.text.replace("li.na", "nobody") == other.text


async def test_a_new_password_ends_the_other_sessions(hub: ClosedHub) -> None:
    new = "four quite other words"
    async with hub.browser() as here, hub.browser() as there:
        await here.sign_in("li.na")
        await there.sign_in("li.na")
        for old, again in (("wrong one here", new), (PASSWORD, new + "x")):
            fields = {"old": old, "password": new, "again": again}
            assert (await here.send("/account", "/account/password", **fields)).status_code == 422
        fields = {"old": PASSWORD, "password": new, "again": new}
        assert (await here.send("/account", "/account/password", **fields)).status_code == 303
        assert (await here.get("/account")).status_code == 200
        assert (await there.get("/account")).status_code == 303
        await there.sign_in("li.na", new)
        assert (await there.get("/account")).status_code == 200
        await here.send("/account", "/account/sign-out-everywhere")
        assert (await there.get("/account")).status_code == 303


async def test_what_an_administrator_changes_takes_effect_at_once(hub: ClosedHub) -> None:
    async with hub.browser() as root, hub.browser() as li_na:
        await root.sign_in("root")
        await li_na.sign_in("li.na")
        done = await root.send("/people", "/people/li.na/roles", **{"role.manager": "on"})
        assert done.headers["location"] == "/people?done=roles"
        assert (await li_na.get("/account")).status_code == 303
        await li_na.sign_in("li.na")
        assert (await li_na.get("/audit")).status_code == 200
        await root.send("/people", "/people/li.na/disable")
        assert (await li_na.get("/audit")).status_code == 303
        assert (await li_na.sign_in("li.na")).status_code == 422
        last = await root.send("/people", f"/people/{ADMIN}/disable")
        assert last.status_code == 422
        assert "last administrator" in last.text


async def test_the_record_says_who_changed_what_and_no_secret(hub: ClosedHub) -> None:
    async with hub.browser() as root:
        await root.sign_in("root", "a wrong password")
        await root.sign_in("my own password typed as name", "x")
        await root.sign_in("root")
        await root.send(
            "/people", "/people", name="wang", password="a good new one", **{"role.nurse": "on"}
        )
        made = await root.send("/tokens", "/tokens", name="grafana", role="integrator", days="30")
        token = re.search(r"linli_\w+", made.text)
        assert token

        async def items() -> list[dict[str, str]]:
            found = (await root.get("/api/v1/audit?limit=1000")).json()["items"]
            return found if any(item["action"] == "token.add" for item in found) else []

        found = await hub.until(items)
        assert [(i["who"], i["action"], i["target"], i["after"]) for i in found[:4]] == [
            ("root", "token.add", "grafana", "integrator 30d"),
            ("root", "account.add", "wang", "nurse"),
            ("root", "session.begin", "root", "127.0.0.1"),
            ("nobody", "session.refuse", "", "127.0.0.1"),
        ]
        secrets = ("a good new one", "a wrong password", "typed as name", token[0], PASSWORD)
        written = str(found) + hub.log.read_text()
        assert [secret for secret in secrets if secret in written] == []
        assert "Token made" in (await root.get("/audit")).text
        first = (await root.get("/api/v1/audit?limit=2")).json()
        rest = (await root.get(f"/api/v1/audit?limit=1000&cursor={first['next']}")).json()
        assert first["items"] + rest["items"] == found
        assert (await root.get("/api/v1/audit?cursor=x")).status_code == 422


async def test_an_open_stream_ends_with_its_key(hub: ClosedHub) -> None:
    key = hub.token("wall", Role.STAFF)
    bearer = {"Authorization": f"Bearer {key}"}
    await hub.answers(200, "/api/v1/status", **bearer)
    async with hub.client.stream("GET", "/events", headers=bearer) as stream:
        lines = stream.aiter_lines()
        assert await anext(lines)
        hub.revoke("wall")
        async with asyncio.timeout(WITHIN_S):
            async for _ in lines:
                pass
    await hub.answers(401, "/events", **bearer)
    assert "Traceback" not in hub.log.read_text()


async def test_a_session_outlives_a_restart(hub: ClosedHub) -> None:
    async with hub.browser() as li_na:
        await li_na.sign_in("li.na")
        form = (await li_na.get("/account")).text
        await hub.stop()
        await hub.start()
        secret = re.search(r'name="csrf" value="(\w+)"', form)
        assert secret
        answer = await li_na.post("/account/sign-out-everywhere", csrf=secret[1])
        assert answer.status_code == 303


async def test_names_of_the_configuration_are_ours_and_others_are_not(hub: ClosedHub) -> None:
    async def asked(host: str, **headers: str) -> int:
        answer = await hub.client.get("/sign-in", headers={"Host": host, **headers})
        return answer.status_code

    port = hub.port
    for host in (f"127.0.0.1:{port}", f"localhost:{port}", f"hub.example:{port}", "safe.example"):
        assert await asked(host) == 200, host
    for host in ("hub.example", f"evil.example:{port}", "127.0.0.1", f"10.0.0.7:{port}", ""):
        assert await asked(host) == 421, host
    assert await asked("safe.example", Origin="https://safe.example") == 200
    assert await asked("safe.example", Origin="http://safe.example") == 403


async def test_behind_a_tls_proxy_the_cookie_is_bound_to_the_host(hub: ClosedHub) -> None:
    answer = await hub.client.post(
        "/sign-in",
        data={"name": "li.na", "password": PASSWORD},
        headers={"Host": "safe.example", "Origin": "https://safe.example"},
    )
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"__Host-linli-{hub.port}=")
    assert "; Secure" in cookie
    hub.client.cookies.clear()
    sent = {"Cookie": cookie.partition(";")[0]}
    secure = await hub.client.get("/api/v1/status", headers={**sent, "Host": "safe.example"})
    assert secure.status_code == 200
    assert (await hub.client.get("/api/v1/status", headers=sent)).status_code == 401


async def test_a_refusal_speaks_the_readers_language(hub: ClosedHub) -> None:
    details = set()
    for language in ("en", "zh-CN", "zh-TW"):
        headers = {"Accept-Language": language, "Authorization": "Bearer linli_x"}
        answer = await hub.client.get("/api/v1/status", headers=headers)
        assert answer.status_code == 401
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        details.add(answer.json()["detail"])
    assert len(details) == 3
