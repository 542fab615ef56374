"""A serial line without hardware: a pseudo-terminal, and the name under which it is plugged in.

    with SerialCable(tmp_path) as cable:
        cable.write(b"...")        what the device says
        await cable.read(5)        what the device hears
        cable.unplug()             the line hangs up and its name is gone
        cable.plug()               it is back, behind the same name

The name is a symbolic link, as ``/dev/serial/by-id`` has it: what is behind it changes with each
plugging. The line is raw, so bytes arrive as they were sent.
"""

from __future__ import annotations

import asyncio
import os
import tty
from pathlib import Path
from types import TracebackType
from typing import Self

READ_WITHIN_S = 10.0


class SerialCable:
    """The device's end of a line, and the path of the other."""

    def __init__(self, folder: Path, name: str = "usb-monitor") -> None:
        self.path = folder / name
        self.master = -1
        self._slave = -1

    def __enter__(self) -> Self:
        self.plug()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.unplug()

    def plug(self) -> None:
        """A new terminal behind the same name."""
        if self.master >= 0:
            return
        self.master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self.master, False)
        self.path.unlink(missing_ok=True)
        self.path.symlink_to(os.ttyname(self._slave))

    def hang_up(self) -> None:
        """The device is gone, its name is still there for a moment."""
        for end in (self.master, self._slave):
            if end >= 0:
                os.close(end)
        self.master = self._slave = -1

    def unplug(self) -> None:
        """The device and its name are gone."""
        self.path.unlink(missing_ok=True)
        self.hang_up()

    def write(self, data: bytes) -> int:
        """Say something; how much of it the line took (a full one takes less)."""
        try:
            return os.write(self.master, data)
        except BlockingIOError:
            return 0

    async def read(self, size: int) -> bytes:
        """Hear so many bytes.

        Raises:
            TimeoutError: they did not come; the message has what did.
        """
        heard = b""
        try:
            async with asyncio.timeout(READ_WITHIN_S):
                while len(heard) < size:
                    try:
                        heard += os.read(self.master, size - len(heard))
                    except BlockingIOError:
                        await asyncio.sleep(0.002)
        except TimeoutError as error:
            raise TimeoutError(f"only {heard!r} came") from error
        return heard

    def heard(self) -> bytes:
        """What lies there unread, at once."""
        try:
            return os.read(self.master, 65_536)
        except BlockingIOError:
            return b""
