"""Is anyone still inside? The house in the order in which one walks it, and who looked where.

A look counts for tonight if it was made while the room was closed, or up to three hours before.
It counts no longer when sensors still see somebody a quarter of an hour later: who looks is seen
by them himself, so at first they prove nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hub.domain.centre import Centre, Room
from hub.domain.opening import Slot
from hub.domain.room import Override, Presence, RoomState

HOUR_MS = 3_600_000
BEFORE_MS = 3 * HOUR_MS
OWN_TRACES_MS = 15 * 60_000  # the hold of a motion sensor, and some
LONGEST_MS = 12 * HOUR_MS
WHILE_OPEN_MS = HOUR_MS // 2  # how long a look holds in a room that is still open


class Stop(NamedTuple):
    """A room of the round. ``look``: tonight's newest."""

    room: Room
    state: RoomState
    look: Override | None
    is_look_in_force: bool  # it is part of what the state says
    is_open: bool
    is_done: bool
    is_seen_again: bool  # it was empty, and somebody is there after all


class Round(NamedTuple):
    stops: tuple[Stop, ...]

    @property
    def done(self) -> int:
        return sum(stop.is_done for stop in self.stops)

    @property
    def remaining(self) -> list[Stop]:
        return [stop for stop in self.stops if not stop.is_done]


def walk(centre: Centre) -> list[Room]:
    """Building by building, floor by floor from below, as the configuration lists the rooms."""
    place = {building.id: at for at, building in enumerate(centre.buildings)}
    return sorted(centre.rooms, key=lambda room: (place[room.building], room.floor))


def closing_round(
    rooms: Sequence[Room],
    state: Callable[[str], RoomState],
    slot: Callable[[str], Slot],
    look: Callable[[str], Override | None],
    now_ms: int,
) -> Round:
    """Tonight's round as far as it is."""
    return Round(
        tuple(_stop(room, state(room.id), slot(room.id), look(room.id), now_ms) for room in rooms)
    )


def holds_until(slot: Slot, now_ms: int) -> int:
    """How long a look on the round is evidence: in a closed room until it opens again."""
    if slot.is_open:
        return now_ms + WHILE_OPEN_MS
    longest = now_ms + LONGEST_MS
    return longest if slot.until_ms is None else max(min(slot.until_ms, longest), now_ms + 1)


def _stop(room: Room, state: RoomState, slot: Slot, look: Override | None, now_ms: int) -> Stop:
    begun_ms = now_ms
    if not slot.is_open:
        begun_ms = now_ms - LONGEST_MS if slot.from_ms is None else slot.from_ms
    if look is not None and look.from_ms < begun_ms - BEFORE_MS:
        look = None
    was_empty = look is not None and look.people == 0
    is_seen_again = (
        look is not None
        and was_empty
        and state.presence is Presence.PRESENT
        and now_ms - look.from_ms > OWN_TRACES_MS
    )
    return Stop(
        room,
        state,
        look,
        is_look_in_force=look is not None and look.ended_ms is None and look.until_ms > now_ms,
        is_open=slot.is_open,
        is_done=was_empty and not is_seen_again,
        is_seen_again=is_seen_again,
    )
