"""A backup of a hub that may be running.

The database is copied with SQLite's online backup from a connection of our own that can only read.
An open read transaction pins one commit: without it every commit of the hub would make the copy
begin again. While it is pinned the hub's WAL cannot be cut back; so only the copy is made then, and
packing and encrypting come after.

The copy is a scratch file beside the target; but for an encrypted backup it is never written to the
target's disk, where a lost stick would show it: it is in the data folder, where the same bytes are
anyway. What a kill leaves of it, the next backup removes.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import msgspec

from hub import __version__
from hub.backup import archive, places
from hub.backup.archive import CENTRE_FILE, CHUNK, DATABASE, Manifest, Part, Progress, in_silence
from hub.backup.problems import BackupError, disk_problem
from hub.domain.room import Text
from hub.settings import DEVICES_FOLDER
from hub.store.migrations import version
from hub.store.query import StoreError
from hub.store.reader import open_readonly
from hub.store.store import DATABASE as STORED

ELSEWHERE = "elsewhere"
STEP_PAGES = 2048  # 2 MB between looks at the progress


@dataclass(frozen=True, slots=True)
class Source:
    """What is backed up."""

    centre: str
    data: Path
    config: Path
    plans: tuple[Path, ...] = ()
    """Floor plans that the configuration names; one that is not there is left out."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made."""

    source: Source
    target: Path
    """A file, or a folder that exists; then the file gets a name of its own."""
    now_ms: int
    passphrase: str | None = None
    """With it, the content is encrypted."""
    is_forced: bool = False
    """Replace a file that exists."""


@dataclass(frozen=True, slots=True)
class Made:
    """A backup that is in its place."""

    path: Path
    size: int
    manifest: Manifest


@dataclass(slots=True)
class Copy:
    """The scratch copy of the database, and what the manifest says of it."""

    file: IO[bytes]
    size: int
    schema: int
    rows: dict[str, int]
    newest_ms: int | None


def file_name(centre: str, made_ms: int) -> str:
    """What a backup is called where a folder was named; no sign that FAT refuses.

    >>> file_name("trial", 1767225600000)
    'linli-trial-20260101T000000Z.tar'
    """
    at = datetime.fromtimestamp(made_ms / 1000, UTC)
    return f"linli-{centre}-{at:%Y%m%dT%H%M%SZ}.tar"


def make(order: Order, progress: Progress = in_silence) -> Made:
    """Write a backup; ``progress`` is told the stages ``copy`` and ``write``, in bytes.

    Raises:
        BackupError: nothing was changed at the target.
    """
    target = order.target
    if target.is_dir():
        target = target / file_name(order.source.centre, order.now_ms)
    folder = target.parent
    if places.is_absent(folder):
        raise BackupError(Text("backup.no_folder", {"path": str(folder)}))
    if folder.resolve().is_relative_to(order.source.data.resolve()):
        raise BackupError(Text("backup.inside_data", {"path": str(folder)}))
    _refuse_existing(target, order)
    try:
        with places.locked(folder, "backup.busy"):
            places.tidy(folder)
            places.tidy(order.source.data)
            return _make(order, target, progress)
    except OSError as error:
        if error.errno == errno.EFBIG:
            raise BackupError(Text("backup.too_large", {"path": str(folder)})) from error
        raise disk_problem(folder, error) from error
    except (StoreError, sqlite3.Error) as error:
        params = {"path": str(order.source.data), "detail": str(error)}
        raise BackupError(Text("backup.unreadable", dict(params))) from error


def _refuse_existing(target: Path, order: Order) -> None:
    if os.path.lexists(target) and not order.is_forced:
        raise BackupError(Text("backup.exists", {"path": str(target)}))


def _make(order: Order, target: Path, progress: Progress) -> Made:
    copy = _copy(order, target.parent, progress)
    content = Content(order, copy, progress)
    out, name = places.scratch_file(target.parent)
    try:
        with copy.file, out:
            manifest = archive.write(out, content.pieces(), content.manifest, order.passphrase)
        _refuse_existing(target, order)
        name.replace(target)
    except BaseException:
        name.unlink(missing_ok=True)
        raise
    places.sync(target.parent)
    return Made(target, target.stat().st_size, manifest)


def _copy(order: Order, folder: Path, progress: Progress) -> Copy:
    data, is_sealed = order.source.data, order.passphrase is not None
    with contextlib.closing(_reader(data)) as reader:
        size = _pin(reader)
        if places.is_fat(folder) and size > places.FAT_LIMIT:
            raise BackupError(Text("backup.too_large", {"path": str(folder)}))
        places.need_space(folder, size if is_sealed else 2 * size)
        if is_sealed:
            places.need_space(data, size)
        return _copied(reader, data if is_sealed else folder, size, progress)


def _reader(data: Path) -> sqlite3.Connection:
    db = open_readonly(data / STORED)
    if db is None:
        raise BackupError(Text("backup.no_history", {"path": str(data)}))
    return db


