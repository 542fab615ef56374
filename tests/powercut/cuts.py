"""Where to cut a recording, and the disks that come of it."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.powercut.disk import SYNCS, Disk
from tests.powercut.recording import Call


class Cut(NamedTuple):
    """The power goes when the first ``calls`` calls have ended."""

    calls: int
    line: int  # everything that began before it had begun
    at_s: float
    is_strict: bool
    files: dict[str, bytes]


def moments(calls: Sequence[Call], root: Path, count: int, chance: random.Random) -> list[int]:
    """So many moments: around syncs of the rarer kinds first (folder, database), then by chance.

    Around a sync is before it returned (what it should save is not safe), just after, and a call
    later.
    """
    disk, by_name, others = Disk(root), dict[str, list[int]](), list[int]()
    for at, call in enumerate(calls):
        before, name = disk.changes, disk.apply(call)
        if name is not None:
            by_name.setdefault(name, []).append(at)
        elif disk.changes != before:
            others.append(at + 1)
    chosen: set[int] = set()
    share = count // 2 // max(len(by_name), 1)
    for places in by_name.values():
        for at in chance.sample(places, min(len(places), max(share // 3, 1))):
            chosen.update((at, at + 1, min(at + 2, len(calls))))
    rest = sorted({*others, *(at for places in by_name.values() for at in places)} - chosen)
    chosen.update(chance.sample(rest, min(max(count - len(chosen), 0), len(rest))))
    return sorted(chosen)


def cuts(
    disk: Disk, calls: Sequence[Call], places: Sequence[int], chance: random.Random
) -> Iterator[Cut]:
    """The disks at these moments, in order; every third loses all that is not safe."""
    waiting = list(reversed(places))
    for at in range(len(calls) + 1):
        while waiting and waiting[-1] == at:
            waiting.pop()
            is_strict = len(waiting) % 3 == 0
            files = disk.strictly() if is_strict else disk.by_chance(chance)
            last = calls[at - 1] if at else calls[0]
            yield Cut(at, last.ended + 1, last.at_s, is_strict, files)
        if at < len(calls):
            disk.apply(calls[at])


def without_syncs(calls: Sequence[Call]) -> list[Call]:
    """The same program, had it never asked the disk to keep anything."""
    return [call for call in calls if call.name not in SYNCS]
