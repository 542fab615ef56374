"""The rooms of the running hub: the watch, fed by the bus and the clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Protocol

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.centre import Centre, Room
from hub.domain.errors import UnknownRoomError
from hub.domain.events import (
    ClockChanged,
    EmptyProven,
    HealthChanged,
    Heard,
    LinkChanged,
    OverrideChanged,
    RoomAged,
    RoomChanged,
    ScheduleChanged,
)
from hub.domain.mark import Mark
from hub.domain.opening import AlwaysOpen, Schedule, Slot
from hub.domain.room import RoomState
from hub.domain.series import Series
from hub.domain.views import RoomStep
from hub.rooms.marks import When
from hub.rooms.overrides import Overrides
from hub.rooms.watch import Watch

ALWAYS_OPEN = AlwaysOpen()


class History(Protocol):
    """Where past states are kept."""

    async def room_steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]: ...


class RoomsService:
    def __init__(
        self,
        centre: Centre,
        clock: Clock,
        bus: Bus,
        history: History,
        known: Iterable[Series],
        schedule: Schedule = ALWAYS_OPEN,
        overrides: Overrides | None = None,
        write: Callable[[Mark], None] = lambda _: None,
    ) -> None:
        self.centre = centre
        self._clock = clock
        self._history = history
        self._schedule = schedule
        self.watch = Watch(
            centre,
            schedule,
            lambda state: bus.publish(RoomChanged(state)),
            tell_zeroed=bus.publish,
            tell_aged=lambda room: bus.publish(RoomAged(room)),
            write=write,
        )
        self.watch.begin(known, overrides.all() if overrides else (), clock.now_ms())
        bus.subscribe(Heard, self.watch.hear)
        bus.subscribe(LinkChanged, self.watch.link)
        bus.subscribe(HealthChanged, self.watch.health)
        bus.subscribe(ScheduleChanged, lambda event: self.watch.reschedule(event.at_ms))
        bus.subscribe(ClockChanged, self._on_clock)
        bus.subscribe(EmptyProven, lambda event: self.watch.prove_empty(event.room, event.at_ms))
        if overrides is not None:
            bus.subscribe(OverrideChanged, partial(self._on_override, overrides))

    def rooms(self) -> Sequence[Room]:
        return self.centre.rooms

    def state(self, room: str) -> RoomState:
        """Raises UnknownRoomError."""
        try:
            return self.watch.states[room]
        except KeyError:
            raise UnknownRoomError(room) from None

    def slot(self, room: str) -> Slot:
        """What is planned for a room now.

        Raises:
            UnknownRoomError
        """
        self.state(room)
        return self._schedule.slot(room, self._clock.now_ms())

    def states(self) -> Sequence[RoomState]:
        return tuple(self.watch.states.values())

    async def steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        """Past and present status of a room; what no step covers is a gap."""
        self.state(room)
        return await self._history.room_steps(room, from_ms, to_ms)

    async def run(self) -> None:
        """Look at a room again whenever time alone may have changed what is known of it."""
        try:
            await self.watch.agenda.run(self._clock)
        finally:
            self.stop()

    def stop(self) -> None:
        """Nobody watches from here on."""
        self.watch.keep(self._clock.now_ms(), When.STOP)

    def _on_override(self, overrides: Overrides, event: OverrideChanged) -> None:
        self.watch.override(event.room, overrides.of(event.room), event.at_ms)

    def _on_clock(self, event: ClockChanged) -> None:
        """A Pi boots in the past. When its clock is set, no proof from before may stand."""
        if event.is_trusted:  # otherwise our clock goes on as before
            self.watch.start_over(
                self._clock.now_ms(), moved_from_ms=event.moved_from_ms, by_ms=event.shift_ms
            )
