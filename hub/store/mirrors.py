"""What mirrors ask of the store: where they are, what comes next, what was set aside."""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeVar

from edge.clock import Clock
from hub.domain.series import SeriesKey
from hub.store import outbox
from hub.store.outbox import Batch, MirrorCursor
from hub.store.reader import Question

T = TypeVar("T")


class History(Protocol):
    """The store itself."""

    @property
    def commits(self) -> int: ...

    def ask(self, ask: Callable[[Question], T]) -> Awaitable[T]: ...

    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def keys(self) -> Mapping[int, SeriesKey]: ...

    def final_before(self) -> int | None: ...


class Mirrors:
    """Cursors live in memory and are kept with each checkpoint; after a crash some are behind."""

    def __init__(self, history: History, clock: Clock, cursors: Mapping[str, MirrorCursor]) -> None:
        self.cursors = dict(cursors)
        self._history = history
        self._clock = clock
        self._here: set[str] = set()

    @property
    def committed(self) -> int:
        """Grows with every transaction; while it does not, there is nothing new to send."""
        return self._history.commits

    def mirror_cursor(self, mirror: str) -> MirrorCursor:
        """Where a mirror is; from now on retention waits for it."""
        self._here.add(mirror)
        return self.cursors.setdefault(mirror, MirrorCursor())

    def mirror_reached(self, mirror: str, cursor: MirrorCursor) -> None:
        """A mirror has acknowledged this; kept with the next checkpoint, and at the stop."""
        self.cursors[mirror] = cursor

    async def outbox(self, cursor: MirrorCursor, limit: int) -> Batch:
        """What follows a cursor and is committed, once its times are final.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        history = self._history
        before = history.final_before()
        ask = partial(
            outbox.read_batch, cursor=cursor, limit=limit, keys=history.keys(), before=before
        )
        return await history.ask(ask)

    async def mirror_rewound(self, mirror: str) -> MirrorCursor | None:
        """Where a mirror shall begin again, if the command line wished so since the last call.

        Raises:
            StoreError, sqlite3.Error, OSError, QueryTooSlowError, StoreBusyError
        """
        history = self._history
        wish = await history.ask(partial(outbox.wish, mirror=mirror))
        if wish is None:
            return None
        wished_ms, wished = wish
        now = self.mirror_cursor(mirror)
        # never forward: a mirror that is days behind would lose what lies between
        cursor = min(wished, now, key=lambda item: (item.commit, item.shelf))
        self.mirror_reached(mirror, cursor)  # first, or a pulse might keep the old one meanwhile
        grant = partial(outbox.grant, mirror=mirror, wished_ms=wished_ms, cursor=cursor)
        await history.work("mirror", grant)
        return cursor

    async def reject(self, mirror: str, lines: Sequence[tuple[str, str]]) -> None:
        """Set lines aside that a mirror will never take, with what it said.

        Raises:
            StoreError, sqlite3.Error, OSError: they are not kept.
        """
        now_ms = self._clock.now_ms()
        keep = partial(outbox.reject, mirror=mirror, at_ms=now_ms, lines=lines)
        await self._history.work("mirror", keep)

    def of_this_run(self) -> list[MirrorCursor]:
        """Retention waits for these."""
        return [self.cursors[mirror] for mirror in self._here]
