"""What the sample centre was at past moments, as the store would tell it.

Nobody watched before the eighth of November; what sensors said is kept from the fifteenth on.
"""

from __future__ import annotations

import msgspec

from hub.domain.opening import OPEN, Slot
from hub.domain.room import Override, OverrideKind, Presence, RoomState, Status, Text, ZoneState
from hub.domain.views import RoomStep
from hub.rooms.explained import Evidence, Explained
from hub.store.query import QueryTooSlowError
from tests.web.sample_centre import DAY_MS, HOUR_MS, MINUTE_MS, NOW_MS, name

WATCHED_MS = NOW_MS - 14 * DAY_MS
KEPT_MS = NOW_MS - 7 * DAY_MS
SLOW_ROOM, CHANGED_ROOM, ZONED_ROOM = "storage", "care", "hall"


async def explain(room: str, at_ms: int) -> Explained:
    """
    Raises:
        QueryTooSlowError: for one of the rooms.
    """
    if room == SLOW_ROOM:
        raise QueryTooSlowError("sample")
    if at_ms < WATCHED_MS:
        return Explained(room, at_ms, None, None, False, (), (), OPEN)
    said = RoomStep(at_ms - 1_000, at_ms + 1_000, Status.FREE, 0)
    if at_ms < KEPT_MS:
        return Explained(room, at_ms, said, None, False, (), (), OPEN)
    state = _state(room, at_ms)
    found = Explained(room, at_ms, said, state, True, _evidence(at_ms), _said(room, at_ms), OPEN)
    if room != CHANGED_ROOM:
        club = name("读书会", "讀書會", "Reading club")
        slot = Slot(True, at_ms - HOUR_MS, at_ms + HOUR_MS, "club", club)
        return msgspec.structs.replace(found, slot=slot)
    state = msgspec.structs.replace(state, status=Status.UNKNOWN)
    return msgspec.structs.replace(found, state=state, agrees=False, evidence=(), overrides=())


def _state(room: str, at_ms: int) -> RoomState:
    since_ms = at_ms - 31 * MINUTE_MS
    clear = Text("radar_clear", {"device": "hall-radar-1", "time": since_ms})
    empty = Text("count_zero", {"time": since_ms - 2 * MINUTE_MS})
    state = RoomState(
        room, Status.FREE, Presence.ABSENT, None, None, None, since_ms, at_ms, None, (clear, empty)
    )
    if room != ZONED_ROOM:
        return state
    zones = (
        ZoneState("tea", Status.FREE, Presence.ABSENT),
        ZoneState("stage", Status.UNKNOWN, Presence.UNKNOWN),
    )
    return msgspec.structs.replace(state, confidence=0.9973, zones=zones)


def _evidence(at_ms: int) -> tuple[Evidence, ...]:
    """One that counts, one that fell silent, one with two inputs, one that was never heard."""
    quiet, yesterday = at_ms - 31 * MINUTE_MS, at_ms - DAY_MS
    return (
        Evidence("hall-radar-1", "presence", "", 0, quiet, at_ms - 2_000, quiet, ""),
        Evidence("hall-counter", "people.count", "", 0, quiet, yesterday, None, "stale"),
        Evidence("front-door", "contact", "di1", 1, yesterday, at_ms, None, "parent_down"),
        Evidence("hall-pir", "motion", "", None, 0, None, None, "not_heard"),
    )


def _said(room: str, at_ms: int) -> tuple[Override, ...]:
    from_ms, until_ms = at_ms - 10 * MINUTE_MS, at_ms + 20 * MINUTE_MS
    return (Override(7, room, OverrideKind.LOOKED, 0, "", "mei", from_ms, until_ms),)
