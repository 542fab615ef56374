"""How many bytes a day of the reference centre writes to the card, and how many it keeps.

The centre of ``reference_day.py`` is played message by message with a clock that is pushed, so
that commits and checkpoints fall where they would in real time; once an hour the upkeep seals what
is a day old, packs hours and deletes what was sealed. What is measured is ``write_bytes`` of the
process that does it (``/proc/self/io``: pages the kernel had to write for it), on a real disk.

Hours are packed two days at a time, once they are four days old, and leave gaps in the file that
later commits fill. So the need is held against a week: four days are played until everything runs,
and the mean of the three behind them counts; hours are packed in two of those, which is more than
the one in two of the long run. The other ways of delivery are compared by one day after a day and
a half.

Beside it the rules of 100 rooms live their days (``bench_days.py``), and what they keep so that a
past moment can be explained is written too; the statuses of rooms are those of the reference day.

QoS 1 gives each report a receipt that must be settled; what is settled is confirmed every 30 s,
as the heartbeat does. With the broker's default window of 20 a commit holds ten messages, which
is the price of that window: one hour around noon is played and multiplied.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import dropwhile
from pathlib import Path

from hub.domain.mark import Mark
from hub.domain.opening import AlwaysOpen
from hub.rooms.watch import Watch
from hub.store.marks import read_marks
from hub.store.packing import unpack
from hub.store.query import ReadingItem, ReadingsQuery
from hub.store.reader import CHAPTER_BITS
from hub.store.shelf import Shelf
from hub.store.store import DATABASE, Store
from tests.bench import bench_days
from tests.bench.figures import Need, machine
from tests.bench.reference_day import DAY_S, DEVICES, MIDNIGHT_S, PERIOD_S, Centre
from tests.store.making import EVER, catch_up

WRITTEN, KEPT = Need(60, "MB a day"), Need(3, "MB")
NOON_S = 12 * 3600
SETTLED_S = 3 * DAY_S
WARM_S = {DAY_S: 36 * 3600, SETTLED_S: 4 * DAY_S}
"""Seconds that are played before those that are measured."""
SCRATCH = Path("/var/tmp")  # tmpfs would count nothing


@dataclass
class Played:
    """What one run did. ``seconds`` is the part of the day that was measured."""

    qos: int
    inflight: int
    jitter_ms: int
    from_s: int
    seconds: int
    written: int = 0
    by_purpose: dict[str, int] = field(default_factory=dict)
    days: list[dict[str, int]] = field(default_factory=list)
    """By purpose, each day that was measured."""
    changes: int = 0
    changes_sealed: int = 0
    sealed_days: float = 0.0
    sealed_bytes: int = 0
    used_bytes: int = 0
    hours_bytes: int = 0
    commits: int = 0
    compared: int = 0
    marks: int = 0
    cpu_s: float = 0.0
    problems: list[str] = field(default_factory=list)


class Watched:
    """The rules of rooms, each time alone or a sensor's word gives them a reason to look."""

    def __init__(self, store: Store, from_s: int) -> None:
        self.marks = 0
        self._write = store.past.append
        begin_ms = (MIDNIGHT_S + from_s) * 1000
        self._words = dropwhile(lambda word: word[0] < begin_ms, bench_days.month())
        self._word = next(self._words)
        self._watch = Watch(bench_days.centre(), AlwaysOpen(), lambda _: None, write=self._keep)
        self._watch.begin((), (), begin_ms)

    def go_on(self, to_ms: int) -> None:
        """All that happens up to there."""
        while (at_ms := self._word[0]) <= to_ms:
            self._look(at_ms)
            self._watch.hear(bench_days.heard(*self._word))
            self._word = next(self._words)
        self._look(to_ms)

    def _look(self, to_ms: int) -> None:
        agenda = self._watch.agenda
        while (due_ms := agenda.next_ms) is not None and due_ms <= to_ms:
            self._watch.advance(due_ms)

    def _keep(self, mark: Mark) -> None:
        self.marks += 1
        self._write(mark)


