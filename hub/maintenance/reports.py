"""What somebody says at a room's door, without an account. Pure.

No name is asked for, and none is kept: a code of what is wrong, a few words, and what the hub
itself knew of the room at that moment.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import msgspec
from msgspec.structs import replace

from hub.domain.device import DeviceState
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import RoomState, Text
from hub.domain.typed import one_line

MAX_TEXT = 200
MOST_OF_ROOM = 10
"""Unanswered ones of one room; the eleventh says nothing that staff do not know."""
MOST = 300
MOST_DEVICES = 40


class Wrong(StrEnum):
    """What can be chosen."""

    SIGN = "sign"  # the screen says something else than what is so
    DOOR = "door"
    LIGHT = "light"
    CLIMATE = "climate"  # too hot, too cold, bad air
    EQUIPMENT = "equipment"
    DIRT = "dirt"
    OTHER = "other"


class Seen(msgspec.Struct, frozen=True):
    """A sensor of the room at that moment."""

    device: str
    health: str
    heard_ms: int | None


class Snapshot(msgspec.Struct, frozen=True):
    """What the hub said of the room at that moment."""

    status: str
    presence: str
    since_ms: int
    devices: tuple[Seen, ...] = ()


class Report(msgspec.Struct, frozen=True):
    id: int
    room: str
    what: Wrong
    text: str
    made_ms: int
    snapshot: Snapshot
    answered_ms: int | None = None
    answered_by: str = ""
    answer: str = ""
    order: int | None = None

    @property
    def is_open(self) -> bool:
        return self.answered_ms is None


def snapshot(state: RoomState, devices: Iterable[DeviceState]) -> Snapshot:
    seen = [Seen(one.id, one.health.value, one.last_heard_ms) for one in devices]
    return Snapshot(
        state.status.value, state.presence.value, state.since_ms, tuple(seen[:MOST_DEVICES])
    )


def made(number: int, room: str, what: str, text: str, snapshot: Snapshot, now_ms: int) -> Report:
    """
    Raises:
        RefusedDecisionError: nothing was chosen, or it is too long.
    """
    words = one_line(text)
    if what not in set(Wrong):
        raise RefusedDecisionError(Text("report.choose"))
    if len(words) > MAX_TEXT:
        raise RefusedDecisionError(Text("report.too_long", {"most": MAX_TEXT}))
    return Report(number, room, Wrong(what), words, now_ms, snapshot)


def require_space(open_ones: Iterable[Report], room: str) -> None:
    """
    Raises:
        RefusedDecisionError: so many wait for an answer that another one helps nobody.
    """
    rooms = [report.room for report in open_ones]
    if rooms.count(room) >= MOST_OF_ROOM or len(rooms) >= MOST:
        raise RefusedDecisionError(Text("report.many"), 429)


def answered(
    report: Report, answer: str, who: str, now_ms: int, order: int | None = None
) -> Report:
    """
    Raises:
        RefusedDecisionError: somebody was faster.
    """
    if not report.is_open:
        raise RefusedDecisionError(Text("report.answered"), 409)
    return replace(report, answered_ms=now_ms, answered_by=who, answer=answer, order=order)
