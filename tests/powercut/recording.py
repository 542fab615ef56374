"""System calls of a process and its threads, recorded by strace and read back as data.

Only calls that change files, make them durable or speak to a socket are recorded; a seccomp filter
lets all others pass at full speed. Strings are recorded whole, as bytes.

strace prints a call when it ends, or in two parts (``<unfinished ...>``, ``resumed``) where another
thread's call came between. The order of the lines is causal: a thread that was woken by the end of
an fsync cannot have its next call before that line. So a moment is a number of a line, and each
call has two: ``began`` and ``ended``.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

CALLS = (
    "open openat creat close dup dup2 dup3 write pwrite64 writev pwritev pwritev2 fsync fdatasync"
    " sync_file_range ftruncate truncate fallocate rename renameat renameat2 unlink unlinkat link"
    " linkat lseek sendto recvfrom copy_file_range sendfile clone clone3 fork vfork"
)
LONGEST = 64 * 1024 * 1024  # bytes of a string; a longer one would end in dots, and is refused

LINE = re.compile(r"(\d+) +(\d+\.\d+) (.*)")
RESUMED = re.compile(r"<\.\.\. (\w+) resumed>(.*)")
CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+|\?)", re.DOTALL)
STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')
UNFINISHED = " <unfinished ...>"


class Call(NamedTuple):
    """One system call that succeeded. ``strings`` are its byte strings, in order."""

    name: str
    arguments: tuple[str, ...]  # those that are no strings
    strings: tuple[bytes, ...]
    result: int
    began: int
    ended: int
    at_s: float  # when it was printed first, seconds since 1970


class UnreadableError(Exception):
    """The recording holds what we cannot take apart; nothing may be concluded from it."""


def command(trace: Path, program: Sequence[str]) -> list[str]:
    """The program under strace.

    Raises:
        FileNotFoundError: strace is not installed.
    """
    strace = shutil.which("strace")
    if strace is None:
        raise FileNotFoundError("strace is not installed: apt-get install strace")
    flags = ["-D", "-f", "--seccomp-bpf", "-ttt", "-xx", "-s", str(LONGEST), "-o", str(trace)]
    return [strace, *flags, "-e", "trace=" + ",".join(CALLS.split()), *program]


def read(trace: Path) -> list[Call]:
    """Calls that succeeded, in the order in which they ended; child processes are left out.

    Raises:
        UnreadableError: a line or a string is incomplete.
    """
    calls, children = list[Call](), set[int]()
    for thread, call in _calls(trace):
        if call.name in ("clone", "clone3", "fork", "vfork"):
            if not any("CLONE_THREAD" in argument for argument in call.arguments):
                children.add(call.result)
        elif thread not in children:
            calls.append(call)
    return calls


def _calls(trace: Path) -> Iterator[tuple[int, Call]]:
    open_calls: dict[int, tuple[int, float, str]] = {}
    with trace.open(encoding="ascii") as lines:
        for number, line in enumerate(lines):
            found = LINE.match(line)
            if found is None:
                raise UnreadableError(line[:200])
            thread, at_s, text = int(found[1]), float(found[2]), found[3]
            if text.endswith(UNFINISHED):
                open_calls[thread] = (number, at_s, text.removesuffix(UNFINISHED))
                continue
            began = number
            if (resumed := RESUMED.match(text)) is not None:
                began, at_s, first = open_calls.pop(thread)
                text = first + resumed[2]
            call = _call(text, began, number, at_s)
            if call is not None:
                yield thread, call


def _call(text: str, began: int, ended: int, at_s: float) -> Call | None:
    """None for signals, exits, and what did not succeed."""
    if text.startswith(("---", "+++")):
        return None
    found = CALL.match(text)
    if found is None:
        raise UnreadableError(text[:200])
    if found[3] == "?" or int(found[3]) < 0:
        return None
    strings = []
    for string in STRING.finditer(found[2]):
        if string[2]:
            raise UnreadableError(f"a string of {found[1]} is cut")
        strings.append(bytes.fromhex(string[1].replace("\\x", "")))
    rest = STRING.sub("", found[2])
    arguments = tuple(part.strip() for part in rest.split(","))
    return Call(found[1], arguments, tuple(strings), int(found[3]), began, ended, at_s)
