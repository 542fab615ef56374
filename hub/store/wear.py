"""What the hub causes to be written, by purpose: bytes that the kernel counted for this thread."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


class Wear:
    """Counts around each write; belongs to the thread that writes."""

    def __init__(self) -> None:
        self.bytes: Counter[str] = Counter()

    @contextlib.contextmanager
    def of(self, purpose: str) -> Iterator[None]:
        """Count what this thread writes meanwhile."""
        before = _written()
        try:
            yield
        finally:
            self.bytes[purpose] += _written() - before


def _written() -> int:
    try:
        text = Path(f"/proc/self/task/{threading.get_native_id()}/io").read_bytes()
    except OSError:  # a kernel without task accounting
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(b"write_b"))
