"""A room's page that looks back: one moment, in words, and every reason why there is none."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import httpx
import msgspec
import pytest

from hub.rooms.past_page import BadMomentError, Moment, moment
from tests.web.sample_app import Stream, make
from tests.web.sample_centre import CENTRE, NOW_MS, SampleHub

BERLIN = ZoneInfo("Europe/Berlin")
HOUR_MS = 3_600_000
FIRST_MS = 1_792_888_200_000  # 2026-10-25 02:30 in Berlin, summer time


async def shown(client: httpx.AsyncClient, at: str, room: str = "hall") -> httpx.Response:
    return await client.get(f"/rooms/{room}", params={"at": at, "lang": "en"})


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make(SampleHub(), Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client


async def test_a_past_moment_is_told_with_its_evidence(client: httpx.AsyncClient) -> None:
    answer = await shown(client, "2026-11-20T15:20")
    assert answer.status_code == 200
    for words in (
        "You look at the past: 2026-11-20 15:20",
        'data-status="free"',
        "Nobody seen since 14:49 (radar hall-radar-1)",
        "judged again, comes to the same",
        "People: 0 since 14:49, last heard 19 Nov 15:20",
        "too long ago to prove anything",
        "Reading club until 16:20",
        "Seen empty at 20 Nov 15:10",
        '<a href="/rooms/hall">Back to now</a>',
        'value="2026-11-20T15:20"',
    ):
        assert words in answer.text


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ("Tea corner", "Small stage", "was right 99.7 % of the time")),
        ("zh-CN", ("茶座", "小舞台", "有 99.7% 的时间是正确的")),
        ("zh-TW", ("茶座", "小舞台", "有 99.7% 的時間是正確的")),
    ],
)
async def test_a_past_moment_has_its_zones_and_how_sure_it_was(
    client: httpx.AsyncClient, language: str, words: tuple[str, ...]
) -> None:
    then = {"at": "2026-11-20T15:20", "lang": language}
    html = (await client.get("/rooms/hall", params=then)).text
    for said in words:
        assert said in html
    tea, stage = re.findall(r"<li><span>[^<]+</span>(.*?)</li>", html)[-2:]
    assert ("#free" in tea, "#unknown" in stage) == (True, True)
    plain = (await client.get("/rooms/gym", params=then)).text
    assert words[0] not in plain
    assert words[2] not in plain


async def test_the_past_is_not_refreshed(client: httpx.AsyncClient) -> None:
    html = (await shown(client, "2026-11-20T15:20")).text
    assert "<script" not in html
    assert "data-live" not in html
    assert "refresh" not in html


async def test_the_page_of_now_offers_to_look_back(client: httpx.AsyncClient) -> None:
    html = (await client.get("/rooms/hall")).text
    live, _, rest = html.partition('<section class="say past-form"')
    assert 'id="live"' in live
    assert 'name="at" type="datetime-local" max="2026-11-22T14:31"' in rest


async def test_a_replay_that_comes_to_something_else_says_so(client: httpx.AsyncClient) -> None:
    html = (await shown(client, "2026-11-20T15:20", "care")).text
    assert "Careful: then it was said: Free" in html
    assert "judged again, comes to:" in html
    assert "Unknown" in html
    assert "comes to the same" not in html


@pytest.mark.parametrize(
    ("at", "status", "words"),
    [
        ("2026-11-10T15:20", 200, "Why cannot be told any more"),
        ("2020-01-01T00:00", 200, "Nobody watched then"),
        ("2026-11-22T14:32", 422, "still to come"),
        ("9999-12-31T23:59", 422, "still to come"),
        ("0001-01-01T00:00", 422, "no date and time"),
        ("yesterday", 422, "no date and time"),
        ("", 422, "no date and time"),
    ],
)
async def test_where_there_is_nothing_to_show_the_reason_is(
    client: httpx.AsyncClient, at: str, status: int, words: str
) -> None:
    answer = await shown(client, at)
    assert answer.status_code == status
    assert words in answer.text
    assert "comes to the same" not in answer.text
    assert 'name="at"' in answer.text  # one may try again


async def test_a_history_that_does_not_answer_is_told(client: httpx.AsyncClient) -> None:
    answer = await shown(client, "2026-11-20T15:20", "storage")
    assert "did not answer in time" in answer.text
    assert "You look at the past" in answer.text


def test_an_hour_that_came_twice_is_the_first_and_leads_to_the_second() -> None:
    first = moment("2026-10-25T02:30", BERLIN, NOW_MS)
    assert first == Moment(FIRST_MS, FIRST_MS + HOUR_MS)
    assert moment("2026-10-25T02:30+01:00", BERLIN, NOW_MS) == Moment(FIRST_MS + HOUR_MS, FIRST_MS)
    assert moment("2026-10-25T00:30Z", BERLIN, NOW_MS) == first


def test_an_hour_that_clocks_left_out_is_refused() -> None:
    with pytest.raises(BadMomentError) as caught:
        moment("2026-03-29T02:30", BERLIN, NOW_MS)
    assert caught.value.text.params == {"moment": "2026-03-29 02:30"}
    assert moment("2026-03-29T03:00", BERLIN, NOW_MS).other_ms is None


async def test_the_page_tells_of_hours_that_came_twice_or_never() -> None:
    hub = SampleHub(msgspec.structs.replace(CENTRE, timezone="Europe/Berlin"))
    hub.now = FIRST_MS + HOUR_MS * 24
    transport = httpx.ASGITransport(make(hub, Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        html = (await shown(client, "2026-10-25T02:30")).text
        assert "This is the first." in html
        assert "at=2026-10-25T02:30:00+01:00" in unquote(html)
        second = (await shown(client, "2026-10-25T02:30:00+01:00")).text
        assert "This is the second." in second
        never = await shown(client, "2026-03-29T02:30")
        assert never.status_code == 422
        assert "There was no 2026-03-29 02:30: clocks were put forward" in never.text
