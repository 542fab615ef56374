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


def replayed(root: Path, runs: Sequence[Run]) -> Disk:
    """The disk after all runs; what a program would read there must be what lies in the folder."""
    disk = Disk(root)
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
    change: Callable[[Sequence[Call]], Sequence[Call]] | None = None,
) -> Verdict:
    """Cut the runs at so many moments in all. ``change`` makes another program of the recording."""
    told = (_final(replayed(root, runs)), [run.duty() for run in runs])
    verdict = Verdict()
    with ProcessPoolExecutor(WORKERS, get_context("spawn"), _begin, told) as workers:
        waiting: list[Future[str | None]] = []
        for number, cut in _all_cuts(root, runs, count, seed, change):
            verdict.cuts += 1
            waiting.append(workers.submit(_judge, number, cut))
            if len(waiting) > AHEAD:
                _note(verdict, waiting.pop(0))
        for future in waiting:
            _note(verdict, future)
    return verdict


def _all_cuts(
    root: Path,
    runs: Sequence[Run],
    count: int,
    seed: int,
    change: Callable[[Sequence[Call]], Sequence[Call]] | None,
) -> Iterator[tuple[int, Cut]]:
    chance, disk = random.Random(seed), Disk(root)
    for number, run in enumerate(runs):
        calls = run.calls if change is None else change(run.calls)
        places = moments(calls, root, count // len(runs), chance)
        for cut in cuts(disk, calls, places, chance):
            yield number, cut
        disk.restarted()


def _note(verdict: Verdict, future: Future[str | None]) -> None:
    found = future.result()
    if found is not None:
        verdict.failures.append(found)


def _final(disk: Disk) -> History:
    with tempfile.TemporaryDirectory() as folder:
        unpack(disk.seen().items(), Path(folder))
        return asyncio.run(judge.history(Path(folder)))


_final_history: History = {}
_duties: Sequence[Duty] = ()


def _begin(final: History, duties: Sequence[Duty]) -> None:
    """In a worker: what all its verdicts need."""
    global _final_history, _duties
    _final_history, _duties = final, duties


def _judge(number: int, cut: Cut) -> str | None:
    """In a worker: what is wrong with a disk, or None."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unpack(cut.files.items(), folder)
        try:
            judge.check_integrity(folder)
            found = asyncio.run(judge.history(folder))
            judge.check_history(found, _final_history)
            for duty in _duties[:number]:
                judge.check_promises(found, duty.promises, EVER, duty.ended_s, duty.speed)
            duty = _duties[number]
            judge.check_promises(found, duty.promises, cut.line, cut.at_s, duty.speed)
        except (AssertionError, LookupError, ValueError, sqlite3.Error, StoreError) as error:
            way = "strict" if cut.is_strict else "by chance"
            return f"run {number}, call {cut.calls}, {way}: {type(error).__name__}: {error}"
    return None
