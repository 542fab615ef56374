"""Changes as they happen: one broadcaster, encoded once for all clients (server-sent events).

The first change of a room or device goes out at once, as it is when everybody who heard the same
message is done with it; further ones within 250 ms are merged, so a client sees at most four events
a second for each. Each client has a bounded queue, and what it is sent in one go is bounded too.
One that does not keep up is told to start again (``reset``) rather than given old news; one that
takes nothing at all is left by the server (``hub/server.py``).
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncGenerator, Callable
from itertools import takewhile

from hub.texts import LANGUAGES

MERGE_S = 0.25
ROUND_S = 0.02
PULSE_S = 0.1
BEAT_S = 3.0
REMEMBERED = 2_000  # events that a reconnecting client can catch up on
QUEUE = 1_000  # events one slow client may be behind
MOST_AT_ONCE = 64 * 1024
"""Bytes: a slow client's share is copied for it alone, while events in queues are shared."""

BEAT = b"event: beat\ndata: {}\n\n"
RESET = b"event: reset\ndata: {}\n\n"

Key = tuple[str, str]  # event name, room or device id
ROOMS = frozenset({"room"})
ALL = ROOMS | {"device", "alert"}


class Audience:
    """The clients of one language who may hear the same, and what they were told last."""

    def __init__(self) -> None:
        self.clients: set[asyncio.Queue[bytes | None]] = set()
        self.recent: deque[tuple[int, bytes]] = deque(maxlen=REMEMBERED)


