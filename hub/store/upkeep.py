"""What keeps the history small and right, in slices between commits.

    seal > delete what was sealed > correct hours > pack weeks > delete what is too old

Each job reads in a thread of its own and gives the writer one short transaction at a time. A disk
that fails stops the jobs, not the hub: they are idempotent and begin again at the next look.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Protocol, TypeVar

from edge.clock import Clock
from hub.domain.series import SeriesKey
from hub.store import hours, retention, sealer
from hub.store.damage import Damage, DamagedPlaceError, Kind, note, set_aside, tell
from hub.store.outbox import MirrorCursor
from hub.store.query import QueryTooSlowError, StoreBusyError, StoreError
from hub.store.reader import Question
from hub.store.retention import Keep

log = logging.getLogger(__name__)

LOOK_S = 60.0
SETTLED_MS = 2 * 24 * 3_600_000  # hours younger than this lie one by one
LOOSE_MS = 4 * 24 * 3_600_000  # and none that is older than this
EXPECTED = (sqlite3.Error, OSError, StoreError, StoreBusyError, QueryTooSlowError)
T = TypeVar("T")


class History(Protocol):
    """What the jobs need of the store."""

    def ask(self, ask: Callable[[Question], T], pool: ThreadPoolExecutor) -> Awaitable[T]: ...

    def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> Awaitable[T]: ...

    def may_seal_before(self) -> int:
        """Commits from here on must stay in the log."""

    def keys(self) -> Mapping[int, SeriesKey]:
        """Of every series and room."""

    def sealed(self, upto: int) -> None:
        """Commits up to there are in chapters now."""

    def cursors(self) -> list[MirrorCursor]: ...

    @property
    def damaged(self) -> Mapping[tuple[Kind, int], Damage]:
        """What questions could not read."""

    def count_anew(self, damage: Damage) -> None:
        """Hours that cannot be read must be computed from their readings."""

    async def mend(self) -> None:
        """Compute hours anew that late readings touched."""


class Upkeep:
    """``run`` until cancelled, or ``look`` once."""

    def __init__(self, history: History, keep: Keep, clock: Clock) -> None:
        self.waits_for_mirrors = False
        """Readings are older or larger than is allowed, and stay because a mirror lacks them."""
        self._history = history
        self._keep = keep
        self._clock = clock
        self._pool = ThreadPoolExecutor(1, "store-upkeep")
        self._told_unsent = False
        self._noted: set[tuple[Kind, int]] = set()
        self._told: dict[str, str] = {}  # jobs that fail, and why
        self._jobs = (
            self._seal_all,
            self._note_damage,
            self._mend,
            self._pack_weeks,
            self._delete_all_old,
        )

    async def run(self) -> None:
        """Job by job: one that fails, whatever the reason, stops neither the hub nor the others."""
        while True:
            for job in self._jobs:
                try:
                    await job()
                except Exception as error:  # noqa: BLE001 - it is told, and tried again
                    self._complain(job.__name__, error)
                else:
                    self._told.pop(job.__name__, None)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Do everything that is due, once; stops at the first job that fails."""
        for job in self._jobs:
            await job()

    def _complain(self, job: str, error: Exception) -> None:
        """Once for each reason; a disk that is full for a day is no news each minute."""
        reason = type(error).__name__
        if self._told.get(job) != reason:
            is_ours = not isinstance(error, EXPECTED)
            text = "Upkeep of the history (%s) stopped (%s); it is tried again each minute"
            log.warning(text, job.strip("_"), error, exc_info=error if is_ours else None)
        self._told[job] = reason

    async def _seal_all(self) -> None:
        while await self._seal():
            pass
        while await self._work("sealing", sealer.delete_sealed):
            pass

    async def _note_damage(self) -> None:
        """Tell each once, whoever met it and however often the hub starts."""
        fresh = [d for place, d in dict(self._history.damaged).items() if place not in self._noted]
        if fresh:
            add = partial(note, found=fresh, now_ms=self._clock.now_ms())
            for damage in await self._work("damage", add):
                tell(damage)
            for damage in fresh:
                self._noted.add((damage.kind, damage.place))
                self._history.count_anew(damage)

    async def _mend(self) -> None:
        await self._history.mend()

    async def _pack_weeks(self) -> None:
        while await self._pack_week():
            pass

    async def _delete_all_old(self) -> None:
        while await self._delete_old():
            pass

    def close(self) -> None:
        """No job runs any more."""
        self._pool.shutdown(wait=True)

    async def _seal(self) -> bool:
        history, now_ms = self._history, self._clock.now_ms()
        before_id = history.may_seal_before()
        plan = await self._ask(partial(sealer.plan, now_ms=now_ms, before_id=before_id))
        if plan is None:
            return False
        await self._work("sealing", partial(sealer.clear, chapter=plan.chapter))
        try:
            await self._seal_chapter(plan, now_ms)
        except DamagedPlaceError as error:
            found = error.damage
            if await self._work("sealing", partial(set_aside, damage=found, now_ms=now_ms)):
                tell(found)
        return True

    async def _seal_chapter(self, plan: sealer.Plan, now_ms: int) -> None:
        """Raises DamagedPlaceError where a commit must be set aside first."""
        history = self._history
        at, changes, keys = 0, 0, history.keys()
        while True:
            packed = await self._ask(partial(sealer.pack_shelves, wanted=plan, keys=keys, at=at))
            if packed is None:
                break
            changes += sum(shelf.changes for shelf in packed)
            while packed:
                done = await self._work("sealing", partial(sealer.add_shelves, shelves=packed))
                packed = packed[done:]
            at += sealer.SHELVES_AT_ONCE
        said = await self._ask(partial(sealer.pack_said, wanted=plan))
        await self._work(
            "sealing",
            partial(sealer.finish, wanted=plan, changes=changes, said=said, now_ms=now_ms),
        )
        history.sealed(plan.last_id)

    async def _pack_week(self) -> bool:
        now_ms = self._clock.now_ms()
        found = await self._ask(partial(hours.oldest_week, before_ms=now_ms - LOOSE_MS))
        if found is None:
            return False
        shelf, week = found
        settled_ms = now_ms - SETTLED_MS
        pack = partial(hours.pack_week, shelf=shelf, week=week, before_ms=settled_ms)
        packed = await self._ask(pack)
        for damage in await self._work(
            "hours", partial(hours.keep_week, packed=packed, now_ms=now_ms)
        ):
            tell(damage)
            self._history.count_anew(damage)
        return True

    async def _delete_old(self) -> bool:
        history, now_ms = self._history, self._clock.now_ms()
        while await self._work("retention", retention.delete_dropped):
            pass  # of a chapter that was dropped before a crash, which still fills the disk
        verdict = await self._ask(
            partial(retention.judge, keep=self._keep, mirrors=history.cursors(), now_ms=now_ms)
        )
        self._tell(verdict)
        if verdict.chapter is not None:
            await self._work("retention", partial(retention.drop, chapter=verdict.chapter))
        return verdict.chapter is not None

    def _tell(self, verdict: retention.Verdict) -> None:
        if verdict.waits and not self.waits_for_mirrors:
            log.warning("Old readings stay for now: a mirror still lacks them")
        self.waits_for_mirrors = verdict.waits
        if verdict.unsent and not self._told_unsent:
            log.warning("Readings that a mirror still lacked are deleted: it was away too long")
        self._told_unsent = verdict.unsent or (self._told_unsent and verdict.chapter is not None)

    async def _ask(self, ask: Callable[[Question], T]) -> T:
        return await self._history.ask(ask, self._pool)

    async def _work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> T:
        return await self._history.work(purpose, operate)
