"""Debian's InfluxDB 1.6.7, and a small shim that lets InfluxDB 2's write request reach it.

No InfluxDB 2 or 3 can be had from Debian. The shim checks token, organisation and precision as a
version 2 would, and maps ``/api/v2/write?org&bucket`` to ``/write?db``; what is proven with it is
the line protocol, the resending and the cursor, not InfluxDB 2.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, quote, urlsplit

from tests.broker import free_port
from tests.serving import Server, executable

TOKEN = "a-token-that-must-stay-secret"
ORG, BUCKET = "centre", "linli"
CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""

Rows = list[dict[str, Any]]


class Influxd(Server):
    """InfluxDB 1.6.7 with one database, ``linli``."""

    ready = "/ping"

    def command(self) -> Sequence[str]:
        config = self.folder / "influxdb.conf"
        if not config.exists():
            text = CONFIG.format(folder=self.folder, port=self.port, rpc=free_port())
            config.write_text(text, encoding="utf-8")
        return executable("influxd", "influxdb"), "-config", str(config)

    def start(self) -> None:
        super().start()
        self.ask(f'CREATE DATABASE "{BUCKET}"')

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The series that an InfluxQL query answers; times in nanoseconds."""
        path = f"/query?db={BUCKET}&epoch=ns&q={quote(query)}"
        status, body = self.request("POST", path)
        assert status == 200, body
        (result,) = json.loads(body)["results"]
        assert "error" not in result, f"{query}: {result['error']}"
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def values(self, measurement: str, field: str = "value") -> dict[int, Any]:
        """Time to value; a doubled time cannot be, a doubled point would be counted."""
        found = self.ask(f'SELECT "{field}" FROM "{measurement}"')  # noqa: S608 - names of the test
        rows = [tuple(row) for series in found for row in series["values"]]
        assert len(rows) == len(dict(rows))
        return dict(rows)


class Shim:
    """InfluxDB 2's write, and the queries of 1.x, in front of an ``Influxd``."""

    def __init__(self, server: Influxd) -> None:
        self.requests = 0
        self.after: dict[int, Any] = {}  # number of a request to what to do once it was stored
        self._listener = _Listener(self, server)
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, owner: Shim, server: Influxd) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.owner = owner
        self.influxd = server


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        asked = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(asked.query).items()}
        if self.headers.get("Authorization") != f"Token {TOKEN}":
            self._answer(401, b'{"code":"unauthorized"}')
        elif asked.path == "/query":
            self._forward(self.path, body)
        elif asked.path != "/api/v2/write" or query.get("org") != ORG:
            self._answer(404, b'{"code":"not found"}')
        else:
            precision = {"ns": "ns", "us": "u", "ms": "ms", "s": "s"}[query["precision"]]
            self._forward(f"/write?db={query['bucket']}&precision={precision}", body)

    def do_GET(self) -> None:
        self._forward(self.path, b"")

    def _forward(self, path: str, body: bytes) -> None:
        """Pass it on; where the server is gone, so is the connection."""
        owner, influxd = self.server.owner, self.server.influxd
        connection = http.client.HTTPConnection("127.0.0.1", influxd.port, timeout=30)
        headers = {
            name: self.headers[name]
            for name in ("Content-Encoding", "Content-Type")
            if name in self.headers
        }
        try:
            with contextlib.closing(connection):
                connection.request(self.command, path, body, headers)
                answer = connection.getresponse()
                status, found = answer.status, answer.read()
                version = answer.getheader("X-Influxdb-Version", "")
        except (OSError, http.client.HTTPException):
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if path.startswith("/write"):
            owner.requests += 1
            if (act := owner.after.pop(owner.requests, None)) is not None:
                act()
        self._answer(status, found, version)

    def _answer(self, status: int, body: bytes, version: str = "") -> None:
        head = f"HTTP/1.1 {status} x\r\n"
        if version:
            head += f"X-Influxdb-Version: {version}\r\n"
        if status != 204:
            head += f"Content-Length: {len(body)}\r\n"
        with contextlib.suppress(OSError):
            self.wfile.write(f"{head}\r\n".encode() + (body if status != 204 else b""))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        return


def new(folder: Path) -> Influxd:
    return Influxd(folder / "influxd")
