"""One serial line, kept open: ``/dev/...``, a name under ``/dev/serial/by-id``, ``socket://``.

How a line goes bad, and what happens here:

    pulled out      the read fails, or the line hangs up; code ``gone``, tried until it is back
    held            another program has locked it (flock); code ``held``
    not ours        code ``no_permission``
    settings        the hardware refuses parity or bits; that is a ``termios.error`` and no OSError;
                    code ``refused_settings``
    babble          noise as fast as the line can: read no faster than a real line of that speed,
                    so that the other ports get their turn, and counted in sums
    half a frame    after a quiet time the framer is told to search again
    dead peer       ``socket://`` only: a serial server that lost its power says nothing; TCP
                    keep-alive finds it in half a minute

``after_store`` bytes are written when the readings are safe, if the connection is still the same.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import termios
from collections.abc import Callable, Sequence
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

import serial
import serial_asyncio_fast

from device_drivers.contract import SerialLine
from edge.link import SerialFeed
from edge.settings import SerialLink
from edge.supervise import LinkError
from edge.transports.polling import poll_for_ever
from edge.transports.worker import in_thread

OPEN_WITHIN_S = 10.0
LONGEST_WAIT_S = 10.0
"""Opening a missing path costs nothing, and people who plug a monitor in again wait for it."""
QUIET_CHARACTERS = 64
"""A line that says nothing for so many characters has ended its frame."""
QUIET_AT_LEAST_S = 0.1  # USB adapters hold bytes back for up to 16 ms, serial servers longer
SLICE_S = 0.1
SLOWEST_BUDGET = 65_536
"""Bytes a second we read at least from any line: six times what 115,200 baud can bring."""
MOST_UNSENT = 16_384
PARITIES = {"none": serial.PARITY_NONE, "even": serial.PARITY_EVEN, "odd": serial.PARITY_ODD}
KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
CODES = {
    errno.EACCES: "no_permission",
    errno.EPERM: "no_permission",
    errno.EAGAIN: "held",
    errno.EBUSY: "held",
    errno.ECONNREFUSED: "refused",
    errno.EINVAL: "refused_settings",
    errno.ENXIO: "gone",
    errno.ENOENT: "gone",
    errno.ENODEV: "gone",
    errno.EIO: "gone",
}


def line_of(link: SerialLink, default: SerialLine) -> SerialLine:
    """What the configuration says, and the driver's default where it says nothing."""
    return SerialLine(
        baud=link.baud or default.baud,
        parity=link.parity or default.parity,
        stop_bits=link.stop_bits or default.stop_bits,
        data_bits=link.data_bits or default.data_bits,
    )


def attributes(line: SerialLine) -> dict[str, Any]:
    """How pyserial wants it; exclusive, so that two programs never share the bytes of a line."""
    return {
        "baudrate": line.baud,
        "parity": PARITIES[line.parity],
        "stopbits": line.stop_bits,
        "bytesize": line.data_bits,
        "exclusive": True,
    }


def quiet_s(line: SerialLine) -> float:
    """How long a line must say nothing before its framer searches again."""
    bits = 1 + line.data_bits + (line.parity != "none") + line.stop_bits
    return max(QUIET_AT_LEAST_S, QUIET_CHARACTERS * bits / line.baud)


class SerialPort:
    """A line and the devices on it."""

    longest_wait_s = LONGEST_WAIT_S

    def __init__(self, path: str, line: SerialLine, feeds: Sequence[SerialFeed]) -> None:
        self.name = path
        self.devices = frozenset(feed.device for feed in feeds)
        self._line = line
        self._feeds = tuple(feeds)
        self._open: OpenLine | None = None

    async def session(self, up: Callable[[], None]) -> NoReturn:
        """Open the line and read it until it is lost.

        Raises:
            LinkError: it could not be opened, or is gone.
        """
        opened = OpenLine(self._feeds, quiet_s(self._line), max(SLOWEST_BUDGET, self._line.baud))
        try:
            await self._connect(opened)
        except (OSError, termios.error, ValueError) as error:
            raise LinkError(_code(error), str(error)) from error
        self._open = opened
        up()
        try:
            async with asyncio.TaskGroup() as group:
                polling = group.create_task(poll_for_ever(self._feeds, opened))
                reason = await asyncio.shield(opened.lost)
                polling.cancel()
        except asyncio.CancelledError:
            opened.stop_reading()  # but stay open for what is still to be acknowledged
            raise
        except BaseException:
            opened.close()
            raise
        raise LinkError("gone", str(reason or "hung up"))

    async def finish(self) -> None:
        """Close the line."""
        if self._open is not None:
            self._open.close()
            await asyncio.shield(self._open.lost)

    async def _connect(self, opened: OpenLine) -> None:
        loop = asyncio.get_running_loop()
        if self.name.startswith("socket://"):
            host, port_number = _address(self.name)
            async with asyncio.timeout(OPEN_WITHIN_S):
                await loop.create_connection(lambda: opened, host, port_number)
            return
        port = await in_thread(
            lambda: serial.Serial(self.name, **attributes(self._line)),
            lambda late: late.close(),
            OPEN_WITHIN_S,
        )
        try:
            await serial_asyncio_fast.connection_for_serial(loop, lambda: opened, port)
        except BaseException:
            port.close()
            raise
        await opened.made


