"""Real servers at the other end: mail and HTTP, which fail as they are told to."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
from collections.abc import AsyncIterator
from email.message import EmailMessage
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from tests.broker import free_port

REASONS = {
    200: "OK",
    204: "No Content",
    301: "Moved",
    302: "Found",
    307: "Away",
    404: "Not Found",
    429: "Too Many",
    500: "Broken",
}


class Post(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """HTTP. ``mood``: a status, or ``hang`` (it took all and says nothing), ``cut`` (the answer
    ends in its middle), ``drop`` (it hangs up without a word)."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mood: int | str = 200
        self.body = b'{"errcode": 0}'
        self.headers: dict[str, str] = {}
        self.posts: list[Post] = []
        self.came = asyncio.Event()
        self._server: asyncio.Server | None = None
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            for writer in self._open:
                writer.transport.abort()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Receiver:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # who asked is gone; the test sees that on its side
        finally:
            self._open.discard(writer)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
        }
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        self.posts.append(Post(head[0].split(" ")[1], headers, body))
        self.came.set()
        if self.mood == "hang":
            await reader.read()
        elif self.mood == "cut":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            await writer.drain()
        elif isinstance(self.mood, int):
            more = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
            first = f"HTTP/1.1 {self.mood} {REASONS[self.mood]}\r\n"
            rest = f"Content-Length: {len(self.body)}\r\nConnection: close\r\n{more}\r\n"
            writer.write((first + rest).encode() + self.body)
            await writer.drain()


class Mailbox:
    """SMTP. ``mood``: ``take``, ``full`` (452 for the text), ``nobody`` (550 for the address),
    ``silent`` (it keeps the mail and hangs up before it says so)."""

    def __init__(self) -> None:
        self.port = free_port()
        self.mood = "take"
        self.mails: list[EmailMessage] = []
        self._controller: Controller | None = None

    @property
    def url(self) -> str:
        return f"mailto://127.0.0.1:{self.port}?from=hub@linli.test&to={{to}}&mode=insecure"

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self.port)
        self._controller.start()

    def stop(self) -> None:
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Mailbox]:
        await asyncio.to_thread(self.start)
        try:
            yield self
        finally:
            await asyncio.to_thread(self.stop)

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.mood == "nobody":
            return "550 Nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, _session: Any, envelope: Any
    ) -> str:
        if self.mood == "full":
            return "452 Full"
        mail = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(mail, EmailMessage)
        mail["X-Recipients"] = ", ".join(envelope.rcpt_tos)
        self.mails.append(mail)
        if self.mood == "silent":
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return "250 Taken"

    def marks(self) -> list[str]:
        return [str(mail["Message-ID"]) for mail in self.mails]