class Broadcaster:
    """Hands changes to every open stream. All methods run on the event loop."""

    def __init__(self, render: Callable[[str, str, str], bytes]) -> None:
        """``render(name, id, language)`` gives the JSON of a room or device as it is now."""
        self._render = render
        self._boot = secrets.token_hex(4)
        self._number = 0
        self._audiences = {
            (language, names): Audience() for language in LANGUAGES for names in (ALL, ROOMS)
        }
        self._quiet_until: dict[Key, float] = {}  # in order of time
        self._due: dict[Key, None] = {}
        self._merged: set[Key] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False
        self._moved = asyncio.Event()
        self.changes = 0  # of any kind; what our own pages are told

    @property
    def clients(self) -> int:
        return sum(len(audience.clients) for audience in self._audiences.values())

    def changed(self, name: str, item: str) -> None:
        """Something is different; its newest state goes out now or, merged, shortly."""
        self.nudge()
        key = (name, item)
        if key in self._merged or key in self._due:
            return
        loop = asyncio.get_running_loop()
        until = self._quiet_until.get(key, 0.0)
        if loop.time() < until:
            self._merged.add(key)
            self._arm(until)
            return
        if not self._due:
            loop.call_soon(self._send_due)
        self._due[key] = None

    def nudge(self) -> None:
        """Let our own pages look again, for what is no room and no device."""
        self.changes += 1
        self._moved.set()

    def _arm(self, at: float) -> None:
        """Flush then, or earlier; never more often than each 20 ms, whatever the load."""
        loop = asyncio.get_running_loop()
        at = max(at, loop.time() + ROUND_S)
        if self._timer is not None:
            if self._timer.when() <= at:
                return
            self._timer.cancel()
        self._timer = loop.call_at(at, self._flush)

    def _send_due(self) -> None:
        now = asyncio.get_running_loop().time()
        due, self._due = self._due, {}
        for key in due:
            self._send(key, now)

    def _flush(self) -> None:
        """Send what was merged, if its time has come; the others wait for the next round."""
        self._timer = None
        if self._closed:
            return
        now = asyncio.get_running_loop().time()
        ended = list(takewhile(lambda key: self._quiet_until[key] <= now, self._quiet_until))
        for key in ended:
            if key in self._merged:
                self._send(key, now)
            else:
                del self._quiet_until[key]
        if self._merged:
            self._arm(next(at for key, at in self._quiet_until.items() if key in self._merged))

    def _send(self, key: Key, now: float) -> None:
        if self._closed:
            return
        self._merged.discard(key)
        self._quiet_until.pop(key, None)  # or it would keep its old place
        self._quiet_until[key] = now + MERGE_S
        self._number += 1
        texts: dict[str, bytes] = {}
        for (language, names), audience in self._audiences.items():
            if not audience.clients:
                # nobody listens: who comes back later is told to start again
                audience.recent.clear()
                continue
            if key[0] not in names:
                continue
            text = texts.get(language) or self._text(key, language)
            texts[language] = text
            audience.recent.append((self._number, text))
            for client in audience.clients:
                _put(client, text)

    def _text(self, key: Key, language: str) -> bytes:
        return b"id: %s-%d\nevent: %s\ndata: %s\n\n" % (
            self._boot.encode(),
            self._number,
            key[0].encode(),
            self._render(*key, language),
        )

    def _missed(self, audience: Audience, last_event_id: str) -> list[bytes]:
        """What a reconnecting client has not seen, or a reset where we cannot know."""
        boot, _, number = last_event_id.partition("-")
        if boot != self._boot or not number.isascii() or not number.isdigit():
            return [RESET]
        last = int(number)
        first_known = audience.recent[0][0] if audience.recent else self._number + 1
        if last + 1 < first_known or last > self._number:
            return [RESET]
        missed = [text for at, text in audience.recent if at > last]
        return missed if len(missed) < QUEUE else [RESET]

    async def follow(
        self, language: str, last_event_id: str | None, names: frozenset[str] = ALL
    ) -> AsyncGenerator[bytes, None]:
        """One client's stream of events with these names, until the client or the hub goes."""
        if self._closed:
            return
        audience = self._audiences[language, names]
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        missed = [BEAT] if last_event_id is None else self._missed(audience, last_event_id)
        for text in missed:
            queue.put_nowait(text)
        audience.clients.add(queue)
        try:
            while (batch := await _next(queue)) is not None:
                yield batch
        finally:
            audience.clients.discard(queue)

    async def beat(self) -> None:
        """Let every client know that we live: one timer for all of them. Runs until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            for audience in self._audiences.values():
                for client in audience.clients:
                    _put(client, BEAT)

    async def pulse(self) -> AsyncGenerator[bytes, None]:
        """For our own pages: only that something changed, as a number; they fetch the rest."""
        last = -1
        while not self._closed:
            # taken before the yield: what changes while it is sent must be told again
            before, last = last, self.changes
            yield BEAT if last == before else b"data: %d\n\n" % last
            # a page fetches itself anew: once for a burst, and soon enough to look immediate
            await asyncio.sleep(PULSE_S)
            try:
                async with asyncio.timeout(BEAT_S):
                    while self.changes == last and not self._closed:
                        self._moved.clear()
                        await self._moved.wait()
            except TimeoutError:
                continue

    def close(self) -> None:
        """End every stream, so that the server can stop."""
        self._closed = True
        self._moved.set()
        if self._timer is not None:
            self._timer.cancel()
        for audience in self._audiences.values():
            for client in audience.clients:
                while client.full():
                    client.get_nowait()
                client.put_nowait(None)


def _put(client: asyncio.Queue[bytes | None], text: bytes) -> None:
    if client.full():
        while not client.empty():
            client.get_nowait()
        client.put_nowait(RESET)
    client.put_nowait(text)


async def _next(queue: asyncio.Queue[bytes | None]) -> bytes | None:
    """The next event; several that wait go out in one write, up to a size."""
    first = await queue.get()
    if first is None or queue.empty():
        return first
    waiting, size = [first], len(first)
    while size < MOST_AT_ONCE and not queue.empty():
        text = queue.get_nowait()
        if text is None:
            queue.put_nowait(None)  # the end: after these
            break
        waiting.append(text)
        size += len(text)
    return b"".join(waiting)
