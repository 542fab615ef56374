"""A past time of one room, judged again from what the store kept: the same watch, another clock.

    Heard (changes, marks) + what staff said > Replay > (each state that said something new)

In life a sensor repeats itself; the store keeps changes and the silences that a rule could notice
(``marks.py``). So here a device counts as heard up to the end of the stretch it spoke in, and an
eye that sees somebody sees him up to the last time it said so. Everything else is life: messages
in the order of their intake, and before each whatever time alone had changed.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import msgspec

from edge.reading import Reading
from hub.domain.centre import OUTSIDE, Centre, Device
from hub.domain.device import Health
from hub.domain.events import HealthChanged, LinkChanged
from hub.domain.events import Heard as Message
from hub.domain.mark import Mark, MarkKind
from hub.domain.opening import OPEN, Schedule, Slot
from hub.domain.room import Override, RoomState
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.rooms.evidence import KIND_OF_CHANNEL, Eye
from hub.rooms.marks import When, reading_of, slot_of, slots_of
from hub.rooms.watch import Watch
from hub.store.past import Heard, Wanted

CHANNELS = frozenset(KIND_OF_CHANNEL)
EVER_MS = 2**62
SPOKEN = frozenset({MarkKind.WORD, MarkKind.SAID, MarkKind.ONLINE})


def around(centre: Centre, room: str) -> Centre:
    """What is needed of a centre to judge one room: its devices, and where else they speak for."""
    doors = {door.id: door for door in centre.doors}

    def rooms_of(device: Device) -> set[str]:
        found: set[str] = set()
        for place in device.places.values():
            found.update(doors[place.door].between if place.door else {place.room or OUTSIDE})
        return found

    devices = tuple(device for device in centre.devices if room in rooms_of(device))
    near = {room}.union(*map(rooms_of, devices))
    rooms = tuple(item for item in centre.rooms if item.id in near)
    return msgspec.structs.replace(centre, rooms=rooms, devices=devices)


def wanted(centre: Centre, room: str, from_ms: int, to_ms: int) -> Wanted:
    """What must be asked of the store. ``centre`` is the room's own (``around``)."""
    devices = frozenset(device.id for device in centre.devices)
    return Wanted(devices, frozenset({room}), CHANNELS, from_ms, to_ms)


class Planned:
    """What was planned for the rooms then, as it was kept."""

    def __init__(self) -> None:
        self._slots: dict[str, list[tuple[int, Slot]]] = defaultdict(list)

    def add(self, room: str, slot: Slot, from_ms: int) -> None:
        self._slots[room].append((from_ms, slot))

    def slot(self, room: str, at_ms: int) -> Slot:
        known = self._slots.get(room, ())
        after = bisect_right(known, at_ms, key=lambda item: item[0])
        return known[after - 1][1] if after else OPEN


def _first(item: tuple[int, int]) -> int:
    return item[0]


class Words:
    """Until when each device spoke, seen from any moment of a time."""

    def __init__(self, heard: Heard) -> None:
        self._ends: dict[str, list[tuple[int, int]]] = defaultdict(list)
        self._said: dict[str, int] = {}
        self._online: dict[str, Mark] = {}
        self._is_stopped = False
        assert heard.frame is not None  # noqa: S101 - or nothing is replayed
        for mark in (heard.frame, *heard.marks, *heard.behind):
            if mark.kind in (MarkKind.WORD, MarkKind.ONLINE):
                self._ends[mark.what].append((mark.at_ms, mark.last_ms or 0))
            if mark.kind is MarkKind.ONLINE:
                self._online[mark.what] = mark
            elif mark.kind is MarkKind.FRAME:
                self._add_frame(mark, heard.changes)
        for device, end_ms in self._said.items():
            self._ends[device].append((EVER_MS, max(end_ms, self._last(device, heard.ends))))

    def _last(self, device: str, ends: Mapping[str, int]) -> int:
        """When it last spoke; the store also counts what its convention said of it."""
        end_ms, online = ends.get(device, 0), self._online.get(device)
        return end_ms if online is None or online.at_ms < end_ms else online.last_ms or 0

    def _add_frame(self, frame: Mark, changes: Sequence[Change]) -> None:
        if frame.detail["when"] == When.START:
            for device, end_ms in self._said.items():
                told_ms = 0 if self._is_stopped else _spoke_before(frame.at_ms, device, changes)
                self._ends[device].append((frame.at_ms, max(end_ms, told_ms)))
        self._is_stopped = frame.detail["when"] == When.STOP
        for device, line in frame.detail["lines"].items():
            self._said[device] = line.get("heard_ms", 0)

    def end(self, device: str, at_ms: int) -> int:
        """It spoke without a silence from then on up to this moment; 0: it did not speak."""
        ends = self._ends[device]
        place = bisect_right(ends, at_ms, key=_first)
        return ends[place][1] if place < len(ends) else 0


