"""Accounts on a real database, with a clock that is set by hand and a disk that can be full."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge.clock import Clock
from hub.access import records
from hub.access.console import Console
from hub.access.directory import Directory
from hub.access.records import Account, Rows
from hub.access.service import Access
from hub.access.upkeep import Upkeep
from hub.bus import Bus
from hub.domain.access import Role
from hub.domain.events import ClockChanged
from hub.store.store import DATABASE
from tests.access.closed_hub import HASHED

T = TypeVar("T")
HERE = "10.0.0.5"


class Disk:
    """What the store does for access, and how often."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None)
        self.is_full = False
        self.writes = 0

    async def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> T:
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")
        self.writes += 1
        self._db.execute("BEGIN IMMEDIATE")
        try:
            answer = operate(self._db)
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        return answer

    def rows(self) -> Rows:
        return records.read(self._db)

    def close(self) -> None:
        self._db.close()


class Door:
    """``Access`` in a folder; ``again`` is a restart of the hub."""

    def __init__(self, folder: Path, at_ms: int) -> None:
        self._folder = folder
        self.at_ms = at_ms
        with Console(folder) as console:
            self.add = console.change
            row = Account("root", "", frozenset({Role.ADMIN}), HASHED, at_ms, at_ms, None)
            console.change(lambda db: records.add_account(db, row), "account.add", "root")
        self.open()

    def open(self) -> None:
        self.disk = Disk(self._folder / DATABASE)
        self.bus = Bus()
        clock = Clock(true_time=lambda: self.at_ms / 1000)
        directory = Directory(self._folder / DATABASE)
        self.access = Access(directory, self.disk, clock, self.bus, is_open=False)
        self.upkeep: Upkeep = self.access._upkeep

    def close(self) -> None:
        self.access.close()
        self.disk.close()

    def again(self) -> None:
        self.close()
        self.open()

    async def set_clock(self, at_ms: int, moved_from_ms: int | None = None) -> None:
        """Somebody sets it; or, with ``moved_from_ms``, it is trusted for the first time."""
        shift_ms, self.at_ms = at_ms - self.at_ms, at_ms
        self.bus.publish(ClockChanged(shift_ms, True, at_ms, moved_from_ms))
        await self.upkeep.follow_clock()

    def opens(self, key: str) -> bool:
        """A cookie or a token: is it good now?"""
        directory = self.access.directory
        found = directory.by_cookie(key) or directory.by_token(key)
        return found is not None and found.is_live(self.at_ms)
