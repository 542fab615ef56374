"""A private, real Mosquitto for one test: free port, own folder, gone at the end.

    async with Broker() as broker:
        connect("127.0.0.1", broker.port)

``stop`` ends it as systemd would, ``kill`` as a power cut would; after either, ``start`` brings
it back on the same port. What it remembers then depends on ``persistence``. It listens on
loopback only and lets everybody in, unless ``config`` says otherwise.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import shutil
import signal
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

READY_WITHIN_S = 10.0
GONE_WITHIN_S = 5.0
ATTEMPTS = 3  # somebody may take the free port between our asking and the broker's binding

FIRST_PORT, PORTS = 20_000, 12_000
"""Below those that Linux gives to clients, so that no connection of another test takes one."""

_numbers = itertools.count(os.getpid() * 101)
"""Counted from another place in each process: tests that run side by side do not choose alike."""


def mosquitto() -> str:
    """Where the broker is installed; Debian keeps it outside a user's PATH.

    Raises:
        FileNotFoundError: it is not.
    """
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise FileNotFoundError("mosquitto is not installed: apt-get install mosquitto")
    return found


def free_port() -> int:
    """A TCP port on loopback that nobody holds at this moment, another one at each call.

    Raises:
        RuntimeError: all are taken.
    """
    for number in itertools.islice(_numbers, PORTS):
        port = FIRST_PORT + number % PORTS
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError("every port is taken")


class Broker:
    """One Mosquitto process, and the folder it lives in."""

    def __init__(
        self,
        *,
        inflight: int = 20,
        persistence: bool = False,
        config: Sequence[str] = (),
        port: int | None = None,
    ) -> None:
        self.port = free_port() if port is None else port
        self._port_is_ours = port is None
        self._inflight = inflight
        self._persistence = persistence
        self.config = tuple(config)
        """Lines of its configuration; read at each start."""
        self._folder = tempfile.TemporaryDirectory(prefix="linli-broker-")
        self._process: asyncio.subprocess.Process | None = None

    @property
    def folder(self) -> Path:
        """For password files and certificates that ``config`` names."""
        return Path(self._folder.name)

    @property
    def pid(self) -> int:
        """The running process.

        Raises:
            RuntimeError: it does not run.
        """
        if self._process is None:
            raise RuntimeError("the broker is not running")
        return self._process.pid

    def log(self) -> str:
        """What it has written so far."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")

    async def start(self) -> None:
        """Start it and wait until it accepts connections.

        Raises:
            RuntimeError: it ended, or never listened; with its log.
        """
        for attempt in range(ATTEMPTS):
            await self._launch()
            if await self._listens():
                return
            await self._end(signal.SIGKILL)
            if not self._port_is_ours or attempt == ATTEMPTS - 1:
                break
            self.port = free_port()
        raise RuntimeError(f"mosquitto did not start on port {self.port}:\n{self.log()}")

    async def stop(self) -> None:
        """End it by SIGTERM: with persistence it saves first."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it by SIGKILL: nothing is saved."""
        await self._end(signal.SIGKILL)

    def freeze(self) -> None:
        """Stop it in its tracks: sockets stay open, nothing answers, until ``thaw`` or ``kill``."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it run on after ``freeze``."""
        os.kill(self.pid, signal.SIGCONT)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.kill()
        self._folder.cleanup()

    async def _launch(self) -> None:
        (self.folder / "log").unlink(missing_ok=True)  # what it says from now on is this start's
        file = self.folder / "mosquitto.conf"
        file.write_text("\n".join(self._lines()) + "\n", encoding="utf-8")
        with (self.folder / "log").open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                mosquitto(), "-c", str(file), stdout=log, stderr=log
            )

    def _lines(self) -> list[str]:
        lines = [
            f"max_inflight_messages {self._inflight}",
            "max_queued_messages 200000",
            "log_type error",
            "log_type warning",
            "log_type information",  # says when it runs
            f"persistence {'true' if self._persistence else 'false'}",
            f"persistence_location {self.folder}/",
            # Started by root it would become `mosquitto` and lose its way to our folder.
            *(["user root"] if os.geteuid() == 0 else []),
        ]
        if not any(line.startswith("listener") for line in self.config):
            lines.append(f"listener {self.port} 127.0.0.1")
        if not any(line.startswith("allow_anonymous") for line in self.config):
            lines.append("allow_anonymous true")
        return [*lines, *self.config]

    async def _listens(self) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_WITHIN_S):
                while self._process is not None and self._process.returncode is None:
                    if " running" not in self.log():
                        # A connection alone could be answered by a stranger who holds the port.
                        await asyncio.sleep(0.005)
                        continue
                    try:
                        _, writer = await asyncio.open_connection("127.0.0.1", self.port)
                    except OSError:
                        await asyncio.sleep(0.01)
                        continue
                    writer.close()
                    await writer.wait_closed()
                    return True
        return False

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(how)
        try:
            await asyncio.wait_for(process.wait(), GONE_WITHIN_S)
        except TimeoutError:
            process.kill()
            await process.wait()