def _pin(db: sqlite3.Connection) -> int:
    """Hold on to the newest commit; its size in bytes."""
    db.execute("BEGIN")
    pages: int = db.execute("PRAGMA page_count").fetchone()[0]
    page_size: int = db.execute("PRAGMA page_size").fetchone()[0]
    db.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return pages * page_size


def _copied(reader: sqlite3.Connection, folder: Path, size: int, progress: Progress) -> Copy:
    def tell(_: int, remaining: int, total: int) -> None:
        progress("copy", (total - remaining) * size // max(total, 1), size)

    file, name = places.scratch_file(folder)
    try:
        with contextlib.closing(sqlite3.connect(name, isolation_level=None)) as copy:
            # nothing of a copy is needed after a crash
            copy.execute("PRAGMA journal_mode = OFF")
            copy.execute("PRAGMA synchronous = OFF")
            reader.backup(copy, pages=STEP_PAGES, progress=tell, sleep=0)
        reader.execute("ROLLBACK")
        with contextlib.closing(resting(name)) as copy:
            return Copy(file, file.seek(0, os.SEEK_END), version(copy), *inventory(copy))
    except BaseException:
        file.close()
        raise
    finally:
        name.unlink()  # the open file stays, and goes with us


def resting(file: Path) -> sqlite3.Connection:
    """A database that nobody writes, opened so that nothing is made beside it."""
    db = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    db.execute("PRAGMA cache_size = -4096")
    return db


def inventory(db: sqlite3.Connection) -> tuple[dict[str, int], int | None]:
    """The rows of each table, and the newest time of the log: what a rehearsal finds again."""
    names = db.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    tables = [str(row[0]) for row in names.fetchall()]
    # the names are those of our own schema
    rows = {t: int(db.execute(f'SELECT count(*) FROM "{t}"').fetchone()[0]) for t in tables}  # noqa: S608
    newest = db.execute("SELECT max(last_ms) FROM log").fetchone()[0] if "log" in rows else None
    return rows, newest


class Content:
    """The tar inside, piece by piece; its last entry tells what the others were."""

    def __init__(self, order: Order, copy: Copy, progress: Progress) -> None:
        self._source = order.source
        self._copy = copy
        self._made_at = datetime.fromtimestamp(order.now_ms // 1000, UTC)
        self._is_sealed = order.passphrase is not None
        self._progress = progress
        self._parts: list[Part] = []

    def pieces(self) -> Iterator[bytes]:
        mtime = int(self._made_at.timestamp())
        yield from self._part(DATABASE, self._copy.file, self._copy.size, mtime)
        for name, path in configuration(self._source).items():
            with path.open("rb") as file:
                yield from self._part(name, file, file.seek(0, os.SEEK_END), mtime)
        yield archive.member(archive.MANIFEST, msgspec.json.encode(self.manifest()), mtime)
        yield bytes(2 * archive.BLOCK)

    def manifest(self) -> Manifest:
        """Complete once the parts were read."""
        copy = self._copy
        return Manifest(
            archive.FORMAT,
            __version__,
            copy.schema,
            self._source.centre,
            self._made_at,
            self._is_sealed,
            copy.rows,
            copy.newest_ms,
            tuple(self._parts),
        )

    def _part(self, name: str, file: IO[bytes], size: int, mtime: int) -> Iterator[bytes]:
        yield archive.header(name, size, mtime)
        file.seek(0)
        digest, left = hashlib.sha256(), size
        while left:
            chunk = file.read(min(CHUNK, left))
            if not chunk:
                raise OSError(errno.EIO, "the file became shorter", name)
            digest.update(chunk)
            left -= len(chunk)
            yield chunk
            self._progress("write", size - left, size)
        yield archive.padding(size)
        self._parts.append(Part(name, size, digest.hexdigest()))


def configuration(source: Source) -> Mapping[str, Path]:
    """Name inside and path of each file of a configuration; never a password or a token."""
    folder = source.config.parent
    beside = sorted(folder.joinpath(DEVICES_FOLDER).glob("*.yaml"))
    devices = [path for path in beside if not path.name.startswith(".") and path.is_file()]
    found = {CENTRE_FILE: source.config}
    found |= {f"config/{DEVICES_FOLDER}/{path.name}": path for path in devices}
    for plan in source.plans:
        if plan.is_file():
            found.setdefault(plan_name(plan, folder), plan)
    return found


def plan_name(plan: Path, folder: Path) -> str:
    """Where a plan is inside: as beside the configuration, or below ``elsewhere`` by its full path.

    >>> plan_name(Path("/etc/linli/plans/./1.svg"), Path("/etc/linli"))
    'config/plans/1.svg'
    >>> plan_name(Path("/etc/linli/../plans/1.svg"), Path("/etc/linli"))
    'config/elsewhere/etc/plans/1.svg'
    """
    whole, home = (Path(os.path.abspath(path)) for path in (plan, folder))  # noqa: PTH100 - no links
    if whole.is_relative_to(home):
        return f"config/{whole.relative_to(home).as_posix()}"
    return f"config/{ELSEWHERE}{whole.as_posix()}"
