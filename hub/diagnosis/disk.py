"""Can history be kept where the settings say? Space, rights, kind of file system, a real commit."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from hub.diagnosis.finding import Finding

LOW_BYTES = 200 * 1024 * 1024  # some years of a small centre; what the hub itself needs to breathe
TIGHT_BYTES = 1024 * 1024 * 1024
FORGETFUL = {"tmpfs": "memory", "ramfs": "memory"}
REMOTE = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs"})


def examine_disk(folder: Path) -> Iterator[Finding]:
    """Look at the folder, or at where it will be made."""
    place = folder.absolute()
    existing = next(path for path in (place, *place.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        what = f"this account may not write to {existing}"
        yield Finding("disk", "broken", what, f"chown it, or change storage.path ({folder}).")
        return
    yield examine_space(shutil.disk_usage(existing).free, existing)
    kind = file_system(existing, Path("/proc/self/mountinfo"))
    yield examine_kind(kind, existing)
    yield examine_database(existing)


def examine_space(free: int, folder: Path) -> Finding:
    """Is there room for history?"""
    what = f"{free / 1e9:.1f} GB free at {folder}"
    if free < LOW_BYTES:
        return Finding("disk", "broken", what, "Free some space, or use a larger card.")
    if free < TIGHT_BYTES:
        return Finding("disk", "warning", what, "Plan for a larger card.")
    return Finding("disk", "ok", what)


def examine_kind(kind: str, folder: Path) -> Finding:
    """Does the file system keep what it promised, also after a power cut?"""
    if kind in FORGETFUL:
        what = f"{folder} is in {FORGETFUL[kind]} ({kind}): history is gone after a restart"
        return Finding("file system", "warning", what, "Move storage.path to a card or a disk.")
    if kind in REMOTE:
        what = f"{folder} is on the network ({kind}), where SQLite's log cannot be trusted"
        return Finding("file system", "broken", what, "Move storage.path to a local disk.")
    return Finding("file system", "ok", kind or "not known")


def file_system(folder: Path, mountinfo: Path) -> str:
    """The kind of file system a folder is on, as the kernel calls it; empty if it does not say."""
    try:
        lines = mountinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    found: tuple[int, str] = (-1, "")
    for line in lines:
        before, _, after = line.partition(" - ")
        point = Path(before.split()[4].replace("\\040", " "))
        if folder.resolve().is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), after.split()[0])
    return found[1]


def examine_database(folder: Path) -> Finding:
    """Write a row with the journal the hub uses, and read it back."""
    try:
        with (
            tempfile.TemporaryDirectory(prefix=".linli-doctor-", dir=folder) as trial,
            closing(sqlite3.connect(Path(trial, "trial.db"), isolation_level=None)) as base,
        ):
            mode = base.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            base.execute("PRAGMA synchronous=FULL")
            base.execute("CREATE TABLE trial (value INTEGER)")
            base.execute("INSERT INTO trial VALUES (42)")
            value = base.execute("SELECT value FROM trial").fetchone()[0]
    except (OSError, sqlite3.Error) as error:
        what = f"a test write failed: {error}"
        return Finding("database", "broken", what, "Check the card: dmesg, fsck, free space.")
    if mode != "wal" or value != 42:
        what = f"SQLite keeps its log as {mode}, not wal"
        return Finding("database", "broken", what, "Move storage.path to a local disk.")
    return Finding(
        "database", "ok", f"SQLite {sqlite3.sqlite_version} commits with a write-ahead log"
    )
