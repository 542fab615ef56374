"""The closing round's page: what is said of a room reads as one sentence."""

from __future__ import annotations

import re

import httpx
import pytest
from fastapi import FastAPI

from hub.domain.room import Presence
from hub.rooms import closing_pages
from tests.web.sample_centre import SampleHub
from tests.web.sample_plans import SamplePlans


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("zh-CN", "传感器：有人，按时间表仍开放"),
        ("zh-TW", "感測器：有人，按時間表仍開放"),
        ("en", "Sensors: somebody is there, still open by the timetable"),
    ],
)
async def test_two_things_that_are_said_of_a_room_have_a_comma_between_them(
    language: str, words: str
) -> None:
    hub, app = SampleHub(), FastAPI()
    hub.change("gym", presence=Presence.PRESENT)
    app.include_router(closing_pages.pages(hub, SamplePlans(hub).overrides, hub, hub))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        html = (await client.get("/closing", params={"lang": language})).text
    said = re.findall(r'id="stop-gym".*?<p class="sensors">(.*?)</p>', html, re.DOTALL)
    assert [re.sub("<[^>]+>", "", line) for line in said] == [words]
