"""The roster's page, and the page behind the link of a message, in Chromium."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.test_closed_hub import Look, visitor
from tests.notify.servers import Receiver
from tests.notify.test_real_hub import press
from tests.running_hub import RunningHub

pytestmark = pytest.mark.asyncio(loop_scope="session")

CENTRE = """
rooms: [{{id: gym, name: {{en: Gym, zh-CN: 健身房}}, kind: gym}}]
notify:
  public_url: http://127.0.0.1
  channels: [{{id: web, kind: webhook, url_file: web.url}}, {{id: sms, kind: sms, url_file: none}}]
  people:
    - {{id: li, name: 李娜, channels: [web]}}
    - {{id: wu, name: 吴敏, channels: [sms]}}
  manager: li
  webhooks: [{{id: district, url: "{url}/in", secret_file: none}}]
"""


class Centre(NamedTuple):
    url: str
    link: str


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def centre(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Centre]:
    folder: Path = tmp_path_factory.mktemp("roster")
    async with Receiver() as receiver:
        (folder / "web.url").write_text(f"json://127.0.0.1:{receiver.port}/web")
        async with RunningHub(folder, CENTRE.format(url=receiver.url)) as hub:
            assert await press(hub, "/roster", "/roster/drill") == 303

            async def is_told() -> bool:
                return any(post.path == "/web" for post in receiver.posts)

            await hub.until(is_told)
            message = json.loads(next(p.body for p in receiver.posts if p.path == "/web"))
            (link,) = re.findall(r"http://127\.0\.0\.1(/ack/[\w-]+)", message["message"])
            yield Centre(f"http://127.0.0.1:{hub.port}", link)


async def test_a_drill_is_answered_by_its_link_and_its_way_is_proven(
    browser: Browser, centre: Centre
) -> None:
    async with visitor(browser, "en") as page:
        await page.goto(f"{centre.url}/roster")
        await expect(page.locator("#live")).to_contain_text("0 of 2 ways answered")
        await page.goto(f"{centre.url}{centre.link}?lang=en")
        await page.get_by_role("button", name="It arrived").click()
        await expect(page.get_by_role("status")).to_contain_text("This way is proven")
        await page.goto(f"{centre.url}/roster")
        await expect(page.locator("#live")).to_contain_text("1 of 2 ways answered")
        await page.get_by_role("button", name="Begin a drill").click()
        await expect(page.get_by_role("alert")).to_contain_text("began a few minutes ago")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", ["en", "zh-CN", "zh-TW"])
async def test_axe_finds_nothing_on_the_roster_and_behind_a_link(
    browser: Browser, centre: Centre, axe_source: str, language: str, scheme: str
) -> None:
    async with visitor(browser, language, scheme) as page:
        look = Look(page, axe_source)
        for path in ("/roster", f"{centre.link}?lang={language}", "/ack/nobody"):
            await page.goto(centre.url + path)
            assert await page.get_attribute("html", "lang") == language
            await look.at(path.partition("?")[0][:8])
        assert look.found == []
