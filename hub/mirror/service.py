"""Each mirror's loop: a piece of history from the store, to the server, and only then the cursor.

    store.outbox > lines (in the thread) > post (in the thread) > answer > rules > store

The cursor moves after the acknowledgement of everything before it. If an answer is lost on the way,
the same lines are sent again and write over themselves. What waits here is one batch; the rest
stays in the store, however long the server is away.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Protocol

from edge.clock import Clock
from hub.configuration.keeping import MirrorSettings
from hub.domain.centre import Centre
from hub.mirror.lines import LineWriter
from hub.mirror.rules import (
    MAX_LINES,
    Answer,
    Delivery,
    Meaning,
    Trouble,
    meaning,
    trouble,
    wait_s,
)
from hub.mirror.sink import Sink
from hub.store.damage import Damage
from hub.store.outbox import Batch, MirrorCursor
from hub.store.query import QueryTooSlowError, StoreBusyError, StoreError

log = logging.getLogger(__name__)

STORE_ERRORS = (StoreError, StoreBusyError, QueryTooSlowError, sqlite3.Error, OSError)

POLL_S = 1.0  # how often it is looked whether something new was committed
STALE_S = 30.0  # how long it is believed that without a commit there is nothing new
WISH_S = 2.0  # how often the store is asked for a rewind; the command line promises seconds
SLICE = 250  # lines built before another thread may run: a millisecond or two
BEHIND_MS = 120_000  # older than this, with more to come: catching up, and no faster than ``rate``

OURS = ("mirror.store", "mirror.failed")  # no fault of the server's


class State(StrEnum):
    TRYING = "trying"  # the server has acknowledged nothing since the hub started
    OK = "ok"
    CATCHING_UP = "catching_up"
    WAITING = "waiting"  # the server does not answer, or asks for patience
    ALARM = "alarm"  # somebody has to change something


class Source(Protocol):
    """The store, as mirrors need it."""

    @property
    def committed(self) -> int:
        """The last commit, which grows; while it does not, there is nothing new."""

    def mirror_cursor(self, name: str) -> MirrorCursor:
        """Where the mirror is; further back than it was after a rewind."""

    async def mirror_rewound(self, name: str) -> MirrorCursor | None:
        """Grant the wish to begin again further back, if there is one."""

    async def outbox(self, cursor: MirrorCursor, limit: int) -> Batch: ...

    def mirror_reached(self, name: str, cursor: MirrorCursor) -> None: ...

    async def reject(self, name: str, lines: Sequence[tuple[str, str]]) -> None: ...


class Mirror:
    """One server. Every method belongs to the event loop."""

    def __init__(
        self, settings: MirrorSettings, centre: Centre, source: Source, clock: Clock, sink: Sink
    ) -> None:
        self.id = settings.id
        self.kind = settings.kind
        self.url = settings.url
        self.state = State.TRYING
        self.since_ms = clock.now_ms()
        self.trouble: Trouble | None = None
        self.last_success_ms: int | None = None
        self.oldest_unsent_ms: int | None = None
        self.points = 0  # acknowledged since the start; what was sent twice counts twice
        self.rejected = 0  # lines set aside since the start
        self._rate = settings.rate
        self._clock = clock
        self._source = source
        self._sink = sink
        self._writer = LineWriter(centre)
        self._failures = 0
        self._batch: tuple[MirrorCursor, Batch] | None = None
        self._committed = source.committed  # when the batch was fetched
        self._behind = 0  # commits after the batch, then
        self._delivery = Delivery(())
        self._most = MAX_LINES
        self._is_proven = False  # the server took a good line while it refused another
        self._is_known = False  # it acknowledged something since the start
        self._ask_at = 0.0  # loop time at which the store is asked for a rewind
        self._nothing_after = (MirrorCursor(-1), -1)  # cursor and commit at which all was sent,
        self._stale_at = 0.0  # believed until this loop time
        self._free_at = 0.0  # loop time from which the rate allows more

    @property
    def personal(self) -> int:
        """Changes of people that came here by mistake, and went no further."""
        return self._writer.personal

    @property
    def commits_behind(self) -> int:
        """About how many commits are not acknowledged."""
        waiting = 0
        if self._batch is not None:
            cursor, batch = self._batch
            waiting = max(batch.cursor.commit - cursor.commit, 0)
        return waiting + self._behind + max(self._source.committed - self._committed, 0)

    async def run(self) -> None:
        """Until cancelled; then ``close``."""
        log.info("Mirror %s: %s", self.id, self.state)
        delay = 0.0
        while True:
            try:
                await self._rest(delay)
                delay = await self.step()
            except STORE_ERRORS as error:
                log.debug("mirror %s: %s", self.id, type(error).__name__)
                delay = self._failed(Answer(0, code="store"))
            except Exception:
                if self.trouble is None or self.trouble.code != "mirror.failed":
                    log.exception("Mirror %s: a mistake of ours; it is tried again", self.id)
                self._batch = None
                delay = self._failed(Answer(0, code="failed"))

    async def _rest(self, delay: float) -> None:
        """Sleep; a rewind is granted meanwhile, and also where there is no time to sleep."""
        now = asyncio.get_running_loop().time
        end = now() + delay
        while True:
            if now() >= self._ask_at:
                self._ask_at = now() + WISH_S
                with contextlib.suppress(*STORE_ERRORS):  # asked again in a moment
                    if await self._source.mirror_rewound(self.id) is not None:
                        log.info("Mirror %s: rewound, older history is sent again", self.id)
            left = end - now()
            if left <= 0:
                return
            await asyncio.sleep(min(left, WISH_S))

    async def close(self) -> None:
        await self._sink.close()

    async def step(self) -> float:
        """Send one piece; how long to wait before the next one, in seconds."""
        cursor = self._source.mirror_cursor(self.id)
        now = asyncio.get_running_loop().time()
        if self._nothing_after == (cursor, self._source.committed) and now < self._stale_at:
            return POLL_S
        if self._batch is None or self._batch[0] != cursor:  # none, or it was rewound meanwhile
            await self._fetch(cursor)
        if self._delivery.is_done:
            await self._pass_over_damage()
            return self._finish()
        piece = self._delivery.piece()
        answer = await self._sink.post(piece)
        match meaning(answer):
            case Meaning.STORED:
                return self._stored()
            case Meaning.BAD_LINE:
                return await self._bad(answer)
            case Meaning.TOO_LARGE if not self._delivery.is_one():
                self._delivery.smaller()
                self._most = self._delivery.most
                return 0.0
            case Meaning.TOO_LARGE:
                return await self._bad(answer)
        return self._failed(answer)

    async def _fetch(self, cursor: MirrorCursor) -> None:
        committed = self._source.committed
        batch = await self._source.outbox(cursor, MAX_LINES)
        if self.trouble is not None and self.trouble.code in OURS:
            self._become(State.CATCHING_UP if self._is_known else State.TRYING, None)
        lines: list[str] = []
        at = 0
        while at < len(batch.changes) or at == 0:
            rooms = () if at else batch.rooms
            changes = batch.changes[at : at + SLICE]
            lines += await self._sink.call(partial(self._writer.lines, changes, rooms))
            at += SLICE
        self._batch = (cursor, batch)
        self._committed = committed
        self._delivery = Delivery(lines, self._most)
        self._is_proven = False
        self._behind = batch.commits_behind
        times = [batch.oldest_ms, *(point.row.at_ms for point in batch.rooms)]
        self.oldest_unsent_ms = min((at for at in times if at is not None), default=None)

    def _finish(self) -> float:
        """All of the batch is there, or set aside."""
        if self._batch is None:
            return 0.0
        cursor, batch = self._batch
        self._batch = None
        if batch.cursor != cursor and self._source.mirror_cursor(self.id) == cursor:
            self._source.mirror_reached(self.id, batch.cursor)
        if batch.cursor == cursor:  # nothing new, or nothing whose times are final
            self._nothing_after = (cursor, self._committed)
            self._stale_at = asyncio.get_running_loop().time() + STALE_S
        elif batch.commits_behind:
            return self._pause()
        self.oldest_unsent_ms = None
        if self._is_known and self.state not in (State.WAITING, State.ALARM):
            self._become(State.OK, None)
        return POLL_S

    def _stored(self) -> float:
        count = self._delivery.stored()
        self.points += count
        self.last_success_ms = self._clock.now_ms()
        self._failures = 0
        self._is_proven = self._is_known = True
        self._become(State.CATCHING_UP if self._is_behind() else State.OK, None)
        now = asyncio.get_running_loop().time()
        self._free_at = max(self._free_at, now) + count / self._rate
        return self._pause() if self.state is State.CATCHING_UP else 0.0

    def _pause(self) -> float:
        """What the rate asks for, once it is more than a breath."""
        return max(self._free_at - asyncio.get_running_loop().time(), 0.0)

    def _is_behind(self) -> bool:
        oldest = self.oldest_unsent_ms
        return self._behind > 0 and oldest is not None and self._clock.now_ms() - oldest > BEHIND_MS

    async def _bad(self, answer: Answer) -> float:
        """Down to the line that is bad; set it aside once the server has proven itself."""
        delivery = self._delivery
        if not delivery.is_one() and not delivery.all_dropped(answer):
            delivery.halve()
            return 0.0
        if not self._is_proven:
            probe = self._writer.probe(self._clock.now_ms())
            proof = await self._sink.post([probe])
            if meaning(proof) in (Meaning.BAD_LINE, Meaning.TOO_LARGE):
                return self._failed(Answer(answer.status, answer.detail, code="refuses_all"))
            if meaning(proof) is not Meaning.STORED:
                return self._failed(proof)
            self._is_proven = self._is_known = True
        bad = delivery.refused(answer)
        await self._source.reject(self.id, [(item.line, item.reason) for item in bad])
        delivery.pass_over()
        if not self.rejected:  # once; /api/v1/mirrors counts on
            log.warning("Mirror %s: lines are refused and set aside: linli mirror status", self.id)
        self.rejected += len(bad)
        return 0.0

    async def _pass_over_damage(self) -> None:
        """What the store cannot read is set aside like a line that is refused: it is not there."""
        if self._batch is None or not self._batch[1].damaged:
            return
        lost = [(_told(item), item.reason) for item in self._batch[1].damaged]
        await self._source.reject(self.id, lost)
        self.rejected += len(lost)

    def _failed(self, answer: Answer) -> float:
        self._failures += 1
        if meaning(answer) is Meaning.SETUP:
            self._become(State.ALARM, trouble(answer))
            self._sink.forget()  # somebody may put another token there
        else:
            self._become(State.WAITING, trouble(answer))
        return wait_s(answer, self._failures)

    def _become(self, state: State, why: Trouble | None) -> None:
        was, had = self.state, self.trouble
        self.state, self.trouble = state, why
        code = why.code if why else None
        if (state, code) == (was, had.code if had else None):
            return
        self.since_ms = self._clock.now_ms()
        if why is None:
            log.info("Mirror %s: %s", self.id, state)
        else:
            status = why.params.get("status")
            said = f"{why.code}, HTTP {status}" if status else why.code
            log.warning("Mirror %s: %s (%s)", self.id, state, said)


def _told(damage: Damage) -> str:
    """In the place of a line: what is missing."""
    first, last = (
        datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")
        for ms in (damage.first_ms, damage.last_ms)
    )
    return f"# {damage.kind} {damage.place}: {len(damage.numbers)} series, {first} to {last}"


class Mirrors:
    """All of them; each runs by itself, and one that hangs does not hold the others."""

    def __init__(
        self, settings: Sequence[MirrorSettings], centre: Centre, source: Source, clock: Clock
    ) -> None:
        self.items = tuple(Mirror(item, centre, source, clock, Sink(item)) for item in settings)

    async def run(self) -> None:
        """Until cancelled; ends within seconds."""
        try:
            async with asyncio.TaskGroup() as group:
                for mirror in self.items:
                    group.create_task(mirror.run(), name=f"mirror {mirror.id}")
        finally:
            await asyncio.gather(*(mirror.close() for mirror in self.items))
