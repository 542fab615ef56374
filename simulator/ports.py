"""Serial lines without hardware: pseudo-terminals under names that a configuration can hold.

A port is a symbolic link to the far end of a pseudo-terminal. Pulling the plug removes the link
and closes our end, which hangs up whoever has it open, as a USB adapter does.
"""

from __future__ import annotations

import os
import select
import tty
from pathlib import Path
from typing import Protocol

DRAIN = 4096


class Port(Protocol):
    """A serial line, seen from the device."""

    def plug(self) -> None: ...

    def unplug(self) -> None: ...

    def write(self, data: bytes) -> bool:
        """False where nobody listens."""


class PseudoTerminal:
    """One serial line, seen from the device."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ours: int | None = None

    @property
    def is_plugged(self) -> bool:
        return self._ours is not None

    def plug(self) -> None:
        """Appear under the path.

        Raises:
            FileExistsError: something else is there; a real device is never replaced.
        """
        if self._ours is not None:
            return
        if self.path.is_symlink() and not self.path.exists():
            self.path.unlink()  # left by a simulator that was killed
        if self.path.exists():
            raise FileExistsError(f"{self.path} exists and is not ours")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        ours, theirs = os.openpty()
        try:
            tty.setraw(theirs)
            os.set_blocking(ours, False)
            self.path.symlink_to(os.ttyname(theirs))
        except OSError:
            os.close(ours)
            raise
        finally:
            os.close(theirs)  # ours alone: so the kernel tells us whether anybody listens
        self._ours = ours

    def unplug(self) -> None:
        """Vanish, and hang up whoever listens."""
        if self._ours is None:
            return
        os.close(self._ours)
        self._ours = None
        self.path.unlink(missing_ok=True)

    def write(self, data: bytes) -> bool:
        """Send; False where nobody listens, and the bytes are lost as on a real line."""
        if self._ours is None or self._is_alone(self._ours):
            return False
        self._discard_input(self._ours)
        try:
            return os.write(self._ours, data) == len(data)
        except OSError:  # a reader that sleeps (EAGAIN) or left just now (EIO): a UART loses bytes
            return False

    @staticmethod
    def _is_alone(ours: int) -> bool:
        watch = select.poll()
        watch.register(ours, select.POLLHUP)
        return any(event & select.POLLHUP for _, event in watch.poll(0))

    @staticmethod
    def _discard_input(ours: int) -> None:
        """Nothing that we simulate obeys commands; unread ones would fill the line."""
        try:
            os.read(ours, DRAIN)
        except OSError:  # nothing there
            return
