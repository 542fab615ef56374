"""paho-mqtt on the event loop's own socket, without threads: one object per connection.

paho is a fine parser with a public late acknowledgement; its loops, threads and reconnection are
not used. What had to be learnt, each the reason of a line below:

- ``connect`` blocks (name, TCP, TLS), so it runs in a thread, and the socket is taken over here
  when it is done; socket callbacks from that thread are ignored.
- ``loop_read`` takes one packet, in three bites; we read and send by the batch (mqtt_socket.py),
  and what is read and not taken yet no selector shows.
- ``ack`` after a loss succeeds and is forgotten at the next connect; a new client per connection
  can not confuse two.
- an exception inside a callback leaves the packet in paho's hands and is raised again for ever.
- its keep-alive declares death when *we* stop reading. ``loop_misc`` is never called: the
  heartbeat speaks often enough for the broker and finds a dead link itself.
- a broker that leaves Nagle's algorithm on (Mosquitto's default) sends its next message only when
  the last is acknowledged by TCP, and after a commit's acknowledgements the kernel takes us for
  one who answers anyway and holds that back for 40 ms; so the next reading asks for it at once.
- closing a socket with unread bytes resets it, and the broker may then lose the acknowledgements
  we sent last; so at the end we say DISCONNECT and read until the broker hangs up.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from edge import login
from edge.settings import MqttSettings
from edge.supervise import LinkError
from edge.transports.mqtt_socket import BufferedSocket, Client
from edge.transports.worker import in_thread

CONNECT_WITHIN_S = 5.0
GIVE_UP_CONNECTING_S = 15.0  # names that do not resolve take longer than paho's own time-out
KEEPALIVE_S = 60
"""What the broker is told; our heartbeat speaks six times as often."""
READ_AT_ONCE = 64
"""Packets handled before the loop gets its turn: about 3 ms of work at the slowest."""
DISCONNECT = b"\xe0\x00"
NOT_AUTHORISED = frozenset({"Bad user name or password", "Not authorized"})
FILTERS_AT_ONCE = 200
QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)  # Linux has it


log = logging.getLogger(__name__)


class Listener(Protocol):
    """What happens on a connection."""

    def on_session(self, session_present: bool) -> None: ...
    def on_message(self, message: paho.MQTTMessage) -> None: ...


class Connection:
    """One connection to the broker."""

    def __init__(self, settings: MqttSettings, client_id: str, listener: Listener) -> None:
        self._loop = asyncio.get_running_loop()
        self._settings = settings
        self._client_id = client_id
        self._listener = listener
        self._client: paho.Client | None = None
        self._socket: BufferedSocket | None = None
        self._fd = -1
        self._is_taken_over = False
        self._is_paused = False
        self._is_stopped = False
        self._has_answered = False  # since we read last
        self._granted: dict[int, Sequence[ReasonCode]] = {}
        self._subscribed = asyncio.Event()
        self._flushed = asyncio.Event()
        self.heard_s = self._loop.time()
        """When anything came, or when we began to read again."""
        self.session_present: asyncio.Future[bool] = self._loop.create_future()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        """Done with the reason's code when the connection is gone."""

    @property
    def is_paused(self) -> bool:
        """Not reading, by our own will."""
        return self._is_paused

    async def open(self) -> None:
        """Connect and say CONNECT; the answer is ``session_present``.

        Raises:
            LinkError: the broker can not be reached.
        """
        try:
            self._client = await in_thread(self._connect, _drop, GIVE_UP_CONNECTING_S)
        except ssl.SSLError as error:
            raise LinkError("tls", str(error)) from error
        except ConnectionRefusedError as error:
            raise LinkError("refused", str(error)) from error
        except OSError as error:  # also TimeoutError and names that do not resolve
            raise LinkError("unreachable", str(error)) from error
        self._take_over(self._client)

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        """Send a message of our own."""
        if self._client is not None and not self.ended.done():
            self._has_answered = True
            self._client.publish(topic, payload, qos)

    def ack(self, mid: int) -> bool:
        """Acknowledge a QoS 1 message; False if there is nobody to tell any more."""
        if self._client is None or self.ended.done():
            return False
        self._has_answered = True
        self._client.ack(mid, 1)
        return True

    async def subscribe(self, filters: Sequence[str]) -> list[str]:
        """Subscribe at QoS 1 to all of them; which ones did the broker refuse?"""
        refused: list[str] = []
        for start in range(0, len(filters), FILTERS_AT_ONCE):
            asked = filters[start : start + FILTERS_AT_ONCE]
            codes = await self._subscribe(asked)
            refused += [f for f, code in zip(asked, codes, strict=False) if code.is_failure]
        return refused

    def pause(self) -> None:
        """Read nothing more, for now."""
        if not self._is_paused and self._fd >= 0:
            self._is_paused = True
            self._loop.remove_reader(self._fd)

    def resume(self) -> None:
        """Read on."""
        if self._is_paused and self._fd >= 0 and not self._is_stopped:
            self._is_paused = False
            self.heard_s = self._loop.time()
            self._loop.add_reader(self._fd, self._readable)
            self._loop.call_soon(self._readable)  # more may be read than was taken

    def stop_reading(self) -> None:
        """Read nothing more, ever; acknowledgements are still sent."""
        self._is_stopped = True
        self.pause()

    def close(self) -> None:
        """Drop the connection without a word; does nothing if it is gone."""
        if self._client is not None:
            _drop(self._client)
        self._end("closed")

    async def farewell(self) -> None:
        """Send what is queued, say DISCONNECT, read until the broker hangs up.

        The caller sets the limit of time, and calls ``close`` afterwards.
        """
        self.stop_reading()
        client, sock = self._client, self._socket
        if client is None or sock is None:
            return
        if (client.want_write() or sock.is_owing) and not self.ended.done():
            self._flushed.clear()
            await self._flushed.wait()
        if self.ended.done():
            return
        hung_up = asyncio.Event()
        sock.send(DISCONNECT)
        sock.flush()
        self._loop.add_reader(self._fd, self._drain, sock, hung_up)
        await hung_up.wait()

    def _drain(self, sock: BufferedSocket, hung_up: asyncio.Event) -> None:
        """Throw away what still comes: unacknowledged, it will come again next time."""
        try:
            while sock.recv(65_536):
                pass
        except (BlockingIOError, ssl.SSLWantReadError):
            return
        except OSError as error:
            log.debug("the broker reset the connection at the end: %s", error)
        self._loop.remove_reader(self._fd)
        hung_up.set()

    def _connect(self) -> paho.Client:
        """In the thread: nothing here touches the loop."""
        settings = self._settings
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=False,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        client.manual_ack_set(True)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        client.on_socket_close = self._on_socket_close
        client.on_socket_register_write = self._on_register_write
        if settings.username is not None:
            client.username_pw_set(settings.username, login.password(settings))
        if settings.tls is not None:
            client.tls_set_context(login.encryption(settings))
        client.connect(settings.host, settings.port, KEEPALIVE_S)
        return client

    def _take_over(self, client: paho.Client) -> None:
        sock = client.socket()
        if not isinstance(sock, BufferedSocket):
            raise LinkError("lost", "at once")
        self._socket = sock
        self._is_taken_over = True
        self._fd = sock.fileno()
        self._loop.add_reader(self._fd, self._readable)
        if client.want_write():
            self._loop.add_writer(self._fd, self._writable)

    def _readable(self) -> None:
        client, sock = self._client, self._socket
        if client is None or sock is None:
            return
        self.heard_s = self._loop.time()
        # what is answered while we read is sent after it, and is for the next time
        answered, self._has_answered = self._has_answered, False
        for _ in range(READ_AT_ONCE):
            if self._is_paused or self._fd < 0:
                return
            client.loop_read()
            if not sock.is_holding:
                break
        if answered:
            _acknowledge_now(sock.inner)
        if sock.is_holding:
            self._loop.call_soon(self._readable)

    def _writable(self) -> None:
        client, sock = self._client, self._socket
        if client is None or sock is None or self._fd < 0:
            return
        client.loop_write()
        try:
            if not sock.flush():
                return
        except OSError as error:
            log.debug("the broker is gone as we answer it: %s", error)
            self._end("lost")
        self._loop.remove_writer(self._fd)
        self._flushed.set()

    async def _subscribe(self, filters: Sequence[str]) -> Sequence[ReasonCode]:
        if self._client is None or self.ended.done():
            raise LinkError("lost", "while subscribing")
        self._subscribed.clear()
        _, mid = self._client.subscribe([(name, 1) for name in filters])
        while mid is not None and mid not in self._granted:
            await self._subscribed.wait()
            self._subscribed.clear()
        return [] if mid is None else self._granted.pop(mid)

    def _end(self, code: str) -> None:
        if not self.ended.done():
            self.ended.set_result(code)

    # -- paho's callbacks ------------------------------------------------------------------

    def _on_connect(
        self, _c: paho.Client, _u: Any, flags: paho.ConnectFlags, reason: ReasonCode, _p: Any
    ) -> None:
        if reason.is_failure:
            self._end("not_authorised" if reason.getName() in NOT_AUTHORISED else "refused")
        elif not self.session_present.done():
            self._listener.on_session(flags.session_present)
            self.session_present.set_result(flags.session_present)

    def _on_disconnect(self, *_: Any) -> None:
        if self._is_taken_over:
            self._end("lost")

    def _on_message(self, _c: paho.Client, _u: Any, message: paho.MQTTMessage) -> None:
        self._listener.on_message(message)

    def _on_subscribe(
        self, _c: paho.Client, _u: Any, mid: int, codes: list[ReasonCode], _p: Any
    ) -> None:
        self._granted[mid] = codes
        self._subscribed.set()

    def _on_socket_close(self, *_: Any) -> None:
        if self._is_taken_over and self._fd >= 0:
            self._loop.remove_reader(self._fd)
            self._loop.remove_writer(self._fd)
            self._fd = -1
        self._flushed.set()

    def _on_register_write(self, *_: Any) -> None:
        if self._is_taken_over and self._fd >= 0:
            self._loop.add_writer(self._fd, self._writable)


def _drop(client: paho.Client) -> None:
    """Close paho's socket. It has no call for that which does not try to be polite first."""
    sock = client.socket()
    if sock is not None:
        client.on_disconnect = None
        client.on_message = None
        close: Callable[..., Any] | None = client.on_socket_close
        if close is not None:
            close(client, None, sock)
        sock.close()
        client.loop_read()  # finds the closed socket and lets go of it


def _acknowledge_now(sock: socket.socket) -> None:
    """Let the kernel confirm what was read, and what comes next, without delay."""
    if QUICKACK is not None:
        with contextlib.suppress(OSError):  # the other end is gone; the next read will say so
            sock.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)
