"""The form of a backup: a tar that other tools open, and that shows every damaged byte.

    content.tar.zst[.age]   linli.db, config/centre.yaml, config/devices.d/*.yaml, manifest.json,
                            and the floor plans that the configuration names, below config/
    key.age                 with a passphrase only: what opens the content, sealed with it
    manifest.json           the same bytes as inside: what it is, sizes, digests
    sha256                  of everything before, the first 512 bytes last

The last member and the end of the tar are exactly ``TAIL`` bytes that follow from the digest, and
headers follow from the manifest: a flipped, missing or added byte anywhere is found before anything
is unpacked. The first header is written last, when the size of the content is known.

Encrypted content is for a fresh X25519 identity, because only that can be streamed; the identity is
encrypted with the passphrase (scrypt), which is small. The manifest inside makes the one outside
authentic: nobody without the passphrase can make content for that identity.
"""

from __future__ import annotations

import hashlib
import io
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Protocol, cast

import msgspec

from hub.backup.problems import BackupError
from hub.backup.sealing import seal
from hub.domain.room import Text
from hub.store.migrations import LATEST

FORMAT = 2  # 1: without floor plans
BLOCK = 512
TAIL = 4 * BLOCK
CHUNK = 256 * 1024
MANIFEST, KEY, DIGEST = "manifest.json", "key.age", "sha256"
PLAIN, SEALED = "content.tar.zst", "content.tar.zst.age"
DATABASE = "linli.db"
CENTRE_FILE = "config/centre.yaml"
PART = re.compile(r"linli\.db|config(/(?!\.{1,2}(/|\Z))[^/\0]+)+")
"""The database, or a file below the folder of the configuration and never above it."""
MAX_SMALL = 4 * 1024 * 1024  # bytes of a manifest or a key; far more than either needs

Progress = Callable[[str, int, int], None]
"""Told a stage, how far it is and how far it goes."""


def in_silence(stage: str, done: int, total: int) -> None:
    """A ``Progress`` that nobody watches."""


class Part(msgspec.Struct, frozen=True):
    """A file inside."""

    name: str
    size: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself. It is readable without the passphrase."""

    format: int
    linli: str
    """The version that made it."""
    db_schema: int
    centre: str
    made_at: datetime
    encrypted: bool
    rows: dict[str, int]
    """Rows of each table."""
    newest_ms: int | None
    """The newest time in the log."""
    parts: tuple[Part, ...]

    @property
    def made_ms(self) -> int:
        return round(self.made_at.timestamp() * 1000)

    @property
    def mtime(self) -> int:
        return int(self.made_at.timestamp())


class Sink(Protocol):
    def write(self, data: bytes, /) -> int: ...


class Pull:
    """A generator of bytes as a file to read from; never more of it in memory than was asked."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self._rest = memoryview(b"")

    def read(self, size: int = -1) -> bytes:
        wanted = CHUNK if size < 0 else size
        while not self._rest:
            piece = next(self._pieces, None)
            if piece is None:
                return b""
            self._rest = memoryview(piece)
        found, self._rest = self._rest[:wanted], self._rest[wanted:]
        return bytes(found)


class Digested:
    """Writes on, and remembers the digest of it."""

    def __init__(self, out: IO[bytes]) -> None:
        self._out = out
        self.sha256 = hashlib.sha256()
        self.size = 0

    def write(self, data: bytes) -> int:
        self._out.write(data)
        self.sha256.update(data)
        self.size += len(data)
        return len(data)

    def flush(self) -> None:
        self._out.flush()


def header(name: str, size: int, mtime: int) -> bytes:
    """One entry of a tar; the same for the same arguments, for ever."""
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, mtime, 0o600
    return entry.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")


def padding(size: int) -> bytes:
    return bytes(-size % BLOCK)


def member(name: str, body: bytes, mtime: int) -> bytes:
    return header(name, len(body), mtime) + body + padding(len(body))


def tail(digest: str) -> bytes:
    """The end of every backup."""
    return member(DIGEST, f"{digest}\n".encode(), 0) + bytes(2 * BLOCK)


def write(out: IO[bytes], content: Iterator[bytes], manifest: Callable[[], Manifest],
          passphrase: str | None) -> Manifest:  # fmt: skip
    """Write a backup to an empty file.

    Args:
        content: A tar, piece by piece; once it is exhausted, ``manifest`` can be asked for.
        manifest: What the content's last entry says.
        passphrase: With it, the content is encrypted.

    Raises:
        OSError: the disk.
    """
    out.write(bytes(BLOCK))
    rest = Digested(out)
    key = _pour(content, rest, passphrase)
    size = rest.size
    rest.write(padding(size))
    made = manifest()
    if key is not None:
        rest.write(member(KEY, key, made.mtime))
    rest.write(member(MANIFEST, msgspec.json.encode(made), made.mtime))
    first = header(PLAIN if key is None else SEALED, size, made.mtime)
    rest.sha256.update(first)
    out.write(tail(rest.sha256.hexdigest()))
    out.seek(0)
    out.write(first)
    out.flush()
    os.fsync(out.fileno())
    return made


