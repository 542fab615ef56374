"""From a verified backup to files, refusing whatever its manifest does not say.

The manifest says which bytes must come, headers included; so nothing in the file chooses a name or
a size, and no tar is interpreted.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from hub.backup.archive import (
    BLOCK,
    MANIFEST,
    Archive,
    Faults,
    Part,
    Progress,
    Pull,
    damaged,
    header,
    in_silence,
    member,
    padding,
)
from hub.backup.problems import BackupError
from hub.domain.room import Text

WRITE_SIZE = 256 * 1024


def unpack(
    archive: Archive, folder: Path, passphrase: str | None, progress: Progress = in_silence
) -> None:
    """Unpack into an empty folder, durably.

    Raises:
        BackupError: no or a wrong passphrase, or the content is not what the manifest says.
        OSError: the disk; the folder is then half full.
    """
    import zstandard

    unpacker = Unpacker(archive, folder, progress)
    pieces: Pull = Pull(archive.content())
    try:
        with zstandard.ZstdDecompressor().stream_writer(
            cast(IO[bytes], unpacker),  # it only writes
            write_size=WRITE_SIZE,
            closefd=False,
        ) as packed:
            if archive.manifest.encrypted:
                _decrypt(archive, pieces, packed, passphrase)
            else:
                while chunk := pieces.read():
                    packed.write(chunk)
    except zstandard.ZstdError as error:
        raise damaged(archive.path) from error
    finally:
        unpacker.close()
    unpacker.check_end()


def _decrypt(archive: Archive, pieces: Pull, out: IO[bytes], passphrase: str | None) -> None:
    import pyrage

    if passphrase is None:
        raise BackupError(Text("backup.no_passphrase", {"path": str(archive.path)}))
    try:
        secret = pyrage.passphrase.decrypt(archive.key(), passphrase)
    except pyrage.DecryptError as error:
        raise BackupError(Text("backup.wrong_passphrase", {"path": str(archive.path)})) from error
    identity = pyrage.x25519.Identity.from_str(secret.decode().strip())
    faults = Faults(cast(IO[bytes], pieces), out)  # it only reads
    try:
        pyrage.decrypt_io(faults, faults, [identity])
    except pyrage.DecryptError as error:
        faults.throw()
        raise damaged(archive.path) from error


class Unpacker:
    """Takes the content as it comes, and compares or writes it."""

    def __init__(self, archive: Archive, folder: Path, progress: Progress) -> None:
        self._archive = archive
        self._folder = folder
        self._progress = progress
        self._total = sum(part.size for part in archive.manifest.parts)
        self._done = 0
        self._steps = self._plan()
        self._expected = memoryview(b"")
        self._part: Part | None = None
        self._left = 0
        self._file: IO[bytes] | None = None
        self._digest = hashlib.sha256()
        self._is_over = False

    def write(self, data: bytes) -> int:
        rest = memoryview(data)
        while rest:
            if self._left:
                rest = self._keep(rest)
            elif self._expected:
                rest = self._compare(rest)
            elif not self._next():
                raise damaged(self._archive.path)
        return len(data)

    def check_end(self) -> None:
        """
        Raises:
            BackupError: something is missing.
        """
        while not self._left and not self._expected and self._next():
            pass  # an empty part at the end
        if not self._is_over:
            raise damaged(self._archive.path)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _plan(self) -> Iterator[bytes | Part]:
        """What must come: bytes that are known, and parts."""
        manifest = self._archive.manifest
        for part in manifest.parts:
            yield header(part.name, part.size, manifest.mtime)
            yield part
            yield padding(part.size)
        yield member(MANIFEST, self._archive.raw, manifest.mtime) + bytes(2 * BLOCK)

    def _next(self) -> bool:
        step = next(self._steps, None)
        if step is None:
            self._is_over = True
        elif isinstance(step, Part):
            self._open(step)
        else:
            self._expected = memoryview(step)
        return step is not None

    def _open(self, part: Part) -> None:
        path = self._folder / part.name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        self._file = os.fdopen(number, "wb")
        self._part, self._left, self._digest = part, part.size, hashlib.sha256()
        if not part.size:
            self._finish()

    def _keep(self, rest: memoryview) -> memoryview:
        assert self._file is not None  # noqa: S101 - _open() made it
        piece, rest = rest[: self._left], rest[self._left :]
        self._file.write(piece)
        self._digest.update(piece)
        self._left -= len(piece)
        self._done += len(piece)
        self._progress("unpack", self._done, self._total)
        if not self._left:
            self._finish()
        return rest

    def _finish(self) -> None:
        assert self._file is not None  # noqa: S101 - _open() made it
        assert self._part is not None  # noqa: S101 - the same
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        if self._digest.hexdigest() != self._part.sha256:
            raise damaged(self._archive.path)

    def _compare(self, rest: memoryview) -> memoryview:
        size = min(len(rest), len(self._expected))
        if rest[:size] != self._expected[:size]:
            raise damaged(self._archive.path)
        self._expected = self._expected[size:]
        return rest[size:]
