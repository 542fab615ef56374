"""A hub that lets in only who may, in a real browser: set-up, the sign-in by keyboard, a screen."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, expect

from hub.domain.access import Role
from tests.access.closed_hub import PASSWORD, ClosedHub

pytestmark = pytest.mark.asyncio(loop_scope="session")

DAY_S = 24 * 3600
OWN = ("/account", "/people", "/tokens", "/audit")
DOOR = ("/sign-in", "/screen/pair")
TOO_WIDE = "document.scrollingElement.scrollWidth > document.scrollingElement.clientWidth"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[ClosedHub]:
    hub = ClosedHub(tmp_path_factory.mktemp("hub"))
    for name, role in (("root", Role.ADMIN), ("li.na", Role.STAFF), ("wang", Role.RESIDENT)):
        hub.account(name, role)
    hub.token("a-program-with-a-rather-long-name", Role.INTEGRATOR)
    async with hub:
        yield hub


@asynccontextmanager
async def visitor(
    browser: Browser, language: str = "en", scheme: str = "light"
) -> AsyncIterator[Page]:
    """A browser that knows nothing yet."""
    context = await browser.new_context(
        viewport={"width": 1280, "height": 900},
        locale=language,
        color_scheme="dark" if scheme == "dark" else "light",
    )
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    await context.close()
    assert errors == []


async def signed_in(page: Page, hub: ClosedHub, name: str, to: str = "/account") -> None:
    await page.goto(f"{hub.url}{to}")
    await page.fill("input[name=name]", name)
    await page.fill("input[name=password]", PASSWORD)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"**{to}")


class Look:
    """What axe finds, and pages that are wider than the screen."""

    def __init__(self, page: Page, axe_source: str) -> None:
        self._page = page
        self._axe = axe_source
        self.found: list[Any] = []

    async def at(self, what: str) -> None:
        """The page as it is now, on a telephone and on a desk."""
        for width in (360, 1280):
            await self._page.set_viewport_size({"width": width, "height": 900})
            if await self._page.evaluate(TOO_WIDE):
                self.found.append((what, width, "too wide"))
            await self._page.evaluate(self._axe)
            result = await self._page.evaluate("axe.run({ resultTypes: ['violations'] })")
            assert result["passes"], what
            self.found += [(what, width, rule["id"]) for rule in result["violations"]]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
async def test_axe_finds_nothing_on_pages_of_access(
    browser: Browser, hub: ClosedHub, axe_source: str, language: str, scheme: str
) -> None:
    async with visitor(browser, language, scheme) as page:
        look = Look(page, axe_source)
        for path in DOOR:
            await page.goto(hub.url + path)
            await look.at(path)
        await page.fill("input[name=code]", "AAAA-AAAA")
        await page.keyboard.press("Enter")
        await expect(page.locator("[role=alert]")).to_be_visible()
        await look.at("a code that is wrong, or must wait")
        await signed_in(page, hub, "root")
        for path in OWN:
            await page.goto(hub.url + path)
            assert await page.get_attribute("html", "lang") == language
            await look.at(path)
        await page.goto(f"{hub.url}/tokens")
        await page.fill("form[action='/tokens'] input[name=name]", f"{language}-{scheme}".lower())
        await page.locator("form[action='/tokens'] button").click()
        await expect(page.locator("code", has_text="linli_")).to_be_visible()
        await look.at("a new token")
        assert look.found == []


async def test_somebody_without_the_right_is_told_so(
    browser: Browser, hub: ClosedHub, axe_source: str
) -> None:
    async with visitor(browser) as page:
        await signed_in(page, hub, "wang")
        look = Look(page, axe_source)
        answer = await page.goto(f"{hub.url}/people")
        assert answer is not None
        assert answer.status == 403
        await look.at("403")
        assert look.found == []


async def test_signing_in_needs_no_mouse_and_leads_where_one_wanted(
    browser: Browser, hub: ClosedHub
) -> None:
    async with visitor(browser) as page:
        await page.goto(f"{hub.url}/rooms/gym")
        await page.wait_for_url("**/sign-in?next=*")
        await expect(page.locator("input[name=name]")).to_be_focused()
        await page.keyboard.type("li.na")
        await page.keyboard.press("Tab")
        await page.keyboard.type("not the password")
        await page.keyboard.press("Enter")
        problem = page.locator("[role=alert]")
        await expect(problem).to_be_visible()
        await expect(page.locator("input[name=name]")).to_have_value("li.na")
        assert await page.input_value("input[name=password]") == ""
        await page.locator("input[name=name]").focus()
        await page.keyboard.press("Tab")
        await page.keyboard.type(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{hub.url}/rooms/gym")
        (cookie,) = await page.context.cookies()
        assert cookie["httpOnly"]
        assert cookie["sameSite"] == "Lax"
        assert cookie["expires"] == -1  # until the browser is closed
        assert "linli-" not in await page.evaluate("document.cookie")


async def test_a_page_that_is_open_leads_to_the_door_when_its_session_ends(
    browser: Browser, hub: ClosedHub
) -> None:
    hub.account("zhang", Role.STAFF)
    async with visitor(browser) as page, hub.browser() as root:
        await root.sign_in("root")
        await signed_in(page, hub, "zhang", "/devices")
        await root.send("/people", "/people/zhang/disable")
        await page.wait_for_url("**/sign-in?next=*", timeout=20_000)


async def test_a_screen_is_paired_with_a_code_and_dark_once_it_is_revoked(
    browser: Browser, hub: ClosedHub
) -> None:
    async with visitor(browser) as admin, visitor(browser) as screen:
        await signed_in(admin, hub, "root", "/tokens")
        await admin.fill("form[action='/tokens/screens'] input[name=name]", "hall")
        await admin.locator("form[action='/tokens/screens'] button").click()
        shown = admin.get_by_text(re.compile(r"^[A-Z2-9]{4}-[A-Z2-9]{4}$"))
        code = await shown.inner_text()
        await screen.goto(f"{hub.url}/screen/pair")
        await screen.keyboard.type(code.lower().replace("-", " "))
        await screen.keyboard.press("Enter")
        await screen.wait_for_url("**/wall")
        assert await lasts_s(screen.context) > 390 * DAY_S
        for path in ("/lobby", "/availability"):
            answer = await screen.goto(hub.url + path)
            assert answer is not None
            assert answer.ok, path
        answer = await screen.goto(f"{hub.url}/people")
        assert answer is not None
        assert answer.status == 403
        await screen.goto(f"{hub.url}/wall")
        hub.revoke("hall")
        await screen.wait_for_url("**/sign-in?next=*", timeout=20_000)


async def lasts_s(context: BrowserContext) -> float:
    (cookie,) = await context.cookies()
    return cookie["expires"] - time.time()


async def test_the_first_administrator_is_made_with_the_code_of_the_console(
    browser: Browser, tmp_path: Path, axe_source: str
) -> None:
    hub = ClosedHub(tmp_path)
    async with hub, visitor(browser) as page:
        look = Look(page, axe_source)
        await page.goto(hub.url)
        await page.wait_for_url("**/set-up")
        await look.at("/set-up")
        await page.fill("input[name=code]", hub.setup_code())
        await page.fill("input[name=name]", "root")
        await page.fill("input[name=password]", PASSWORD)
        await page.fill("input[name=again]", PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/people")
        assert look.found == []
