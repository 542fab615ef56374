"""The backups of one centre in a folder: which there are, which were tried out, which may go.

Beside the backups is one small file of ours with the results of rehearsals; it goes with the stick.
Other people's files, and backups with other names, are never touched.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from hub.backup import archive, places
from hub.backup.problems import BackupError
from hub.domain.room import Text

NAME = r"linli-{centre}-(\d{{8}}T\d{{6}}Z)\.tar"


class Tried(msgspec.Struct, frozen=True):
    """The last rehearsal of a backup."""

    at_ms: int
    is_ok: bool
    text: Text


class Item(msgspec.Struct, frozen=True):
    """A backup in the folder."""

    name: str
    made_ms: int
    size: int
    encrypted: bool
    is_whole: bool = True
    """False where not even its manifest can be read."""
    tried: Tried | None = None


class Catalogue:
    """Reads a folder again and again; what did not change is remembered."""

    def __init__(self, folder: Path, centre: str) -> None:
        self.folder = folder
        self._name = re.compile(NAME.format(centre=re.escape(centre)))
        self._record = folder / f"linli-{centre}-rehearsals.json"
        self._seen: dict[tuple[str, int, int], Item] = {}

    def look(self) -> tuple[Item, ...] | None:
        """The backups, the newest first; None while the folder is not there.

        Raises:
            OSError: the folder cannot be read.
        """
        if places.is_absent(self.folder):
            return None
        tried = self._tried()
        seen = {}
        for entry in os.scandir(self.folder):
            if self._name.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                status = entry.stat(follow_symlinks=False)
                sign = (entry.name, status.st_size, status.st_mtime_ns)
                seen[sign] = self._seen.get(sign) or self._read(entry.name, status.st_size)
        self._seen = seen
        items = [msgspec.structs.replace(i, tried=tried.get(i.name)) for i in seen.values()]
        return tuple(sorted(items, key=lambda item: item.made_ms, reverse=True))

    def note(self, name: str, tried: Tried) -> None:
        """Keep the result of a rehearsal.

        Raises:
            OSError: it cannot be written.
        """
        known = {**self._tried(), name: tried}
        kept = {name: found for name, found in known.items() if (self.folder / name).exists()}
        file, beside = places.scratch_file(self.folder)
        try:
            with file:
                file.write(msgspec.json.encode(kept))
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self._record)
        except OSError:
            beside.unlink(missing_ok=True)
            raise
        places.sync(self.folder)

    def prune(self, items: Sequence[Item], keep: int) -> list[str]:
        """Delete all but the newest; the newest that passed a rehearsal stays as well.

        Raises:
            OSError: one cannot be deleted.
        """
        gone = superfluous(items, keep)
        for name in gone:
            (self.folder / name).unlink(missing_ok=True)
        return gone

    def _read(self, name: str, size: int) -> Item:
        with contextlib.suppress(BackupError):
            manifest, _, _ = archive.look(self.folder / name)
            return Item(name, manifest.made_ms, size, manifest.encrypted)
        match = self._name.fullmatch(name)
        assert match is not None  # noqa: S101 - it was listed by that
        with contextlib.suppress(ValueError):
            made = datetime.strptime(match[1], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
            return Item(name, round(made.timestamp() * 1000), size, False, False)
        return Item(name, 0, size, False, False)

    def _tried(self) -> Mapping[str, Tried]:
        try:
            return msgspec.json.decode(self._record.read_bytes(), type=dict[str, Tried])
        except (FileNotFoundError, msgspec.DecodeError):
            return {}  # a torn record costs one rehearsal more


def superfluous(items: Sequence[Item], keep: int) -> list[str]:
    """Names of what may go, of items in order, the newest first.

    >>> items = [Item(str(n), -n, 1, False) for n in range(4)]
    >>> superfluous(items, 2)
    ['2', '3']
    >>> proven = Item("9", -9, 1, False, True, Tried(0, True, Text("rehearsal.ok")))
    >>> superfluous([*items, proven], 2)
    ['2', '3']
    """
    whole = [item for item in items if item.is_whole]
    proven = next((item.name for item in whole if item.tried and item.tried.is_ok), None)
    return [item.name for item in whole[keep:] if item.name != proven]
