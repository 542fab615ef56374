"""What a page must be for everybody: accessible, legible at any width, from this host alone."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Request

from hub.domain.views import StorageState
from tests.browser.conftest import Open, Site
from tests.web.sample_centre import NOW_MS

pytestmark = pytest.mark.asyncio(loop_scope="session")

PAGES = [
    "/",
    "/?view=plan",
    "/?floor=2&kind=meeting",
    "/wall",
    "/lobby",
    "/availability",
    "/rooms/hall/sign",
    "/rooms/care/sign",
    "/rooms/hall",
    "/rooms/care",
    "/rooms/hall?span=week",
    "/rooms/hall?span=month",
    "/rooms/hall?at=2026-11-20T15:20",
    "/rooms/care?at=2026-11-20T15:20",
    "/rooms/hall?at=2026-11-10T15:20",
    "/rooms/hall?at=2027-01-01T00:00",
    "/devices",
    "/devices?health=silent",
    "/devices/children-climate",
    "/devices/hall-climate?channel=temperature&span=hour",
    "/devices/hall-climate?channel=temperature&span=week",
    "/devices/hall-radar-1?span=day",
    "/devices/hall-radar-1?span=month",
    "/storage",
    "/nowhere",
]
SCREENS = [(360, 780), (768, 1024), (1280, 900), (1920, 1080)]
LANGUAGES = ["zh-CN", "zh-TW", "en"]

# An element cuts its own text if what it holds is larger than what it shows.
CUT = """() => [...document.querySelectorAll("main *, header *")].filter((e) => {
  if (e.closest(".hush, svg, thead, noscript") || !e.checkVisibility()) return false;
  const style = getComputedStyle(e);
  const clips = style.overflowX !== "visible" || style.overflowY !== "visible";
  return clips && (e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 1);
}).map((e) => e.outerHTML.slice(0, 120))"""

# A card's text may not stand out of its card either.
OUT = """() => [...document.querySelectorAll(".card")].filter((card) => {
  const box = card.getBoundingClientRect();
  return [...card.querySelectorAll("p, h2, h4, .status, .zone")].some((e) => {
    const inner = e.getBoundingClientRect();
    return !e.closest(".hush") && !e.matches(".hush")
      && (inner.right > box.right + 1 || inner.bottom > box.bottom + 1);
  });
}).map((card) => card.id)"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("language", LANGUAGES)
async def test_axe_finds_nothing(
    site: Site, open_page: Open, axe_source: str, language: str, scheme: str
) -> None:
    site.hub.stored = StorageState(NOW_MS - 600_000, in_memory=214)
    site.hub.factor = 20
    async with open_page("/", language=language, scheme=scheme) as page:
        found: list[Any] = []
        for path in PAGES:
            await page.goto(site.url + path)
            await page.evaluate(axe_source)
            only = "" if scheme == "light" else ", runOnly: ['color-contrast']"  # all that differs
            result = await page.evaluate(f"axe.run({{ resultTypes: ['violations']{only} }})")
            assert result["passes"], path
            found += [
                (path, rule["id"], [node["html"][:120] for node in rule["nodes"]])
                for rule in result["violations"]
            ]
        assert found == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_nothing_is_cut_and_nothing_scrolls_sideways(
    site: Site, open_page: Open, language: str
) -> None:
    async with open_page("/", language=language) as page:
        for path in PAGES:
            await page.goto(site.url + path)
            for width, height in SCREENS:
                await page.set_viewport_size({"width": width, "height": height})
                at = (path, width)
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, at
                assert await page.evaluate(CUT) == [], at
                assert await page.evaluate(OUT) == [], at


async def test_the_mark_of_broken_devices_on_a_card_is_one_line(open_page: Open) -> None:
    async with open_page("/") as page:
        marks = page.locator(".card .badge")
        assert await marks.count()
        tall = "marks => marks.map(e => e.getBoundingClientRect().height > 32)"
        assert set(await marks.evaluate_all(tall)) == {False}


