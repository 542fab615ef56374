"""Why a room was what it was: its state and evidence of a past moment, replayed from the store."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Protocol

import msgspec

from hub.domain.centre import Centre
from hub.domain.errors import UnknownRoomError
from hub.domain.opening import OPEN, Slot
from hub.domain.room import Override, RoomState
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.rooms import override_rows
from hub.rooms.evidence import Eye, Witness
from hub.rooms.overrides import Store
from hub.rooms.replay import Replay, around, wanted
from hub.store.past import Heard, Wanted

NEAR_MS = 1_000
"""A state is kept when it is told; the clock may go on between a message and its state."""


class Evidence(msgspec.Struct, frozen=True):
    """What one channel of a device showed then."""

    device: str
    channel: str
    part: str
    value: int | None
    since_ms: int
    heard_ms: int | None  # the device last spoke; None: not since the start of the hub
    seen_ms: int | None  # it last saw somebody
    trouble: str  # why it proves nothing; empty: it counts


class Explained(msgspec.Struct, frozen=True):
    """``state`` None: what the rules heard then was not kept."""

    room: str
    at_ms: int
    said: RoomStep | None  # what was said then; None: nobody watched
    state: RoomState | None
    agrees: bool  # the replay comes to what was said
    evidence: tuple[Evidence, ...]
    overrides: tuple[Override, ...]
    slot: Slot


class Past(Protocol):
    async def heard(self, wanted: Wanted) -> Heard: ...


class History(Store, Protocol):
    """The store of a running hub."""

    @property
    def past(self) -> Past: ...

    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]: ...


async def explained(history: History, centre: Centre, room: str, at_ms: int) -> Explained:
    """
    Raises:
        UnknownRoomError
        QueryTooSlowError, StoreBusyError
    """
    place = own(centre, room)
    heard = await history.past.heard(wanted(place, room, at_ms, at_ms))
    from_ms = at_ms if heard.frame is None else heard.frame.at_ms
    said = partial(override_rows.between, from_ms=from_ms, to_ms=at_ms + 1, room=room)
    overrides = await history.ask(said)
    steps = await history.room_steps(room, at_ms - NEAR_MS, at_ms + NEAR_MS)
    # six hours of a busy room are a tenth of a second
    return await asyncio.to_thread(explain, place, room, at_ms, heard, overrides, steps)


def own(centre: Centre, room: str) -> Centre:
    """
    Raises:
        UnknownRoomError
    """
    if all(item.id != room for item in centre.rooms):
        raise UnknownRoomError(room)
    return around(centre, room)


def explain(
    place: Centre,
    room: str,
    at_ms: int,
    heard: Heard,
    overrides: Sequence[Override],
    steps: Sequence[RoomStep],
) -> Explained:
    """Replay up to a moment and look around. Pure."""
    found = [step for step in steps if step.from_ms <= at_ms <= step.to_ms]
    said = found[-1] if found else None
    if heard.frame is None or said is None:
        return Explained(room, at_ms, said, None, False, (), (), OPEN)
    replay = Replay(place, room, overrides, lambda *_: None)
    replay.run(heard, at_ms)
    state = replay.state
    people = None if state.people is None else state.people.estimate
    return Explained(
        room,
        at_ms,
        said,
        # until when it would hold was not known then
        msgspec.structs.replace(state, as_of_ms=min(state.as_of_ms, at_ms), valid_until_ms=None),
        any((step.status, step.people) == (state.status, people) for step in steps),
        tuple(
            evidence(key, witness, at_ms)
            for key, where, witness in replay.watch.witnesses()
            if where == room
        ),
        replay.said(at_ms),
        replay.slot(at_ms),
    )


def evidence(key: SeriesKey, witness: Witness, at_ms: int) -> Evidence:
    heard_ms = witness.line.heard_ms
    return Evidence(
        *key,
        witness.value,
        witness.since_ms,
        None if heard_ms is None else min(heard_ms, at_ms),
        witness.last_ms if isinstance(witness, Eye) else None,
        _trouble(witness, at_ms),
    )


def _trouble(witness: Witness, at_ms: int) -> str:
    line = witness.line
    for code, is_so in (
        ("gone", line.offline),
        (witness.source, bool(witness.source)),
        ("not_heard", not witness.is_live or line.heard_ms is None),
        ("bad", not witness.is_good or line.is_faulty),
        (next(iter(line.lost.values()), ""), bool(line.lost)),
        ("stale", not line.is_fresh(at_ms)),
    ):
        if is_so:
            return code
    return ""
