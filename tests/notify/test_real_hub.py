"""A real hub: a drill by its button, killed while messages are on their way, answered by a link."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.access.closed_hub import CSRF
from tests.notify.servers import Post, Receiver
from tests.running_hub import RunningHub

CENTRE = """
rooms: [{{id: gym, name: {{en: Gym, zh-CN: 健身房}}, kind: gym}}]
notify:
  public_url: http://127.0.0.1
  channels:
    - {{id: web, kind: webhook, url_file: web.url}}
    - {{id: chat, kind: wecom, url_file: chat.url}}
  people:
    - {{id: li, name: 李娜, channels: [chat, web]}}
  manager: li
  heartbeat: {{url_file: beat.url, every: 100ms}}
  webhooks: [{{id: district, url: "{url}/in", secret_file: hook.key}}]
"""


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as running:
        yield running


@pytest.fixture
async def hub(tmp_path: Path, receiver: Receiver) -> AsyncIterator[RunningHub]:
    (tmp_path / "web.url").write_text(f"json://127.0.0.1:{receiver.port}/web")
    (tmp_path / "chat.url").write_text(f"json://127.0.0.1:{receiver.port}/chat")
    (tmp_path / "beat.url").write_text(f"{receiver.url}/beat")
    (tmp_path / "hook.key").write_text("a key")
    async with RunningHub(tmp_path, CENTRE.format(url=receiver.url)) as running:
        yield running


def of(receiver: Receiver, path: str) -> list[Post]:
    return [post for post in receiver.posts if post.path == path]


async def press(hub: RunningHub, page: str, action: str, **fields: str) -> int:
    """Send a form of a page, as a browser does."""
    found = CSRF.search((await hub.client.get(page)).text)
    assert found is not None
    origin = {"Origin": f"http://127.0.0.1:{hub.port}"}
    sent = {"csrf": found[1], **fields}
    return (await hub.client.post(action, data=sent, headers=origin)).status_code


async def test_a_drill_survives_kill_9_and_its_link_proves_the_way(
    hub: RunningHub, receiver: Receiver
) -> None:
    receiver.mood = "hang"
    assert await press(hub, "/roster", "/roster/drill") == 303

    async def on_the_way() -> bool:
        return all(of(receiver, path) for path in ("/web", "/chat", "/in"))

    await hub.until(on_the_way)
    hub.kill()
    receiver.mood = 200
    await hub.start()

    async def repeated() -> bool:
        waiting = (await hub.get("/api/v1/notifications"))["waiting"]
        return len(of(receiver, "/web")) == len(of(receiver, "/in")) == 2 and not waiting

    await hub.until(repeated)
    for path in ("/web", "/in"):
        marks = {post.headers["idempotency-key"] for post in of(receiver, path)}
        assert len(marks) == 1, "the repeat can be recognised"
    assert len(of(receiver, "/chat")) == 1, "what cannot be recognised is not repeated"
    assert (await hub.get("/api/v1/notifications"))["uncertain"] == 1

    said = json.loads(of(receiver, "/web")[1].body)["message"]
    link = re.findall(r"http://127\.0\.0\.1(/ack/[\w-]+)", said)[0]
    page = await hub.client.get(link)
    assert page.status_code == 200
    assert "演练" in page.text, "in the person's language"
    assert (await alert(hub))["state"] == "raised", "a scanner of mail follows links"
    assert await press(hub, link, link) == 200
    assert (await alert(hub))["acknowledged_by"] == "li"
    ways = {way["id"]: way for way in (await hub.get("/api/v1/notifications"))["ways"]}
    assert ways["web"]["proven"] is not None
    assert ways["chat"]["proven"] is None
    assert (await hub.client.get(link[:-6] + "AAAAAA")).status_code == 404


async def alert(hub: RunningHub) -> Any:
    return (await hub.get("/api/v1/alerts/1", lang="en")) or {}


async def test_links_are_not_to_be_guessed_and_the_sign_of_life_ends_with_the_hub(
    hub: RunningHub, receiver: Receiver
) -> None:
    async def knocks() -> bool:
        return len(of(receiver, "/beat")) >= 3

    await hub.until(knocks)
    codes = [(await hub.client.get("/ack/" + "A" * 43)).status_code for _ in range(30)]
    assert codes[0] == 404
    assert codes[-1] == 429
    hub.kill()
    held = len(of(receiver, "/beat"))
    await hub.start()
    assert len(of(receiver, "/beat")) >= held

    async def knocks_again() -> bool:
        return len(of(receiver, "/beat")) > held

    await hub.until(knocks_again)


async def test_somebody_stands_in_and_does_not_any_more(hub: RunningHub) -> None:
    same = {"person": "li", "instead": "li", "first": "2099-01-01"}
    assert await press(hub, "/roster", "/roster/stand-ins", **same) == 422
    broken = {"person": "li", "instead": "li", "first": "soon"}
    assert await press(hub, "/roster", "/roster/stand-ins", **broken) == 422
    assert await press(hub, "/roster", "/roster/stand-ins/1/remove") == 303
    assert await press(hub, "/roster", "/roster/drill") == 303
    assert await press(hub, "/roster", "/roster/drill") == 409
