"""What two years of the reference centre take: space, start, questions, memory.

Stores of growing age are built (``years.py``: a day played through the store, and copies of it),
and a fresh process opens each, asks it and says what it needed. Old and new must cost the same:
only the file may grow. Readings, hours, weeks and the history of rooms are all in it, and every
answer is compared with what the sensors said.

The start is measured twice: cold, from a file that the kernel has written and forgotten, and warm,
just after. How much it reads is beside it, and does not depend on the machine.

``python -m tests.soak.soak_growth`` does the same with many different days.
"""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from hub.store.shelf import shelf_of
from hub.store.store import DATABASE, Store
from tests.bench import questions
from tests.bench.figures import Need, machine
from tests.bench.played import DAY_MS, HOUR_MS, NOON_MS, SLOT_MS, played
from tests.bench.years import Moved, Told, build

AGES = (1, 30, 180, 365, 730)
SIZE = Need(2, "GB")
HOURS, ROOM = Need(5, "ms"), Need(20, "ms")
CACHE = Path.cwd() / ".cache"
LIVELY = 0  # the device whose changes of a week are read


@dataclass
class Figures:
    """What a fresh process found."""

    age: int
    file_mb: float = 0.0
    changes: int = 0
    chapters: int = 0
    commits: int = 0
    wrong: int = 0
    read_mb: float = 0.0
    """At the start, from the disk or from the kernel's memory of it."""
    ms: dict[str, float] = field(default_factory=dict)
    """Of each question, in wall time and CPU time."""
    rss_mib: dict[str, float] = field(default_factory=dict)
    """After each step, in order."""


def middle(end_ms: int, age: int) -> int:
    """Noon of a day halfway back."""
    day = end_ms - (age + 3) // 2 * DAY_MS
    return day - day % DAY_MS + NOON_MS


def needed(end_ms: int, age: int, lively: frozenset[int]) -> Moved:
    """The shelves that the questions meet: some chapters in the middle, a lively series' week."""
    noon = middle(end_ms, age)

    def is_needed(begin_ms: int, shelf: int) -> bool:
        is_near = noon - SLOT_MS <= begin_ms <= noon + SLOT_MS
        return is_near or (shelf in lively and begin_ms >= end_ms - 9 * DAY_MS)

    return is_needed