def _pour(content: Iterator[bytes], out: Digested, passphrase: str | None) -> bytes | None:
    """Compress, encrypt if asked, and write; the sealed key comes back."""
    import zstandard

    with zstandard.ZstdCompressor(level=3, write_checksum=True).stream_reader(
        cast(IO[bytes], Pull(content)),
        read_size=CHUNK,  # it only reads
    ) as packed:
        if passphrase is None:
            while chunk := packed.read(CHUNK):
                out.write(chunk)
            return None
        import pyrage

        identity = pyrage.x25519.Identity.generate()
        faults = Faults(packed, out)
        try:
            pyrage.encrypt_io(faults, faults, [identity.to_public()])
        except pyrage.EncryptError:
            faults.throw()
            raise
    return seal(f"{identity}\n".encode(), passphrase)


class Faults:
    """A file between Python and a library that makes its own errors of ours: keeps the true one."""

    def __init__(self, source: IO[bytes], out: Sink) -> None:
        self._source, self._out = source, out
        self._error: BaseException | None = None

    def read(self, size: int) -> bytes:
        try:
            return self._source.read(size)
        except BaseException as error:
            self._error = error
            raise

    def write(self, data: bytes) -> int:
        try:
            return self._out.write(data)
        except BaseException as error:
            self._error = error
            raise

    def flush(self) -> None:
        """The library asks for it after each piece; who writes the file flushes at the end."""

    def throw(self) -> None:
        """Raise what one of ours raised, if it did."""
        if self._error is not None:
            raise self._error


class Archive:
    """A backup that was read from its first byte to its last, and is whole."""

    def __init__(self, path: Path, manifest: Manifest, raw: bytes, places: Places) -> None:
        self.path = path
        self.manifest = manifest
        self.raw = raw
        """The manifest, as it is written."""
        self._places = places

    def key(self) -> bytes:
        """The sealed identity."""
        return _small(self.path, self._places, KEY)

    def content(self) -> Iterator[bytes]:
        """The packed content, in pieces."""
        offset, left = self._places[SEALED if self.manifest.encrypted else PLAIN]
        with self.path.open("rb") as file:
            file.seek(offset)
            while left and (chunk := file.read(min(CHUNK, left))):
                left -= len(chunk)
                yield chunk


Places = dict[str, tuple[int, int]]
"""Member to where its bytes begin, and how many."""


def look(path: Path) -> tuple[Manifest, bytes, Places]:
    """Read what a backup says of itself; its bytes are not checked.

    Raises:
        BackupError: it is not one, it is damaged, or newer than this program.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        if not _is_ours(file):
            raise BackupError(Text("backup.foreign", {"path": str(path)}))
        places = _places(path, file)
    raw = _small(path, places, MANIFEST)
    try:
        found = msgspec.json.decode(raw, type=dict[str, object])
        numbers = (found.get("format"), found.get("db_schema"))
        if any(
            isinstance(n, int) and n > known
            for n, known in zip(numbers, (FORMAT, LATEST), strict=True)
        ):
            params = {"path": str(path), "linli": str(found.get("linli"))[:20]}
            raise BackupError(Text("backup.newer", dict(params)))
        manifest = msgspec.convert(found, Manifest, strict=False)
    except msgspec.DecodeError as error:
        raise damaged(path) from error
    wanted = {KEY, SEALED} if manifest.encrypted else {PLAIN}
    if not wanted <= places.keys() or not all(PART.fullmatch(part.name) for part in manifest.parts):
        raise damaged(path)
    return manifest, raw, places


def verified(path: Path, progress: Progress = in_silence) -> Archive:
    """Read every byte of a backup and make sure that none is wrong, missing or too many.

    Raises:
        BackupError: it is not one, it is damaged, or newer than this program.
        OSError: it cannot be read.
    """
    digest, size = hashlib.sha256(), path.stat().st_size
    with path.open("rb") as file:
        if not _is_ours(file):
            raise BackupError(Text("backup.foreign", {"path": str(path)}))
        first, left = file.read(BLOCK), max(size - BLOCK - TAIL, 0)
        while left and (chunk := file.read(min(CHUNK, left))):
            left -= len(chunk)
            digest.update(chunk)
            progress("verify", size - left, size)
        digest.update(first)
        if left or file.read() != tail(digest.hexdigest()):
            raise damaged(path)
    return Archive(path, *look(path))


def damaged(path: Path) -> BackupError:
    return BackupError(Text("backup.damaged", {"path": str(path)}))


def _is_ours(file: IO[bytes]) -> bool:
    """By its first name or by its end: a backup of ours that lost one of them is damaged, not
    foreign. Leaves the file at its beginning."""
    names = tuple(f"{name}\0".encode() for name in (PLAIN, SEALED))
    starts = file.read(BLOCK).startswith(names)
    file.seek(max(file.seek(0, io.SEEK_END) - TAIL, 0))
    ends = file.read(BLOCK).startswith(f"{DIGEST}\0".encode())
    file.seek(0)
    return starts or ends


def _places(path: Path, file: IO[bytes]) -> Places:
    places: Places = {}
    end = file.seek(0, io.SEEK_END)
    at = 0
    try:
        while DIGEST not in places:
            file.seek(at)
            entry = tarfile.TarInfo.frombuf(file.read(BLOCK), "utf-8", "surrogateescape")
            if entry.size < 0 or at + BLOCK + entry.size > end or len(places) > 3:
                raise damaged(path)
            places[entry.name] = (at + BLOCK, entry.size)
            at += BLOCK + entry.size + len(padding(entry.size))
    except tarfile.HeaderError as error:
        raise damaged(path) from error
    return places


def _small(path: Path, places: Places, name: str) -> bytes:
    offset, size = places.get(name, (0, MAX_SMALL + 1))
    if size > MAX_SMALL:
        raise damaged(path)
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(size)
