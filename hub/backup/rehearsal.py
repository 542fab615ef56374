"""A backup that nobody ever restored is a hope. This restores one into a scratch folder.

Every byte is verified, the database is checked and compared with what the manifest says, and then
opened and read as a hub does it: by the store itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from edge.clock import Clock
from hub.backup import places
from hub.backup.archive import DATABASE, Manifest, Progress, in_silence, verified
from hub.backup.make import inventory, resting
from hub.backup.problems import BackupError, disk_problem
from hub.backup.restore import examine
from hub.backup.unpack import unpack
from hub.domain.room import Text
from hub.store.query import ReadingsQuery, StoreError
from hub.store.store import Store


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """What was found again."""

    manifest: Manifest
    series: int
    newest_ms: int | None
    """Of the readings, as the store gives them back."""


def rehearse(
    file: Path, data: Path | None, passphrase: str | None = None, progress: Progress = in_silence
) -> Rehearsed:
    """Try a backup out and leave nothing behind.

    Args:
        file: The backup.
        data: Where an encrypted one may be unpacked: never on the backup's own disk, where a lost
            stick would show it. A plain one is unpacked beside itself, which wears no card.
        passphrase: For an encrypted one.
        progress: Told the stages ``verify``, ``unpack`` and ``check``.

    Raises:
        BackupError: it could not be restored, or is not what it says.
    """
    try:
        found = verified(file, progress)
        beside = data if found.manifest.encrypted and data is not None else file.parent
        with places.locked(file.parent, "backup.busy"):
            places.tidy(file.parent)
            places.tidy(beside)
            places.need_space(beside, sum(part.size for part in found.manifest.parts))
            with places.scratch_folder(beside) as scratch:
                unpack(found, scratch, passphrase, progress)
                examine(scratch / DATABASE, progress)
                return _compare(found.manifest, file, scratch)
    except OSError as error:
        raise disk_problem(file, error) from error
    except (StoreError, sqlite3.Error) as error:
        params = {"path": str(file), "detail": str(error)}
        raise BackupError(Text("backup.database_damaged", dict(params))) from error


def _compare(manifest: Manifest, file: Path, scratch: Path) -> Rehearsed:
    with contextlib.closing(resting(scratch / DATABASE)) as db:
        rows, newest_ms = inventory(db)
        count = "SELECT count(*) FROM series WHERE device <> ''"
        series = int(db.execute(count).fetchone()[0]) if "series" in rows else 0
    known, seen_ms = asyncio.run(_read_back(scratch))
    is_same = (rows, newest_ms) == (manifest.rows, manifest.newest_ms)
    if not is_same or known != series:
        raise BackupError(Text("rehearsal.differs", {"path": file.name}))
    return Rehearsed(manifest, series, seen_ms)


async def _read_back(folder: Path) -> tuple[int, int | None]:
    """How many series the store knows, and its newest reading."""
    store = await Store.open(folder, Clock())
    try:
        spoken = [series for series in store.live.series.values() if series.intake]
        if not spoken:
            return len(store.live.series), None
        newest = max(spoken, key=lambda series: series.observed_ms)
        at_ms, key = newest.observed_ms, newest.key
        page = await store.readings(ReadingsQuery(at_ms, at_ms + 1, key.device, key.channel))
        values = [item.value for item in page.items if item.part == key.part]
        if newest.value not in values:
            raise BackupError(Text("rehearsal.differs", {"path": folder.name}))
        return len(store.live.series), at_ms
    finally:
        await store.close()
