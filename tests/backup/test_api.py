from __future__ import annotations

from dataclasses import dataclass

import httpx
import msgspec
import pytest
from fastapi import FastAPI

from hub.backup.api import routes
from hub.backup.catalogue import Item, Tried
from hub.backup.service import BackupState
from hub.domain.room import Text
from tests.store.making import T0_MS
from tests.web.sample_centre import SampleHub

ITEM = Item("linli-trial-20260101T000000Z.tar", T0_MS, 7, True)


@dataclass
class Backups:
    state: BackupState


async def asked(backups: Backups | None, language: str) -> dict[str, object]:
    app = FastAPI()
    app.include_router(routes(backups, "Asia/Shanghai", SampleHub()))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        answer = await client.get("/api/v1/backups", headers={"Accept-Language": language})
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def test_where_none_are_made_it_says_so() -> None:
    told = await asked(None, "en")

    assert (told["enabled"], told["ok"], told["items"]) == (False, True, [])
    assert told["text"] == "Backups are not set up. Add a section backup to the configuration."


@pytest.mark.parametrize(
    ("language", "words"), [("en", "does not give back"), ("zh-CN", "与原来不符")]
)
async def test_a_failed_rehearsal_is_told_in_the_readers_language(
    language: str, words: str
) -> None:
    failed = Tried(T0_MS, False, Text("rehearsal.differs", {"path": ITEM.name}))
    item = msgspec.structs.replace(ITEM, tried=failed)
    told = await asked(Backups(BackupState(failed.text, False, False, (item,))), language)

    assert not told["ok"]
    assert words in str(told["text"])
    (row,) = msgspec.convert(told["items"], list[dict[str, object]])
    assert (row["size"], row["encrypted"], row["rehearsed_at"]) == (
        7, True, "2026-01-01T00:00:00.000Z"
    )  # fmt: skip