def _spoke_before(start_ms: int, device: str, changes: Sequence[Change]) -> int:
    """Until when a device spoke before the hub fell over: its first change behind that knows."""
    return next(
        (
            change.previous_until_ms
            for change in changes
            if change.after_gap
            and change.received_ms >= start_ms
            and change.key.device == device
            and change.previous_until_ms is not None
        ),
        0,
    )


class Sights:
    """Until when an eye went on saying that it sees somebody."""

    def __init__(self, changes: Iterable[Change]) -> None:
        self._ends: dict[SeriesKey, list[tuple[int, int]]] = defaultdict(list)
        for change in changes:
            if change.previous_until_ms is not None and not change.is_late:
                self._ends[change.key].append((change.received_ms, change.previous_until_ms))

    def end(self, key: SeriesKey, at_ms: int) -> int:
        """Of the step that runs at a moment; a change of that moment itself has ended it."""
        ends = self._ends[key]
        place = bisect_left(ends, at_ms, key=_first)
        return ends[place][1] if place < len(ends) else EVER_MS


class Replay:
    """``tell`` hears what the bus heard, and when. ``schedule`` None: what was planned then."""

    def __init__(
        self,
        centre: Centre,
        room: str,
        overrides: Sequence[Override],
        tell: Callable[[RoomState, int], None],
        schedule: Schedule | None = None,
    ) -> None:
        self._centre = centre
        self._room = room
        self._overrides = overrides
        self._tell = tell
        self._schedule = schedule
        self._planned = Planned()
        self.now_ms = -EVER_MS
        self._is_away = False
        self._troubled: set[str] = set()
        """Devices that went on speaking while their link is lost."""
        self._words: Words
        self._sights: Sights
        self.watch: Watch

    @property
    def state(self) -> RoomState:
        """What is said of the room at the moment that was reached."""
        return self.watch.states[self._room]

    def slot(self, at_ms: int) -> Slot:
        """What was planned for the room."""
        return (self._schedule or self._planned).slot(self._room, at_ms)

    def run(self, heard: Heard, to_ms: int) -> None:
        """Go on up to a moment, itself included; the first time from the frame on."""
        self._words, self._sights = Words(heard), Sights(heard.changes)
        assert heard.frame is not None  # noqa: S101 - without one there is nothing to begin with
        if self.now_ms < heard.frame.at_ms:
            self._begin(heard.frame)
        since_ms = self.now_ms
        for (at_ms, _, device), items in groupby(_in_order(heard), key=_message):
            if at_ms > since_ms or since_ms == heard.frame.at_ms:
                self._advance(at_ms)
                self._take(device, at_ms, list(items))
        self._advance(to_ms)

    def _begin(self, frame: Mark) -> None:
        """All that was remembered then. The hub had been away before, or goes on."""
        detail: Mapping[str, Any] = frame.detail
        for room, slot in slots_of(detail).items():
            self._planned.add(room, slot, frame.at_ms)
        self.now_ms, self._is_away = frame.at_ms, False
        self._troubled.clear()
        self.watch = Watch(self._centre, self._schedule or self._planned, self._tell_of_room)
        heard_ms = {d.id: self._words.end(d.id, frame.at_ms) for d in self._centre.devices}
        said = {self._room: self.said(frame.at_ms - 1)}  # or a mark says so
        self.watch.remember(detail, said, heard_ms, frame.at_ms)

    def said(self, at_ms: int) -> tuple[Override, ...]:
        """What staff had said of the room and not taken back."""
        return tuple(
            item
            for item in self._overrides
            if item.from_ms <= at_ms < item.until_ms
            and (item.ended_ms is None or item.ended_ms > at_ms)
        )

    def _advance(self, to_ms: int) -> None:
        """What time alone changed up to then."""
        if self._is_away:
            return
        while (due_ms := self.watch.agenda.next_ms) is not None and due_ms <= to_ms:
            self._see(due_ms)
            self._resume(due_ms)
            self.now_ms = due_ms
            self.watch.advance(due_ms)
        self._see(to_ms)
        self._resume(to_ms)
        self.now_ms = to_ms

    def _see(self, now_ms: int, speaks: str = "", said_ms: int = 0) -> None:
        """An eye that sees somebody said so as long as it did. ``speaks``: a device whose message
        comes at this moment, and was sent at ``said_ms`` by its own clock."""
        for key, _, eye in self.watch.witnesses():
            if isinstance(eye, Eye) and eye.is_live and eye.is_good and eye.value:
                heard_ms = said_ms if key.device == speaks else eye.line.heard_ms or 0
                end_ms = min(self._sights.end(key, now_ms), heard_ms, now_ms)
                eye.seen_ms = max(eye.seen_ms or 0, end_ms)

    def _resume(self, now_ms: int) -> None:
        """Over a lost link each word of a device counts as the first after a silence."""
        for key, _, witness in self.watch.witnesses():
            spoke_ms = min(witness.line.heard_ms or 0, now_ms)
            is_troubled = key.device in self._troubled and witness.line.lost
            if is_troubled and spoke_ms > (witness.first_live_ms or 0):
                witness.resume(spoke_ms)

    def _take(self, device: str | None, at_ms: int, items: Sequence[Mark | Change]) -> None:
        if device is not None:
            readings = tuple(_readings(items))
            if live := [reading.observed_ms for reading in readings if reading.is_live]:
                self._see(at_ms, device, max(live))
                self._troubled.add(device)
            self.watch.hear(Message(device, readings, at_ms, True, True))
            self.watch.heard_until(device, self._words.end(device, at_ms))
            return
        marks = [item for item in items if isinstance(item, Mark)]
        for (kind, detail), some in groupby(marks, key=lambda mark: (mark.kind, mark.detail)):
            if kind is MarkKind.LINK:
                self._take_link(detail, frozenset(mark.what for mark in some), at_ms)
            else:
                for mark in some:
                    self._take_mark(mark)

    def _take_link(self, detail: Sequence[str], devices: frozenset[str], at_ms: int) -> None:
        name, *lost = detail
        is_parent = lost == ["parent_down"]
        self._troubled -= devices
        self.watch.link(LinkChanged(name, devices, not lost, "", is_parent, at_ms))

    def _take_mark(self, mark: Mark) -> None:
        at_ms = mark.at_ms
        if mark.kind is MarkKind.FAULTY:
            health = Health.FAULTY if mark.detail else Health.OK
            self.watch.health(HealthChanged(mark.what, health, at_ms))
        elif mark.kind is MarkKind.OVERRIDE:
            self.watch.override(mark.what, self.said(at_ms), at_ms)
        elif mark.kind is MarkKind.EMPTY:
            self.watch.prove_empty(mark.what, at_ms)
        elif mark.kind is MarkKind.SLOT:
            self._planned.add(mark.what, slot_of(mark.detail), at_ms)
            self.watch.reschedule(at_ms)
        elif mark.kind is MarkKind.FRAME and mark.detail["when"] == When.START:
            self._begin(mark)
        elif mark.kind is MarkKind.FRAME:
            self._is_away = mark.detail["when"] == When.STOP

    def _tell_of_room(self, state: RoomState) -> None:
        if state.room == self._room:
            self._tell(state, self.now_ms)


