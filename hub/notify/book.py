"""All that is on its way, in memory, and on the disk before it goes out.

Ids are given here, so that a row exists from the first moment. What the disk does not take stays
marked and is written with the next change: that a card fails is no reason to tell nobody. The
price: what was sent meanwhile is sent again if the hub is also killed before the disk is back.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import partial
from typing import Protocol, TypeVar

import msgspec

from hub.notify import rows
from hub.notify.roster import StandIn
from hub.notify.rows import Changes, Drill, Remembered
from hub.notify.rules import Notice, NoticeKind, Sending, Wanted
from hub.store.query import QueryTooSlowError, StoreBusyError, StoreError
from hub.store.reader import Question

log = logging.getLogger(__name__)

STORE_ERRORS = (StoreError, StoreBusyError, QueryTooSlowError, sqlite3.Error, OSError)
DISK_S = 10.0  # a disk that hangs must not keep a message back for longer
MOST_OPEN = 2_000
"""Notices to people, and as many to programs; beyond, the newest are not taken: nobody reads so
many. A program that is gone for weeks must not take the place of people."""

T = TypeVar("T")


class Store(Protocol):
    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...


class Book:
    """Belongs to the event loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last = [0, 0, 0, 0]
        self.notices: dict[int, Notice] = {}
        self.sendings: dict[int, Sending] = {}
        self.stand_ins: list[StandIn] = []
        self.proofs: dict[tuple[str, str], int] = {}
        self.drill: Drill | None = None
        self.is_failing = False
        self.refused = 0  # notices for which there was no place
        self._events: set[str] = set()
        self._hooks: set[int] = set()  # open notices of programs
        self._of_alert: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._writing: asyncio.Future[bool] | None = None
        self._of: defaultdict[int, dict[int, None]] = defaultdict(dict)
        self._fresh: dict[str, dict[object, object]] = {name: {} for name in Changes._fields}

    async def open(self) -> None:
        """Read what is on its way; to be called once, before anything else.

        Raises:
            QueryTooSlowError, StoreBusyError: the disk does not answer.
        """
        found: Remembered = await self._store.ask(rows.read)
        for item in found.notices:
            self._put(item)
        self._events, self._last = found.events, list(found.last_ids)
        self.stand_ins, self.proofs, self.drill = found.stand_ins, found.proofs, found.drill
        for row in found.sendings:
            self._place(row)

    def knows(self, event: str) -> bool:
        """Whether there is, or was, a notice of that event."""
        return event in self._events

    def of(self, notice: int) -> list[Sending]:
        """Its rows, in the order in which they were made."""
        return [self.sendings[number] for number in self._of[notice]]

    def beside(self, row: Sending) -> list[Sending]:
        """The same notice, person and round, over any channel; the row itself too."""
        key = (row.person, row.round)
        return [other for other in self.of(row.notice) if (other.person, other.round) == key]

    def find(self, kind: NoticeKind, alert: int) -> Iterator[Notice]:
        """Open notices of an alert."""
        for number in self._of_alert.get(alert, ()):
            if self.notices[number].kind is kind:
                yield self.notices[number]

    def add(self, event: str, kind: NoticeKind, made_ms: int, **more: object) -> Notice | None:
        """A new notice; None where the event has one already, or there is no place."""
        if event in self._events:
            return None
        hooks = len(self._hooks)
        if (hooks if kind is NoticeKind.HOOK else len(self.notices) - hooks) >= MOST_OPEN:
            self.refused += 1
            if self.refused == 1:
                log.error("%d notices are open; no new ones are taken", MOST_OPEN)
            return None
        self._last[0] += 1
        notice = Notice(self._last[0], event, kind, made_ms, **more)  # type: ignore[arg-type]
        self._events.add(event)
        self.put(notice)
        return notice

    def put(self, notice: Notice) -> None:
        self._put(notice)
        self._fresh["notices"][notice.id] = notice

    def close(self, notice: Notice, now_ms: int) -> None:
        """It is over; its event is remembered."""
        self._fresh["notices"][notice.id] = msgspec.structs.replace(notice, closed_ms=now_ms)
        del self.notices[notice.id]
        self._hooks.discard(notice.id)
        if notice.alert is not None:
            of_alert = self._of_alert[notice.alert.id]
            of_alert.pop(notice.id, None)
            if not of_alert:
                del self._of_alert[notice.alert.id]
        for number in self._of.pop(notice.id, {}):
            del self.sendings[number]

    def want(self, notice: Notice, wanted: Wanted) -> Sending | None:
        """A new row; None where there is one already."""
        key = (wanted.person, wanted.channel, wanted.round)
        if any((row.person, row.channel, row.round) == key for row in self.of(notice.id)):
            return None
        self._last[1] += 1
        row = Sending(self._last[1], notice.id, *key, wanted.due_ms, wanted.due_ms)
        self.set(row)
        return row

    def set(self, row: Sending) -> None:
        self._place(row)
        self._fresh["sendings"][row.id] = row

    def begin_drill(self, by: str, now_ms: int) -> Drill:
        self._last[2] += 1
        return self.set_drill(Drill(self._last[2], now_ms, by))

    def set_drill(self, drill: Drill) -> Drill:
        self.drill = drill
        self._fresh["drills"][drill.id] = drill
        return drill

    def prove(self, person: str, channel: str, now_ms: int) -> None:
        """Somebody answered what came over a channel."""
        self.proofs[person, channel] = now_ms
        self._fresh["proofs"][person, channel] = (person, channel, now_ms)

    async def keep(self) -> bool:
        """Write what changed; whether all of it is on the disk now.

        One write at a time: what changes meanwhile goes with the next.
        """
        kept = {name: dict(items) for name, items in self._fresh.items()}
        changes = Changes(*(tuple(items.values()) for items in kept.values()))  # type: ignore[arg-type]
        if not changes:
            return True
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write(kept, changes))
        await asyncio.wait({self._writing}, timeout=DISK_S)
        if not self._writing.done():
            self._fail("the disk does not answer")
            return False
        writing, self._writing = self._writing, None
        return writing.result() and not any(self._fresh.values())

    async def _write(self, kept: dict[str, dict[object, object]], changes: Changes) -> bool:
        try:
            await self._store.work("notices", partial(rows.keep, changes=changes))
        except STORE_ERRORS as error:
            self._fail(str(error))
            return False
        self.is_failing = False
        for name, items in kept.items():
            self._forget(name, items.items())
        return True

    def _fail(self, why: str) -> None:
        if not self.is_failing:
            log.warning("Notices cannot be kept (%s); they are sent all the same", why)
        self.is_failing = True

    async def prune(self, before_ms: int) -> None:
        """Forget what was closed before."""
        try:
            gone = await self._store.work("notices", partial(rows.prune, before_ms=before_ms))
        except STORE_ERRORS as error:
            log.warning("Old notices cannot be deleted (%s); it is tried again tomorrow", error)
        else:
            self._events.difference_update(gone)

    async def stand_in(self, item: StandIn) -> None:
        """
        Raises:
            StoreError, sqlite3.Error, OSError: it is not kept, and does not count.
        """
        self._last[3] += 1
        item = msgspec.structs.replace(item, id=self._last[3])
        await self._store.work("notices", partial(rows.add_stand_in, item=item))
        self.stand_ins.append(item)

    async def no_stand_in(self, number: int) -> None:
        """
        Raises:
            StoreError, sqlite3.Error, OSError: it still counts.
        """
        await self._store.work("notices", partial(rows.drop_stand_in, number=number))
        self.stand_ins = [item for item in self.stand_ins if item.id != number]

    async def failed(self) -> list[Sending]:
        """The last messages that were given up.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        return await self._store.ask(rows.failed)

    def _put(self, notice: Notice) -> None:
        self.notices[notice.id] = notice
        if notice.kind is NoticeKind.HOOK:
            self._hooks.add(notice.id)
        if notice.alert is not None:
            self._of_alert[notice.alert.id][notice.id] = None

    def _place(self, row: Sending) -> None:
        self.sendings[row.id] = row
        self._of[row.notice][row.id] = None

    def _forget(self, name: str, written: Iterable[tuple[object, object]]) -> None:
        """What changed again while it was written stays marked."""
        fresh = self._fresh[name]
        for key, thing in written:
            if fresh.get(key) is thing:
                del fresh[key]
