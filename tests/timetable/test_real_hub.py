"""A real hub through an evening: it closes at 20:30, staff say what they know, all is recorded."""

from __future__ import annotations

import re
import time
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.flow.hub_with_clock import WRONG
from tests.running_hub import RunningHub

SHANGHAI = ZoneInfo("Asia/Shanghai")
EVENING = datetime(2026, 11, 24, 20, 25, tzinfo=SHANGHAI)  # a Tuesday
CENTRE = """
clock: {trust: always}
rooms:
  - {id: gym, name: {en: Gym}, floor: 2, kind: gym, capacity: 20}
  - {id: hall, name: {en: Hall}, floor: 1, kind: living_room, capacity: 60}
timetable:
  country: CN
  hours: {mon-fri: 08:00-20:30}
  rooms:
    hall:
      purposes:
        - {id: choir, name: {en: Choir, zh-CN: 合唱团}, when: {tue: 20:00-22:00}, limit: 40}
"""


class EveningHub(RunningHub):
    """A hub on a machine whose clock the test sets."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, CENTRE)
        self._wall = folder / "wall"
        self._wall.write_bytes(WRONG.pack(0.0))
        self.set_clock(EVENING)
        _, _, _, _, config, _, data = self.command
        self.command = ["-m", "tests.flow.hub_with_clock", config, data, str(self._wall)]

    def set_clock(self, at: datetime) -> None:
        with self._wall.open("r+b") as file:
            file.write(WRONG.pack(at.timestamp() - time.time()))

    async def room(self, name: str = "gym") -> Any:
        return await self.get(f"/api/v1/rooms/{name}", lang="en")

    async def becomes(self, status: str) -> Any:
        async def is_so() -> Any:
            found = await self.room()
            return found if found["status"] == status else None

        return await self.until(is_so)

    async def say(self, **wish: Any) -> Any:
        response = await self.client.post("/api/v1/rooms/gym/overrides", json=wish)
        assert response.status_code == 200, response.text
        return response.json()

    async def submit(self, page: str, action: str, **fields: str) -> Any:
        """Send a form as a browser without scripts does."""
        html = (await self.client.get(page, headers={"Accept-Language": "en"})).text
        found = re.search(r'name="csrf" value="([^"]*)"', html)
        assert found is not None, html
        own = f"http://127.0.0.1:{self.port}"
        return await self.client.post(
            action,
            data={"csrf": found[1], **fields},
            headers={"Origin": own, "Accept-Language": "en"},
        )


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(SHANGHAI)


def codes(room: Any) -> list[str]:
    return [reason["code"] for reason in room["reasons"]]


@pytest.mark.timeout(90)
async def test_an_evening(tmp_path: Path) -> None:
    async with EveningHub(tmp_path) as hub:
        await it_closes_at_half_past_eight(hub)
        await staff_close_it_until_friday(hub)
        await a_power_cut_forgets_nothing(hub)
        await the_round_is_walked(hub)
        await a_day_off_is_entered(hub)


async def it_closes_at_half_past_eight(hub: EveningHub) -> None:
    gym = await hub.room()
    assert gym["status"] == "unknown"
    assert gym["opening"]["open"]
    assert at(gym["opening"]["until"]) == EVENING.replace(minute=30)
    hub.set_clock(EVENING.replace(minute=29, second=59))
    gym = await hub.becomes("closed")
    assert codes(gym) == ["closed_hours", "opens_at"]
    assert gym["because"][1] == "Opens 25 Nov 08:00"
    hall = await hub.room("hall")
    assert (hall["opening"]["purpose"], hall["opening"]["limit"]) == ("choir", 40)
    (now, *_) = (await hub.get("/api/v1/timetable", room="gym"))["items"]
    assert (now["open"], at(now["until"]).hour) == (False, 8)


async def staff_close_it_until_friday(hub: EveningHub) -> None:
    friday = "2026-11-27T18:00:00+08:00"
    said = await hub.say(kind="closed", reason="The floor is wet", until=friday)
    gym = await hub.room()
    assert gym["override"] == said["id"]
    assert "Closed by local until 27 Nov 18:00: The floor is wet" in gym["because"]
    json_ = {"Content-Type": "application/json"}  # no page of another site can send that
    ended = await hub.client.delete(f"/api/v1/rooms/gym/overrides/{said['id']}", headers=json_)
    assert ended.status_code == 200
    assert ended.json()["ended"] is not None
    assert (await hub.room())["override"] is None
    assert (await hub.get("/api/v1/rooms/gym/overrides"))["items"] == []
    whole = await hub.get("/api/v1/rooms/gym/overrides", **{"from": "2026-11-24T00:00:00Z"})
    assert [item["id"] for item in whole["items"]] == [said["id"]]

    async def recorded() -> Any:
        return len((await hub.get("/api/v1/audit"))["items"]) >= 2

    await hub.until(recorded)
    newest, oldest = (await hub.get("/api/v1/audit"))["items"][:2]
    assert (newest["action"], oldest["action"]) == ("override.end", "override.add")
    assert newest["before"] == oldest["after"] != ""
    assert {newest["who"], newest["target"]} == {"local", "gym"}


async def a_power_cut_forgets_nothing(hub: EveningHub) -> None:
    said = await hub.say(kind="looked", people=0)
    hub.kill()  # what was answered was on disk
    await hub.start()
    (found,) = (await hub.get("/api/v1/rooms/gym/overrides"))["items"]
    assert found == said
    response = await hub.client.post("/api/v1/rooms/gym/overrides", json={"kind": "closed"})
    assert response.status_code == 422
    response = await hub.client.post("/api/v1/rooms/attic/overrides", json={"kind": "closed"})
    assert response.status_code == 404


async def the_round_is_walked(hub: EveningHub) -> None:
    page = (await hub.client.get("/closing", params={"lang": "en"})).text
    assert page.index("Hall") < page.index("Gym")  # one walks upwards
    assert "1 of 2 rooms seen empty" in page  # the look from before the power cut
    response = await hub.submit("/closing", "/closing/hall", seen="somebody")
    assert (response.status_code, response.headers["location"]) == (303, "/closing")
    page = (await hub.client.get("/closing", params={"lang": "en"})).text
    assert "Somebody was here" in page
    await hub.submit("/closing", "/closing/hall", seen="empty")
    page = (await hub.client.get("/closing", params={"lang": "en"})).text
    assert "Every room was seen empty." in page
    gym = (await hub.get("/api/v1/rooms/hall/overrides"))["items"]
    assert [item["people"] for item in gym] == [0]
    response = await hub.client.post("/closing/hall", data={"seen": "empty"})
    assert response.status_code == 403  # a page elsewhere cannot say it


async def a_day_off_is_entered(hub: EveningHub) -> None:
    tomorrow = EVENING.date() + timedelta(days=1)
    fields = {"first": str(tomorrow), "kind": "holiday", "name": "Founder's day"}
    response = await hub.submit("/timetable", "/timetable/days", **fields)
    assert response.status_code == 303
    gym = await hub.room()
    assert gym["because"][1] == "Opens 26 Nov 08:00"
    page = (await hub.client.get("/timetable", params={"lang": "en"})).text
    assert "Founder&#39;s day" in page
    gone = await hub.submit("/timetable", f"/timetable/days/{tomorrow}/remove")
    assert gone.status_code == 303
    assert (await hub.room())["because"][1] == "Opens 25 Nov 08:00"
    wrong = await hub.submit("/timetable", "/timetable/days", first="Friday", kind="holiday")
    assert wrong.status_code == 422
    assert "This is no date" in wrong.text
    assert date.fromisoformat("2026-11-25") == tomorrow
