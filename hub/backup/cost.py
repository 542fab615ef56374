"""What a backup or a rehearsal made this machine write, and how much of it to the hub's own disk.

The kernel charges a process with what its ended children wrote; without this the hub would take a
stick for its card.
"""

from __future__ import annotations

from pathlib import Path

import msgspec


class Cost(msgspec.Struct, frozen=True):
    """Bytes of pages made dirty."""

    written: int = 0
    """By the whole process."""
    here: int = 0
    """Of these to the disk of the data folder; where that is not known, all."""


def cost(data: Path, target: Path, copied: int) -> Cost:
    """What this process has written so far.

    Args:
        data: The hub's data folder.
        target: The folder of backups.
        copied: Bytes that went into the data folder if the two are on different disks.
    """
    written = _written()
    try:
        is_same = data.stat().st_dev == target.stat().st_dev
    except OSError:
        is_same = True
    return Cost(written, written if is_same else min(written, copied))


def unknown_cost() -> Cost:
    """It ended early: all of it may have gone to the card."""
    return Cost(_written(), _written())


def _written() -> int:
    try:
        lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    except OSError:  # a kernel without task accounting
        return 0
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))
