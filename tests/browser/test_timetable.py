"""Timetable, closing round and the form in a real browser: phones, dark, Chinese, no script."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.running_hub import RunningHub

pytestmark = pytest.mark.asyncio(loop_scope="session")

CENTRE = """
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}
  - {id: hall, name: {en: Hall, zh-CN: 大厅}, floor: 1, kind: living_room, capacity: 60}
  - {id: shed, name: {en: Shed, zh-CN: 仓库}, floor: 1, kind: storage}
timetable:
  country: CN
  hours: {mon-fri: 08:00-12:00}
  rooms:
    hall:
      hours: 00:00-24:00
      purposes:
        - {id: choir, name: {en: Choir, zh-CN: 合唱团}, when: {mon-sun: 00:00-24:00}, limit: 40}
"""
PAGES = ["/timetable", "/timetable?month=2026-10", "/timetable?month=2031-02", "/closing"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RunningHub]:
    async with RunningHub(tmp_path_factory.mktemp("hub"), CENTRE) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def page(browser: Browser, hub: RunningHub) -> AsyncIterator[Page]:
    """A phone in English."""
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{hub.port}", viewport={"width": 360, "height": 740}, locale="en"
    )
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
async def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    page: Page,
    axe_source: str,
    language: str,
    scheme: Any,
) -> None:
    await page.emulate_media(color_scheme=scheme)
    for path in PAGES:
        for width in (360, 1280):
            await page.set_viewport_size({"width": width, "height": 740})
            await page.goto(f"{path}{'&' if '?' in path else '?'}lang={language}")
            await page.evaluate(axe_source)
            found = await page.evaluate("axe.run({ resultTypes: ['violations'] })")
            assert [(v["id"], v["nodes"][0]["html"]) for v in found["violations"]] == []
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await page.evaluate(wide) <= 0, (path, width)


async def test_the_round_leads_from_room_to_room(page: Page) -> None:
    await page.goto("/closing")
    await expect(page.locator("#summary")).to_have_text("0 of 3 rooms seen empty")
    for number, stop in enumerate(("hall", "shed", "gym"), start=1):
        button = page.locator(f"#stop-{stop} button[value=empty]")
        box = await button.bounding_box()
        assert box is not None
        assert box["height"] >= 56
        assert box["width"] >= 250  # for a thumb
        await button.click()
        await expect(page.locator("#summary")).to_have_text(f"{number} of 3 rooms seen empty")
    await expect(page.get_by_text("Every room was seen empty.")).to_be_visible()
    await page.locator("#stop-shed button[value=somebody]").click()
    await expect(page.locator("#summary")).to_have_text("2 of 3 rooms seen empty")
    await expect(page.locator("#stop-shed .look")).to_contain_text("Somebody was here")


async def test_who_walks_with_another_phone_sees_it_live(
    page: Page,
    browser: Browser,
    hub: RunningHub,
) -> None:
    await page.goto("/closing")
    seen = {"kind": "looked", "people": 1}
    await hub.client.post("/api/v1/rooms/gym/overrides", json=seen)
    await expect(page.locator("#stop-gym .look")).to_contain_text("Somebody was here")


async def test_a_manager_without_scripts_enters_a_day(browser: Browser, hub: RunningHub) -> None:
    context = await browser.new_context(
        base_url=f"http://127.0.0.1:{hub.port}", locale="en", java_script_enabled=False
    )
    page = await context.new_page()
    await page.goto("/timetable?month=2031-02")
    await expect(page.get_by_text("Holidays of 2031 are not known yet")).to_be_visible()
    await page.get_by_label("First day").fill("2031-02-03")
    await page.get_by_label("Name, for example").fill("<b>Spring</b>")
    await page.get_by_role("button", name="Enter", exact=True).click()
    assert page.url.endswith("/timetable?month=2031-02")
    await expect(page.locator(".entered li")).to_contain_text("<b>Spring</b>")
    await page.get_by_role("button", name="All holidays of 2031 are entered").click()
    await expect(page.get_by_text("Holidays of 2031 are not known yet")).to_have_count(0)
    await page.get_by_role("button", name="Remove 2031-02-03").click()
    await expect(page.locator(".entered li")).to_have_count(0)
    await context.close()


async def test_a_mistake_keeps_what_was_typed(page: Page) -> None:
    await page.goto("/timetable")
    await page.get_by_label("First day").fill("2031-02-05")
    await page.get_by_label("Last day").fill("2031-02-03")
    await page.get_by_label("Name, for example").fill("Spring")
    await page.get_by_role("button", name="Enter", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("The last day is before the first")
    await expect(page.get_by_label("Name, for example")).to_have_value("Spring")
