"""The server at the other end: influxdb-client, in its SYNCHRONOUS mode, in a thread of its own.

The client's default, batching, answers before anything is sent and drops what it cannot deliver;
it is never used. SYNCHRONOUS is one request without a retry, and raises; retries are ours.

The import takes 13 MiB and 0.1 s or more, so it happens in the thread, with the first lines. A
request is bounded three times: to connect, for each piece of the answer, and as a whole; for the
last, the socket is shut down from outside, since a server that sends a byte every few seconds
never runs into a time-out of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hub.configuration.keeping import MirrorSettings
from hub.domain.room import Text
from hub.mirror.rules import Answer
from hub.mirror.worker import Worker

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient

CONNECT_S, READ_S, WHOLE_S = 5.0, 30.0, 60.0
CLOSE_S = 2.0
DETAIL = 2_000  # characters of an answer that are looked at

Result = TypeVar("Result")


class Sink:
    """One server. ``post`` never raises for what a server or a network does."""

    def __init__(self, settings: MirrorSettings, whole_s: float = WHOLE_S) -> None:
        self._settings = settings
        self._whole_s = whole_s
        self._worker = Worker(f"mirror-{settings.id}")
        self._client: InfluxDBClient | None = None
        self._writer: Any = None
        self._socket: socket.socket | None = None  # one request at a time, so one socket
        self._status = 0  # of the last answer

    async def call(self, job: Callable[[], Result]) -> Result:
        """Do something else in the same thread, off the event loop."""
        return await self._worker.call(job)

    async def post(self, lines: Sequence[str]) -> Answer:
        """Write lines; what the server said."""
        posting = asyncio.ensure_future(self._worker.call(partial(self._post, lines)))
        try:
            done, _ = await asyncio.wait({posting}, timeout=self._whole_s)
        except asyncio.CancelledError:
            self.abort()
            posting.cancel()
            raise
        if not done:
            self.abort()
            done, _ = await asyncio.wait({posting}, timeout=CLOSE_S)
            if not done:  # it hangs in the resolver: leave that thread, and take another
                posting.cancel()
                self._worker = Worker(f"mirror-{self._settings.id}")
                self._client = None
            return Answer(0, code="timeout")
        return posting.result()

    def forget(self) -> None:
        """Read the token and the certificates again with the next request."""
        self._client = None

    def abort(self) -> None:
        """End the request that runs now; from any thread."""
        if (connected := self._socket) is not None:
            with contextlib.suppress(OSError):
                # of an encrypted one too: its own shutdown would change it under the reader
                socket.socket.shutdown(connected, socket.SHUT_RDWR)

    async def close(self) -> None:
        """At most some seconds, whatever the server does."""
        self.abort()
        await self._worker.close(CLOSE_S)

    def _post(self, lines: Sequence[str]) -> Answer:
        try:
            client = self._client = self._client or self._open()
        except SetupError as error:
            return Answer(0, str(error), code=error.code)
        return self._write(client, "\n".join(lines).encode())

    def _write(self, client: InfluxDBClient, body: bytes) -> Answer:
        from influxdb_client.rest import ApiException
        from urllib3.exceptions import HTTPError

        try:
            self._writer.write(self._settings.bucket, record=body, write_precision="ns")
            answer = client.api_client.last_response
            return Answer(answer.status, str(answer.data or "").strip()[:DETAIL])
        except ApiException as error:
            if not error.status:  # the client's way to tell of a certificate
                return Answer(0, str(error.reason)[:DETAIL], code="tls")
            headers: Mapping[str, str] = error.headers or {}
            detail = str(error.body or "").strip()[:DETAIL]
            return Answer(error.status, detail, _retry_after_s(headers.get("Retry-After")))
        except UnicodeDecodeError as error:  # the client wants every answer in UTF-8
            return Answer(self._status, str(error.object, "utf-8", "replace")[:DETAIL])
        except (HTTPError, OSError, ValueError) as error:
            return Answer(0, type(error).__name__, code=_broken(error))

    def _open(self) -> InfluxDBClient:
        from influxdb_client.client.influxdb_client import InfluxDBClient
        from influxdb_client.client.write_api import SYNCHRONOUS

        settings = self._settings
        ca_file = settings.tls.ca_file if settings.tls else None
        client = InfluxDBClient(
            settings.url.rstrip("/"),
            token=read_token(settings.token_file),
            org=settings.org,
            timeout=(int(CONNECT_S * 1000), int(READ_S * 1000)),
            enable_gzip=True,
            ssl_context=trusted(ca_file) if settings.url.startswith("https") else None,
            connection_pool_maxsize=1,
        )
        self._watch(client)
        self._writer = client.write_api(write_options=SYNCHRONOUS)
        return client

    def _watch(self, client: InfluxDBClient) -> None:
        """Know the socket, to end a request from outside, and the status, which it may lose."""
        from urllib3.connection import HTTPConnection, HTTPSConnection
        from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

        sink = self

        class Plain(HTTPConnection):
            def connect(self) -> None:
                super().connect()
                sink._socket = self.sock

        class Encrypted(HTTPSConnection):
            def connect(self) -> None:
                super().connect()
                sink._socket = self.sock

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

            def urlopen(self, *arguments: Any, **options: Any) -> Any:
                response = super().urlopen(*arguments, **options)
                sink._status = response.status
                return response

        class EncryptedPool(PlainPool, HTTPSConnectionPool):
            ConnectionCls = Encrypted  # type: ignore[assignment]  # as in urllib3 itself

        pools = client.api_client.rest_client.pool_manager
        pools.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


class SetupError(Exception):
    """A file that the configuration names cannot be used."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code

    @property
    def text(self) -> Text:
        return Text(f"mirror.{self.code}", {"detail": str(self)})