def _in_order(heard: Heard) -> Iterator[Mark | Change]:
    """Everything behind the frame in the order of its intake.

    What was not heard live counts only where a mark says so.
    """
    assert heard.frame is not None  # noqa: S101 - or nothing is replayed
    begin = _place(heard.frame)
    live = [c for c in heard.changes if reading(c).is_live and _place(c) > begin]
    items: list[Mark | Change] = [*heard.marks, *live]
    return iter(sorted(items, key=_place))


def _place(item: Mark | Change) -> tuple[int, int, int]:
    if isinstance(item, Mark):
        return (item.at_ms, item.order, 0)
    return (item.received_ms, item.tie, 1)


def _message(item: Mark | Change) -> tuple[int, int, str | None]:
    """What came in one message; marks that are none stand alone."""
    if isinstance(item, Change):
        return (item.received_ms, 0, item.key.device)
    if item.kind not in SPOKEN:
        return (item.at_ms, item.order, None)
    is_live = item.kind is MarkKind.ONLINE or reading_of(item).is_live
    return (item.at_ms, 0 if is_live else 1, item.what)


def _readings(items: Sequence[Mark | Change]) -> Iterator[Reading]:
    """What the device said, as far as it matters: that it spoke, then what."""
    yield from (reading_of(item) for item in items if isinstance(item, Mark))
    yield from (reading(item) for item in items if isinstance(item, Change))


def reading(change: Change) -> Reading:
    """What was said when a step began."""
    return Reading(
        *change.key[:2],
        change.key.part,
        change.value,
        change.unit,
        change.quality,
        change.reason,
        change.observed_ms,
        change.received_ms,
        change.time_source,
    )