async def play(played: Played, folder: Path) -> None:
    warm_s = WARM_S.get(played.seconds, 0)
    begin, end = played.from_s + warm_s, played.from_s + warm_s + played.seconds
    compared = range(begin + played.seconds // 2, begin + played.seconds // 2 + 500)
    early = range(NOON_S, NOON_S + 500) if warm_s else compared
    centre = Centre(played.from_s, played.qos, played.jitter_ms, early)
    store = await Store.open(folder, centre.clock, played.inflight)
    watched = Watched(store, played.from_s)
    await run(centre, watched, store, played.from_s, begin)
    commits, before, cpu_s = store.commits, written(), time.process_time()
    store.wear.settle()
    purposes = dict(store.wear.since_start)
    for day_s in range(begin, end, DAY_S):
        seen = Counter(store.wear.since_start)
        await run(centre, watched, store, day_s, min(day_s + DAY_S, end))
        store.wear.settle()
        played.days.append(dict(store.wear.since_start - seen))
    played.by_purpose = {
        purpose: count - purposes.get(purpose, 0)
        for purpose, count in store.wear.since_start.most_common()
    }
    played.written, played.commits = written() - before, store.commits - commits
    played.cpu_s = time.process_time() - cpu_s
    await compare(played, centre, store, early)
    played.marks = await marks_kept(store)
    await store.close()
    wanted = (end - played.from_s) * DEVICES // PERIOD_S
    checks = {
        "changes were dropped": store.state().lost > 0,
        "receipts were not settled": centre.count.settled != centre.count.receipts,
        "too few commits": played.commits < played.seconds / 70,
        "too few messages": centre.count.messages < wanted,
        "marks are missing": not 0 < played.marks == watched.marks,
    }
    played.problems += [problem for problem, is_so in checks.items() if is_so]


async def compare(played: Played, centre: Centre, store: Store, seconds: range) -> None:
    """Values, times and order of some minutes, one by one."""
    from_ms, to_ms = ((MIDNIGHT_S + at) * 1000 for at in (seconds[0], seconds[-1] + 1))
    page = await store.readings(ReadingsQuery(from_ms, to_ms, limit=10_000))
    made = [
        (c.observed_ms, c.tie, c.number, c.key.device, c.key.channel, c.value)
        for c in centre.count.kept
    ]
    played.changes, played.compared = centre.count.changes, len(page.items)
    if [said(item) for item in page.items] != sorted(made):
        played.problems.append("values or order differ")


async def marks_kept(store: Store) -> int:
    pending = [mark for group in store._commits.groups() for mark in group.marks]
    ask = partial(read_marks, pending=pending, from_ms=-EVER, to_ms=EVER)
    return len(await store.ask(ask))


def said(item: ReadingItem) -> tuple[object, ...]:
    return (item.observed_ms, item.tie, item.number, item.device, item.channel, item.value)


async def run(centre: Centre, watched: Watched, store: Store, from_s: int, to_s: int) -> None:
    heartbeat_s, upkeep_s = float(from_s), float(from_s)
    for _ in centre.play(store, from_s, to_s):
        at = centre.now_s - MIDNIGHT_S
        watched.go_on(int(centre.now_s * 1000))
        if at - heartbeat_s > 30:
            store.confirmed(centre.count.last_commit)
            heartbeat_s = at
        if at - upkeep_s >= 3600:
            await store.upkeep.look()
            upkeep_s = at
        if store.is_due():
            await catch_up(store)


def weigh(played: Played, folder: Path) -> None:
    """Count every change on disk, and what the sealed ones take."""
    db = sqlite3.connect(folder / DATABASE)
    sealed = db.execute("SELECT id, body FROM shelves").fetchall()
    known = {chapter for (chapter,) in db.execute("SELECT id FROM chapters")}
    shelves = [Shelf(body) for shelf_id, body in sealed if shelf_id >> CHAPTER_BITS in known]
    played.changes_sealed = sum(s.count(number) for s in shelves for number in s.numbers)
    sizes = "SELECT sum(length(body)) FROM "
    tables = ("shelves", "room_chapters", "mark_chapters")
    played.sealed_bytes = sum(db.execute(sizes + table).fetchone()[0] or 0 for table in tables)
    (hours,) = db.execute("SELECT ifnull(sum(length(body)), 0) FROM hours").fetchone()
    first, last = db.execute("SELECT min(first_ms), max(last_ms) FROM chapters").fetchone()
    played.sealed_days = ((last or 0) - (first or 0)) / 1000 / DAY_S
    played.used_bytes = (folder / DATABASE).stat().st_size
    played.hours_bytes = hours
    hot = sum(hot_changes(db))
    if played.changes_sealed + hot != played.changes:
        played.problems.append(f"{played.changes_sealed} + {hot} of {played.changes} are there")
    db.close()


def hot_changes(db: sqlite3.Connection) -> list[int]:
    query = (
        "SELECT body FROM log WHERE body IS NOT NULL"
        " AND id > ifnull((SELECT max(last_id) FROM chapters), 0)"
    )
    return [len(unpack(body).number) for (body,) in db.execute(query)]


def child(arguments: list[str]) -> None:
    """Play in this process, and print what was done as JSON."""
    qos, inflight, jitter_ms, from_s, seconds = (int(argument) for argument in arguments)
    played = Played(qos, inflight, jitter_ms, from_s, seconds)
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="bench-bytes-") as name:
        asyncio.run(play(played, Path(name)))
        weigh(played, Path(name))
    print(json.dumps(asdict(played)))


