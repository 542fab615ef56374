"""What is planned and said in the sample centre: a timetable, a closed hall, a drawn floor."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.events import CounterZeroed
from hub.domain.opening import Slot
from hub.domain.room import Override, OverrideKind
from hub.rooms.overrides import Overrides
from hub.store.reader import Question
from hub.web.drawing import Drawing, read
from tests.web.sample_centre import HOUR_MS, NOW_MS, ROOMS, SampleHub, at, name

T = TypeVar("T")

GROUND_FLOOR = b"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 400">
<rect id="hall" x="20" y="20" width="560" height="360" fill="#eee"/>
<path id="service" d="M590 20h590v170h-590z" fill="#eee"/>
<g transform="translate(590 200)"><rect data-room="canteen" width="590" height="180"/></g>
<g fill="none" stroke="#333"><path d="M20 20H1180V380H20V220M20 140V20M585 20V280"/></g>
</svg>"""

LUNCH = name("午餐", "午餐", "Lunch")
CLUB = name("读书会", "讀書會", "Reading club")


class NoStore:
    """Nothing is said on these pages by anybody."""

    async def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> T:
        raise sqlite3.OperationalError(purpose)

    async def ask(self, ask: Callable[[Question], T]) -> T:
        raise sqlite3.OperationalError


class SamplePlans:
    def __init__(self, hub: SampleHub) -> None:
        said = Override(
            1, "lecture", OverrideKind.CLOSED, None, "Floor polished", "lin", at(9), at(20)
        )
        clock = Clock(NOW_MS, 1, 1)
        self.overrides = Overrides([r.id for r in ROOMS], NoStore(), clock, Bus(), [said])
        self.drawings: Mapping[tuple[str, int], Drawing] = {
            ("main", 1): read(GROUND_FLOOR, ["hall", "service", "canteen"])
        }
        self.zeroings: Mapping[str, Sequence[CounterZeroed]] = {
            "hall": [CounterZeroed("hall", ("hall-counter",), 2, 640, "radar_clear", at(6, 2))]
        }
        for room, slot in (("canteen", LUNCH), ("reading", CLUB)):
            hub.slots[room] = Slot(True, at(11), at(15), slot["en"].lower(), slot)

    def slots(self, room: str, from_ms: int, to_ms: int) -> Iterator[Slot]:
        """Open from 8 to 20, with one purpose around noon in two rooms."""
        begin = from_ms - (from_ms - at(0)) % (24 * HOUR_MS)
        named = {"canteen": LUNCH, "reading": CLUB}.get(room)
        for day in range(begin, to_ms, 24 * HOUR_MS):
            edges = [0, 8, 11, 15, 20, 24]
            for a, b in pairwise(edges):
                slot = (day + a * HOUR_MS, day + b * HOUR_MS)
                if slot[0] < to_ms and slot[1] > from_ms:
                    what = named if a == 11 else None
                    yield Slot(8 <= a < 20, *slot, "p" if what else None, what)
