"""The HTTP server: uvicorn, told when to start and how to end while streams are open."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import uvicorn

from hub.configuration.models import TlsSection
from hub.protocol import MOST, BoundedProtocol

STOP_WITHIN_S = 2
LEFT_AFTER_MS = 30_000
"""A client that takes nothing for so long is left: what it holds is needed by those who listen."""


class PortBusyError(OSError):
    """Nobody can listen there; the message says what to do."""


class CertificateError(OSError):
    """The certificate or its key cannot be used; the message says what to do."""


class Server(uvicorn.Server):
    """Signals belong to whoever runs the hub; open streams are ended before the server waits."""

    def __init__(
        self, app: Any, end_streams: Callable[[], None], tls: TlsSection | None = None
    ) -> None:
        """
        Raises:
            CertificateError: nothing was started; the message says what to do.
        """
        self.scheme = "http" if tls is None else "https"
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=True,
            timeout_graceful_shutdown=STOP_WITHIN_S,
            timeout_keep_alive=30,
            limit_concurrency=2 * MOST,  # the protocol closes what is too much
            proxy_headers=False,  # whoever asks could have written them
            ssl_certfile=tls.certificate if tls else None,
            ssl_keyfile=tls.key if tls else None,
        )
        try:
            config.load()
        except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
            raise CertificateError(
                f"Cannot serve HTTPS with http.tls ({getattr(error, 'strerror', '') or error})."
                " Nothing was started. See that certificate and key are PEM files that belong"
                " together and that Linli may read."
            ) from error
        super().__init__(config)
        self._end_streams = end_streams
        self.listening = asyncio.Event()  # requests are answered

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._end_streams()
        await super().shutdown(sockets)


def listen(host: str, port: int) -> socket.socket:
    """Take the address, before anything else is started.

    Raises:
        PortBusyError: somebody else has it, or it is not ours to take.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise PortBusyError(
            f"Cannot serve pages on {host}:{port}: {error.strerror or error}. Nothing was started. "
            "Choose another http.port, or stop the program that has this one."
        ) from error
    # asyncio sets this only where the socket names its protocol, and this one does not; without it
    # the second segment of an answer waits 40 ms for a delayed acknowledgement
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # connections inherit it; only the kernel sees that a stream's client has stopped reading
    found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, LEFT_AFTER_MS)
    return found