def written() -> int:
    lines = Path("/proc/self/io").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))


def measure(*arguments: int) -> Played:
    command = [sys.executable, "-m", "tests.bench.bench_bytes", "--child", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3600, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    played = Played(**json.loads(done.stdout.splitlines()[-1]))
    if played.problems:
        raise SystemExit(f"bench_bytes: {played}")
    return played


def tell(name: str, played: Played, figure: str) -> None:
    a_day = DAY_S / played.seconds / 1e6
    purposes = ", ".join(f"{what} {n * a_day:.1f}" for what, n in played.by_purpose.items())
    print(
        f"{name}: {figure}\n    {played.changes} changes, {played.marks} marks of rooms,"
        f" {played.commits} commits, {played.cpu_s:.0f} CPU s,"
        f" {played.compared} changes compared one by one\n"
        f"    MB a day by purpose: {purposes}",
        flush=True,
    )
    if len(played.days) > 1:
        days = ", ".join(f"{sum(day.values()) / 1e6:.1f}" for day in played.days)
        print(f"    MB day by day: {days}", flush=True)
    if played.sealed_days:
        a_day = played.sealed_bytes / played.sealed_days / 1e6
        print(
            f"    sealed: {KEPT.verdict(a_day)} a day, {played.changes_sealed} changes,"
            f" {played.sealed_bytes / played.changes_sealed:.2f} bytes each;"
            f" the file {played.used_bytes / 1e6:.1f} MB after {played.sealed_days + 1:.1f} days,"
            f" of it {played.hours_bytes / 1e6:.1f} MB of hours that are not packed",
            flush=True,
        )


def per_day_mb(played: Played) -> float:
    return played.written * DAY_S / played.seconds / 1e6


def main() -> None:
    """Measure the ways of delivery; the need holds for QoS 0."""
    print(f"bytes written and kept: {machine()}", flush=True)
    week = measure(0, 1000, 0, 0, SETTLED_S)
    tell("QoS 0, days 5 to 7", week, WRITTEN.verdict(per_day_mb(week)))
    for name, arguments in (
        ("QoS 0, reports 50 ms early or late", (0, 1000, 50, 0, DAY_S)),
        ("QoS 1, window 1000", (1, 1000, 0, 0, DAY_S)),
        ("QoS 1, window 20", (1, 20, 0, NOON_S - 1800, 3600)),
    ):
        played = measure(*arguments)
        tell(name, played, f"{per_day_mb(played):.0f} MB a day")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2:])
    else:
        main()
