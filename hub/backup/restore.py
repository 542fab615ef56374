"""Put a backup in the place of a hub's data, all of it or nothing.

    verify every byte > unpack beside > check as a database > swap two names at once

Until the swap the old state is where it was. What a kill leaves is a folder ``*.unfinished-*``,
which the next restore removes.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from hub.backup import places
from hub.backup.archive import DATABASE, Archive, Manifest, Progress, in_silence, verified
from hub.backup.make import resting
from hub.backup.problems import BackupError, disk_problem
from hub.backup.unpack import unpack
from hub.domain.room import Text
from hub.store.migrations import APPLICATION_ID, version
from hub.store.query import StoreError

CONFIG = "config"


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    manifest: Manifest
    data: Path
    aside: Path | None
    """The old state; None where there was none."""
    config: Path
    """Where the configuration is."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be put where."""

    file: Path
    data: Path
    passphrase: str | None = None
    config_to: Path | None = None
    """A folder for the configuration; without one it goes beside the data."""
    is_forced: bool = False
    """Files of the configuration that are there already may be replaced; they are kept aside."""


def restore(wish: Wish, now_ms: int, progress: Progress = in_silence) -> Restored:
    """Replace the data of a hub that does not run.

    Raises:
        BackupError: the old state is untouched.
    """
    data = wish.data.resolve()
    try:
        found = verified(wish.file, progress)
    except OSError as error:
        raise disk_problem(wish.file, error) from error
    try:
        data.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            if data.exists():
                held.enter_context(places.locked(data, "restore.hub_runs"))
            held.enter_context(places.locked(data.parent, "restore.busy"))
            return _restore(found, wish, data, now_ms, progress)
    except OSError as error:
        raise disk_problem(Path(error.filename or data), error) from error


def _restore(found: Archive, wish: Wish, data: Path, now_ms: int, progress: Progress) -> Restored:
    stamp = f"{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%d-%H%M%S}"
    if wish.config_to is not None and not wish.is_forced:
        _refuse_theirs(found, wish.config_to)
    for path in data.parent.glob(f"{data.name}.unfinished-*"):
        shutil.rmtree(path)
    places.need_space(data.parent, sum(part.size for part in found.manifest.parts))
    fresh = data.parent / f"{data.name}.unfinished-{stamp}"
    fresh.mkdir(mode=0o700)
    try:
        unpack(found, fresh, wish.passphrase, progress)
        examine(fresh / DATABASE, progress)
        with places.locked(fresh, "restore.hub_runs"):  # a hub that starts now finds it taken
            config = _place_config(fresh / CONFIG, data, wish.config_to, stamp)
            aside = _swap(fresh, data, stamp)
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise
    return Restored(found.manifest, data, aside, config)


def examine(database: Path, progress: Progress = in_silence) -> None:
    """Look at an unpacked database that nobody uses.

    Raises:
        BackupError: damaged, from a newer Linli or not ours.
    """
    progress("check", 0, 1)
    path = {"path": database.name}
    try:
        with contextlib.closing(resting(database)) as db:
            if db.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
                raise BackupError(Text("backup.foreign", dict(path)))
            version(db)
            said = str(db.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except (StoreError, sqlite3.Error) as error:
        said = str(error)
    if said != "ok":
        raise BackupError(Text("backup.database_damaged", {**path, "detail": said}))
    progress("check", 1, 1)


def _swap(fresh: Path, data: Path, stamp: str) -> Path | None:
    """The one moment: before it the old state is in place, after it the new one."""
    places.adopt(fresh, data.stat() if data.exists() else data.parent.stat())
    if data.exists():
        fresh.chmod(data.stat().st_mode & 0o7777)
    places.sync(fresh)
    if not data.exists() or not any(data.iterdir()):
        fresh.rename(data)  # an empty folder gives way
        places.sync(data.parent)
        return None
    aside = _free_name(data.parent / f"{data.name}.before-{stamp}")
    fresh.rename(aside)  # complete: it may be called so from here on, whoever of both is in it
    try:
        places.exchange(aside, data)
    except OSError as error:
        aside.rename(fresh)
        params = {"path": str(data), "detail": error.strerror or str(error)}
        raise BackupError(Text("restore.no_swap", dict(params))) from error
    places.sync(data.parent)
    return aside


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}{end}") for end in ("", *(f"-{n}" for n in range(2, 99))))
    return next(name for name in names if not os.path.lexists(name))


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _refuse_theirs(found: Archive, folder: Path) -> None:
    for part in found.manifest.parts:
        inside = Path(part.name)
        if inside.parts[0] == CONFIG:
            theirs = folder.joinpath(*inside.parts[1:])
            if os.path.lexists(theirs):
                raise BackupError(Text("restore.config_there", {"path": str(theirs)}))


def _place_config(config: Path, data: Path, wanted: Path | None, stamp: str) -> Path:
    """Move the configuration out of the data to be; what it replaces stays beside it."""
    if wanted is None:
        folder = _free_name(data.parent / f"{data.name}.config-{stamp}")
        if data.exists():
            places.adopt(config, data.stat())
        config.rename(folder)
        places.sync(folder.parent)
        return folder
    for file in _files(config):
        target = wanted / file.relative_to(config)
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target):
            shutil.copy2(target, _free_name(target.with_name(f"{target.name}.before-{stamp}")))
        beside = target.with_name(f"{places.UNFINISHED}{target.name}")
        shutil.copyfile(file, beside)
        beside.chmod(target.stat().st_mode & 0o777 if target.exists() else 0o640)
        places.sync(beside)
        beside.replace(target)
        places.sync(target.parent)
    shutil.rmtree(config)
    return wanted
