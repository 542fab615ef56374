"""A server that does what a test says: every status, slow answers, cut bodies, lost answers.

    with ScriptedServer() as server:
        server.script = [Reply(503), Reply(204, is_lost=True)]

When the script is at its end, it behaves: stores what is right and answers 204. What it stored is
in ``points``, by measurement, tags and time, as a real one keeps it.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from tests.mirror.making import TOKEN
from tests.mirror.protocol import BadLineError, Point, lines_of, parse


@dataclass
class Reply:
    """One answer. ``stores``: the lines are kept whatever is answered."""

    status: int = 204
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    stores: bool = False
    is_lost: bool = False  # the connection breaks instead of the answer
    cut: int = 0  # so many bytes of the body are missing
    drips: bool = False  # a header now and then, for ever
    is_silent: bool = False  # the connection stands, and nothing comes


class ScriptedServer:
    """HTTP on a free port of loopback, in threads of its own."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.script: list[Reply] = []
        self.refuses: Callable[[Point], bool] = lambda point: False
        self.refusal = Reply(400, body=b'{"code":"invalid","message":"unable to parse"}')
        self.most_lines = 1_000_000
        self.points: dict[Any, Point] = {}
        self.sizes: list[int] = []  # lines of each request
        self.queries: list[dict[str, list[str]]] = []
        self.headers: list[Mapping[str, str]] = []
        self.ending = threading.Event()
        self._scheme = "https" if tls else "http"
        self._server = _Listener(self)
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def values(self) -> dict[int, object]:
        """Time to value, of everything but probes."""
        found = (point for point in self.points.values() if point.measurement != "linli")
        return {point.at_ns: point.fields.get("value") for point in found}

    def answer(self, body: str) -> Reply:
        lines = lines_of(body)
        self.sizes.append(len(lines))
        if self.script:
            reply = self.script.pop(0)
            if reply.stores:
                self._store(lines)
            return reply
        if len(lines) > self.most_lines:
            return Reply(413)
        return self._behave(lines)

    def _behave(self, lines: list[str]) -> Reply:
        try:
            bad = [line for line in lines if self.refuses(parse(line))]
        except BadLineError:
            return self.refusal
        if bad:
            return self.refusal
        self._store(lines)
        return Reply(204)

    def _store(self, lines: list[str]) -> None:
        for point in map(parse, lines):
            self.points[point.place] = point


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: ScriptedServer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        owner = self.server.owner
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            raw = gzip.decompress(raw)
        owner.queries.append(parse_qs(urlsplit(self.path).query))
        owner.headers.append(dict(self.headers))
        if self.headers.get("Authorization") == f"Token {TOKEN}":
            self._send(owner.answer(raw.decode()))
        else:
            self._send(Reply(401, body=b'{"code":"unauthorized"}'))

    def _send(self, reply: Reply) -> None:
        if reply.is_silent:
            self.server.owner.ending.wait()
        elif not reply.is_lost:
            self._write(reply)
        if reply.is_lost or reply.cut:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)

    def _write(self, reply: Reply) -> None:
        head = f"HTTP/1.1 {reply.status} x\r\n"
        head += "".join(f"{key}: {value}\r\n" for key, value in reply.headers.items())
        while reply.drips and not self.server.owner.ending.wait(0.02):
            self.wfile.write(f"{head}X-Drip: 1\r\n".encode())
            head = ""
        if reply.status != 204:
            head += f"Content-Length: {len(reply.body)}\r\n"
        body = reply.body[: len(reply.body) - reply.cut]
        self.wfile.write(f"{head}\r\n".encode() + body)  # in one, or it waits for an old timer

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:  # the other end is gone
            self.close_connection = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return
