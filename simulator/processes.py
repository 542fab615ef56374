"""Child processes that never outlive us, however we end.

A child gets a pipe as its standard input and, on Linux, the kernel's promise to end it with its
parent; so nothing is left even after ``kill -9``. It stands in a process group of its own: Ctrl-C
reaches us alone, and we end our children in order.
"""

from __future__ import annotations

import ctypes
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence

PR_SET_PDEATHSIG = 1
PATIENCE_S = 1.0


class Child:
    """One program, started now; a quiet one's complaints are not ours to show."""

    def __init__(
        self, command: Sequence[str], *, ends_by_eof: bool = False, quiet: bool = False
    ) -> None:
        self._ends_by_eof = ends_by_eof
        self._process = subprocess.Popen(  # noqa: S603 - our own programs only
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if quiet else None,
            process_group=0,
            preexec_fn=_die_with_parent(),
        )

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def status(self) -> int | None:
        return self._process.poll()

    def tell(self, line: bytes) -> None:
        """Hand it a line on its standard input."""
        if self._process.stdin is not None:
            self._process.stdin.write(line + b"\n")
            self._process.stdin.flush()

    def hear(self, within_s: float) -> bytes:
        """Its first line on standard output; empty if it ended or said nothing in time."""
        pipe = self._process.stdout
        if pipe is None or not select.select([pipe], [], [], within_s)[0]:
            return b""
        return pipe.readline().strip()

    def stop(self) -> None:
        """Ask it to end; make it, if it does not."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        if not self._ends_by_eof:
            self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _die_with_parent() -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # loaded before the fork: after it, only the call itself is safe

    def ask() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask
