"""How a store is opened: the folder taken, the database read, its live state recalled."""

from __future__ import annotations

import fcntl
import logging
import os
import sqlite3
import zlib
from functools import partial
from pathlib import Path

import msgspec
import zstandard

from hub.store.checkpoint import Memory, recall
from hub.store.damage import AT_START, set_aside, tell
from hub.store.loading import Loaded, load
from hub.store.planes import DamagedBlockError
from hub.store.query import StoreError
from hub.store.reader import open_readonly
from hub.store.writer import Writer, explain_damage, is_damage

log = logging.getLogger(__name__)
UNREADABLE = (
    LookupError,
    ValueError,
    msgspec.DecodeError,
    zlib.error,
    zstandard.ZstdError,
    DamagedBlockError,
)


def take_folder(path: Path) -> int:
    """Make the folder and lock it: two hubs would take each other's commits for their own."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise StoreError(
            f"The folder {path} cannot be made ({error.strerror}). Nothing was started."
            " Name another one in storage.path, or give Linli the right to write there."
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        os.close(lock)
        raise StoreError(
            f"Another hub uses the folder {path}. Nothing was started."
            " Stop it, or name another folder in storage.path."
        ) from error
    except OSError as error:
        log.info("%s cannot be locked (%s); see that no other hub uses it", path, error.strerror)
    return lock


def open_database(writer: Writer, file: Path, now_ms: int) -> tuple[Loaded, Exception | None]:
    """Open for writing and read what is there; a disk that cannot be written is no obstacle."""
    failure: Exception | None = None
    try:
        writer.open(now_ms)
    except (sqlite3.Error, OSError) as error:
        failure = error
    loaded = _load(file)
    if failure is None:
        failure = _set_aside(writer, loaded, now_ms)
    return loaded, failure


def _set_aside(writer: Writer, loaded: Loaded, now_ms: int) -> Exception | None:
    """Keep what is damaged before it is written over; a disk that fails is no obstacle."""
    for damage in loaded.damaged.values():
        if damage.kind in AT_START:
            move = partial(set_aside, damage=damage, now_ms=now_ms)
            try:
                is_new = writer.work("damage", now_ms, move)
            except (sqlite3.Error, OSError) as error:
                return error  # the upkeep tells it once the disk is back
            if is_new:
                tell(damage)
    return None


def _load(path: Path) -> Loaded:
    try:
        db = open_readonly(path)
        if db is None:
            return Loaded()
        try:
            empty = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] == 0
            return Loaded() if empty else load(db)
        finally:
            db.close()
    except sqlite3.Error as error:
        if is_damage(error):
            raise explain_damage(path, error) from error
        raise StoreError(
            f"The database {path.name} can be neither written nor read ({error})."
            " Nothing was started. Make the disk writable once, or restore a backup."
        ) from error
    except UNREADABLE as error:
        raise explain_damage(path, error) from error


def recalled(path: Path, loaded: Loaded) -> Memory:
    """The live state, or a sentence: rows that contradict each other are damage too."""
    try:
        return recall(loaded.keys, loaded.checkpoint, loaded.log)
    except UNREADABLE as error:
        raise explain_damage(path, error) from error
