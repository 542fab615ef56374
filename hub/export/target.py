"""Where rows go: standard output, or a file that gets its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

STANDARD_OUTPUT = Path("-")


@contextlib.contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """What is written becomes the file if all goes well; otherwise nothing of it stays.

    Raises:
        OSError: it cannot be made, written or renamed; a pipe was closed.
    """
    if path == STANDARD_OUTPUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    part = path.with_name(f"{path.name}.part")
    with part.open("wb") as out:
        try:
            yield out
            out.flush()
            os.fsync(out.fileno())
            part.replace(path)
        except BaseException:
            part.unlink()
            raise
