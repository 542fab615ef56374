"""Accounts and tokens for the command line; the hub may run meanwhile, or not exist yet.

A running hub notices the change within a second. The change and its line of the audit record are
one transaction. Who may write the database's file may do all this: that is the whole protection,
and the reason why a lost password is no disaster.
"""

from __future__ import annotations

import os
import pwd
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from edge.timekeeping import Timekeeper
from hub.access import records
from hub.domain.audit import Decided
from hub.store.migrations import LATEST, version
from hub.store.opening import take_folder
from hub.store.store import DATABASE
from hub.store.wear import Wear
from hub.store.writer import Writer

BUSY_S = 15.0  # the hub's own transactions are short
T = TypeVar("T")


class Console:
    """A database that a command changes; used as a context."""

    def __init__(self, folder: Path) -> None:
        """Make it if there is none, as the hub would.

        Raises:
            StoreError: a hub of another version uses it, or it is not ours.
            sqlite3.Error, OSError: the disk does not let us.
        """
        path = folder / DATABASE
        if _schema(path) != LATEST:
            _make(folder, path)
        self._db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
        self._db.execute("PRAGMA synchronous = FULL")
        self.by = f"console:{_login()}"

    def __enter__(self) -> Console:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def now_ms(self) -> int:
        """The time; on a machine that booted in the past, not before what accounts know of."""
        machine_ms = _machine_ms()
        if Timekeeper().is_set():
            return machine_ms
        return max(machine_ms, records.newest_ms(self._db))

    def rows(self) -> records.Rows:
        return records.read(self._db)

    def change(
        self,
        operate: Callable[[sqlite3.Connection], T],
        action: str,
        target: str,
        before: str = "",
        after: str = "",
    ) -> T:
        """
        Raises:
            RefusedDecisionError, sqlite3.Error: nothing was changed.
        """
        self._db.execute("BEGIN IMMEDIATE")
        try:
            answer = operate(self._db)
            said = Decided(self.now_ms(), self.by, action, target, before, after)
            records.record(self._db, [said])
            self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
        return answer


def _schema(path: Path) -> int:
    if not path.exists():
        return 0
    db = sqlite3.connect(path, timeout=BUSY_S, isolation_level=None)
    try:
        return version(db)
    finally:
        db.close()


def _make(folder: Path, path: Path) -> None:
    """While no hub has the folder: the schema is brought to what this version knows."""
    lock = take_folder(folder)
    try:
        writer = Writer(path, Wear(_machine_ms))
        writer.open(_machine_ms())
        writer.close()
        if os.geteuid() == 0:  # the hub must be able to write what root has made
            owner = folder.stat()
            for made in folder.glob(f"{DATABASE}*"):
                os.chown(made, owner.st_uid, owner.st_gid)
    finally:
        os.close(lock)


def _machine_ms() -> int:
    return int(time.time() * 1000)


def _login() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())
