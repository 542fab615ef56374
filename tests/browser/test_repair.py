"""From a fault to its proven repair, through a real broker, a hub whose time runs fast and a
browser: inbox, alert, work order, done, good reports, verified. And the report at a door."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import aiomqtt
import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.broker import Broker
from tests.browser.test_closed_hub import Look, visitor
from tests.flow.hub_in_haste import HastyHub

pytestmark = pytest.mark.asyncio(loop_scope="session")

SPEED = 600.0
CENTRE = """
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}
devices:
  - id: gym-door
    driver: zigbee2mqtt
    room: gym
    link: {mqtt: zigbee2mqtt/gym_door}
    silent_after: 30d
    calibration: {last: 2026-01-10, every: 30d}
"""


class Trial(NamedTuple):
    broker: Broker
    hub: HastyHub

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.hub.port}{path}"

    async def say(self, **values: object) -> None:
        async with aiomqtt.Client("127.0.0.1", self.broker.port) as client:
            await client.publish("zigbee2mqtt/gym_door", json.dumps(values), qos=1)

    async def order(self) -> dict[str, Any]:
        found: list[dict[str, Any]] = (await self.hub.get("/api/v1/work-orders"))["items"]
        found += (await self.hub.get("/api/v1/work-orders", state="verified"))["items"]
        return found[0]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def trial(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Trial]:
    folder = tmp_path_factory.mktemp("hub")
    async with Broker() as broker, HastyHub(folder, CENTRE, broker.port, SPEED) as hub:
        await hub.connected()
        trial = Trial(broker, hub)
        await trial.say(battery=4, contact=True)

        async def is_raised() -> Any:
            return (await hub.get("/api/v1/alerts"))["items"]

        await hub.until(is_raised, 20)
        yield trial


async def test_from_an_injected_fault_to_a_proven_repair(browser: Browser, trial: Trial) -> None:
    async with visitor(browser) as page:
        await page.goto(trial.url("/alerts"))
        await page.locator("article.alert").first.get_by_role("link").first.click()
        await page.get_by_role("button", name="Make a work order").click()
        await page.wait_for_url("**/work-orders/1")
        await expect(page.locator(".work-state")).to_have_text("To do")
        await page.goto(trial.url("/batteries"))
        await expect(page.locator("table.list")).to_contain_text("4 %")
        await page.goto(trial.url("/work-orders/1"))
        await page.get_by_label("What was done").fill("A new battery")
        await page.get_by_role("button", name="It is done").click()
        await expect(page.locator(".proof")).to_contain_text("The fault is still found")
        # nothing but the sensor brings it further, and the page follows by itself
        for is_shut in (True, False, True):  # one good word alone would be a slip
            await trial.say(battery=100, contact=is_shut)
        await expect(page.locator(".proof")).to_contain_text("0 of 1 good reports", timeout=20_000)
        assert (await trial.order())["state"] == "done"
        await trial.say(battery=100, contact=False)
        await expect(page.locator(".work-state")).to_have_text("Proven", timeout=20_000)
        history = page.locator(".work-history li")
        await expect(history.first).to_contain_text("the hub")
        await expect(history.nth(1)).to_contain_text("A new battery")
    order = await trial.order()
    assert (order["state"], order["proof"]["seen"]) == ("verified", 1)
    assert [entry["what"] for entry in order["history"]] == ["opened", "done", "verified"]


async def test_who_stands_at_the_door_reports_and_staff_make_it_work(
    browser: Browser, trial: Trial
) -> None:
    async with visitor(browser) as page:
        await page.goto(trial.url("/rooms/gym/report/sheet"))
        await expect(page.locator(".qr svg")).to_be_visible()
        await page.goto(trial.url("/rooms/gym/report"))
        await page.get_by_label("Light").check()
        await page.get_by_label("In a few words").fill("two lamps are dark")
        await page.get_by_role("button", name="Report it").click()
        await expect(page.get_by_role("status")).to_contain_text("Thank you")
        await page.goto(trial.url("/reports"))
        await expect(page.locator("article.work")).to_contain_text("two lamps are dark")
        await page.get_by_role("button", name="Make a work order").click()
        await page.wait_for_url("**/work-orders/*")
        await expect(page.locator("h1")).to_have_text("two lamps are dark")
        await page.get_by_role("button", name="It is done").click()
        await page.get_by_role("button", name="I looked").click()
        await expect(page.locator(".work-state")).to_have_text("Proven")


@pytest.mark.parametrize(
    ("language", "scheme"), [("en", "dark"), ("zh-CN", "light"), ("zh-TW", "light")]
)
async def test_axe_finds_nothing_on_pages_of_repairs(
    browser: Browser, trial: Trial, axe_source: str, language: str, scheme: str
) -> None:
    title = {"title": f"{language} paint the wall", "room": "gym"}
    made = await trial.hub.client.post("/api/v1/work-orders", json=title)
    assert made.status_code == 200, made.text
    number = made.json()["id"]
    pages = [
        *("/work-orders", "/work-orders/1", f"/work-orders/{number}"),
        *("/work-orders?state=closed", "/batteries", "/reports"),
        *("/devices/gym-door/life", "/rooms/gym/report", "/rooms/gym/report/sheet"),
    ]
    async with visitor(browser, language, scheme) as page:
        look = Look(page, axe_source)
        for path in pages:
            answer = await page.goto(trial.url(path))
            assert answer is not None
            assert answer.ok, path
            await look.at(path)
        assert look.found == []
