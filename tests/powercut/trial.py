"""A hub recorded under load, and its disks judged: what the short and the long test share.

Judging a disk takes some 50 ms, most of it the hub's own start and history; two processes share it.
"""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import NamedTuple

from hub.store.query import StoreError
from tests.powercut import judge
from tests.powercut.cuts import Cut, cuts, moments
from tests.powercut.disk import Disk, unpack
from tests.powercut.judge import History, Promise
from tests.powercut.recording import Call
from tests.powercut.wire import messages

WORKERS = 2
EVER = 2**62
AHEAD = 8  # disks that wait to be judged: each some megabytes


class Duty(NamedTuple):
    """What one run of the hub took upon itself. ``speed``: how fast its clock ran."""

    promises: list[Promise]
    speed: float
    ended_s: float


@dataclass
class Run:
    """One start of the hub, until it ended."""

    calls: list[Call]
    speed: float = 1.0

    def duty(self) -> Duty:
        return Duty(judge.promises(messages(self.calls)), self.speed, self.calls[-1].at_s)


@dataclass
class Verdict:
    """What came of a number of cuts."""

    cuts: int = 0
    failures: list[str] = field(default_factory=list)


Change = Callable[[Sequence[Call]], Sequence[Call]]


def replayed(root: Path, runs: Sequence[Run], first: dict[str, bytes] | None = None) -> Disk:
    """The disk after all runs; what a program would read there must be what lies in the folder."""
    disk = Disk(root, first)
    for run in runs:
        for call in run.calls:
            disk.apply(call)
        disk.restarted()
    return disk


def assert_complete(root: Path, disk: Disk) -> None:
    """The recording explains every byte of the folder."""
    seen = disk.seen()
    lying = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    for name, path in lying.items():
        if not name.endswith("-shm"):
            assert seen[name] == path.read_bytes(), f"{name} is not what was recorded"
    assert {name for name in seen if not name.endswith("-shm")} <= lying.keys()


def judged(
    root: Path,
    runs: Sequence[Run],
    count: int,
    seed: int,
    change: Change | None = None,
    first: dict[str, bytes] | None = None,
) -> Verdict:
    """Cut the runs at so many moments in all.

    Args:
        root: The folder that was recorded.
        runs: One after the other, on the same folder.
        count: How many cuts.
        seed: For moments, and for what chance keeps.
        change: Makes another program of the recording.
        first: What lay in the folder before; its history must be in every disk.
    """
    final, least = _history(replayed(root, runs, first).seen()), _history(first or {})
    told = (final, least, [run.duty() for run in runs])
    verdict = Verdict()
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), _begin, told) as workers:
        waiting: list[Future[str | None]] = []
        chance, disk = random.Random(seed), Disk(root, first)
        for number, cut in _all_cuts(disk, runs, count, chance, change):
            verdict.cuts += 1
            waiting.append(workers.submit(_judge, number, cut))
            if len(waiting) > AHEAD:
                _note(verdict, waiting.pop(0))
        for future in waiting:
            _note(verdict, future)
    return verdict


def _all_cuts(
    disk: Disk, runs: Sequence[Run], count: int, chance: random.Random, change: Change | None
) -> Iterator[tuple[int, Cut]]:
    for number, run in enumerate(runs):
        calls = run.calls if change is None else change(run.calls)
        places = moments(calls, disk.root, count // len(runs), chance)
        for cut in cuts(disk, calls, places, chance):
            yield number, cut
        disk.restarted()


def _note(verdict: Verdict, future: Future[str | None]) -> None:
    found = future.result()
    if found is not None:
        verdict.failures.append(found)


def _history(files: dict[str, bytes]) -> History:
    with tempfile.TemporaryDirectory() as folder:
        unpack(files.items(), Path(folder))
        return asyncio.run(judge.history(Path(folder)))


_most: History = {}
_least: History = {}
_duties: Sequence[Duty] = ()


def _begin(most: History, least: History, duties: Sequence[Duty]) -> None:
    """In a worker: what all its verdicts need."""
    global _most, _least, _duties
    _most, _least, _duties = most, least, duties


def _judge(number: int, cut: Cut) -> str | None:
    """In a worker: what is wrong with a disk, or None."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack(cut.files.items(), folder)
        try:
            judge.check_integrity(folder)
            found = asyncio.run(judge.history(folder))
            judge.check_history(found, _most)
            judge.check_history(_least, found)
            for duty in _duties[:number]:
                judge.check_promises(found, duty.promises, EVER, duty.ended_s, duty.speed)
            duty = _duties[number]
            judge.check_promises(found, duty.promises, cut.line, cut.at_s, duty.speed)
        except (AssertionError, LookupError, ValueError, sqlite3.Error, StoreError) as error:
            way = "strict" if cut.is_strict else "by chance"
            return f"run {number}, call {cut.calls}, {way}: {type(error).__name__}: {error}"
    return None
