"""What the hub causes to be written, by day and purpose.

The kernel counts for each thread and for the whole process the bytes of the pages that it made
dirty (``write_bytes`` of ``/proc/self/io``). A page is 4 KiB: a byte that is written and synced
counts 4,096, and a page that is written twice before it is synced counts once. Whoever writes says
what for (``of``); what the process wrote besides is ``other``. Lines of the log are written by
journald on our behalf and are counted as text, unless standard error is a file.

Not in it, because nobody tells whose they are: the file system's own journal, journald's indices,
and what the card does inside (hub/storage/rules.py allows for all three).
"""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import stat
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

DAY_MS = 86_400_000
KEEP_DAYS = 730
RECALLED_DAYS = 31  # a start reads these; whatever asks for a month finds it
"""Days on which something was written; days of a clock that was wrong are as good as others."""
LOG, OTHER = "log", "other"
MOVING = "moving"
FILES = {MOVING: "database", "backup": "backup", "rehearsal": "backup", LOG: "log", OTHER: "other"}
"""Purposes by the file they end in. All others are commits, and those go to the WAL first;
``moving`` is what copies them into the database."""

Row = tuple[int, str, int]
"""Day since 1970 in UTC, purpose, bytes."""


class Written:
    """Bytes of one write; known once it is over."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes = 0


class Wear:
    """Counts around each write, in whatever thread; ``now_ms`` says which day it is."""

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._days: dict[int, Counter[str]] = {}
        self._changed: set[tuple[int, str]] = set()
        self._process, self._said = _process_bytes(), log_bytes()
        self._named = self._under_way = 0
        self._inner = threading.local()
        self.began_ms = now_ms()
        self.since_start: Counter[str] = Counter()
        """By purpose, since this object was made; ``settle`` brings it up to date."""

    @contextlib.contextmanager
    def of(self, purpose: str) -> Iterator[Written]:
        """Count what this thread writes meanwhile; what has a purpose of its own inside is not."""
        with self._lock:
            self._under_way += 1
        before, written = _thread_bytes(), Written()
        outside, self._inner.bytes = getattr(self._inner, "bytes", 0), 0
        try:
            yield written
        finally:
            whole = _thread_bytes() - before
            written.bytes = whole - self._inner.bytes
            self._inner.bytes = outside + whole
            with self._lock:
                self._under_way -= 1
                self._named += written.bytes
                self._add(purpose, written.bytes)

    def of_child(self, purpose: str, written: int, here: int) -> None:
        """A process of ours ended, and the kernel added what it wrote to our count: ``here`` of it
        went to the data's own disk, the rest to another."""
        with self._lock:
            self._named += written
            self._add(purpose, here)

    def settle(self) -> None:
        """Bring ``log`` and ``other`` up to date, unless a write is half counted."""
        with self._lock:
            if self._under_way:
                return
            named, self._named = self._named, 0
            process, self._process = self._process, _process_bytes()
            said, self._said = self._said, log_bytes()
            text, pages = (now - then for now, then in zip(self._said, said, strict=True))
            self._add(LOG, text + pages)
            self._add(OTHER, self._process - process - named - pages)

    def rows(self) -> list[Row]:
        """Totals that changed since the last call, to be kept: they replace those before."""
        self.settle()
        with self._lock:
            self._forget_old()
            found = [(day, what, self._days[day][what]) for day, what in sorted(self._changed)]
            self._changed.clear()
            return found

    def load(self, rows: Sequence[Row]) -> None:
        """Totals of earlier starts; what was counted since is added to them."""
        with self._lock:
            for day, purpose, count in rows:
                totals = self._days.setdefault(day, Counter())
                if totals[purpose]:
                    self._changed.add((day, purpose))
                totals[purpose] += count
            self._forget_old()

    def days(self) -> Mapping[int, Mapping[str, int]]:
        """By day and purpose, up to now."""
        self.settle()
        with self._lock:
            return {day: dict(totals) for day, totals in sorted(self._days.items())}

    def _add(self, purpose: str, count: int) -> None:
        if count <= 0:
            return
        day = self._now_ms() // DAY_MS
        self._days.setdefault(day, Counter())[purpose] += count
        self._changed.add((day, purpose))
        self.since_start[purpose] += count

    def _forget_old(self) -> None:
        """Two years stay, by number: a clock that says 2106 for a minute makes no day older."""
        for day in sorted(self._days)[:-KEEP_DAYS]:
            del self._days[day]
        self._changed = {(day, what) for day, what in self._changed if day in self._days}


def recent_days(db: sqlite3.Connection) -> list[Row]:
    """What the counting goes on from. The last days by number, whatever the clock says now."""
    rows = db.execute(
        "SELECT day, purpose, bytes FROM wear WHERE day >= (SELECT min(day) FROM"
        " (SELECT DISTINCT day FROM wear ORDER BY day DESC LIMIT ?))",
        (RECALLED_DAYS,),
    )
    return rows.fetchall()


def keep_days(db: sqlite3.Connection, rows: Sequence[Row]) -> None:
    """Write totals down; the oldest days go when there are too many."""
    db.executemany("INSERT OR REPLACE INTO wear VALUES (?, ?, ?)", rows)
    db.execute(
        "DELETE FROM wear WHERE day <= (SELECT day FROM (SELECT DISTINCT day FROM wear)"
        " ORDER BY day DESC LIMIT 1 OFFSET ?)",
        (KEEP_DAYS,),
    )


class CountingHandler(logging.StreamHandler[TextIO]):
    """Writes lines to standard error, and counts what that costs."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.text = 0
        """Bytes that another process writes for us."""
        self.pages = 0
        """Bytes that the kernel counted as ours, because the stream is a file."""
        self._is_file = _is_file(stream)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        before = _thread_bytes() if self._is_file else 0
        super().emit(record)
        if self._is_file:
            self.pages += _thread_bytes() - before

    def format(self, record: logging.LogRecord) -> str:
        """The line; ``emit`` writes it as it is, with an end of line."""
        line = super().format(record)
        if not self._is_file:
            self.text += len(line.encode(errors="replace")) + len(self.terminator)
        return line


def log_bytes() -> tuple[int, int]:
    """What the log of this process has cost: as text, and as pages of a file of ours."""
    ours = [item for item in logging.getLogger().handlers if isinstance(item, CountingHandler)]
    return sum(item.text for item in ours), sum(item.pages for item in ours)


def _is_file(stream: TextIO) -> bool:
    try:
        return stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except (OSError, ValueError):  # a stream without a descriptor
        return False


def _process_bytes() -> int:
    return _written("/proc/self/io")


def _thread_bytes() -> int:
    return _written(f"/proc/self/task/{threading.get_native_id()}/io")


def _written(path: str) -> int:
    try:
        text = Path(path).read_bytes()
    except OSError:  # a kernel without task accounting
        return 0
    return next(int(line.split()[1]) for line in text.splitlines() if line.startswith(b"write_b"))
