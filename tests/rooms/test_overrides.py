"""What staff say: kept before it counts, replaced, taken back, ended by time, remembered."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.centre import Centre, Room
from hub.domain.errors import RefusedDecisionError, UnknownRoomError
from hub.domain.events import OverrideChanged, RoomChanged
from hub.domain.opening import AlwaysOpen
from hub.domain.room import Override, OverrideKind, Status
from hub.rooms.override_pages import wished
from hub.rooms.overrides import (
    DAY_MS,
    HOUR_MS,
    LOOK_HOLDS_MS,
    MAX_REASON,
    MINUTE_MS,
    Overrides,
    UnknownOverrideError,
    Wish,
    remembered,
)
from hub.rooms.service import RoomsService
from hub.store.store import Store

NOW_S = 1_800_000_000.0
CLOSED, LOOKED = OverrideKind.CLOSED, OverrideKind.LOOKED


class Rig:
    """A real store, a clock that moves when told, and everything that is published."""

    def __init__(self, path: Path) -> None:
        self.wall_s = NOW_S
        self.clock = Clock(true_time=lambda: self.wall_s, monotonic=lambda: self.wall_s)
        self.bus = Bus()
        self.decided: list[Decided] = []
        self.told: list[tuple[str, Status]] = []
        self.bus.subscribe(Decided, self.decided.append)
        self.bus.subscribe(
            RoomChanged, lambda event: self.told.append((event.state.room, event.state.status))
        )
        rooms = tuple(Room(name, {"en": name}, "main", 1, "gym", 20) for name in ("gym", "hall"))
        self.centre = Centre("c", {"en": "C"}, "Europe/Berlin", (), rooms, (), ())
        self.path = path

    @property
    def now_ms(self) -> int:
        return self.clock.now_ms()

    async def start(self) -> None:
        self.store = await Store.open(self.path, self.clock)
        known = await remembered(self.store, self.now_ms)
        self.overrides = Overrides(("gym", "hall"), self.store, self.clock, self.bus, known)
        self.rooms = RoomsService(
            self.centre, self.clock, self.bus, self.store, (), AlwaysOpen(), self.overrides
        )
        self.store.append_room(self.rooms.state("gym"))  # as the running hub does

    async def restart(self) -> None:
        await self.store.close()
        self.bus._subscribers.pop(OverrideChanged)
        await self.start()

    def status(self, room: str = "gym") -> Status:
        self.rooms.watch.advance(self.now_ms)
        return self.rooms.state(room).status


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    made = Rig(tmp_path)
    await made.start()
    yield made
    await made.store.close()


async def test_a_closed_room_is_closed_until_its_end(rig: Rig) -> None:
    until = rig.now_ms + 2 * HOUR_MS
    kept = await rig.overrides.say(Wish("gym", CLOSED, None, " Wet  floor ", until), "mei")
    assert (kept.reason, kept.author) == ("Wet floor", "mei")
    assert rig.status() is Status.CLOSED
    assert rig.rooms.state("gym").override == kept.id
    assert rig.status("hall") is Status.UNKNOWN
    rig.wall_s += 2 * 3600 - 1
    assert rig.status() is Status.CLOSED
    rig.wall_s += 1
    assert rig.status() is Status.UNKNOWN
    assert rig.overrides.of("gym") == ()


async def test_it_is_recorded_who_said_what_and_what_was_before(rig: Rig) -> None:
    until = rig.now_ms + HOUR_MS
    first = await rig.overrides.say(Wish("gym", CLOSED, None, "Paint", until), "mei")
    second = await rig.overrides.say(Wish("gym", CLOSED, None, "Still wet", until), "jun")
    await rig.overrides.end(second.id, "li")
    assert [(d.who, d.action, d.target) for d in rig.decided] == [
        ("mei", "override.add", "gym"),
        ("jun", "override.add", "gym"),
        ("li", "override.end", "gym"),
    ]
    assert (
        rig.decided[1].before == rig.decided[0].after == "closed until 2027-01-15T09:00:00Z: Paint"
    )
    assert rig.decided[2].after == ""
    with pytest.raises(UnknownOverrideError):
        await rig.overrides.end(first.id, "li")


async def test_a_new_look_replaces_the_old_one_and_leaves_the_closure(rig: Rig) -> None:
    await rig.overrides.say(Wish("gym", CLOSED, None, "Paint", rig.now_ms + HOUR_MS), "mei")
    await rig.overrides.say(Wish("gym", LOOKED, 12), "mei")
    rig.wall_s += 60
    await rig.overrides.say(Wish("gym", LOOKED, 0), "jun")
    assert [(item.kind, item.people) for item in rig.overrides.of("gym")] == [
        (CLOSED, None),
        (LOOKED, 0),
    ]


async def test_what_was_seen_counts_for_a_quarter_of_an_hour(rig: Rig) -> None:
    kept = await rig.overrides.say(Wish("gym", LOOKED, 12), "mei")
    assert kept.until_ms - kept.from_ms == LOOK_HOLDS_MS
    assert rig.status() is Status.IN_USE
    people = rig.rooms.state("gym").people
    assert people is not None
    assert people.estimate == 12
    rig.wall_s += LOOK_HOLDS_MS / 1000
    assert rig.status() is Status.UNKNOWN


async def test_a_restart_forgets_nothing(rig: Rig) -> None:
    until = rig.now_ms + 3 * DAY_MS
    closed = await rig.overrides.say(Wish("gym", CLOSED, None, "Paint", until), "mei")
    looked = await rig.overrides.say(Wish("hall", LOOKED, 0), "mei")
    ended = await rig.overrides.say(Wish("hall", CLOSED, None, "Oops", until), "mei")
    await rig.overrides.end(ended.id, "mei")
    rig.wall_s += 3600
    await rig.restart()
    assert rig.overrides.of("gym") == (closed,)
    assert rig.overrides.of("hall") == ()
    assert rig.overrides.last_look("hall") == looked
    assert rig.status() is Status.CLOSED


async def test_a_machine_that_boots_in_1970_forgets_nothing_either(rig: Rig) -> None:
    closed = await rig.overrides.say(
        Wish("gym", CLOSED, None, "Paint", rig.now_ms + 3 * DAY_MS), "mei"
    )
    rig.wall_s = 0.0
    await rig.restart()
    assert rig.overrides.of("gym") == (closed,)
    rig.wall_s = NOW_S + 3 * 86_400
    assert rig.overrides.of("gym") == ()


async def test_a_past_day_can_be_read_back(rig: Rig) -> None:
    begun = rig.now_ms
    first = await rig.overrides.say(Wish("gym", LOOKED, 3), "mei")
    rig.wall_s += 60
    second = await rig.overrides.say(Wish("gym", LOOKED, 0), "mei")
    rig.wall_s += 86_400
    found = await rig.overrides.between(begun, begun + 30_000)
    assert [item.id for item in found] == [first.id]
    assert found[0].ended_ms == second.from_ms
    found = await rig.overrides.between(begun, begun + HOUR_MS, "gym")
    assert [item.id for item in found] == [first.id, second.id]
    assert await rig.overrides.between(begun, begun + HOUR_MS, "hall") == []
    assert await rig.overrides.between(begun + HOUR_MS, begun + 2 * HOUR_MS) == []


async def test_nothing_counts_that_the_disk_did_not_take(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(purpose: str, operate: Callable[[sqlite3.Connection], Any]) -> Any:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(rig.store, "work", full)
    with pytest.raises(RefusedDecisionError) as caught:
        await rig.overrides.say(Wish("gym", LOOKED, 12), "mei")
    assert (caught.value.text.code, caught.value.status) == ("not_kept", 503)
    assert rig.overrides.of("gym") == ()
    assert rig.status() is Status.UNKNOWN
    assert rig.decided == []


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish("gym", CLOSED, None, " ", 1), "override.no_reason"),
        (Wish("gym", CLOSED, None, "\u202e\x00", 1), "override.no_reason"),
        (Wish("gym", CLOSED, None, "x"), "override.no_end"),
        (Wish("gym", CLOSED, None, "x" * (MAX_REASON + 1), 1), "override.long_reason"),
        (Wish("gym", CLOSED, None, "x", int(NOW_S * 1000)), "override.past"),
        (Wish("gym", CLOSED, None, "x", 2**50), "override.long_closure"),
        (Wish("gym", LOOKED, None), "override.no_people"),
        (Wish("gym", LOOKED, -1), "override.no_people"),
        (Wish("gym", LOOKED, 0, "", 2**50), "override.long_look"),
    ],
)
async def test_what_cannot_be_said_is_refused(rig: Rig, wish: Wish, code: str) -> None:
    with pytest.raises(RefusedDecisionError) as caught:
        await rig.overrides.say(wish, "mei")
    assert caught.value.text.code == code
    assert rig.overrides.all() == []


async def test_a_reason_is_a_line_of_plain_words(rig: Rig) -> None:
    """It goes to pages, the record and terminals; neither order nor colour is its business."""
    typed = "wet\n floor \u202e\x1b[31m\x00"
    said = await rig.overrides.say(Wish("gym", LOOKED, 0, typed), "mei")
    assert said.reason == "wet floor [31m"


async def test_a_hub_that_does_not_know_the_time_takes_no_end(rig: Rig) -> None:
    rig.clock.is_trusted = False
    with pytest.raises(RefusedDecisionError) as caught:
        await rig.overrides.say(Wish("gym", LOOKED, 0), "mei")
    assert caught.value.text.code == "override.no_time"
    with pytest.raises(UnknownRoomError):
        await rig.overrides.say(Wish("attic", LOOKED, 0), "mei")


async def test_a_room_keeps_its_newest_words_only(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hub.rooms.override_rows.MAX_ROWS", 3)
    begun, said = rig.now_ms, []
    for people in range(5):
        said.append(await rig.overrides.say(Wish("gym", LOOKED, people), "mei"))
        rig.wall_s += 1
    other = await rig.overrides.say(Wish("hall", LOOKED, 0), "mei")
    kept = await rig.overrides.between(begun, begun + HOUR_MS)
    assert [item.id for item in kept] == [*(item.id for item in said[2:]), other.id]


def of_form(**fields: str) -> Wish:
    return wished("gym", fields, "Europe/Berlin", int(NOW_S * 1000))


def test_a_form_says_local_time_also_where_it_comes_twice() -> None:
    closed = of_form(kind="closed", reason="x", until="2027-06-01T18:30")
    assert closed.until_ms == 1_811_867_400_000  # 16:30 UTC
    twice = of_form(kind="closed", reason="x", until="2027-10-31T02:30")
    assert twice.until_ms == 1_824_946_200_000  # 01:30 UTC: the later one
    with pytest.raises(RefusedDecisionError):
        of_form(kind="closed", reason="x", until="Friday")


def test_a_form_that_somebody_made_up_asks_for_nothing_odd() -> None:
    now_ms = int(NOW_S * 1000)
    assert of_form(kind="looked", people="7", minutes="30") == Wish(
        "gym", LOOKED, 7, "", now_ms + 30 * MINUTE_MS
    )
    assert of_form(kind="looked", people="\u0667", minutes="9" * 30) == Wish(
        "gym", LOOKED, None, "", now_ms + 15 * MINUTE_MS
    )


def test_the_shape_that_replay_reads_is_the_domains_own() -> None:
    assert Override.__struct_fields__[-1] == "ended_ms"
