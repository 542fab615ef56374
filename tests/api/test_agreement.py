"""REST and the event stream agree: through a random day of a real hub, each object that the stream
sends is compared with what the routes answer at that moment.

The hub is whole, from intake to guard, in this process: its clock is moved by the test, and so is
the event loop's (for the 250 ms in which further changes are merged). The stream's client keeps
what it was told; its picture of every room is also compared with the status, changed or not.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from device_drivers.contract import Discard, DiscardReason, Message, Quality, Sample
from edge.reading import TimeSource
from edge.stamp import Stamp
from hub.api.stream import MERGE_S, ROUND_S
from tests.api.skipping_loop import SkippingLoop, settle, skip
from tests.api.whole_hub import WholeHub, request_scope, whole_hub

BEGIN_S = 1_795_276_800.0  # midnight of 22 November 2026 in Shanghai
DAY_S = 86_400
LONGEST_STEP_S = 600
AGENDA_S = 1.1  # an agenda looks at the clock at least this often
CENTRE = """
timetable:
  hours: {mon-sun: "07:00-21:00"}
  rooms:
    hall:
      hours: {mon-sun: "00:00-24:00"}
      purposes: [{id: choir, name: {en: Choir}, when: {mon-sun: "14:00-16:00"}, limit: 3}]
rooms:
  - {id: gym, name: {en: Gym}, floor: 1, kind: gym, capacity: 6}
  - {id: hall, name: {en: Hall}, floor: 1, kind: living_room, capacity: 8, zones: [{id: bay}]}
  - {id: way, name: {en: Corridor}, floor: 2, kind: corridor, capacity: 9}
  - {id: store, name: {en: Store}, floor: 2, kind: storage}
doors:
  - {id: front, between: [hall, outside]}
devices:
  - {id: gym-door, driver: zigbee2mqtt, room: gym, link: {mqtt: a/gd}}
  - {id: gym-eye, driver: zigbee2mqtt, room: gym, link: {mqtt: a/ge}}
  - {id: hall-door, driver: zigbee2mqtt, door: front, link: {mqtt: a/hd}}
  - {id: hall-radar, driver: zigbee2mqtt, room: hall, link: {mqtt: a/hr}}
  - {id: bay-radar, driver: zigbee2mqtt, room: hall, zone: bay, link: {mqtt: a/hb}}
  - {id: hall-count, driver: zigbee2mqtt, door: front, link: {mqtt: a/hc}}
  - {id: way-eye, driver: zigbee2mqtt, room: way, link: {mqtt: a/we}}
  - {id: air, driver: zigbee2mqtt, room: store, link: {mqtt: a/air}}
