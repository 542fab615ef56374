"""A socket that reads a whole batch at once and sends one: paho asks for single bytes.

For each message paho reads its type, its length and its rest apart, and sends each acknowledgement
apart. Here the kernel is asked once for all that came, and told once of all that goes. So there
are two places where bytes wait that no selector shows: ``is_holding`` and ``flush`` tell.
"""

from __future__ import annotations

import ssl
from socket import socket

import paho.mqtt.client as paho

AT_ONCE = 16 * 1024
"""Bytes: some hundred messages of sensors, and the most that one TLS record holds."""


class BufferedSocket:
    """What paho calls a ``SocketLike``."""

    def __init__(self, sock: socket) -> None:
        self.inner = sock
        self._in = b""
        self._at = 0  # up to here it is taken
        self._out = bytearray()

    def recv(self, size: int) -> bytes:
        """At most so many bytes; none at the end of the connection.

        Raises:
            BlockingIOError, SSLWantReadError: nothing is there now.
            OSError: the connection is gone.
        """
        at = self._at
        if at >= len(self._in):
            self._in = self.inner.recv(AT_ONCE)
            at = 0
        self._at = at + size
        return self._in[at : at + size]

    @property
    def is_holding(self) -> bool:
        """Was more read than was taken? Of a TLS record as well the selector shows nothing."""
        if self._at < len(self._in):
            return True
        return isinstance(self.inner, ssl.SSLSocket) and self.inner.pending() > 0

    def send(self, data: bytes | bytearray) -> int:
        """Take it along with the next ``flush``."""
        self._out += data
        return len(data)

    def flush(self) -> bool:
        """Send what waits; has all of it gone?

        Raises:
            OSError: the connection is gone.
        """
        try:
            while self._out:
                del self._out[: self.inner.send(self._out)]
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return False
        return True

    @property
    def is_owing(self) -> bool:
        """Does something wait to be sent?"""
        return bool(self._out)

    def close(self) -> None:
        self._in, self._at = b"", 0  # paho finds the closed socket by reading from it
        self._out.clear()
        self.inner.close()

    def fileno(self) -> int:
        return self.inner.fileno()

    def setblocking(self, flag: bool) -> None:
        self.inner.setblocking(flag)


class Client(paho.Client):
    """paho on such a socket, as it has its own for WebSockets."""

    def _create_socket(self) -> paho.SocketLike:
        made = super()._create_socket()
        return BufferedSocket(made) if isinstance(made, socket) else made
