"""Messages on their way: each in a thread, few at once, and never two over one channel.

A server that hangs costs its own channel and nothing else. A try that takes too long counts as one
of which nobody knows whether it arrived; its channel stays busy until the thread comes back, so
that threads do not pile up. It does not keep the others from their channels: what hangs is not
counted among the few.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial

from hub.aside import in_thread
from hub.notify.letter import unknown
from hub.notify.queue import Outcome, Parcel

log = logging.getLogger(__name__)

MOST_AT_ONCE = 4
WHOLE_S = 90.0
LAST_S = 5.0  # at the stop; what has no answer by then is decided at the next start

Job = Callable[[], Outcome]


class Courier:
    """``arrived`` is told each outcome, ``freed`` that a channel may be used again; both on the
    event loop."""

    def __init__(
        self,
        arrived: Callable[[Parcel, Outcome], None],
        freed: Callable[[], None],
        whole_s: float = WHOLE_S,
    ) -> None:
        self._arrived = arrived
        self._freed = freed
        self._whole_s = whole_s
        self._busy: dict[str, asyncio.Task[Outcome]] = {}
        self._late: set[str] = set()  # of the busy ones: channels whose try took too long
        self._waiting: set[asyncio.Task[None]] = set()

    @property
    def room(self) -> int:
        """How many more may be on their way."""
        return MOST_AT_ONCE - len(self._busy) + len(self._late)

    def is_free(self, channel: str) -> bool:
        return channel not in self._busy

    def send(self, parcel: Parcel, job: Job) -> None:
        """To be called only where the channel is free."""
        working = asyncio.create_task(in_thread(job), name=f"notify {parcel.channel}")
        self._busy[parcel.channel] = working
        working.add_done_callback(partial(self._free, parcel.channel))
        waiting = asyncio.create_task(self._wait(parcel, working))
        self._waiting.add(waiting)
        waiting.add_done_callback(self._waiting.discard)

    async def close(self) -> None:
        """Wait a little for answers; threads that hang are left behind."""
        if self._waiting:
            await asyncio.wait(self._waiting, timeout=LAST_S)
        for task in (*self._waiting, *self._busy.values()):
            task.cancel()
        if rest := (*self._waiting, *self._busy.values()):
            await asyncio.wait(rest)

    def _free(self, channel: str, working: asyncio.Task[Outcome]) -> None:
        self._busy.pop(channel, None)
        self._late.discard(channel)
        if not working.cancelled():
            working.exception()  # one that nobody waits for any more would log its words
        self._freed()

    async def _wait(self, parcel: Parcel, working: asyncio.Task[Outcome]) -> None:
        await asyncio.wait({working}, timeout=self._whole_s)
        if not working.done():
            self._late.add(parcel.channel)
            self._arrived(parcel, unknown("too_slow"))
            return
        if working.cancelled():
            return
        if (error := working.exception()) is not None:
            # a mistake of ours or of a library; its words may hold an address, its place does not
            log.error(
                "A message over %s failed by a mistake: %s", parcel.channel, type(error).__name__
            )
            self._arrived(parcel, unknown("mistake"))
            return
        self._arrived(parcel, working.result())