"""
SAYS: dict[str, tuple[tuple[str, int], ...]] = {  # device: its channels and their largest value
    "gym-door": (("contact", 1),),
    "gym-eye": (("motion", 1),),
    "hall-door": (("contact", 1),),
    "hall-radar": (("presence", 1), ("motion", 1)),
    "bay-radar": (("presence", 1),),
    "hall-count": (("people.in", 40), ("people.out", 40)),
    "way-eye": (("motion", 1),),
    "air": (("temperature", 30),),
}
SHOWN = ("status", "presence", "crowding", "people", "zones", "override")
"""What no client of the stream may ever have old. Times age by themselves until the next event."""

AGES = frozenset({"as_of", "valid_until", "last_heard", "until", "time", "because"})


@dataclass
class Heard:
    """What the stream told one client."""

    said: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    picture: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    events: int = 0
    resets: int = 0

    def take(self, text: bytes) -> None:
        for event in text.decode().split("\n\n"):
            fields = dict(line.split(": ", 1) for line in event.splitlines() if ": " in line)
            name = fields.get("event")
            self.resets += name == "reset"
            if name in ("room", "device"):
                document = json.loads(fields["data"])
                self.events += 1
                self.said.append((name, document))
                self.picture[name, document["id"]] = document


class Day:
    """A hub, its sensors, and somebody who asks."""

    def __init__(self, hub: WholeHub) -> None:
        self.hub = hub
        self.heard = Heard()
        zone = ZoneInfo("Asia/Shanghai")
        self._stamps = {name: Stamp(name, hub.clock, zone) for name in SAYS}

    async def get(self, path: str) -> Any:
        response = await self.hub.client.get(f"/api/v1/{path}")
        assert response.status_code == 200, response.text
        return response.json()

    def speak(self, device: str, chance: random.Random) -> None:
        samples = tuple(
            Sample(name, None, "", Quality.BAD, "malformed")
            if chance.random() < 0.03
            else Sample(name, chance.randint(0, most), "")
            for name, most in SAYS[device]
        )
        ways = [TimeSource.HUB, TimeSource.QUEUED, TimeSource.RETAINED]
        (way,) = chance.choices(ways, (90, 5, 5))
        self.hub.parts.vitals.intake.report(self._stamps[device].report(Message(samples), way))

    async def stir(self, chance: random.Random) -> None:
        """Mostly a sensor speaks; at times a line breaks, or staff say something."""
        device, intake = chance.choice(list(SAYS)), self.hub.parts.vitals.intake
        kind = chance.random()
        if kind < 0.9:
            self.speak(device, chance)
        elif kind < 0.93:
            intake.discard(device, Discard(DiscardReason.CHECKSUM, 9))
        elif kind < 0.97:
            intake.link("a line", frozenset({device, "gym-eye"}), chance.random() < 0.5, "gone")
        else:
            room = chance.choice(("gym", "hall"))
            said = {"kind": "looked", "people": chance.randint(0, 9)}
            path = f"/api/v1/rooms/{room}/overrides"
            assert (await self.hub.client.post(path, json=said)).status_code == 200

    async def compare(self, *, is_whole: bool) -> None:
        """What the stream said last of each room and device is what the routes say now.

        ``is_whole``: also the ages, which a repeat moves on without telling anybody.
        """
        said, self.heard.said = self.heard.said, []
        newest = {(name, document["id"]): document for name, document in said}
        for (name, item), told in newest.items():
            asked = await self.get(f"{name}s/{item}")
            if not is_whole:
                told, asked = without_ages(told), without_ages(asked)
            assert told == asked
        status, rooms = await self.get("status"), await self.get("rooms")
        # the status is put together once a second where nothing but ages has changed
        assert without_ages(status["rooms"]) == without_ages(rooms["items"])
        for room in rooms["items"]:
            known = self.heard.picture.get(("room", room["id"]))
            if known is not None:
                assert {k: known[k] for k in SHOWN} == {k: room[k] for k in SHOWN}
                codes = [[reason["code"] for reason in r["reasons"]] for r in (known, room)]
                assert codes[0] == codes[1], room["id"]
                assert known["as_of"] <= room["as_of"]
        healths = [d["health"] for d in (await self.get("devices"))["items"]]
        assert {name: healths.count(name) for name in status["devices"]} == status["devices"]


def without_ages(document: Any) -> Any:
    """A document without the times that move on while all else stays."""
    if isinstance(document, dict):
        return {k: without_ages(v) for k, v in document.items() if k not in AGES}
    return [without_ages(one) for one in document] if isinstance(document, list) else document


async def follow(web: Any, heard: Heard) -> None:
    """The stream as a program reads it."""
    scope = request_scope("/api/v1/events", (b"accept-language", b"zh-CN"))

    async def receive() -> dict[str, Any]:
        await asyncio.Event().wait()  # the client stays
        raise AssertionError

    async def send(message: dict[str, Any]) -> None:
        heard.take(message.get("body", b""))

    await web(scope, receive, send)


@pytest.fixture(params=[20_261_122, 5, 8, 11])
def chance(request: pytest.FixtureRequest) -> random.Random:
    return random.Random(request.param)


def test_a_random_day_is_the_same_by_stream_and_by_rest(
    tmp_path: Path, chance: random.Random
) -> None:
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        heard, statuses = runner.run(live_through(tmp_path, chance))
    assert heard.resets == 0
    assert heard.events > 300, "a day with little in it proves little"
    assert {name for name, _ in heard.picture} == {"room", "device"}
    assert {"in_use", "free", "unknown", "closed", "full"} <= statuses


async def live_through(folder: Path, chance: random.Random) -> tuple[Heard, set[str]]:
    now_s, statuses = BEGIN_S, set[str]()
    async with whole_hub(folder, CENTRE, lambda: now_s) as hub:
        day = Day(hub)
        following = asyncio.create_task(follow(hub.web, day.heard))
        await settle()
        while now_s < BEGIN_S + DAY_S:
            now_s += chance.uniform(0.001, LONGEST_STEP_S)
            await skip(AGENDA_S)  # what time alone changes
            await day.compare(is_whole=True)
            burst = chance.choice((1, 1, 2, 5))
            for _ in range(burst):
                await day.stir(chance)
            await skip(MERGE_S)
            await skip(ROUND_S)  # what came last in a round goes out with the next one
            await day.compare(is_whole=burst == 1)
            statuses |= {r["status"] for (n, _), r in day.heard.picture.items() if n == "room"}
        following.cancel()
    return day.heard, statuses
