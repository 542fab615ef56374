"""Every room's verdict, moved on by what happens: the rooms' core without clock, bus or disk.

The running hub feeds it live (``service.py``); a past day is fed to it from the store
(``replay.py``). Both get the same answers, because nothing else decides.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from edge.reading import Reading
from hub.agenda import Agenda
from hub.domain.centre import Centre
from hub.domain.device import Health
from hub.domain.events import CounterZeroed, HealthChanged, Heard, LinkChanged
from hub.domain.mark import Mark
from hub.domain.opening import Schedule
from hub.domain.room import Override, OverrideKind, RoomState
from hub.domain.series import Series, SeriesKey
from hub.rooms.evidence import KIND_OF_CHANNEL, Kind, Line, Witness
from hub.rooms.marks import Recorder, When, restore
from hub.rooms.plans import Plans
from hub.rooms.rules import Verdict, judge
from hub.store.past import FRAMES_MS

FRAME = ""  # no room's name
KEPT_ZEROINGS = 50  # of one room, the newest
ONLINE = "online"
NIGHT = "night_empty"
ASKED = frozenset((*KIND_OF_CHANNEL, ONLINE))
AGE = "time"
SHOWN = attrgetter(
    "status", "presence", "crowding", "people", "zones", "confidence", "purpose", "override"
)


class Watch:
    """``tell`` is called with each state that says something new, ``tell_zeroed`` with each time
    that counters were found to be off, ``tell_aged`` with a room that says the same by older
    evidence, since newer one was spoilt. Times only move on."""

    def __init__(
        self,
        centre: Centre,
        schedule: Schedule,
        tell: Callable[[RoomState], None],
        tell_zeroed: Callable[[CounterZeroed], None] = lambda _: None,
        tell_aged: Callable[[str], None] = lambda _: None,
        write: Callable[[Mark], None] = lambda _: None,
    ) -> None:
        self._rooms = tuple(room.id for room in centre.rooms)
        self._schedule = schedule
        self._tell = tell
        self._tell_zeroed = tell_zeroed
        self._tell_aged = tell_aged
        self._plans = Plans(centre)
        self._settled: set[str] = set()
        self._overrides: dict[str, tuple[Override, ...]] = {}
        self._recorder = Recorder(write, self._plans)
        self.agenda = Agenda(self._due)
        self.states: dict[str, RoomState] = {}
        self.zeroings: dict[str, deque[CounterZeroed]] = {}

    def begin(self, known: Iterable[Series], overrides: Iterable[Override], now_ms: int) -> None:
        """Say what is known at a start: remembered values are shown and prove nothing."""
        self._plans.recall(known, now_ms)
        for item in overrides:
            self._overrides[item.room] = (*self._overrides.get(item.room, ()), item)
        self._look_at_all(now_ms)
        self.keep(now_ms, When.START)
        self.agenda.plan(FRAME, now_ms + FRAMES_MS)

    def keep(self, now_ms: int, when: When = When.RUNNING) -> None:
        """Have all that is remembered kept, for who replays what follows."""
        self._recorder.frame(self.states, now_ms, when)

    def remember(
        self,
        frame: Mapping[str, Any],
        overrides: Mapping[str, tuple[Override, ...]],
        heard_ms: Mapping[str, int],
        now_ms: int,
    ) -> None:
        """Instead of ``begin``: go on from what was kept; devices speak up to ``heard_ms``."""
        restore(self._plans, self.states, frame)
        self._overrides.update(overrides)
        for device, end_ms in heard_ms.items():
            self.heard_until(device, end_ms)
        self._look_at_all(now_ms)

    def heard_until(self, device: str, end_ms: int) -> None:
        """A device that was heard is known to go on speaking up to then."""
        line = self._plans.lines[device]
        if line.heard_ms is not None:
            line.heard_ms = max(line.heard_ms, end_ms)

    def witnesses(self) -> Iterator[tuple[SeriesKey, str, Witness]]:
        """With the room each speaks for."""
        return self._plans.all_witnesses()

    def advance(self, now_ms: int) -> None:
        """Look at what time alone may have changed."""
        self.agenda.run_due(now_ms)

    def start_over(self, now_ms: int, *, moved_from_ms: int | None = None, by_ms: int = 0) -> None:
        """Forget every moment, and say what is known without them.

        The clock was set: states since ``moved_from_ms`` keep their age.
        """
        if moved_from_ms is not None:
            for room, state in self.states.items():
                if state.since_ms >= moved_from_ms:
                    since_ms = state.since_ms + by_ms
                    self.states[room] = msgspec.structs.replace(state, since_ms=since_ms)
        self.keep(now_ms)  # until when each device was heard
        for line in self._plans.lines.values():
            line.forget(now_ms)
        for plan in self._plans.of_room.values():
            plan.forget()
        self._look_at_all(now_ms)
        self.keep(now_ms, When.START)

    def hear(self, event: Heard) -> None:
        line = self._plans.lines.get(event.device)
        if line is None:
            return
        # after a silence even a repeat is news
        is_news = not line.is_fresh(event.at_ms)
        for reading in event.readings:
            # what no rule asks only shows that its device speaks, which may be known by now
            if is_news or reading.channel in ASKED or reading.observed_ms != line.heard_ms:
                is_news |= self._take(line, reading)
        for room in self._plans.rooms_of[event.device]:
            # a repeat only makes a settled verdict's evidence newer; its next look will see that
            if is_news or room not in self._settled:
                self._plans.of_room[room].settle()
                self._look(room, event.at_ms)

    def _take(self, line: Line, reading: Reading) -> bool:
        if reading.channel == ONLINE:
            return self._note_online(reading)
        at_ms = reading.observed_ms
        # the first reading of a message speaks for all of it
        if not (line.heard_ms == at_ms and line.is_fresh(at_ms)) and reading.is_live:
            self._recorder.word(line, reading)
            line.hear(at_ms)
        if reading.channel not in KIND_OF_CHANNEL:
            return False
        key = SeriesKey(reading.device, reading.channel, reading.part)
        witnesses = self._plans.witnesses(key)
        if not witnesses:
            return False
        self._recorder.reading(key, reading, all(witness.is_live for witness in witnesses))
        is_news = False
        for witness in witnesses:
            is_news |= witness.take(reading)
        if is_news and KIND_OF_CHANNEL[reading.channel] is Kind.DOOR:
            self._recorder.door(reading.device, at_ms)
        return is_news

    def link(self, event: LinkChanged) -> None:
        code = "parent_down" if event.is_parent else "link_lost"
        rooms: set[str] = set()
        for device in event.devices:
            line = self._plans.lines.get(device)
            if line is None:
                continue
            if event.up:
                self._recorder.found(line, event.name, event.at_ms)
                line.find_again(event.name, event.at_ms)
            else:
                self._recorder.lost(line, event.name, code, event.at_ms)
                line.lose(event.name, code)
            rooms.update(self._plans.rooms_of[device])
        for room in rooms:
            self._look(room, event.at_ms)

    def health(self, event: HealthChanged) -> None:
        line = self._plans.lines.get(event.device)
        is_faulty = event.health is Health.FAULTY
        if line is None or line.is_faulty == is_faulty:
            return
        self._recorder.faulty(event.device, is_faulty, event.at_ms)
        line.is_faulty = is_faulty
        for room in self._plans.rooms_of[event.device]:
            self._look(room, event.at_ms)

    def override(self, room: str, said: Sequence[Override], now_ms: int) -> None:
        """What staff say of a room now: all that has not ended, newest last."""
        self._recorder.override(room, now_ms)
        self._overrides[room] = tuple(said)
        for item in said:
            if item.kind is OverrideKind.LOOKED and item.people:
                self._plans.of_room[room].seen_by_people(item.from_ms)
        self._look(room, now_ms)

    def prove_empty(self, room: str, now_ms: int) -> None:
        """A whole night without anybody: what its counters say beside that is wrong."""
        plan = self._plans.of_room[room]
        if plan.counters:
            self._recorder.empty(room, now_ms)
            self._note_zeroing(plan.zero(now_ms, NIGHT))
            self._look(room, now_ms)

    def reschedule(self, now_ms: int) -> None:
        """The timetable was edited."""
        self._look_at_all(now_ms)

    def holds(self) -> dict[str, int]:
        """How long each room must be still before that means something, in ms, as learnt."""
        return {room: plan.hold_ms for room, plan in self._plans.of_room.items()}

    def _look_at_all(self, now_ms: int) -> None:
        for room in self._rooms:
            self._look(room, now_ms)

    def _note_online(self, reading: Reading) -> bool:
        line = self._plans.lines[reading.device]
        is_gone = reading.value == 0
        is_news = line.offline != is_gone
        if is_news or (reading.is_live and not line.is_recent(reading.observed_ms)):
            self._recorder.online(line, reading)  # the store takes it for a word of the device
        line.offline = is_gone
        return is_news

    def _due(self, key: str, now_ms: int) -> int | None:
        if key != FRAME:
            return self._look(key, now_ms)
        self.keep(now_ms)
        return now_ms + FRAMES_MS

    def _look(self, room: str, now_ms: int) -> int | None:
        """Judge a room, tell if there is something new to say, and plan the next look."""
        before = self.states.get(room)
        plan = self._plans.of_room[room]
        verdict = self._judge(room, now_ms, before)
        if verdict.disproves_count is not None:
            self._note_zeroing(plan.zero(now_ms, verdict.disproves_count))
            verdict = self._judge(room, now_ms, before)
        state = self.states[room] = verdict.state
        (self._settled.add if verdict.is_settled else self._settled.discard)(room)
        self.agenda.plan(room, verdict.due_ms)
        if before is None or not is_alike(before, state):
            self._tell(state)
        elif state.as_of_ms < before.as_of_ms:
            self._tell_aged(room)
        return verdict.due_ms

    def _judge(self, room: str, now_ms: int, before: RoomState | None) -> Verdict:
        slot = self._schedule.slot(room, now_ms)
        self._recorder.slot(room, slot, now_ms)
        return judge(self._plans.of_room[room], now_ms, before, slot, self._overrides.get(room, ()))

    def _note_zeroing(self, record: CounterZeroed) -> None:
        self.zeroings.setdefault(record.room, deque(maxlen=KEPT_ZEROINGS)).append(record)
        self._tell_zeroed(record)


def is_alike(before: RoomState, state: RoomState) -> bool:
    """Would people see no difference?"""
    return SHOWN(before) == SHOWN(state) and (
        before.reasons == state.reasons or says(before) == says(state)
    )


def says(state: RoomState) -> tuple[object, ...]:
    """What people see of a state. Ages are not news, as long as they only move on."""
    causes = [
        (reason.code, [item for item in reason.params.items() if item[0] != AGE])
        for reason in state.reasons
    ]
    return (*SHOWN(state), causes)
