"""Sensors of one room against each other: who saw a visit, and who never does?

    visit   from the first sign of people after ten quiet minutes to the next quiet,
            or an hour of a room in which people come and go all day
    sign    a motion sensor or a radar begins to see somebody, or a counter moves
    miss    others saw a visit, and this one showed nothing of it

How often each of them misses a visit is learnt: one looks away from half the seats, and who sits
still is seen by a radar alone. A row of misses that comes by chance once in a hundred thousand
times is none, and neither is one that is not much longer than the longest before. One person who
stays for long is one visit, however often the sensors lose and find him. A door that stands open
cannot miss anybody.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from math import log
from typing import Any

from hub.domain.centre import Centre
from hub.domain.fault import FaultKind
from hub.domain.room import Params
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Key, Memory
from hub.faults.kinds import HOUR, MINUTE

QUIET_MS = 10 * MINUTE
LONGEST_MS = HOUR  # of one sensor's seeing somebody all the time
PASSAGES = 4
BEFORE_MS = 3 * MINUTE  # a door opens before anybody is seen
UNLIKELY = 12.0  # minus the logarithm of one in a hundred thousand
FEWEST, SHORTEST_MS = 5, 2 * HOUR
ABOVE_LONGEST = 1.5
KNOWN_AFTER, LEARNS = 12, 1 / 60
LEAST, MOST = 0.3, 0.95  # what misses most visits anyhow is no witness; nobody is perfect
FORGOTTEN = 0.99  # of its longest row, at each visit that it shows

COUNTS = frozenset({"people.count", "people.in", "people.out"})
EYES = frozenset({"motion", "presence", "occupancy"})


@dataclass(slots=True, eq=False)
class Witness:
    """One channel of one sensor. ``share``: of the visits that others saw, so many it showed."""

    memory: Memory
    key: Key
    value: float | None = None
    began_ms: int = 0  # it began to see somebody, short pauses apart
    last_ms: int = 0  # it last did; a door: it last moved
    seen: int = 0
    share: float = 0.5
    longest: float = 0.0
    misses: int = 0
    missed_ms: int = 0  # the first of the row
    others: Counter[str] = field(default_factory=Counter)
    is_found: bool = False

    @property
    def is_door(self) -> bool:
        return self.key[0] == "contact"

    @property
    def kind(self) -> FaultKind:
        return FaultKind.DOOR_CONTRADICTED if self.is_door else FaultKind.SENSORS_DISAGREE

    @property
    def is_able(self) -> bool:
        """Could it have shown something? What is broken otherwise is told otherwise."""
        memory = self.memory
        is_spoilt = memory.frames.is_high or memory.radio.is_weak or memory.error.is_high
        return self.value is not None and not (memory.is_silent or memory.down or is_spoilt)

    def show(self) -> bool:
        """It showed a visit. Answers whether that ends what was found."""
        was, self.is_found = self.is_found, False
        if not was:
            for _ in range(self.misses):
                self.share -= self.share * self._pace
                self.seen += 1
            self.longest = max(self.longest * FORGOTTEN, self.misses)
        self.share += (1 - self.share) * self._pace
        self.seen += 1
        self.misses = 0
        self.others.clear()
        return was

    @property
    def _pace(self) -> float:
        return max(LEARNS, 1 / (self.seen + 2))

    def miss(self, signers: set[str], at_ms: int, now_ms: int) -> bool:
        """Others saw a visit. Answers whether that is too much now."""
        if not self.misses:
            self.missed_ms = at_ms
        self.misses += 1
        self.others.update(signers)
        if self.is_found or self.seen < KNOWN_AFTER or self.share < LEAST:
            return False
        weight = self.misses * -log(1 - min(self.share, MOST))
        if weight < UNLIKELY or self.misses < max(FEWEST, ABOVE_LONGEST * self.longest):
            return False
        self.is_found = now_ms - self.missed_ms >= SHORTEST_MS
        return self.is_found

    def kept(self) -> Any:
        return self.seen, round(self.share, 3), round(self.longest, 1)


class Room:
    """Its witnesses, and the visit that goes on."""

    __slots__ = ("began_ms", "doors", "eyes", "is_visited", "last_ms", "passages", "signers")

    def __init__(self) -> None:
        self.doors: list[Witness] = []
        self.eyes: list[Witness] = []
        self.is_visited = False
        self.began_ms = self.last_ms = 0
        self.passages = 0  # counted in it
        self.signers: set[str] = set()

    def is_over(self, now_ms: int) -> bool:
        """Is it quiet? A room that is never quiet has a new visit each hour in which people come
        and go: others than those of the hour before."""
        if now_ms - self.last_ms > QUIET_MS:
            return True
        return self.passages >= PASSAGES and now_ms - self.began_ms > LONGEST_MS

    def end(self, now_ms: int) -> set[str]:
        """Answers who saw it; the next one begins at once where it is not quiet."""
        signers, self.signers, self.passages = self.signers, set(), 0
        self.is_visited = now_ms - self.last_ms <= QUIET_MS
        self.began_ms = now_ms
        return signers

    def sign(self, witness: Witness, now_ms: int) -> None:
        """It sees somebody, or somebody passed."""
        if now_ms - witness.last_ms > QUIET_MS:
            witness.began_ms = now_ms
        witness.last_ms = now_ms
        is_fresh = now_ms - witness.began_ms <= LONGEST_MS
        if not self.is_visited:
            if witness.began_ms != now_ms or self._is_watched(now_ms):
                return
            self.is_visited, self.began_ms = True, now_ms
        if is_fresh:
            self.last_ms = now_ms
        self.passages += witness.key[0] in COUNTS
        self.signers.add(witness.memory.id)

    def _is_watched(self, now_ms: int) -> bool:
        """Is somebody seen all the time, by whom that is no news any more?"""
        return any(
            eye.value and eye.key[0] in EYES and now_ms - eye.last_ms <= QUIET_MS
            for eye in self.eyes
            if eye.began_ms < now_ms
        )


class Visits:
    """All rooms of a house."""

    name = "visits"
    channels = COUNTS | EYES | {"contact"}

    def __init__(self, docket: Docket, centre: Centre) -> None:
        self._docket = docket
        self._rooms: dict[str, Room] = {}
        self._witnesses: dict[str, Witness | None] = {}
        self._room_of: dict[str, Room] = {}
        self._kept: dict[str, Any] = {}
        sides = [room for door in centre.doors for room in door.between]
        self._only_doors = {
            door.id: room
            for door in centre.doors
            for room in door.between
            if sides.count(room) == 1 and any(room == one.id for one in centre.rooms)
        }

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        name = f"{memory.id}/{key[0]}/{key[1]}"
        if name not in self._witnesses:
            self._witnesses[name] = self._call(name, memory, key)
        witness = self._witnesses[name]
        if witness is None:
            return
        room = self._room_of[name]
        if room.is_visited and room.is_over(now_ms):
            self._end(room, now_ms)
        was, witness.value = witness.value, value
        is_moved = was is not None and value != was
        if witness.is_door:
            if is_moved:
                self._door_moved(witness, now_ms)
        elif value if key[0] in EYES else is_moved:
            room.sign(witness, now_ms)

    def _call(self, name: str, memory: Memory, key: Key) -> Witness | None:
        """The first word of it: where does it stand?"""
        place = memory.device.places.get(key[1]) or memory.device.places.get("")
        if place is None:
            return None
        is_door = key[0] == "contact"
        named = self._only_doors.get(place.door or "") if is_door else place.room
        if named is None:
            return None
        room = self._room_of[name] = self._rooms.setdefault(named, Room())
        witness = Witness(memory, key)
        witness.seen, witness.share, witness.longest = self._kept.pop(name, (0, 0.5, 0.0))
        witness.is_found = self._docket.is_on(memory.part(key), witness.kind)
        (room.doors if is_door else room.eyes).append(witness)
        return witness

    def _door_moved(self, door: Witness, now_ms: int) -> None:
        door.last_ms = now_ms
        if door.is_found and door.show():
            self._say(door, now_ms)

    def _end(self, room: Room, now_ms: int) -> None:
        """It is quiet again: who showed the visit, and who did not?"""
        began_ms, signers = room.began_ms, room.end(now_ms)
        for door in room.doors:
            is_shown = bool(door.value) or door.last_ms >= began_ms - BEFORE_MS
            self._weigh(door, is_shown, signers, began_ms, now_ms)
        for eye in room.eyes:
            others = signers - {eye.memory.id}
            if others and eye.key[0] in EYES:
                self._weigh(eye, len(others) < len(signers), others, began_ms, now_ms)

    def _weigh(
        self, witness: Witness, is_shown: bool, others: set[str], began_ms: int, now_ms: int
    ) -> None:
        if is_shown:
            if witness.show():
                self._say(witness, now_ms)
        elif witness.is_able and not witness.value and witness.miss(others, began_ms, now_ms):
            self._say(witness, now_ms)

    def _say(self, witness: Witness, now_ms: int) -> None:
        hours = round((now_ms - witness.missed_ms) / HOUR, 1)
        evidence: Params | None = None
        if witness.is_found and witness.is_door:
            evidence = {"passages": witness.misses, "hours": hours}
        elif witness.is_found:
            evidence = {"other": witness.others.most_common(1)[0][0], "hours": hours}
        subject = witness.memory.part(witness.key)
        self._docket.say(subject, witness.kind, evidence, witness.missed_ms, now_ms)

    def kept(self) -> Any:
        known = {name: one.kept() for name, one in self._witnesses.items() if one is not None}
        return self._kept | known

    def restore(self, kept: Any) -> None:
        self._kept = dict(kept or {})
