"""Everything that is heard, in; what is wrong, out: the detectors without clock, bus or disk.

    Heard, FrameDiscarded > memory of the device > rules > docket > Finding

The time inside never jumps: it is our clock as it would be had nobody set it. Each moment that
comes in is moved by what the clock was set since the start, and moved back when it goes out. So
a pause is as long as it was, whatever the clock says, and nothing here must be mended afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import msgspec

from edge.reading import Reading
from hub.agenda import Agenda
from hub.domain.centre import Centre, Device
from hub.domain.events import ClockChanged, FrameDiscarded, Heard, LinkChanged
from hub.domain.fault import FaultKind, Finding, SubjectKind
from hub.domain.room import RoomState, Status
from hub.faults.detect.behaviour_together import Together
from hub.faults.detect.docket import Docket
from hub.faults.detect.gateways import Gateways
from hub.faults.detect.hours import Hours
from hub.faults.detect.lines import Lines
from hub.faults.detect.memory import Key, Learnt, Memory, take
from hub.faults.detect.neighbours import Neighbours
from hub.faults.kinds import DAY
from hub.faults.rules import CHANNEL_RULES, DEVICE_RULES, LOOKED_AT

ONLINE = "online"
DAILY = ""  # no device's name
FORM = 1  # of the frame; another one is not read
ONE_FRAME_MS = 50  # a broken frame is thrown away in pieces
LAG_S = 2.0  # less is a busy moment


class Behaviour(Protocol):
    """What only shows when several are watched together (``behaviour_*.py``).

    Times are those of the detection. What it finds it says to the docket it was made with.
    """

    name: str

    def hear(self, readings: Sequence[Reading], memory: Memory, now_ms: int) -> None:
        """What is worth a look of a live message (``sieve.py``); never nothing."""

    def lag(self, seconds: float, now_ms: int) -> None: ...

    def frame(self) -> object:
        """What survives a restart: something msgspec can write, or None."""

    def restore(self, kept: object) -> None: ...


BEHAVIOURS: tuple[Callable[[Centre, Docket], Behaviour], ...] = (Together,)


class Frame(msgspec.Struct, array_like=True):
    """What is kept of all. ``behaviours``: what each of them keeps, by name."""

    form: int
    saved_ms: int
    devices: dict[str, Learnt]
    gateways: dict[str, list[int]] = {}
    behaviours: dict[str, object] = {}


def _recalled(learnt: bytes | None) -> Frame | None:
    """What was kept; None where it is of another form, so that no start fails on it."""
    if learnt is None:
        return None
    try:
        kept = msgspec.msgpack.decode(learnt, type=Frame)
    except msgspec.MsgspecError:
        return None
    return kept if kept.form == FORM else None


class Detection:
    """``standing``: what was found before this start and is not over, as it was told then.

    ``has_forgotten``: what was learnt could not be read, and is learnt anew.
    """

    def __init__(
        self,
        centre: Centre,
        now_ms: int,
        tell: Callable[[Finding], None],
        learnt: bytes | None = None,
        standing: Iterable[Finding] = (),
    ) -> None:
        self._tell = tell
        self._offset_ms = 0  # what the clock was set by since the start
        self._now_ms = now_ms
        self._deaf_ms = 0  # how long, all in all, this hub did not listen
        self._agenda = Agenda(self._look)
        self.docket = Docket(self._told)
        self._lines = Lines(self.docket)
        self._hours = {room.id: Hours() for room in centre.rooms}
        kept = _recalled(learnt) or Frame(FORM, now_ms, {})
        self.has_forgotten = learnt is not None and not kept.devices
        doors = {door.id: door.between for door in centre.doors}
        self.memories = {
            device.id: Memory(
                device, self._hours_of(device, doors), now_ms, kept.devices.get(device.id)
            )
            for device in centre.devices
        }
        self._gateways = Gateways(self.docket, self._members, kept.gateways)
        self._agendas = self._agenda, self._gateways.agenda, self.docket.agenda
        self._neighbours = Neighbours(centre, self.memories)
        self._behaviours = tuple(make(centre, self.docket) for make in BEHAVIOURS)
        for behaviour in self._behaviours:
            behaviour.restore(kept.behaviours.get(behaviour.name))
        for finding in standing:
            self._stand(finding)
        for memory in self.memories.values():
            self._plan(memory)
        self._agenda.plan(DAILY, now_ms + DAY - now_ms % DAY)

    # -- what happens ------------------------------------------------------------------------

    def hear(self, event: Heard) -> None:
        """A device said something. What a broker remembered is evidence of nothing."""
        now_ms = self._at(event.at_ms)
        memory = self.memories.get(event.device)
        if memory is None:
            return
        if event.is_live:
            self._gateways.word(event.device, now_ms)
            memory.spoke(now_ms, self._deaf_ms)
            readings = memory.sieve.sift(event.readings, now_ms)
            take(memory, readings, now_ms)
            if event.said_ms is not None:
                memory.date(event.said_ms - event.at_ms, now_ms)
            if memory.frames.seen and memory.frames.add(False):
                memory.pending.add((FaultKind.GARBLED, None))
            if readings:
                for behaviour in self._behaviours:
                    behaviour.hear(readings, memory, now_ms)
        else:
            self._convention(memory, event, now_ms)
        if memory.pending:
            self._judge(memory, now_ms)

    def discard(self, event: FrameDiscarded) -> None:
        """Bytes that nobody understands: it is not silent, but says nothing."""
        now_ms = self._at(event.at_ms)
        memory = self.memories.get(event.device)
        if memory is None:
            return
        is_rest = now_ms - memory.garbled_ms < ONE_FRAME_MS
        memory.garbled_ms = now_ms
        if is_rest:
            return
        self._gateways.word(event.device, now_ms)
        memory.word(now_ms, self._deaf_ms, memory.hours.open_ms(now_ms))
        reasons = memory.garbled_reasons
        for reason in reasons:
            reasons[reason] *= 0.95
        reasons[event.reason] = reasons.get(event.reason, 0.0) + 1.0
        if memory.frames.add(True):
            memory.pending.add((FaultKind.GARBLED, None))
            self._judge(memory, now_ms)

    def link(self, event: LinkChanged) -> None:
        """What stands between was lost, or is back: who is behind it is not silent by himself."""
        now_ms = self._at(event.at_ms)
        self._lines.change(event, now_ms)
        self._gateways.change(event, now_ms)
        for device in event.devices:
            memory = self.memories.get(device)
            if memory is None:
                continue
            if not event.up:
                memory.lose(event.name, now_ms)
            else:
                memory.regain(event.name, now_ms)
                self._plan(memory)

    def room(self, state: RoomState) -> None:
        """It opens or closes: what people move rests meanwhile."""
        now_ms = self._now_ms
        hours = self._hours.get(state.room)
        if hours is None:
            return
        is_closed = state.status is Status.CLOSED
        if is_closed is hours.is_closed:
            return
        hours.turn(is_closed, now_ms)
        for memory in self.memories.values():
            if memory.hours is hours:
                self._plan(memory)

    def clock_set(self, event: ClockChanged) -> None:
        """The time inside goes on as if nobody had touched the clock."""
        if not event.is_trusted:
            return
        self._offset_ms += event.shift_ms
        self._at(event.at_ms)
        for memory in self.memories.values():
            memory.clock.forget()
            if event.moved_from_ms is not None:
                base_ms = event.moved_from_ms - self._offset_ms + event.shift_ms
                memory.battery.move(base_ms, event.shift_ms)

    def lag(self, seconds: float, now_ms: int) -> None:
        """This hub did nothing for so long: what was said meanwhile is still to be read."""
        if seconds >= LAG_S:
            self._deaf_ms += round(seconds * 1000)
            self._gateways.lag(round(seconds * 1000))
        for behaviour in self._behaviours:
            behaviour.lag(seconds, now_ms - self._offset_ms)

    def forget(self, device: str) -> None:
        """It is another one under the same id: what was learnt of the old one is void, and what
        was found ends by the same words as ever."""
        old = self.memories.get(device)
        if old is None:
            return
        memory = Memory(old.device, old.hours, self._now_ms, None)
        memory.down = old.down
        for matter in self.docket.found():
            if matter.subject.kind is SubjectKind.DEVICE and matter.subject.id == device:
                found = (matter.subject, matter.kind, True, self._now_ms, matter.since_ms)
                memory.stand(Finding(*found, matter.evidence), self._now_ms)
        self.memories[device] = memory
        self._plan(memory)

    def advance(self, now_ms: int) -> None:
        """Look at what time alone may have changed."""
        self._at(now_ms)

    @property
    def next_ms(self) -> int | None:
        """When something is due; it may turn out that nothing is."""
        due_ms = self._next()
        return None if due_ms is None else due_ms + self._offset_ms

    def frame(self) -> bytes:
        """What was learnt."""
        devices = {memory.id: memory.learnt(self._now_ms) for memory in self.memories.values()}
        behaviours = {each.name: each.frame() for each in self._behaviours}
        saved_ms, gateways = self._now_ms + self._offset_ms, self._gateways.kept()
        return msgspec.msgpack.encode(Frame(FORM, saved_ms, devices, gateways, behaviours))

    # -- inside ------------------------------------------------------------------------------

    def _at(self, said_ms: int) -> int:
        """It is that time now: first whatever was due before, each at its own moment."""
        now_ms = max(said_ms - self._offset_ms, self._now_ms)
        for agenda in self._agendas:
            if agenda.is_due(now_ms):
                self._catch_up(now_ms)
        self._now_ms = now_ms
        return now_ms

    def _catch_up(self, now_ms: int) -> None:
        while (due_ms := self._next()) is not None and due_ms <= now_ms:
            self._now_ms = due_ms = max(due_ms, self._now_ms)
            for agenda in self._agendas:
                agenda.run_due(due_ms)

    def _next(self) -> int | None:
        dues = (agenda.next_ms for agenda in self._agendas)
        return min((due for due in dues if due is not None), default=None)

    def _plan(self, memory: Memory) -> None:
        self._agenda.plan(memory.id, self._now_ms)

    def _look(self, device: str, now_ms: int) -> int | None:
        """Time may have changed what is said of it."""
        if device == DAILY:
            return self._end_day(now_ms)
        memory = self.memories[device]
        dues = [self._rule(memory, kind, None, now_ms) for kind in LOOKED_AT]
        dues += [self._rule(memory, FaultKind.STUCK, key, now_ms) for key in memory.analog]
        return min((due for due in dues if due is not None), default=None)

    def _end_day(self, now_ms: int) -> int:
        for memory, key in self._neighbours.end_day():
            self._rule(memory, FaultKind.DRIFT, key, now_ms)
        return now_ms + DAY

    def _members(self, devices: frozenset[str]) -> list[Memory]:
        return [memory for name, memory in self.memories.items() if name in devices]

    def _judge(self, memory: Memory, now_ms: int) -> None:
        """Run the rules whose answer may be another one now."""
        pending, memory.pending = memory.pending, set()
        due_ms: int | None = None
        if (FaultKind.SILENT, None) in pending:
            memory.is_silent = False
            pending |= {(kind, None) for kind in LOOKED_AT}
        if (FaultKind.BATTERY_LOW, None) in pending:
            pending.add((FaultKind.BATTERY_DEAD, None))
        for kind, key in sorted(pending, key=str):
            due_ms = self._rule(memory, kind, key, now_ms)
            self._agenda.plan(memory.id, due_ms)

    def _rule(self, memory: Memory, kind: FaultKind, key: Key | None, now_ms: int) -> int | None:
        subject = memory.subject
        if key is None:
            verdict = DEVICE_RULES[kind](memory, now_ms, self._deaf_ms)
        else:
            verdict = CHANNEL_RULES[kind](memory, key, now_ms)
            subject = memory.part(key)
        self.docket.say(subject, kind, verdict.evidence, verdict.since_ms, now_ms)
        return verdict.due_ms

    def _convention(self, memory: Memory, event: Heard, now_ms: int) -> None:
        """Its bridge, or the broker, says that it is there or gone; it said nothing itself."""
        for reading in event.readings:
            if reading.channel != ONLINE or not reading.is_live:
                continue
            if reading.value == 0 and memory.offline_ms is None:
                memory.offline_ms = now_ms
                self._plan(memory)
            elif reading.value == 1:
                memory.offline_ms = None

    def _stand(self, finding: Finding) -> None:
        since_ms = min(finding.since_ms, self._now_ms)
        self.docket.stand(msgspec.structs.replace(finding, since_ms=since_ms))
        if finding.subject.kind is not SubjectKind.DEVICE:
            return
        memory = self.memories.get(finding.subject.id)
        if memory is not None:
            memory.stand(finding, self._now_ms)

    def _told(self, finding: Finding) -> None:
        offset_ms = self._offset_ms
        if offset_ms:
            finding = msgspec.structs.replace(
                finding,
                at_ms=finding.at_ms + offset_ms,
                since_ms=finding.since_ms + offset_ms,
            )
        self._tell(finding)

    def _hours_of(self, device: Device, doors: dict[str, tuple[str, str]]) -> Hours:
        """Those of the first room that it is in or at; one that is nowhere is always open."""
        for place in device.places.values():
            named = (place.room,) if place.room is not None else doors.get(place.door or "", ())
            for room in named:
                if room in self._hours:
                    return self._hours[room]
        return Hours()
