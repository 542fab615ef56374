"""What the watch must have kept so that its day can be replayed, and the way back from there.

    live:    reading, link, health, slot > Recorder > Mark > store
    replay:  frame of the store > restore > the watch as it was then

A sensor's words are not kept one by one. A rule can only notice that a device was silent for as
long as its word counts, or, where a door moved, when a motion sensor spoke last before and first
after it. Only these words are marks, and some of a device that goes on speaking while it is faulty
or its link is lost; in between it is as if the device spoke at every moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from typing import Any

import msgspec

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.events import CounterZeroed
from hub.domain.mark import Mark, MarkKind
from hub.domain.opening import Slot
from hub.domain.room import Presence, RoomState, Status
from hub.domain.series import SeriesKey
from hub.rooms.evidence import Kind, Line
from hub.rooms.learning import HOLD_BOUNDS_MS
from hub.rooms.plans import Plans

SHORTEST_MS = HOLD_BOUNDS_MS[0]
"""No rule asks earlier whether a sensor has spoken since a door moved."""
LONG_AGO_MS = -(2**62)
IN_A_ROW, CLOSE_MS, KEPT_MS = 5, 10_000, 60_000
"""Of a device in trouble that has spoken so often, each time so soon after the last, one word in a
minute is kept. Until when it spoke stays exact."""
CONFIGURED = frozenset({"at", "bay", "doors", "measure", "sign", "zone", "zones"})
"""What the configuration says, also where a field has a usual value."""
STRUCTS = {"zeroing": CounterZeroed}

Write = Callable[[Mark], None]


class When(StrEnum):
    """Why a frame was kept."""

    START = "start"  # nothing from before is remembered
    RUNNING = "running"
    STOP = "stop"  # nobody watches from here on


class Recorder:
    """Told by the watch of all that it takes in. Nothing is kept before the first frame."""

    def __init__(self, write: Write, plans: Plans) -> None:
        self._write = write
        self._plans = plans
        self._slots: dict[str, Slot] = {}
        self._astray: dict[SeriesKey, list[object]] = {}
        """What a broker remembers of a channel that was not heard live since."""
        self._expected: dict[str, int] = {}
        """Sensors that did not speak since a door moved, and when that was."""
        self._troubled: dict[str, tuple[int, int]] = {}
        """Devices that speak in their trouble: the last word that was kept, and how many came in a
        row."""
        self._is_begun = False

    def word(self, line: Line, reading: Reading) -> None:
        """A device is about to be heard live."""
        at_ms, said_ms = reading.received_ms, reading.observed_ms
        if line.heard_ms is not None and not self._is_notable(line, line.heard_ms, said_ms):
            return
        self._expected.pop(line.device, None)
        is_at_door = any(witness.kind is Kind.DOOR for witness in line.witnesses)
        if is_at_door and not line.is_fresh(said_ms):
            self.door(line.device, said_ms)
        said = None if said_ms == at_ms else said_ms
        self._write(Mark(MarkKind.WORD, at_ms, 0, line.device, line.heard_ms, said))

    def _is_notable(self, line: Line, heard_ms: int, said_ms: int) -> bool:
        if heard_ms >= said_ms:
            return False
        expected_ms = self._expected.get(line.device, said_ms)
        is_late = said_ms - expected_ms >= SHORTEST_MS
        return is_late or not line.is_recent(said_ms) or self._is_in_trouble(line, said_ms)

    def _is_in_trouble(self, line: Line, said_ms: int) -> bool:
        """Its link is lost, or it is faulty and sees somebody; and it is time to say so again."""
        is_in_doubt = line.is_faulty and any(witness.value for witness in line.witnesses)
        if not line.lost and not is_in_doubt:
            return False
        kept_ms, row = self._troubled.get(line.device, (LONG_AGO_MS, 0))
        row = row + 1 if said_ms - (line.heard_ms or 0) < CLOSE_MS else 0
        is_kept = row < IN_A_ROW or said_ms - kept_ms >= KEPT_MS
        self._troubled[line.device] = (said_ms if is_kept else kept_ms, row)
        return is_kept

    def door(self, device: str, at_ms: int) -> None:
        """A door moved, or may have: the rules may ask who was last seen before, and whether a
        sensor that sees nobody has spoken since."""
        for room in self._plans.rooms_of[device]:
            for eye in self._plans.of_room[room].eyes:
                self._expected[eye.line.device] = LONG_AGO_MS if eye.value else at_ms

    def reading(self, key: SeriesKey, reading: Reading, is_known: bool) -> None:
        """A reading that witnesses take in. ``is_known``: each has been heard live before.

        The store need not have it, or not as a live one, where a broker's memory is involved.
        """
        if reading.is_live and is_known and key not in self._astray:
            return
        number = reading.value if isinstance(reading.value, int | float) else None
        said: list[object] = [
            number,
            reading.quality.value,
            reading.reason,
            reading.time_source.value,
        ]
        before = self._astray.pop(key, None)
        if not reading.is_live:
            self._astray[key] = said
            if before == said:
                return
        detail = [reading.channel, reading.part, *said, reading.observed_ms]
        self._write(Mark(MarkKind.SAID, reading.received_ms, 0, reading.device, None, detail))

    def online(self, line: Line, reading: Reading) -> None:
        """Its convention says something else of a device than before, or of a silent one."""
        at_ms, is_there = reading.received_ms, int(reading.value != 0)
        self._write(Mark(MarkKind.ONLINE, at_ms, 0, line.device, line.heard_ms, is_there))

    def lost(self, line: Line, name: str, code: str, at_ms: int) -> None:
        self._troubled.pop(line.device, None)
        if line.lost.get(name) != code:
            self._write(Mark(MarkKind.LINK, at_ms, 0, line.device, None, [name, code]))

    def found(self, line: Line, name: str, at_ms: int) -> None:
        if name in line.lost:
            self._write(Mark(MarkKind.LINK, at_ms, 0, line.device, None, [name]))

    def faulty(self, device: str, is_faulty: bool, at_ms: int) -> None:
        self._troubled.pop(device, None)
        self._write(Mark(MarkKind.FAULTY, at_ms, 0, device, None, int(is_faulty)))

    def override(self, room: str, at_ms: int) -> None:
        self._write(Mark(MarkKind.OVERRIDE, at_ms, 0, room))

    def empty(self, room: str, at_ms: int) -> None:
        self._write(Mark(MarkKind.EMPTY, at_ms, 0, room))

    def slot(self, room: str, slot: Slot, at_ms: int) -> None:
        """What is planned for a room, at every look."""
        known = self._slots.get(room)
        if known is slot:
            return
        self._slots[room] = slot
        if self._is_begun and known != slot:
            self._write(Mark(MarkKind.SLOT, at_ms, 0, room, None, _slot(slot)))

    def frame(self, states: Mapping[str, RoomState], now_ms: int, when: When) -> None:
        """Keep everything."""
        plans = self._plans
        self._is_begun = True
        self._troubled.clear()  # or who begins here would not know of it
        if when is When.START:
            self._astray.clear()
            self._expected.clear()
        detail = {
            "when": when.value,
            "lines": _by_name(plans.lines),
            "rooms": _by_name(plans.of_room),
            "bays": {
                plan.room: _by_name({bay.room: bay for bay in plan.bays})
                for plan in plans.of_room.values()
                if plan.bays
            },
            "witnesses": [
                [*key, room, _kept(witness)] for key, room, witness in plans.all_witnesses()
            ],
            "slots": {room: _slot(slot) for room, slot in self._slots.items()},
            "states": {room: [s.status.value, s.since_ms] for room, s in states.items()},
        }
        self._write(Mark(MarkKind.FRAME, now_ms, 0, "", None, detail))


def _slot(slot: Slot) -> dict[str, Any]:
    said: dict[str, Any] = msgspec.to_builtins(slot)
    return {key: value for key, value in said.items() if value is not None and value != []}


def _by_name(owners: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    return {name: _kept(owner) for name, owner in owners.items()}


def _kept(owner: Any) -> dict[str, Any]:
    """What differs from the beginning: moments, numbers, words. Who belongs to it is left out."""
    found: dict[str, Any] = {}
    for field in fields(owner):
        if field.name in CONFIGURED or _usual(field) is MISSING:
            continue
        value = getattr(owner, field.name)
        if is_dataclass(value):
            value = _kept(value)
            if value:
                found[field.name] = value
        elif isinstance(value, msgspec.Struct):
            found[field.name] = msgspec.to_builtins(value)
        elif not isinstance(value, list | frozenset) and value != _usual(field):
            is_row = isinstance(value, tuple | deque)
            found[field.name] = list(value) if is_row else value
    return found


def _usual(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def restore(plans: Plans, states: dict[str, RoomState], frame: Mapping[str, Any]) -> None:
    """Put a frame's memory into new plans, as far as they have the same rooms and devices.

    What a device said counts also where it is placed in another room now.
    """
    _give_all(plans.lines, frame["lines"])
    anywhere = {SeriesKey(*key): kept for *key, _, kept in frame["witnesses"]}
    here = {(SeriesKey(*key), room): kept for *key, room, kept in frame["witnesses"]}
    for key in anywhere:
        plans.witnesses(key)
    for key, room, witness in plans.all_witnesses():
        _give(witness, here.get((key, room), anywhere[key]))
    _give_all(plans.of_room, frame["rooms"])
    for room, kept in frame["bays"].items():
        if room in plans.of_room:
            _give_all({bay.room: bay for bay in plans.of_room[room].bays}, kept)
    for room, (status, since_ms) in frame["states"].items():
        if room in plans.of_room:
            states[room] = _state(room, Status(status), since_ms)


def _give_all(owners: Mapping[str, Any], frames: Mapping[str, Mapping[str, Any]]) -> None:
    for name, kept in frames.items():
        if name in owners:
            _give(owners[name], kept)


def _give(owner: Any, kept: Mapping[str, Any]) -> None:
    """What an older or newer version remembered and this one does not is left out."""
    known = {field.name for field in fields(owner)}
    for name in known.intersection(kept):
        now, value = getattr(owner, name), kept[name]
        if is_dataclass(now):
            _give(now, value)
        elif isinstance(now, deque):
            now.extend(value)
        elif name in STRUCTS:
            setattr(owner, name, msgspec.convert(value, STRUCTS[name]))
        else:
            setattr(owner, name, tuple(value) if isinstance(value, list) else value)


def _state(room: str, status: Status, since_ms: int) -> RoomState:
    """As much of a state as the next one is compared with."""
    return RoomState(room, status, Presence.UNKNOWN, None, None, None, since_ms, since_ms, None, ())


def slots_of(frame: Mapping[str, Any]) -> dict[str, Slot]:
    """What was planned for each room."""
    return {room: slot_of(said) for room, said in frame["slots"].items()}


def slot_of(said: Mapping[str, Any]) -> Slot:
    return msgspec.convert(said, Slot)


def reading_of(mark: Mark) -> Reading:
    """What a device said, of a mark WORD, SAID or ONLINE."""
    if mark.kind is MarkKind.SAID:
        channel, part, value, quality, reason, source, observed_ms = mark.detail
    elif mark.kind is MarkKind.ONLINE:
        channel, part, value, quality, reason = "online", "", mark.detail, "good", ""
        observed_ms, source = mark.at_ms, "retained"
    else:
        channel, part, value, quality, reason = "", "", None, "bad", ""
        observed_ms = mark.at_ms if mark.detail is None else mark.detail
        source = "hub" if mark.detail is None else "device"
    return Reading(
        mark.what,
        channel,
        part,
        value,
        "",
        Quality(quality),
        reason,
        observed_ms,
        mark.at_ms,
        TimeSource(source),
    )
