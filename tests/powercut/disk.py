"""A folder as a disk would hold it if the power went at a given moment.

What counts as safe, and nothing else:

1. *Contents*: what was written to a file, and its length, once an fsync or fdatasync of that file
   has returned that began after the write had ended. (``fdatasync`` keeps the length, too.)
2. *Names*: that a file was made, renamed or removed, once the folder it is in was synced so.

What is not safe is lost (``strictly``), or seeded chance decides (``by_chance``): each write is
there, is not, or is torn into sectors of 512 bytes of which each is there or not; a later write may
be there without an earlier one; a file that grew has zeros where nothing arrived; a truncation is
there or not; of the changes of names those up to a random one are there.

That is crueller than ext4 with data=ordered, on which an fsync also saves the name of a new file,
all names changed before it and, mostly, the order of writes; and as cruel as POSIX, but for two
things every journal gives: names change in order, and a sector is never half old and half new. A
card that lies about its fsync, or destroys what it was not asked to write, is not covered.

``*-shm`` of SQLite is written through memory, is never synced, and is built anew from the WAL;
after a cut it is missing, or, by chance, full of nonsense.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from tests.powercut.recording import Call

SECTOR = 512
NONSENSE = 32_768
BEFORE = -1  # the line of what happened before a recording began
SYNCS = ("fsync", "fdatasync")
NOT_MODELLED = frozenset(
    ("truncate", "link", "linkat", "copy_file_range", "sendfile", "sync_file_range", "pwritev2")
)


class NotModelledError(Exception):
    """The recording does something to the folder that the model has no rule for."""


@dataclass(slots=True)
class Write:
    """A change of a file's contents; ``data`` None cuts it (or makes it grow) to ``offset``."""

    ended: int
    offset: int
    data: bytes | None

    def onto(self, content: bytearray) -> None:
        if self.data is None:
            _resize(content, self.offset)
            return
        _put(content, self.offset, self.data)

    def by_chance(self, content: bytearray, chance: random.Random, kept: float) -> None:
        fate = chance.random()
        if fate < kept * 0.8:
            self.onto(content)
        elif self.data is not None and fate < kept * 0.8 + 0.2:
            for at in range(0, len(self.data), SECTOR):
                if chance.random() < kept:
                    _put(content, self.offset + at, self.data[at : at + SECTOR])


@dataclass(slots=True, eq=False)
class File:
    """``seen`` is what programs read; ``safe`` is on the disk for certain."""

    seen: bytearray = field(default_factory=bytearray)
    safe: bytearray = field(default_factory=bytearray)
    waiting: list[Write] = field(default_factory=list)

    def write(self, write: Write) -> None:
        write.onto(self.seen)
        self.waiting.append(write)

    def sync(self, began: int) -> None:
        left = []
        for write in self.waiting:
            if write.ended < began:
                write.onto(self.safe)
            else:
                left.append(write)
        self.waiting = left


@dataclass(slots=True)
class Naming:
    """A name was given to a file, or taken away (``file`` None)."""

    ended: int
    names: tuple[tuple[str, File | None], ...]

    def onto(self, names: dict[str, File]) -> None:
        for name, file in self.names:
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file


@dataclass(slots=True)
class Handle:
    """An open file or folder."""

    name: str
    file: File | None  # None: the folder
    position: int = 0
    appends: bool = False


