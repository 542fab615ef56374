"""Keeps every room's state current: on each word of its sensors, and when time alone changes it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from edge.clock import Clock
from edge.reading import Reading
from hub.agenda import Agenda
from hub.bus import Bus
from hub.domain.centre import Centre, Room
from hub.domain.device import Health
from hub.domain.errors import UnknownRoomError
from hub.domain.events import ClockChanged, HealthChanged, Heard, LinkChanged, RoomChanged
from hub.domain.room import RoomState, Status
from hub.domain.series import Series
from hub.domain.views import RoomStep
from hub.rooms.evidence import Kind
from hub.rooms.plans import Plans
from hub.rooms.rules import judge

COUNTED = frozenset({"count", "count_zero"})


class History(Protocol):
    """Where past states are kept."""

    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]: ...


class RoomsService:
    def __init__(
        self, centre: Centre, clock: Clock, bus: Bus, history: History, known: Iterable[Series]
    ) -> None:
        self.centre = centre
        self._rooms = {room.id: room for room in centre.rooms}
        self._clock = clock
        self._bus = bus
        self._history = history
        self._plans = Plans(centre)
        self._agenda = Agenda(clock, self._look)
        self._states: dict[str, RoomState] = {}
        self._settled: set[str] = set()
        for series in known:
            self._recall(series)
        now = clock.now_ms()
        for room in self._rooms:
            self._look(room, now)
        bus.subscribe(Heard, self._on_heard)
        bus.subscribe(LinkChanged, self._on_link)
        bus.subscribe(HealthChanged, self._on_health)
        bus.subscribe(ClockChanged, self._on_clock)

    def rooms(self) -> Sequence[Room]:
        return self.centre.rooms

    def state(self, room: str) -> RoomState:
        """Raises UnknownRoomError."""
        try:
            return self._states[room]
        except KeyError:
            raise UnknownRoomError(room) from None

    def states(self) -> Sequence[RoomState]:
        return tuple(self._states.values())

    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        """Past and present status of a room; what no step covers is a gap."""
        self.state(room)
        return await self._history.room_steps(room, from_ms, to_ms)

    async def run(self) -> None:
        """Look at a room again whenever time alone may have changed what is known of it."""
        await self._agenda.run()

    def _on_clock(self, event: ClockChanged) -> None:
        """A Pi boots in the past. When its clock is set, no proof from before may stand."""
        if not event.is_trusted:
            return  # our clock goes on as before
        if event.moved_from_ms is not None:
            for room, state in self._states.items():
                if state.since_ms >= event.moved_from_ms:
                    since_ms = state.since_ms + event.shift_ms
                    self._states[room] = msgspec.structs.replace(state, since_ms=since_ms)
        self.start_over()

    def start_over(self) -> None:
        """Forget every moment, and say what is known without them."""
        for line in self._plans.lines.values():
            line.forget()
        now = self._clock.now_ms()
        for room in self._rooms:
            self._look(room, now)

    def _recall(self, series: Series) -> None:
        """A value from before the start: shown with its age, never evidence."""
        for witness in self._plans.witnesses(series.key):
            witness.value = int(series.value) if isinstance(series.value, int | float) else None
            witness.is_good = series.is_good
            witness.reason = series.reason
            witness.since_ms = series.until_ms

    def _on_heard(self, event: Heard) -> None:
        line = self._plans.lines.get(event.device)
        if line is None:
            return
        is_news = not line.is_fresh(event.at_ms)
        for reading in event.readings:
            if reading.channel == "online":
                is_news |= self._note_online(reading)
                continue
            if reading.is_live:
                line.hear(reading.observed_ms)
            is_news |= self._plans.take(reading)
        for room in self._plans.rooms_of[event.device]:
            # a repeat only makes a settled verdict's evidence newer; its next look will see that
            if is_news or room not in self._settled:
                self._look(room, event.at_ms)

    def _note_online(self, reading: Reading) -> bool:
        line = self._plans.lines[reading.device]
        was, line.offline = line.offline, reading.value == 0
        return was != line.offline

    def _on_link(self, event: LinkChanged) -> None:
        code = "parent_down" if event.is_parent else "link_lost"
        rooms: set[str] = set()
        for device in event.devices:
            line = self._plans.lines.get(device)
            if line is None:
                continue
            if event.up:
                line.find_again(event.name, event.at_ms)
            else:
                line.lose(event.name, code)
            rooms.update(self._plans.rooms_of[device])
        for room in rooms:
            self._look(room, event.at_ms)

    def _on_health(self, event: HealthChanged) -> None:
        line = self._plans.lines.get(event.device)
        is_faulty = event.health is Health.FAULTY
        if line is None or line.is_faulty == is_faulty:
            return
        line.is_faulty = is_faulty
        for room in self._plans.rooms_of[event.device]:
            self._look(room, event.at_ms)

    def _look(self, room: str, now_ms: int) -> int | None:
        """Judge a room, tell the bus if there is something new to say, and plan the next look."""
        before = self._states.get(room)
        verdict = judge(self._plans.of_room[room], now_ms, before)
        state = self._states[room] = verdict.state
        (self._settled.add if verdict.is_settled else self._settled.discard)(room)
        self._agenda.plan(room, verdict.due_ms)
        if state.status is Status.FREE:
            self._zero_counters(room, state)
        if before is None or _says(before) != _says(state):
            self._bus.publish(RoomChanged(state))
        return verdict.due_ms

    def _zero_counters(self, room: str, state: RoomState) -> None:
        """A room proven empty by another sensor proves its counters right, if they say zero."""
        if all(reason.code in COUNTED for reason in state.reasons):
            return
        counters = self._plans.of_room[room].of(Kind.COUNT)
        if counters and not any(c.value for c in counters):
            for counter in counters:
                counter.zeroed = True
                counter.crossings = 0


def _says(state: RoomState) -> tuple[object, ...]:
    """What people see of a state; ages are not news."""
    codes = tuple((r.code, r.params.get("device")) for r in state.reasons)
    return (state.status, state.people, codes, state.zones)
