"""Keeps Home Assistant told: one connection after the other, each beginning with everything.

It is a comfort and behaves like one: a connection of its own, apart from the one that sensors come
in by, one message under way at a time, and no error of its own ends the hub.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

import aiomqtt

from hub.bus import Bus
from hub.domain.centre import Room
from hub.domain.events import RoomChanged
from hub.domain.views import RoomsView
from hub.field.discovery import config_document, state_document
from hub.field.memory import Memory
from hub.field.session import AGAIN_S, OFFLINE, Session, Write, end
from hub.field.topics import Topics

log = logging.getLogger(__name__)

SHORTEST_WAIT_S, LONGEST_WAIT_S = 0.5, 60.0
STEADY_S = 30.0
"""A connection that lasted so long was a good one; the next attempt need not wait long."""
FAREWELL_S = 1.0

Connect = Callable[[aiomqtt.Will | None], Awaitable[aiomqtt.Client]]
"""A client that is not connected yet; raises OSError where it has no password or certificate."""


class FieldService:
    """
    Args:
        rooms: Whom to speak of.
        here: Where; None where nothing is published (any more).
        memory: Where something of ours may lie.
        counted: Rooms whose people somebody counts.
    """

    def __init__(
        self,
        rooms: RoomsView,
        here: Topics | None,
        memory: Memory,
        connect: Connect,
        bus: Bus,
        counted: Iterable[str] = (),
    ) -> None:
        self._rooms = rooms
        self._here = here
        self._memory = memory
        self._connect = connect
        self._counted = set(counted)
        self._configs: dict[str, Write] = {}
        self._states: dict[str, Write] = {}
        self._session: Session | None = None
        self._trouble: str | None = None
        if here is not None:
            for room in rooms.rooms():
                self._configs[here.config(room.id)] = partial(self._config, here, room)
                self._states[here.state(room.id)] = partial(self._state, room.id)
            bus.subscribe(RoomChanged, partial(self._changed, here))

    async def run(self) -> None:
        """Until cancelled; where nothing is published, until what once was is cleared away."""
        if self._here is None and not self._memory.places:
            return
        telling = asyncio.create_task(self._keep_telling())
        try:
            await asyncio.wait({telling})
        finally:
            await end({telling}, FAREWELL_S + AGAIN_S)

    async def _keep_telling(self) -> None:
        now = asyncio.get_running_loop().time
        failures = 0
        while True:
            begun = now()
            try:
                await self._once()
            except (aiomqtt.MqttError, OSError) as error:
                self._lost(str(error))
            except Exception:
                if self._trouble is None:
                    log.exception("Home Assistant: a mistake of ours; it is tried again")
                self._trouble = "failed"
            else:
                return
            failures = 1 if now() - begun > STEADY_S else failures + 1
            longest = min(SHORTEST_WAIT_S * 2.0 ** min(failures, 10), LONGEST_WAIT_S)
            await asyncio.sleep(random.uniform(SHORTEST_WAIT_S / 2, longest))  # noqa: S311 - jitter

    async def _once(self) -> None:
        """One connection."""
        here = self._here
        remembered = self._memory.places
        places = remembered if here is None or here in remembered else (here, *remembered)
        await asyncio.to_thread(self._memory.keep, places)  # before anything is said
        will = None if here is None else aiomqtt.Will(here.status, OFFLINE, qos=1, retain=True)
        async with await self._connect(will) as client:
            session = Session(client, here, places, self._configs, self._states, self._tidied)
            self._session = session
            try:
                await session.run()
            except asyncio.CancelledError:
                with contextlib.suppress(aiomqtt.MqttError, TimeoutError):
                    async with asyncio.timeout(FAREWELL_S):
                        await session.farewell()
                raise
            finally:
                self._session = None

    def _tidied(self) -> None:
        self._memory.keep(() if self._here is None else (self._here,))
        if self._trouble is not None:
            log.info("Home Assistant is told again")
            self._trouble = None

    def _lost(self, why: str) -> None:
        """Once, not per attempt."""
        if self._trouble is None:
            log.warning("Home Assistant is not told (%s): its rooms are unavailable meanwhile", why)
        self._trouble = why

    def _changed(self, here: Topics, event: RoomChanged) -> None:
        room = event.state.room
        news = [here.state(room)]
        if event.state.people is not None and room not in self._counted:
            self._counted.add(room)
            news.insert(0, here.config(room))
        if self._session is not None:
            for topic in news:
                self._session.say(topic, self._configs.get(topic) or self._states[topic])

    def _config(self, here: Topics, room: Room) -> bytes:
        is_counted = room.id in self._counted
        return config_document(self._rooms.centre, room, here, counted=is_counted)

    def _state(self, room: str) -> bytes:
        """As it is when it is sent, which may be newer than when it was due."""
        return state_document(self._rooms.state(room))
