"""The page is the present or says that it is not: changes, a dead line, a hub that comes back."""

from __future__ import annotations

import time

import pytest
from playwright.async_api import Page, Request, expect

from hub.domain.room import Status, Text
from tests.browser.conftest import Open, Site

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def connected(page: Page, site: Site) -> None:
    """The stream is open and the first refresh is done."""
    async with page.expect_response(lambda answer: "hx-request" in answer.request.headers):
        site.stream.changed()


async def test_a_change_is_on_the_screen_within_300_ms(site: Site, open_page: Open) -> None:
    async with open_page("/") as page:
        await connected(page, site)
        took = []
        for status in (Status.FULL, Status.FREE, Status.FULL, Status.FREE):
            site.hub.change("gym", status=status)
            start = time.perf_counter()
            site.stream.changed()
            await page.wait_for_selector(f"#room-gym.is-{status}")
            took.append(time.perf_counter() - start)
        assert min(took) < 0.3


async def test_a_storm_of_changes_becomes_few_requests_and_ends_right(
    site: Site, open_page: Open
) -> None:
    async with open_page("/") as page:
        await connected(page, site)
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request))
        for number in range(200):
            site.hub.change("gym", since_ms=site.hub.now - number * 60_000)
            site.stream.changed()
        await expect(page.locator("#room-gym .since")).to_have_text("since 11:12")
        assert len(asked) < 20


async def test_only_the_card_that_changed_fades(site: Site, open_page: Open) -> None:
    async with open_page("/") as page:
        await connected(page, site)
        await page.evaluate(
            """() => { window.faded = [];
            addEventListener("animationstart", (event) => faded.push(event.target.id));
            window.done = new Promise((over) => addEventListener("animationend", over)); }"""
        )
        site.hub.change("gym", status=Status.UNKNOWN, reasons=(Text("no_sensor"),))
        site.stream.changed()
        await page.evaluate("window.done.then(() => true)")
        assert await page.evaluate("window.faded") == ["room-gym"]


async def test_focus_and_scroll_survive_a_refresh(site: Site, open_page: Open) -> None:
    async with open_page("/", width=360, height=640) as page:
        await connected(page, site)
        await page.focus("#room-workshop a")
        scrolled = await page.evaluate("scrollY")
        assert scrolled > 0
        site.hub.change("workshop", status=Status.FREE, reasons=())
        site.stream.changed()
        await page.wait_for_selector("#room-workshop.is-free")
        assert await page.evaluate("document.activeElement.closest('li').id") == "room-workshop"
        assert abs(await page.evaluate("scrollY") - scrolled) < 60  # the card lost its reason line


async def test_an_open_list_stays_open(site: Site, open_page: Open) -> None:
    async with open_page("/rooms/hall") as page:
        await connected(page, site)
        await page.click("summary")
        site.hub.change("hall", status=Status.FULL)
        site.stream.changed()
        await page.wait_for_selector("#room-hall.is-full")
        assert await page.locator("details[open]").count() == 1


async def test_a_line_that_is_dead_without_a_word_is_announced_within_10_s(
    site: Site, open_page: Open
) -> None:
    async with open_page("/") as page:
        await connected(page, site)
        start = time.perf_counter()
        site.stream.is_dead = True
        await page.wait_for_selector("#lost:not([hidden])", timeout=11_000)
        assert time.perf_counter() - start < 10
        await expect(page.locator("#lost")).to_contain_text("No connection to the hub for")
        await expect(page.locator("#said")).to_have_text(
            "Connection to the hub lost. This page may be out of date."
        )
        await expect(page.locator("main")).to_have_css("filter", "grayscale(1) contrast(0.94)")

        site.hub.change("gym", status=Status.FULL)
        site.stream.is_dead = False
        await page.wait_for_selector("#room-gym.is-full", timeout=12_000)
        await expect(page.locator("#lost")).to_be_hidden()


async def test_the_page_tells_a_screen_reader_the_sum_and_not_each_change(
    site: Site, open_page: Open
) -> None:
    async with open_page("/") as page:
        await connected(page, site)
        await page.evaluate(
            """() => { window.told = 0;
            new MutationObserver(() => told++).observe(said, { childList: true }); }"""
        )
        for status in (Status.FULL, Status.FREE, Status.FULL, Status.FREE, Status.FULL):
            site.hub.change("gym", status=status)
            site.stream.changed()
            await page.wait_for_selector(f"#room-gym.is-{status}")
        await expect(page.locator("#said")).to_contain_text("12 rooms:")
        assert await page.evaluate("window.told") == 1


async def test_without_scripts_the_page_is_whole_and_reloads_itself(open_page: Open) -> None:
    async with open_page("/", java_script_enabled=False) as page:
        assert await page.locator(".card").count() == 12
        assert await page.locator("noscript meta[http-equiv=refresh]").count() == 1
        await expect(page.locator("a", has_text="Reload")).to_be_visible()
