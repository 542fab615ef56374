"""The inbox of alerts and the page of one, of a real hub whose time runs fast: a port and a socket
that are not there are two alerts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.test_closed_hub import Look, visitor
from tests.flow.hub_in_haste import HastyHub

pytestmark = pytest.mark.asyncio(loop_scope="session")

CENTRE = """
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}
  - {id: cabin, name: {en: Health cabin, zh-CN: 健康小屋}, floor: 3, kind: health_cabin}
devices:
  - {id: gym-eye, driver: ld2410, room: gym, link: {serial: "socket://127.0.0.1:9"}}
  - {id: cabin-eye, driver: ld2410, room: cabin, link: {serial: /dev/serial/by-id/none-cabin}}
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[HastyHub]:
    async with HastyHub(tmp_path_factory.mktemp("hub"), CENTRE, None, 200.0) as running:

        async def are_raised() -> Any:
            return len((await running.get("/api/v1/alerts"))["items"]) >= 2

        await running.until(are_raised, 20)
        yield running


def url(hub: HastyHub, path: str) -> str:
    return f"http://127.0.0.1:{hub.port}{path}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
async def test_axe_finds_nothing_on_pages_of_alerts(
    browser: Browser, hub: HastyHub, axe_source: str, language: str, scheme: str
) -> None:
    async with visitor(browser, language, scheme) as page:
        look = Look(page, axe_source)
        for path in (
            "/alerts",
            "/alerts/1",
            "/alerts?state=cleared",
            "/devices/gym-eye",
            "/statistics",
        ):
            await page.goto(url(hub, path))
            assert await page.get_attribute("html", "lang") == language
            await look.at(path)
        assert look.found == []


async def test_the_gravest_comes_first_and_is_taken_with_one_press(
    browser: Browser, hub: HastyHub
) -> None:
    async with visitor(browser) as page:
        await page.goto(url(hub, "/alerts"))
        first = page.locator("article.alert").first
        await expect(first).to_contain_text("none-cabin")
        await expect(first).to_contain_text("Cannot be judged now: Health cabin.")
        await first.get_by_role("button", name="I take care of it").click()
        await page.wait_for_url("**/alerts/*")
        await expect(page.locator("dl.facts")).to_contain_text("local takes care of it")
        await page.get_by_label("To whom").fill("Wang")
        await page.get_by_role("button", name="Hand it on").click()
        await expect(page.locator("dl.facts")).to_contain_text("Assigned to Wang")
        await page.get_by_label("For how long").select_option("24")
        await page.get_by_role("button", name="Put it off").click()
        await expect(page.locator("dl.facts")).to_contain_text("Put off until")
        await page.goto(url(hub, "/alerts"))
        last = page.locator("section.alerts-group").last
        await expect(last).to_contain_text("none-cabin")
        await page.goto(url(hub, "/devices/cabin-eye"))
        await expect(page.locator(".broken-here")).to_contain_text("Connection none-cabin is lost")