async def test_the_wall_fits_its_screen(site: Site, open_page: Open) -> None:
    site.hub.factor = 20
    for language in LANGUAGES:
        async with open_page("/wall", width=1920, height=1080, language=language) as page:
            assert await page.evaluate("document.documentElement.scrollHeight") <= 1080
            assert await page.evaluate(OUT) == []
            sizes = await page.evaluate(
                "[...document.querySelectorAll('.figure')].map(e => getComputedStyle(e).fontSize)"
            )
            assert set(sizes) == {"72px"}
            await page.evaluate(
                "lost.lastElementChild.textContent = lost.dataset.text; lost.hidden = false"
            )
            assert await page.evaluate("document.documentElement.scrollHeight") <= 1080
            assert await page.evaluate(OUT) == []


async def test_the_lobby_fits_its_screen_and_can_be_read_from_afar(
    site: Site, open_page: Open
) -> None:
    for language in LANGUAGES:
        path = f"/lobby?lang={language}"
        async with open_page(path, width=1920, height=1080, language=language) as page:
            assert await page.evaluate("document.documentElement.scrollHeight") <= 1080
            assert await page.evaluate(OUT) == []
            for where, least in ((".figure", 72), (".status", 40), ("h2:not(.long)", 40)):
                sizes = await page.evaluate(
                    f"[...document.querySelectorAll('{where}')]"
                    ".map(e => parseFloat(getComputedStyle(e).fontSize))"
                )
                assert sizes
                assert min(sizes) >= least, where
            said = await page.evaluate("lost.dataset.text")
            assert said.count("{seconds}") == 3  # in every language: nobody knows who reads it
            await page.evaluate("lost.lastElementChild.textContent = lost.dataset.text")
            await page.evaluate("lost.hidden = false")
            assert await page.evaluate("document.documentElement.scrollHeight") <= 1080
            assert await page.evaluate(OUT) == []


@pytest.mark.parametrize("language", LANGUAGES)
async def test_a_lobby_of_any_size_needs_no_scrolling(open_page: Open, language: str) -> None:
    """Nobody stands there to scroll: small screens, old ones, upright ones, and large ones."""
    async with open_page(f"/lobby?lang={language}", language=language) as page:
        assert await page.locator(".card").count() == 11
        for width, height in (
            (1024, 768),
            (1280, 720),
            (1366, 768),
            (1280, 1024),
            (768, 1024),
            (1080, 1920),
            (3840, 2160),
        ):
            await page.set_viewport_size({"width": width, "height": height})
            at = (width, height)
            assert await page.evaluate("document.documentElement.scrollHeight") <= height, at
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, at
            assert await page.evaluate(OUT) == [], at
            assert await page.evaluate(CUT) == [], at


async def test_a_sign_on_a_small_screen_keeps_its_verdict_on_one_line(open_page: Open) -> None:
    async with open_page("/rooms/care/sign") as page:
        for width in (320, 360, 480, 800):
            await page.set_viewport_size({"width": width, "height": 780})
            lines = await page.evaluate(
                """() => [...document.querySelectorAll(".verdict p")].map((p) => Math.round(
                p.getBoundingClientRect().height / parseFloat(getComputedStyle(p).lineHeight)))"""
            )
            assert lines == [1, 1, 1], width


# A room's words on a plan may not stand out of its shape, and each room is told once: on the sheet
# or in the list below it.
ON_PLAN = """() => {
  const seen = (e) => e.getClientRects().length > 0 && getComputedStyle(e).display !== "none";
  const out = [], told = {};
  for (const label of document.querySelectorAll(".label")) {
    const words = label.querySelector(".words");
    if (!seen(label.querySelector(".hit"))) continue;
    const id = label.getAttribute("href");
    if (getComputedStyle(words).display === "none") continue;
    told[id] = (told[id] || 0) + 1;
    const box = label.querySelector(".hit").getBoundingClientRect();
    for (const text of words.querySelectorAll("text")) {
      const inner = text.getBoundingClientRect();
      if (inner.left < box.left - 1 || inner.right > box.right + 1
        || inner.top < box.top - 4 || inner.bottom > box.bottom + 4) out.push(text.textContent);
    }
  }
  for (const item of document.querySelectorAll(".beside li")) {
    if (!seen(item)) continue;
    const id = item.querySelector("a").getAttribute("href");
    told[id] = (told[id] || 0) + 1;
  }
  return [out, Object.keys(told).length];
}"""


async def test_a_plan_tells_every_room_in_words_at_any_width(site: Site, open_page: Open) -> None:
    for language in LANGUAGES:
        async with open_page("/?view=plan", language=language) as page:
            for width in (320, 360, 480, 700, 768, 1024, 1280, 1920):
                await page.set_viewport_size({"width": width, "height": 900})
                assert await page.evaluate(ON_PLAN) == [[], 12], (language, width)


async def test_unknown_is_dashed_and_never_filled_on_a_plan(open_page: Open) -> None:
    async with open_page("/?view=plan") as page:
        looks = await page.evaluate(
            """() => [...document.querySelectorAll(".is-wide .label, .is-drawn .label")].map((e) =>
            [e.dataset.status, getComputedStyle(e.querySelector(".hit")).strokeDasharray])"""
        )
        assert {dash for status, dash in looks if status == "unknown"} == {"6px, 5px"}
        assert {dash for status, dash in looks if status != "unknown"} == {"none"}


async def test_the_keyboard_reaches_every_card_and_shows_where_it_is(open_page: Open) -> None:
    async with open_page("/") as page:
        reached = []
        for _ in range(30):
            await page.keyboard.press("Tab")
            card = await page.evaluate("document.activeElement.closest('.card')?.id")
            if card is None:
                continue
            reached.append(card)
            ring = await page.evaluate(
                "getComputedStyle(document.activeElement, '::after').outlineStyle"
            )
            assert ring == "solid", card
        assert len(set(reached)) == 12
        await page.focus("#room-gym a")
        await page.keyboard.press("Enter")
        await page.wait_for_url("**/rooms/gym")


async def test_the_skip_link_leads_past_the_menu(open_page: Open) -> None:
    async with open_page("/") as page:
        await page.keyboard.press("Tab")
        await page.keyboard.press("Enter")
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.closest('main') !== null")
        assert await page.evaluate("document.activeElement.textContent.trim()") == "List"


async def test_no_foreign_host_is_asked(site: Site, open_page: Open) -> None:
    async with open_page("/") as page:
        asked: list[Request] = []
        page.on("request", lambda request: asked.append(request))
        for path in PAGES:
            await page.goto(site.url + path)
        assert len(asked) > len(PAGES)
        assert {request.url.startswith(site.url + "/") for request in asked} == {True}


async def test_the_policy_blocks_nothing_of_ours(site: Site, open_page: Open) -> None:
    async with open_page("/") as page:
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        for path in PAGES[:-1]:
            await page.goto(site.url + path)
        assert [text for text in complaints if "Content Security" in text] == []


async def test_one_click_changes_the_language_and_it_stays(open_page: Open) -> None:
    async with open_page("/") as page:
        await page.click("a[hreflang=zh-TW]")
        assert await page.get_attribute("html", "lang") == "zh-TW"
        await page.click("a.to-devices")
        assert await page.get_attribute("html", "lang") == "zh-TW"


async def test_unknown_looks_like_no_other_status_without_colour(open_page: Open) -> None:
    async with open_page("/") as page:
        looks = await page.evaluate(
            """() => Object.fromEntries([...document.querySelectorAll(".card")].map((card) =>
            [card.dataset.status, getComputedStyle(card).borderStyle]))"""
        )
        assert looks.pop("unknown") == "dashed"
        assert set(looks.values()) == {"solid"}
