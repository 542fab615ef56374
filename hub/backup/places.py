"""Folders: whether they are really there, whose they are, what fits, and how two are swapped.

A swap must not be seen half done, whenever the power goes: Linux exchanges two names at once
(``renameat2``), and where a file system cannot, we refuse rather than leave a moment with neither.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from hub.backup.problems import BackupError, disk_problem
from hub.diagnosis.disk import file_system
from hub.domain.room import Params, Text

UNFINISHED = ".linli-unfinished-"
"""How everything begins that a kill may leave behind in a folder of backups."""
FAT_LIMIT = 2**32 - 1  # bytes of one file
FAT = frozenset({"vfat", "msdos"})
RESERVE = 64 * 1024 * 1024  # a disk is never filled to its end: a hub may live on it
AT_FDCWD = -100
EXCHANGE = 2
NO_LOCKS = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL)


def is_absent(folder: Path, fstab: Path = Path("/etc/fstab")) -> bool:
    """Whether a folder is missing, or is what a stick's mount point looks like without its stick.

    Nothing is ever made: on a mount point whose disk is away it would fill the card.
    """
    if not folder.is_dir():
        return True
    place = folder.resolve()
    return any(
        place.is_relative_to(point) and not os.path.ismount(point) for point in _mounts(fstab)
    )


def _mounts(fstab: Path) -> list[Path]:
    try:
        lines = fstab.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    rows = [line.split() for line in lines if not line.lstrip().startswith("#")]
    points = [row[1].replace("\\040", " ") for row in rows if len(row) > 2]
    return [Path(point) for point in points if point.startswith("/")]


@contextlib.contextmanager
def locked(folder: Path, code: str) -> Iterator[None]:
    """Hold a folder as a hub holds its data; another holder is told by ``code``.

    Raises:
        BackupError: somebody else has it, or it cannot be opened.
    """
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise disk_problem(folder, error) from error
    try:
        try:
            _hold(lock)
        except BlockingIOError as error:
            raise BackupError(Text(code, {"path": str(folder)})) from error
        yield
    finally:
        os.close(lock)


def tidy(folder: Path) -> None:
    """Remove what killed backups and rehearsals left; what somebody holds is left alone."""
    for path in folder.glob(f"{UNFINISHED}*"):
        with contextlib.suppress(FileNotFoundError, BlockingIOError), _held(path):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextlib.contextmanager
def _held(path: Path) -> Iterator[None]:
    number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        _hold(number)
        yield
    finally:
        os.close(number)


def _hold(number: int) -> None:
    """
    Raises:
        BlockingIOError: somebody else does.
    """
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in NO_LOCKS:  # a file system without locks: the store accepts it too
            raise


def scratch_file(folder: Path) -> tuple[IO[bytes], Path]:
    """A new file that only we may read, and its name; who makes it removes or renames it."""
    number, name = tempfile.mkstemp(prefix=UNFINISHED, dir=folder)
    _hold(number)
    return os.fdopen(number, "w+b"), Path(name)


@contextlib.contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A new folder that only we may read; it is gone afterwards."""
    outer = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=folder))
    try:
        with _held(outer):
            inner = outer / "data"  # a store locks its folder, and we hold the outer one
            inner.mkdir(mode=0o700)
            yield inner
    finally:
        shutil.rmtree(outer)


def need_space(folder: Path, needed: int) -> None:
    """
    Raises:
        BackupError: so many bytes would not fit, or would leave the disk full.
    """
    free = shutil.disk_usage(folder).free
    if free < needed + RESERVE:
        params: Params = {
            "path": str(folder), "needed": _megabytes(needed + RESERVE), "free": _megabytes(free)
        }  # fmt: skip
        raise BackupError(Text("backup.no_space", params))


def _megabytes(size: int) -> int:
    return -(-size // 1_000_000)


def is_fat(folder: Path) -> bool:
    return file_system(folder, Path("/proc/self/mountinfo")) in FAT


def sync(path: Path) -> None:
    """Make the names in a folder, or the bytes of a file, survive a power cut."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    except OSError as error:
        if error.errno != errno.EINVAL:  # some file systems cannot sync a folder
            raise
    finally:
        os.close(number)


def exchange(one: Path, other: Path) -> None:
    """Give two folders each other's name, at once; it lasts once their parent is synced.

    Raises:
        OSError: this file system cannot; nothing was changed.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    done = libc.renameat2(AT_FDCWD, os.fsencode(one), AT_FDCWD, os.fsencode(other), EXCHANGE)
    if done != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))


def adopt(path: Path, like: os.stat_result) -> None:
    """Give a tree the owner of what it replaces; only root can, and only root needs to."""
    if os.geteuid() == 0:
        for item in (path, *path.rglob("*")):
            os.chown(item, like.st_uid, like.st_gid, follow_symlinks=False)