class OpenLine(asyncio.Protocol):
    """One connection of a line, from opening to hang-up."""

    def __init__(self, feeds: Sequence[SerialFeed], quiet_after_s: float, budget: int) -> None:
        loop = asyncio.get_running_loop()
        self._loop = loop
        self._feeds = tuple(feeds)
        self._quiet_after_s = quiet_after_s
        self._slice_budget = budget * SLICE_S
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._resume: asyncio.TimerHandle | None = None
        self._heard_s = 0.0
        self._slice_began_s = 0.0
        self._slice_size = 0
        self._is_reading = True
        self.made: asyncio.Future[None] = loop.create_future()
        self.lost: asyncio.Future[Exception | None] = loop.create_future()
        self.answered = asyncio.Event()
        """Set by each whole frame; whoever asked clears it before it asks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer: socket.socket | None = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            for option, value in KEEPALIVE.items():
                if hasattr(socket, option):
                    peer.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
        for feed in self._feeds:
            feed.begin()
        if not self.made.done():
            self.made.set_result(None)

    def data_received(self, data: bytes) -> None:
        if not self._is_reading:
            return
        self._heard_s = self._loop.time()
        for feed in self._feeds:
            if feed.feed(data, self):
                self.answered.set()
        if self._timer is None:
            self._timer = self._loop.call_later(self._quiet_after_s, self._maybe_quiet)
        self._spend(len(data))

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._is_reading = False
        self._end_timers()
        for feed in self._feeds:
            feed.discards.close()
        if not self.lost.done():
            self.lost.set_result(exc)

    def write(self, data: bytes) -> None:
        """Send, if the line is still open."""
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MOST_UNSENT:
            self._transport.abort()  # the device takes nothing: as good as gone
            return
        self._transport.write(data)

    def stop_reading(self) -> None:
        """Nothing new from now on; writing still works."""
        self._is_reading = False
        self._end_timers()
        for feed in self._feeds:
            feed.discards.close()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()

    def close(self) -> None:
        """At once: bytes the device does not take would hold up our end."""
        if self._transport is not None:
            self._transport.abort()

    def nothing_came(self) -> None:
        """A question was not answered in time: what is held is no beginning of an answer."""
        for feed in self._feeds:
            feed.idle(self)

    def _maybe_quiet(self) -> None:
        left_s = self._heard_s + self._quiet_after_s - self._loop.time()
        if left_s > 0:
            self._timer = self._loop.call_later(left_s, self._maybe_quiet)
            return
        self._timer = None
        for feed in self._feeds:
            if feed.idle(self):
                self.answered.set()

    def _spend(self, size: int) -> None:
        """Read no faster than a line can be: a babbling one must not take the loop from others."""
        if self._heard_s - self._slice_began_s > SLICE_S:
            self._slice_began_s, self._slice_size = self._heard_s, 0
        self._slice_size += size
        if self._slice_size < self._slice_budget or self._resume is not None:
            return
        if self._transport is not None and not self._transport.is_closing():
            self._transport.pause_reading()
            self._resume = self._loop.call_later(SLICE_S, self._read_on)

    def _read_on(self) -> None:
        self._resume = None
        if self._is_reading and self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def _end_timers(self) -> None:
        for timer in (self._timer, self._resume):
            if timer is not None:
                timer.cancel()
        self._timer = self._resume = None


def _address(name: str) -> tuple[str, int]:
    """Host and port of ``socket://host:port``.

    Raises:
        LinkError: one of them is missing.
    """
    try:
        address = urlsplit(name)
        host, port = address.hostname, address.port
    except ValueError as error:
        raise LinkError("refused_settings", str(error)) from error
    if host is None or port is None:
        raise LinkError("refused_settings", f"{name} is not socket://host:port")
    return host, port


def _code(error: Exception) -> str:
    """Why a line could not be opened."""
    if isinstance(error, termios.error | ValueError):
        return "refused_settings"
    if isinstance(error, TimeoutError | socket.gaierror):
        return "unreachable"
    return CODES.get(getattr(error, "errno", None) or 0, "unreachable")
