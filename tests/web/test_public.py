"""What everybody may see, and what nobody may see there."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator

import httpx
import msgspec
import pytest

from hub.domain.centre import is_for_visitors
from hub.domain.opening import Slot
from hub.domain.room import Presence, Status
from hub.domain.views import RoomStep
from hub.rooms.besttime import QUARTER_MS
from hub.web.page import Frame
from hub.web.planned import opening
from tests.web.sample_app import Stream, make
from tests.web.sample_centre import CENTRE, DAY_MS, DEVICES, ROOMS, SampleHub, at

PUBLIC = ["/availability", "/lobby", "/rooms/hall/sign", "/rooms/cabin/sign", "/rooms/care/sign"]


@pytest.fixture
def hub() -> SampleHub:
    return SampleHub()


@pytest.fixture
async def client(hub: SampleHub) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(make(hub, Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        yield client


@pytest.mark.parametrize("path", PUBLIC)
async def test_nothing_public_names_a_device_a_reason_or_a_moment(
    client: httpx.AsyncClient, path: str
) -> None:
    page = (await client.get(path + "?lang=en")).text
    assert not any(device.id in page for device in DEVICES)
    moments = set(re.findall(r">[^<]*?(\d\d:\d\d)", page))
    assert moments <= {"14:31", "15:00", "20:00"}  # now, and what the timetable plans
    assert "Closed by" not in page


async def test_a_room_for_a_few_never_has_a_number(
    client: httpx.AsyncClient, hub: SampleHub
) -> None:
    hub.change("cabin", people=hub.state("hall").people, status=Status.IN_USE)
    for path in ("/lobby?lang=en", "/availability?lang=en", "/rooms/cabin/sign"):
        page = (await client.get(path)).text
        assert "/ 2<" not in page
        assert "23 of 2 people" not in page
    assert "23" in (await client.get("/lobby?lang=en")).text  # the hall's


async def test_rooms_that_no_visitor_looks_for_are_not_listed(client: httpx.AsyncClient) -> None:
    shown = {room.id for room in ROOMS if is_for_visitors(room)}
    assert "storage" not in shown
    page = (await client.get("/lobby?lang=en")).text
    assert set(re.findall(r'id="room-([a-z]+)"', page)) == shown
    assert "Storage" not in (await client.get("/availability?lang=en")).text


async def test_who_chooses_a_language_gets_it_and_the_page_that_is_written_already(
    client: httpx.AsyncClient, hub: SampleHub
) -> None:
    """Else everybody could make the hub write it as often as he asks."""
    first = await client.get("/availability?lang=en")
    assert first.cookies["lang"] == "en"
    hub.change("hall", status=Status.CLOSED)
    again = await client.get("/availability?lang=en&x=%22%3Emine")
    assert again.content == first.content
    hub.now += 10_000
    mine = await client.get("/availability?lang=en&x=mine")
    assert mine.content != first.content
    assert "mine" not in mine.text
    assert "The sensors cannot tell. Please knock." in mine.text


async def test_the_lobby_takes_the_languages_in_turn_and_a_fixed_one_stays(
    client: httpx.AsyncClient, hub: SampleHub
) -> None:
    spoken = []
    for _ in range(3):
        part = (await client.get("/lobby", headers={"HX-Request": "true"})).text
        spoken += re.findall(r'class="speaks" lang="([^"]+)"', part)
        fixed = (await client.get("/lobby?lang=en")).text
        assert 'class="speaks" lang="en"' in fixed
        assert 'data-live="/lobby?lang=en"' in fixed
        hub.now += 20_000
    assert sorted(spoken) == ["en", "zh-CN", "zh-TW"]
    assert 'data-live="/lobby"' in (await client.get("/lobby")).text


async def test_a_sign_has_no_script_and_all_languages_and_says_how_old_it_is(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/rooms/canteen/sign")
    assert "<script" not in answer.text
    assert answer.headers["refresh"] == "60"
    for words in ("空闲", "空閒", "Free", "Lunch until 15:00", "截至 14:31", "As of 14:31"):
        assert words in answer.text
    assert (await client.get("/rooms/nowhere/sign")).status_code == 404


async def test_an_unknown_room_tells_people_what_to_do(client: httpx.AsyncClient) -> None:
    assert "Please knock" in (await client.get("/rooms/care/sign")).text


async def test_a_room_that_staff_closed_does_not_promise_the_timetables_end(
    client: httpx.AsyncClient, hub: SampleHub
) -> None:
    hub.slots["gym"] = Slot(True, at(8), at(20))
    hub.change("gym", status=Status.CLOSED)
    assert "20:00" not in (await client.get("/rooms/gym/sign")).text


@pytest.mark.parametrize("path", ["/availability", "/rooms/gym/sign"])
async def test_who_asks_often_learns_no_more_than_who_asks_every_ten_seconds(
    client: httpx.AsyncClient, hub: SampleHub, path: str
) -> None:
    before = (await client.get(path)).text
    hub.change("gym", status=Status.FULL, presence=Presence.PRESENT)
    assert (await client.get(path)).text == before
    hub.now += 10_000
    assert (await client.get(path)).text != before


async def test_the_page_of_availability_has_nothing_of_the_staffs(
    client: httpx.AsyncClient,
) -> None:
    page = (await client.get("/availability")).text
    for inner in ('="/devices', '="/timetable', "sign-out", "csrf", "<script", "data-events"):
        assert inner not in page


class Planned:
    """Slots that follow each other, an hour each, from 14:00 on."""

    def __init__(self, *slots: bool | str) -> None:
        self._slots = slots

    def slots(self, room: str, from_ms: int, to_ms: int) -> Iterator[Slot]:
        for nth, what in enumerate(self._slots):
            named = what if isinstance(what, str) else None
            name = {"en": named} if named else None
            yield Slot(bool(what), at(14 + nth), at(15 + nth), named, name)


@pytest.mark.parametrize(
    ("slots", "said"),
    [
        ((True, False), "open until 15:00"),
        ((True, "chess", False), "open until 16:00"),  # a purpose begins and nothing closes
        ((True, "chess", True), ""),
        (("chess", True), "chess until 15:00"),
        ((False, True), "opens 15:00"),
        ((False, False, "chess"), "opens 16:00"),  # at midnight a holiday follows closed hours
        ((False,), ""),
        ((), ""),
    ],
)
def test_open_and_closed_are_told_until_they_really_change(
    hub: SampleHub, slots: tuple[bool | str, ...], said: str
) -> None:
    assert opening(Frame(hub.centre, hub), Planned(*slots), "gym", "en") == said


class Fed(SampleHub):
    """A canteen that has been counted for some weeks."""

    weeks = 6

    async def steps(self, room: str, from_ms: int, to_ms: int) -> list[RoomStep]:
        noon = from_ms + 11 * 4 * QUARTER_MS
        if self.now - from_ms > (7 * self.weeks + 1) * DAY_MS:
            return []
        ends = ((-4, 0, 0), (0, 4, 12), (4, 8, 44), (8, 12, 14), (12, 16, 0))
        return [
            RoomStep(noon + a * QUARTER_MS, noon + b * QUARTER_MS, Status.IN_USE, people)
            for a, b, people in ends
        ]


@pytest.mark.parametrize(("weeks", "is_told"), [(6, True), (3, False)])
async def test_the_lobby_says_when_the_canteen_is_calm_if_it_knows(
    weeks: int, is_told: bool
) -> None:
    hub = Fed()
    hub.weeks = weeks
    hub.now = at(10)
    transport = httpx.ASGITransport(make(hub, Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        page = (await client.get("/lobby?lang=en")).text
        told = "Canteen: usually calm from 11:00 to 11:30, 12 people (Sun, last 6 weeks)"
        assert (told in page) is is_told
        hub.now = at(13, 50)  # the meal is over
        assert "usually calm" not in (await client.get("/lobby?lang=en")).text


async def test_more_rooms_than_a_wall_can_show_take_turns(hub: SampleHub) -> None:
    rooms = [msgspec.structs.replace(ROOMS[0], id=f"room-{n}") for n in range(40)]
    crowded = SampleHub(msgspec.structs.replace(CENTRE, rooms=tuple(rooms)))
    crowded.state_of = {r.id: msgspec.structs.replace(hub.state("hall"), room=r.id) for r in rooms}
    transport = httpx.ASGITransport(make(crowded, Stream()))
    async with httpx.AsyncClient(transport=transport, base_url="http://hub") as client:
        seen: list[str] = []
        for _ in range(3):
            page = (await client.get("/wall?lang=en")).text
            found = re.findall(r'id="room-(room-\d+)"', page)
            assert len(found) <= 16
            assert re.search(r"Page \d of 3", page)
            seen += found
            crowded.now += 15_000
    assert sorted(seen) == sorted(room.id for room in rooms)
