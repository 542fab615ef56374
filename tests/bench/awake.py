"""Keeps the cores awake while something is measured.

On a virtual machine a core that idles between two messages is handed back to the host, and waking
it costs more than the message: everything then seems to use three times the CPU, a bare MQTT loop
as well. A spinner of the lowest priority on each core takes that away and leaves the rest.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def cores_awake(enabled: bool = True) -> Iterator[None]:
    """While inside, no core sleeps; the spinners end with the block, or with this process."""
    command = [sys.executable, "-m", "tests.bench.awake", str(os.getpid())]
    count = (os.cpu_count() or 1) if enabled else 0
    spinners = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for spinner in spinners:
            spinner.kill()
            spinner.wait()


def spin(parent: int) -> None:
    os.nice(19)
    while os.getppid() == parent:
        for _ in range(1_000_000):
            pass


if __name__ == "__main__":
    spin(int(sys.argv[1]))
