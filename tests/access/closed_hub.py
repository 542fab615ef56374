"""A real hub that lets in only who may, and people and programs that ask it.

async with ClosedHub(tmp_path) as hub:
    hub.account("li.na", Role.STAFF)
    async with hub.browser() as li_na:
        await li_na.sign_in("li.na")
"""

from __future__ import annotations

import re
import secrets
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from hub.access import records
from hub.access.console import Console
from hub.access.office import new_token
from hub.access.passwords import hash_password
from hub.access.records import Account
from hub.access.rules import DAY_MS, token_of
from hub.domain.access import Role
from tests.running_hub import ANSWER_WITHIN_S, RunningHub

CENTRE = """
rooms:
  - {id: gym, name: {en: Gym, zh-CN: 健身房}, floor: 4, kind: gym, capacity: 20}
devices:
  - {id: eye, driver: ld2410, room: gym, link: {serial: /dev/serial/by-id/none}}
"""
PASSWORD = "three plain words"
HASHED = hash_password(PASSWORD)
CSRF = re.compile(r'name="csrf" value="([0-9a-f]*)"')
CODE = re.compile(r"\b([A-Z2-9]{4}-[A-Z2-9]{4})\b")
FORM = "application/x-www-form-urlencoded"


class ClosedHub(RunningHub):
    """``linli run`` without ``access.open``."""

    def __init__(
        self, folder: Path, http: str = "", centre: str = CENTRE, broker: int | None = None
    ) -> None:
        super().__init__(folder, centre, broker, inflight=1_000)
        file = folder / "centre.yaml"
        text = file.read_text().replace("access: {open: true}\n", "")
        file.write_text(text.replace(f"port: {self.port}", f"port: {self.port}{http}"))
        self.url = f"http://127.0.0.1:{self.port}"

    def console(self) -> Console:
        return Console(self.data)

    def account(self, name: str, *roles: Role) -> None:
        with self.console() as console:
            now_ms = console.now_ms()
            row = Account(name, "", frozenset(roles), HASHED, now_ms, now_ms, None)
            console.change(lambda db: records.add_account(db, row), "account.add", name)

    def token(self, name: str, role: Role, lasts_ms: int = DAY_MS) -> str:
        token = token_of(secrets.token_bytes(32))
        with self.console() as console:
            row = new_token("api", name, role, console.by, console.now_ms(), lasts_ms, token)
            console.change(lambda db: records.add_token(db, row), "token.add", name)
        return token

    def revoke(self, name: str) -> None:
        with self.console() as console:
            console.change(lambda db: records.revoke(db, name), "token.revoke", name)

    def setup_code(self) -> str:
        found = CODE.search(self.log.read_text())
        assert found, self.log.read_text()
        return found[1]

    def browser(self) -> Browser:
        return Browser(self.url)

    async def answers(self, status: int, path: str, **headers: str) -> None:
        """Wait until that is the answer: what a command changed is seen within a second or two."""

        async def is_so() -> bool:
            answer = await self.client.get(path, headers=headers)
            return answer.status_code == status

        await self.until(is_so)


class Browser:
    """Cookies, and forms as a browser sends them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.client = httpx.AsyncClient(
            base_url=url, timeout=ANSWER_WITHIN_S, headers={"Accept-Language": "en"}
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.client.aclose()

    async def get(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def send(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Load a page, and send a form of it."""
        found = CSRF.search((await self.get(page)).text)
        assert found, page
        return await self.post(action, csrf=found[1], **fields)

    async def post(self, action: str, **fields: str) -> httpx.Response:
        return await self.client.post(action, data=fields, headers={"Origin": self.url})

    async def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        return await self.send("/sign-in", "/sign-in", name=name, password=password)