async def measure(folder: Path, source: Path, days: int, age: int) -> Figures:
    """Open the store in this process, ask, and tell."""
    told, found = Told(source, days), Figures(age)
    end_ms = told.truth.end_ms
    span = min(age, 7)
    found.rss_mib["before"] = questions.rss_mib()
    store, start = await questions.opened(folder, end_ms)
    found.ms["start"], found.ms["start CPU"] = start.ms, start.cpu
    found.rss_mib["open"] = questions.rss_mib()
    noon = middle(end_ms, age)
    every = {
        "hours": await questions.hours(store, told, end_ms, span),
        "old hours": await questions.hours(store, told, noon + span * DAY_MS // 2 + HOUR_MS, span),
        "room": await questions.rooms(store, told, end_ms, min(age, 30)),
        "page": await questions.pages(store, told, noon),
        "lively": await questions.dense(store, told, end_ms, span, LIVELY),
    }
    for name, asked in every.items():
        found.ms[name], found.ms[f"{name} CPU"] = asked.ms, asked.cpu
        found.wrong += asked.wrong
    found.rss_mib["asked"] = questions.rss_mib()
    await store.close()
    return found


async def start(folder: Path, end_ms: int) -> tuple[float, float, float]:
    """Only open: milliseconds, of which CPU, and megabytes read."""
    begun, before = questions.stamp(), read_bytes()
    store = await Store.open(folder, questions.clock_at(end_ms), 1000)
    ended, read = questions.stamp(), read_bytes() - before
    await store.close()
    return (ended[0] - begun[0]) * 1000, (ended[1] - begun[1]) * 1000, read / 1e6


def read_bytes() -> int:
    """What this process has read so far."""
    return int(Path("/proc/self/io").read_text(encoding="ascii").split()[1])


def forgotten(file: Path) -> None:
    """Written to the disk, and no page of it left in memory: a fresh file is neither."""
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def weighed(folder: Path, found: Figures) -> Figures:
    """What lies on the disk."""
    found.file_mb = (folder / DATABASE).stat().st_size / 1e6
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        sql = "SELECT count(*), sum(changes) FROM chapters"
        found.chapters, found.changes = db.execute(sql).fetchone()
        (found.commits,) = db.execute("SELECT count(*) FROM log").fetchone()
        (series,) = db.execute("SELECT count(*) FROM series").fetchone()
        weeks = db.execute("SELECT count(*) FROM weeks").fetchone()[0]
    if found.chapters < (found.age - 1) * 4 or series < 1_500 or (found.age > 30 and not weeks):
        raise SystemExit(f"growth: work is missing: {found}, {series} series, {weeks} weeks")
    return found


def parts(folder: Path) -> dict[str, float]:
    """Megabytes of bodies in each table."""
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        return {
            table: db.execute(f"SELECT ifnull(sum(length(body)), 0) FROM {table}").fetchone()[0]  # noqa: S608
            / 1e6
            for table in ("log", "shelves", "room_chapters", "hours", "weeks")
        }


def in_child(folder: Path, source: Path, days: int, age: int) -> Figures:
    forgotten(folder / DATABASE)
    end_ms = Told(source, days).truth.end_ms
    cold_ms, cold_cpu, read_mb = json.loads(child("--start", folder, end_ms))
    found = Figures(**json.loads(child("--child", folder, source, days, age)))
    found.ms["cold"], found.ms["cold CPU"], found.read_mb = cold_ms, cold_cpu, read_mb
    return found


def child(*arguments: object) -> str:
    """What a fresh process said."""
    command = [sys.executable, "-m", "tests.bench.bench_growth", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout


def row(found: Figures) -> str:
    ms, rss = found.ms, found.rss_mib
    cells = [f"{ms[name]:8.1f} /{ms[name + ' CPU']:6.1f}" for name in TIMES]
    sizes = " -> ".join(f"{mib:.0f}" for mib in rss.values())
    return f"{found.age:4} d {found.file_mb:8.1f} {' '.join(cells)}   {found.read_mb:.1f}   {sizes}"


TIMES = ("cold", "start", "hours", "old hours", "room", "page", "lively")


def grow(source: Path, days: int, ages: tuple[int, ...], is_whole: bool = False) -> None:
    """Build, measure and print each age; fails if work is missing or the need of space is."""
    told = Told(source, days)
    end_ms = told.truth.end_ms
    print(
        f"{days} days played: {told.truth.changes} changes, {told.truth.commits} commits\n"
        "milliseconds, wall / CPU; cold: a start from the disk; read: MB at a start\n"
        "memory in MiB: before, open, after all questions\n"
        "   age   MB    " + "".join(f"{name:>17}" for name in TIMES) + "   read  memory",
        flush=True,
    )
    every: list[Figures] = []
    for age in ages:
        with tempfile.TemporaryDirectory(dir=CACHE) as name:
            folder, begun = Path(name), questions.stamp()
            moved = needed(end_ms, age, lively(source))
            build(source, days, age, folder, (lambda begin, shelf: True) if is_whole else moved)
            built = questions.stamp()
            every.append(weighed(folder, in_child(folder, source, days, age)))
            made = f"built in {built[0] - begun[0]:.0f} s, {built[1] - begun[1]:.0f} CPU s"
            print(f"{row(every[-1])}   {made}", flush=True)
            if age == max(ages):
                sizes = ", ".join(f"{what} {mb:.1f}" for what, mb in parts(folder).items())
                print(f"MB by table: {sizes}")
    judge(every)


def judge(every: list[Figures]) -> None:
    old = every[-1]
    young = next((found for found in every if found.age >= 30), old)  # it has a month too
    print(f"{old.age} days: {SIZE.verdict(old.file_mb / 1000)}, {old.changes} changes")
    print(f"one series, 7 days by the hour: {HOURS.verdict(old.ms['hours'])}")
    print(f"a room's 30 days: {ROOM.verdict(old.ms['room'])}")
    for name in TIMES:
        cpu = f"{name} CPU"
        print(f"{name}: {old.ms[cpu] / young.ms[cpu]:.2f} times the CPU of {young.age} days")
    wrong = sum(found.wrong for found in every)
    if wrong or old.file_mb > SIZE.bound * 1000:
        raise SystemExit(f"growth: {wrong} answers are wrong, {old.file_mb:.0f} MB")


def lively(source: Path) -> frozenset[int]:
    """The shelves of the series whose changes of a week are read."""
    with closing(sqlite3.connect(source / DATABASE)) as db:
        sql = "SELECT number FROM series WHERE device = ? AND channel = ?"
        found = db.execute(sql, (f"device-{LIVELY}", questions.DENSE))
        return frozenset(shelf_of(number) for (number,) in found)


def main() -> None:
    CACHE.mkdir(exist_ok=True)
    print(f"growth: {machine()}", flush=True)
    begun = time.monotonic()
    grow(played(CACHE, 1), 1, AGES)
    print(f"{time.monotonic() - begun:.0f} s in all")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--start"]:
        print(json.dumps(asyncio.run(start(Path(sys.argv[2]), int(sys.argv[3])))))
    elif sys.argv[1:2] == ["--child"]:
        place, play, days_, age_ = sys.argv[2:]
        figures = asyncio.run(measure(Path(place), Path(play), int(days_), int(age_)))
        print(json.dumps(asdict(figures)))
    else:
        main()
