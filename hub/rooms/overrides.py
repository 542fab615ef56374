"""What staff say of rooms: kept before it counts, in force until its end, each a decision.

    a person says it > checked > one transaction > the watch judges again > Decided

Of each kind one is in force in a room: who looks again replaces what was seen before. They end by
themselves, since the rules compare their end with the clock.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple, Protocol, TypeVar

import msgspec

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.errors import NotFoundError, RefusedDecisionError, UnknownRoomError
from hub.domain.events import OverrideChanged
from hub.domain.room import Override, OverrideKind, Text
from hub.domain.typed import one_line
from hub.rooms import override_rows
from hub.store.query import StoreError
from hub.store.reader import Question

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
MAX_PEOPLE = 100_000
MAX_REASON = 120
LOOK_HOLDS_MS = 15 * MINUTE_MS  # what one saw is soon old
LONGEST_LOOK_MS = 12 * HOUR_MS  # a night, in a house that is shut
LONGEST_CLOSURE_MS = 366 * DAY_MS
REMEMBERED_MS = DAY_MS  # looks that ended, for the closing round

T = TypeVar("T")


class UnknownOverrideError(NotFoundError):
    code = "unknown_override"


class Store(Protocol):
    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...


class Wish(NamedTuple):
    """What somebody wants to say. ``until_ms`` None: as long as one look holds."""

    room: str
    kind: OverrideKind
    people: int | None = None
    reason: str = ""
    until_ms: int | None = None


async def remembered(store: Store, now_ms: int) -> list[Override]:
    """What a start needs: all that is in force, and the looks of the last day.

    A machine that boots in the past gets more; what ended goes once the time is known.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    active = await store.ask(
        partial(override_rows.between, from_ms=now_ms, to_ms=override_rows.EVER_MS)
    )
    looks = await store.ask(partial(override_rows.said_since, from_ms=now_ms - REMEMBERED_MS))
    found = {item.id: item for item in (*active, *looks)}
    return [found[number] for number in sorted(found)]


class Overrides:
    """Belongs to the event loop."""

    def __init__(
        self,
        rooms: Iterable[str],
        store: Store,
        clock: Clock,
        bus: Bus,
        known: Iterable[Override] = (),
    ) -> None:
        self._active: dict[str, tuple[Override, ...]] = dict.fromkeys(rooms, ())
        self._looks: dict[str, Override] = {}
        self._store = store
        self._clock = clock
        self._bus = bus
        for item in known:
            if item.room in self._active:  # or it was taken out of the configuration
                self._put(item)

    def of(self, room: str) -> tuple[Override, ...]:
        """All that is in force in a room now, newest last.

        Raises:
            UnknownRoomError
        """
        now_ms = self._clock.now_ms()
        try:
            return tuple(item for item in self._active[room] if item.until_ms > now_ms)
        except KeyError:
            raise UnknownRoomError(room) from None

    def all(self) -> list[Override]:
        """All that is in force anywhere."""
        return [item for room in self._active for item in self.of(room)]

    def last_look(self, room: str) -> Override | None:
        """When somebody last looked into a room, also if that holds no longer."""
        return self._looks.get(room)

    async def between(self, from_ms: int, to_ms: int, room: str | None = None) -> list[Override]:
        """All that was in force at any moment of a stretch of time.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        ask = partial(override_rows.between, from_ms=from_ms, to_ms=to_ms, room=room)
        return await self._store.ask(ask)

    async def say(self, wish: Wish, author: str) -> Override:
        """Keep what somebody says; from then on it counts.

        Raises:
            UnknownRoomError
            RefusedDecisionError: it cannot be said like that, or the disk did not take it.
        """
        before = "; ".join(said(item) for item in self.of(wish.room) if item.kind is wish.kind)
        if not self._clock.is_trusted:
            raise RefusedDecisionError(Text("override.no_time"), 409)
        new = checked(wish, author, self._clock.now_ms())
        number = await self._keep(partial(override_rows.add, new=new))
        kept = msgspec.structs.replace(new, id=number)
        self._put(kept)
        self._tell(kept, "override.add", author, before, said(kept))
        return kept

    async def end(self, number: int, author: str) -> Override:
        """Take back what was said, before its time.

        Raises:
            UnknownOverrideError: nothing of that number is in force.
            RefusedDecisionError: the disk did not take it.
        """
        item = next((item for item in self.all() if item.id == number), None)
        if item is None:
            raise UnknownOverrideError(str(number))
        now_ms = self._clock.now_ms()
        await self._keep(partial(override_rows.end, number=number, author=author, now_ms=now_ms))
        rest = tuple(other for other in self._active[item.room] if other.id != number)
        self._active[item.room] = rest
        self._tell(item, "override.end", author, said(item), "")
        return msgspec.structs.replace(item, ended_ms=now_ms)

    def _put(self, item: Override) -> None:
        if item.kind is OverrideKind.LOOKED:
            self._looks[item.room] = item
        rest = tuple(other for other in self._active[item.room] if other.kind is not item.kind)
        self._active[item.room] = rest if item.ended_ms is not None else (*rest, item)

    async def _keep(self, operate: Callable[[sqlite3.Connection], T]) -> T:
        try:
            return await self._store.work("overrides", operate)
        except (sqlite3.Error, OSError, StoreError) as error:
            raise RefusedDecisionError(Text("not_kept"), 503) from error

    def _tell(self, item: Override, action: str, author: str, before: str, after: str) -> None:
        now_ms = self._clock.now_ms()
        self._bus.publish(OverrideChanged(item.room, now_ms))
        self._bus.publish(Decided(now_ms, author, action, item.room, before, after))


def checked(wish: Wish, author: str, now_ms: int) -> Override:
    """What is wished, if it can be said.

    Raises:
        RefusedDecisionError
    """
    reason = one_line(wish.reason)
    until_ms, people = wish.until_ms, wish.people
    if len(reason) > MAX_REASON:
        raise RefusedDecisionError(Text("override.long_reason", {"most": MAX_REASON}))
    if wish.kind is OverrideKind.CLOSED:
        if not reason:
            raise RefusedDecisionError(Text("override.no_reason"))
        if until_ms is None:
            raise RefusedDecisionError(Text("override.no_end"))
        longest, people = LONGEST_CLOSURE_MS, None
    else:
        if people is None or not 0 <= people <= MAX_PEOPLE:
            raise RefusedDecisionError(Text("override.no_people"))
        longest = LONGEST_LOOK_MS
    until_ms = now_ms + LOOK_HOLDS_MS if until_ms is None else until_ms
    if until_ms <= now_ms:
        raise RefusedDecisionError(Text("override.past"))
    if until_ms > now_ms + longest:
        code = "override.long_closure" if people is None else "override.long_look"
        raise RefusedDecisionError(Text(code))
    return Override(0, wish.room, wish.kind, people, reason, author, now_ms, until_ms)


def said(item: Override) -> str:
    """For the audit record."""
    until = datetime.fromtimestamp(item.until_ms / 1000, UTC)
    words = item.kind.value if item.people is None else f"{item.kind.value} {item.people}"
    return f"{words} until {until:%Y-%m-%dT%H:%M:%SZ}" + (f": {item.reason}" if item.reason else "")
