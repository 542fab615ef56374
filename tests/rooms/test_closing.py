"""The closing round: the order of the walk, what counts as seen, and what does not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from hub.domain.centre import Building, Centre, Room
from hub.domain.opening import Slot
from hub.domain.room import Override, OverrideKind, Presence, RoomState, Status
from hub.rooms.closing import (
    BEFORE_MS,
    HOUR_MS,
    LONGEST_MS,
    OWN_TRACES_MS,
    closing_round,
    holds_until,
    walk,
)

CLOSES = 1_800_000_000_000
NOW = CLOSES + HOUR_MS


def room(name: str, building: str, floor: int) -> Room:
    return Room(name, {"en": name}, building, floor, "gym", None)


CENTRE = Centre(
    "c",
    {"en": "C"},
    "UTC",
    (Building("north", {"en": "N"}), Building("annex", {"en": "A"})),
    (
        room("attic", "north", 3),
        room("shed", "annex", 1),
        room("hall", "north", 1),
        room("cellar", "north", -1),
        room("bar", "north", 1),
    ),
    (),
    (),
)


@dataclass
class Night:
    """One room at night, and who looked into it."""

    presence: Presence = Presence.UNKNOWN
    slot: Slot = field(default_factory=lambda: Slot(False, CLOSES, CLOSES + 11 * HOUR_MS))
    look: Override | None = None
    now_ms: int = NOW

    def seen(self, people: int, at_ms: int) -> Night:
        self.look = Override(
            1, "hall", OverrideKind.LOOKED, people, "", "mei", at_ms, at_ms + HOUR_MS
        )
        return self

    @property
    def stop(self) -> tuple[bool, bool, bool]:
        """Looked at tonight, done, seen again."""
        state = RoomState(
            "hall", Status.CLOSED, self.presence, None, None, None, 0, self.now_ms, None, ()
        )
        (found,) = closing_round(
            [room("hall", "north", 1)],
            lambda _: state,
            lambda _: self.slot,
            lambda _: self.look,
            self.now_ms,
        ).stops
        return found.look is not None, found.is_done, found.is_seen_again


def test_one_walks_building_by_building_and_floor_by_floor() -> None:
    assert [stop.id for stop in walk(CENTRE)] == ["cellar", "hall", "bar", "attic", "shed"]


def test_an_empty_room_is_done_whatever_sensors_cannot_tell() -> None:
    assert Night().stop == (False, False, False)
    assert Night().seen(0, NOW - 1).stop == (True, True, False)


def test_somebody_inside_is_seen_and_not_done() -> None:
    assert Night().seen(1, NOW - 1).stop == (True, False, False)


def test_who_looks_is_seen_by_the_sensors_himself() -> None:
    night = Night(Presence.PRESENT).seen(0, NOW)
    assert night.stop == (True, True, False)
    night.now_ms = NOW + OWN_TRACES_MS
    assert night.stop == (True, True, False)
    night.now_ms += 1
    assert night.stop == (True, False, True)


@pytest.mark.parametrize(
    ("at_ms", "counts"),
    [(CLOSES - BEFORE_MS, True), (CLOSES - BEFORE_MS - 1, False), (NOW - 24 * HOUR_MS, False)],
)
def test_only_tonights_looks_count(at_ms: int, counts: bool) -> None:
    assert Night().seen(0, at_ms).stop == (counts, counts, False)


def test_after_midnight_it_is_still_tonight() -> None:
    night = Night().seen(0, CLOSES + 60_000)
    night.now_ms = CLOSES + 10 * HOUR_MS
    assert night.stop == (True, True, False)


def test_a_room_without_hours_forgets_after_three() -> None:
    night = Night(slot=Slot(True)).seen(0, NOW)
    night.now_ms = NOW + BEFORE_MS
    assert night.stop[1]
    night.now_ms += 1
    assert not night.stop[1]


def test_progress_is_counted_and_what_remains_is_named() -> None:
    looks = {"hall": 0, "cellar": 0, "bar": 4}
    found = closing_round(
        walk(CENTRE),
        lambda name: RoomState(
            name, Status.CLOSED, Presence.UNKNOWN, None, None, None, 0, NOW, None, ()
        ),
        lambda _: Slot(False, CLOSES),
        lambda name: (
            Override(1, name, OverrideKind.LOOKED, looks[name], "", "mei", NOW, NOW + 1)
            if name in looks
            else None
        ),
        NOW,
    )
    assert (found.done, len(found.stops)) == (2, 5)
    assert [stop.room.id for stop in found.remaining] == ["bar", "attic", "shed"]


def test_a_look_holds_until_the_room_opens_but_not_for_ever() -> None:
    opens = NOW + 5 * HOUR_MS
    assert holds_until(Slot(False, CLOSES, opens), NOW) == opens
    assert holds_until(Slot(False, CLOSES, NOW + 100 * HOUR_MS), NOW) == NOW + LONGEST_MS
    assert holds_until(Slot(False), NOW) == NOW + LONGEST_MS
    assert holds_until(Slot(True, CLOSES, opens), NOW) == NOW + HOUR_MS // 2
