"""A store where everything rare is frequent, and a disk that fails when it is told to."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable

import pytest

from hub.store import commits, mending, sealer, slices, upkeep, writer

HOUR = 3_600_000
DAY = 24 * HOUR


def small(patch: pytest.MonkeyPatch) -> None:
    """Everything that is done rarely is done often."""
    patch.setattr(commits, "BACKOFF_S", (0.0, 0.0))
    patch.setattr(commits, "MAX_GROUP", 60)
    patch.setattr(commits, "CHECKPOINT_CHANGES", 400)
    patch.setattr(sealer, "HOT_MS", 3 * HOUR)
    patch.setattr(sealer, "CHAPTER_MS", HOUR)
    patch.setattr(sealer, "CHAPTER_BYTES", 4_000)
    patch.setattr(sealer, "HOT_ROWS", 60)
    patch.setattr(sealer, "SHELVES_AT_ONCE", 2)
    patch.setattr(slices, "SLICE_S", 0.0)
    patch.setattr(sealer, "SLICE_ROWS", 5)
    patch.setattr(upkeep, "SETTLED_MS", DAY)
    patch.setattr(mending, "LONG", 20)
    patch.setattr(writer, "WAL_COMMITS", 7)


class Plug:
    """Lets the writer's transactions fail: before they begin, or after they are on the disk."""

    def __init__(self, patch: pytest.MonkeyPatch, chance: random.Random) -> None:
        self.odds = 0.0
        self.pulled = 0
        work = writer.Writer.work

        def perhaps(
            this: writer.Writer,
            purpose: str,
            now_ms: int,
            operate: Callable[[sqlite3.Connection], object],
        ) -> object:
            fails = chance.random() < self.odds
            if fails and chance.random() < 0.5:
                self._pull(this)
            answer = work(this, purpose, now_ms, operate)
            if fails:
                self._pull(this)
            return answer

        patch.setattr(writer.Writer, "work", perhaps)

    def _pull(self, this: writer.Writer) -> None:
        self.pulled += 1
        this.close()
        raise sqlite3.OperationalError("disk I/O error")
