"""The HTTP protocol with bounds that uvicorn does not set: how large a head may be, how long a
request may take to arrive, and how many connections there are.

httptools reads heads of any size and waits for ever; a hundred slow clients would otherwise hold a
hundred connections and whatever memory they like. A connection beyond the bounds is closed without
a word: each takes a file, and the store needs files too.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hub.api.addresses import place_of

MOST = 1_000
MOST_OF_ONE = 500
"""From one address: behind a proxy that is everybody, and one program alone is not all of them."""
MOST_PIPELINED = 16
MAX_HEAD = 16 * 1024
ARRIVES_WITHIN_S = 30.0
"""From its first byte, or from the connection's, to the last byte of the body."""
TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: text/plain; charset=utf-8\r\n"
    b"content-length: 0\r\n"
    b"connection: close\r\n\r\n"
)


# Whoever reaches the port could fill the log, and wear the card, with what is wrong on purpose.
_quiet = logging.getLogger("hub.protocol")
_quiet.setLevel(logging.ERROR)


class UnusableError(Exception):
    """Raised inside the parser, which then gives the connection up."""


class BoundedProtocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.logger = _quiet
        self.place = ""
        self._in_head = True
        self._head_bytes = 0
        self._is_ahead = False
        """Did the bytes just read end a head or a request?"""
        self._is_too_large = False
        self._deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.place = place_of(self.client[0]) if self.client else ""
        if len(self.connections) > MOST or self._of_this_place() > MOST_OF_ONE:
            transport.abort()
            return
        self._expect()

    def _of_this_place(self) -> int:
        return sum(getattr(other, "place", "") == self.place for other in self.connections)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deadline is None and (self.cycle is None or self.cycle.response_complete):
            self._expect()  # bytes that begin no request must not hold the connection either
        self._is_ahead = False
        super().data_received(data)
        if self._in_head and not self._is_ahead and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._head_bytes = True, 0
        self._expect()

    def on_headers_complete(self) -> None:
        size = len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)
        if size > MAX_HEAD:
            self._is_too_large = True
            raise UnusableError
        if sum(name == b"host" for name, _ in self.headers) > 1:
            raise UnusableError  # each reader could believe another one
        if len(self.pipeline) >= MOST_PIPELINED:
            raise UnusableError
        self._in_head, self._is_ahead = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._arrived()
        self._in_head, self._is_ahead, self._head_bytes = True, True, 0
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """What the parser could not use, for whatever reason."""
        if self._is_answering():
            self.transport.close()  # it would be taken for the answer to the request before
        elif self._is_too_large:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _refuse(self) -> None:
        if not self._is_answering():
            self.transport.write(TOO_LARGE)
        self.transport.close()

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _expect(self) -> None:
        self._arrived()
        self._deadline = self.loop.call_later(ARRIVES_WITHIN_S, self._give_up)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        """Whoever waits for the rest of it hears that the client went away."""
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.close()