class Disk:
    """The files below ``root``, replayed call by call; empty at first, or with safe contents."""

    def __init__(self, root: Path, files: dict[str, bytes] | None = None) -> None:
        self.root = root
        self._handles: dict[int, Handle] = {}
        self._seen: dict[str, File] = {}
        for name, content in (files or {}).items():
            self._seen[name] = File(bytearray(content), bytearray(content))
        self._safe = dict(self._seen)
        self._waiting: list[Naming] = []
        self.changes = 0
        """How many there were: writes and names."""

    def restarted(self) -> None:
        """The process has ended, the machine goes on: nothing is lost, handles are closed.

        The next recording counts its lines anew, and all that was done is before its first.
        """
        self._handles.clear()
        for naming in self._waiting:
            naming.ended = BEFORE
        for file in {*self._seen.values(), *self._safe.values()}:
            for write in file.waiting:
                write.ended = BEFORE

    def seen(self) -> dict[str, bytes]:
        """What a program would read now."""
        return {name: bytes(file.seen) for name, file in self._seen.items()}

    def strictly(self) -> dict[str, bytes]:
        """The files if the power goes now and everything unsafe is lost."""
        return {name: bytes(file.safe) for name, file in self._safe.items()}

    def by_chance(self, chance: random.Random) -> dict[str, bytes]:
        """The files if the power goes now and chance decides about everything unsafe."""
        kept = chance.choice((0.1, 0.5, 0.9, 1.0))
        names = dict(self._safe)
        for naming in self._waiting[: chance.randint(0, len(self._waiting))]:
            naming.onto(names)
        found = {}
        for name, file in names.items():
            content = bytearray(file.safe)
            for write in file.waiting:
                write.by_chance(content, chance, kept)
            found[name] = bytes(content)
        for name in [name for name in found if name.endswith("-wal")]:
            if chance.random() < 0.3:
                found[name.removesuffix("-wal") + "-shm"] = chance.randbytes(NONSENSE)
        return found

    def apply(self, call: Call) -> str | None:
        """Replay a call; the name that a sync has made safe ("" for the folder)."""
        match call.name:
            case "open" | "openat" | "creat":
                self._open(call)
            case "close":
                self._handles.pop(int(call.arguments[0]), None)
            case "dup" | "dup2" | "dup3":
                handle = self._handles.pop(call.result, None)
                if (handle := self._handle(call)) is not None:
                    self._handles[call.result] = handle
            case "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat":
                self._rename(call)
            case _:
                return self._change(call)
        return None

    def _change(self, call: Call) -> str | None:
        if call.name in NOT_MODELLED:
            if self._handle(call) or any(self._name(text) for text in call.strings):
                raise NotModelledError(call.name)
            return None
        handle = self._handle(call)
        if handle is None or handle.name.endswith("-shm"):
            return None
        if call.name in SYNCS:
            return self._sync(handle, call)
        if handle.file is not None:
            self._write(handle, handle.file, call)
        return None

    def _open(self, call: Call) -> None:
        self._handles.pop(call.result, None)
        name = self._name(call.strings[0])
        if name is None:
            return
        flags = next((text for text in call.arguments if "O_" in text), "")
        file = self._seen.get(name)
        if file is None and "O_CREAT" not in flags:
            self._handles[call.result] = Handle(name, None)
            return
        if file is None:
            file = File()
            self._give(call.ended, (name, file))
        elif "O_TRUNC" in flags or call.name == "creat":
            self._put(file, Write(call.ended, 0, None))
        self._handles[call.result] = Handle(name, file, appends="O_APPEND" in flags)

    def _rename(self, call: Call) -> None:
        names = [self._name(text) for text in call.strings]
        if all(name is None for name in names):
            return
        if None in names or "RENAME_EXCHANGE" in call.arguments:
            raise NotModelledError(f"{call.name} into or out of the folder")
        first = str(names[0])
        changed: list[tuple[str, File | None]] = [(first, None)]
        if len(names) == 2:
            changed.append((str(names[1]), self._seen[first]))
        self._give(call.ended, *changed)

    def _give(self, ended: int, *names: tuple[str, File | None]) -> None:
        self.changes += 1
        naming = Naming(ended, names)
        naming.onto(self._seen)
        self._waiting.append(naming)

    def _sync(self, handle: Handle, call: Call) -> str:
        if handle.file is not None:
            handle.file.sync(call.began)
            return handle.name
        left = [naming for naming in self._waiting if naming.ended >= call.began]
        for naming in self._waiting[: len(self._waiting) - len(left)]:
            naming.onto(self._safe)
        self._waiting = left
        return ""

    def _write(self, handle: Handle, file: File, call: Call) -> None:
        match call.name:
            case "pwrite64" | "pwritev":
                offset = int(call.arguments[-1])
            case "write" | "writev":
                offset = len(file.seen) if handle.appends else handle.position
                handle.position = offset + call.result
            case "lseek":
                handle.position = call.result
                return
            case "ftruncate":
                self._put(file, Write(call.ended, int(call.arguments[1]), None))
                return
            case "fallocate":
                mode, start, length = call.arguments[1:4]
                if mode != "0":
                    raise NotModelledError(f"fallocate {mode}")
                end = max(len(file.seen), int(start) + int(length))
                self._put(file, Write(call.ended, end, None))
                return
            case _:
                return
        data = b"".join(call.strings)[: call.result]
        self._put(file, Write(call.ended, offset, data))

    def _put(self, file: File, write: Write) -> None:
        self.changes += 1
        file.write(write)

    def _handle(self, call: Call) -> Handle | None:
        first = call.arguments[0]
        return self._handles.get(int(first)) if first.isdigit() else None

    def _name(self, path: bytes) -> str | None:
        """Relative to the root; "" for the root itself, None for what is elsewhere."""
        try:
            name = PurePosixPath(path.decode()).relative_to(self.root)
        except ValueError:
            return None
        return "" if str(name) == "." else str(name)


def unpack(files: Iterable[tuple[str, bytes]], folder: Path) -> None:
    """Write the files into an empty folder."""
    for name, content in files:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _put(content: bytearray, offset: int, data: bytes) -> None:
    if len(content) < offset:
        _resize(content, offset)
    content[offset : offset + len(data)] = data


def _resize(content: bytearray, length: int) -> None:
    if length < len(content):
        del content[length:]
    else:
        content.extend(bytes(length - len(content)))