def read_token(file: str | None) -> str:
    """
    Raises:
        SetupError: the file cannot be read, or holds no token.
    """
    if file is None:
        return ""
    try:
        token = Path(file).read_text(encoding="ascii").strip()
    except OSError as error:
        raise SetupError("token_file", f"{file}: {error.strerror}") from error
    except UnicodeDecodeError:
        token = ""
    if not token or not token.isprintable():
        raise SetupError("token_file", f"{file}: no token in it")
    return token


def trusted(ca_file: str | None) -> ssl.SSLContext:
    """Whose certificates are believed: the system's, or those of a file alone.

    Raises:
        SetupError: the file cannot be read, or holds none.
    """
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SetupError("ca_file", f"{ca_file}: {error.strerror or 'no certificate'}") from error


def _retry_after_s(header: str | None) -> float | None:
    """Seconds, or a date.

    >>> _retry_after_s("120"), _retry_after_s("soon")
    (120.0, None)
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header.strip()[:9])
    with contextlib.suppress(TypeError, ValueError):
        return max(email.utils.parsedate_to_datetime(header).timestamp() - time.time(), 0.0)
    return None


def _broken(error: Exception) -> str:
    """Which of our words fits; the client's own exceptions wrap each other."""
    from urllib3.exceptions import ConnectTimeoutError, NewConnectionError
    from urllib3.exceptions import TimeoutError as SlowError

    chain = list(_causes(error))
    if any(isinstance(item, NewConnectionError | ConnectTimeoutError) for item in chain):
        return "unreachable"
    if any(isinstance(item, ssl.SSLError) for item in chain):
        return "tls"
    if any(isinstance(item, SlowError | TimeoutError) for item in chain):
        return "timeout"
    return "broken"


def _causes(error: BaseException) -> Iterator[BaseException]:
    found: BaseException | None = error
    for _ in range(8):
        if found is None:
            return
        yield found
        found = getattr(found, "reason", None) or found.__cause__ or found.__context__
        if not isinstance(found, BaseException):
            return
