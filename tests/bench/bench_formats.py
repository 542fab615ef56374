"""What a day costs in each form of the store: on disk, written, in CPU, and to ask.

The day of ``reference_day`` is played once into changes, and grouped into the commits that
the hub would make (a minute after the first change, a second after an event). Each form of the log
takes a quarter of the day with its share of events (04:45 to 10:45), with real fsyncs on a real
disk and a checkpoint of the write-ahead log each 10 minutes; its bytes are multiplied by four. The
forms of sealed history take the whole day, a transaction a chapter.

Everything written is read back through the very queries that are timed, and compared field by
field. The three questions of each form: one series over six hours, all series of ten minutes (both
the best of three), and everything.
"""

from __future__ import annotations

import gc
import random
import sqlite3
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from device_drivers.contract import Quality
from edge.reading import Reading, Report, TimeSource
from hub.live import Change, LiveState
from tests.bench.bench_bytes import SCRATCH, written
from tests.bench.figures import Need, machine
from tests.bench.formats import (
    EVER,
    HOUR_MS,
    Blobs,
    Form,
    Keys,
    Rows,
    Shelves,
    opened,
    pack_as_first,
    unpack_as_first,
    within_bands,
)
from tests.bench.reference_day import (
    DAY_S,
    DEVICES,
    EVENTS,
    FIRST,
    MIDNIGHT_S,
    MOVES,
    PERIOD_S,
    UNITS,
)

MIDNIGHT_MS = MIDNIGHT_S * 1000
QUARTER = range(MIDNIGHT_MS + 17_100_000, MIDNIGHT_MS + 38_700_000)
MINUTES = range(MIDNIGHT_MS + 9 * HOUR_MS, MIDNIGHT_MS + 9 * HOUR_MS + 600_000)
CHECKPOINT_MS = 600_000
CHANGES_AT_LEAST = 1_400_000
BANDS = {"link.quality": 5.0, "humidity": 0.5, "temperature": 0.2}
JITTER_MS = 50
SEALINGS = ((1, 19, 32), (6, 3, 32), (6, 9, 32), (6, 19, 32), (24, 19, 32), (6, 19, 1))
"""Hours a chapter, level of zstd, series a frame."""
SEALED = Need(3, "MB a day")


@dataclass
class Figures:
    """What one form needed for what it was given; ``share`` of a day."""

    name: str
    share: float
    changes: int = 0
    commits: int = 0
    disk: int = 0
    written: int = 0
    cpu_s: float = 0.0
    series_ms: float = 0.0
    minutes_ms: float = 0.0

    def line(self) -> str:
        disk, put = self.disk / self.share / 1e6, self.written / self.share / 1e6
        return (
            f"| {self.name} | {self.disk / self.changes:.2f} | {disk:.2f} | {put:.1f}"
            f" | {self.commits / self.share:.0f} | {self.cpu_s / self.share:.1f}"
            f" | {self.series_ms:.1f} | {self.minutes_ms:.0f} |"
        )


HEADER = (
    "| form | B a change | MB on disk | MB written | commits | CPU s | a series, 6 h: ms"
    " | all, 10 min: ms |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
)


def day(jitter_ms: float) -> tuple[list[Change], Keys]:
    """The changes of the reference day; each report comes so much off its time, by Gauss."""
    chooser, late = random.Random(11), random.Random(3)
    values, flags, live = [dict(FIRST) for _ in range(DEVICES)], [0] * DEVICES, LiveState()
    ticks = range(DAY_S * DEVICES // PERIOD_S)
    reports = [
        (tick * PERIOD_S * 1000 / DEVICES + late.gauss(0, jitter_ms), tick) for tick in ticks
    ]
    reports += [(chooser.uniform(7 * HOUR_MS, 22 * HOUR_MS), -1) for _ in range(EVENTS)]
    made: list[Change] = []
    for at, tick in sorted(reports):
        index = tick % DEVICES if tick >= 0 else chooser.randrange(DEVICES)
        if tick >= 0:
            wander(values[index], chooser)
            samples = [(channel, value, UNITS[channel]) for channel, value in values[index].items()]
        else:
            flags[index] ^= 1
            samples = [("contact" if index % 2 else "motion", flags[index], "1")]
        made += live.apply(report(f"device-{index}", samples, int(MIDNIGHT_MS + at)))
    if len(made) < CHANGES_AT_LEAST:
        raise SystemExit(f"bench_formats: only {len(made)} changes")
    return made, {series.number: key for key, series in live.series.items()}


def wander(values: dict[str, float], chooser: random.Random) -> None:
    for channel, chance in MOVES:
        if chooser.random() < chance:
            step = 0.1 if channel in ("temperature", "humidity") else 1
            moved = values[channel] + chooser.choice((-step, step))
            values[channel] = round(min(max(moved, 0), 100), 1)


def report(device: str, samples: list[tuple[str, float, str]], ms: int) -> Report:
    readings = tuple(
        Reading(device, channel, "", value, unit, Quality.GOOD, "", ms, ms, TimeSource.HUB)
        for channel, value, unit in samples
    )
    return Report(device, readings, ms, True)


def commits(changes: Iterable[Change]) -> list[list[Change]]:
    """As the hub groups them."""
    made: list[list[Change]] = []
    due_ms = -EVER
    for change in changes:
        if change.received_ms >= due_ms:
            made.append([])
            due_ms = change.received_ms + 60_000
        if change.key.channel in ("contact", "motion"):
            due_ms = min(due_ms, change.received_ms + 1000)
        made[-1].append(change)
    return made


def chapters(changes: Iterable[Change], hours: int) -> list[list[Change]]:
    made: dict[int, list[Change]] = {}
    for change in changes:
        made.setdefault((change.received_ms - MIDNIGHT_MS) // (hours * HOUR_MS), []).append(change)
    return list(made.values())


def weigh(
    figures: Figures, form: Form, groups: Sequence[Sequence[Change]], page_size: int = 1024
) -> Figures:
    """Write the groups, a transaction each, ask the questions, and compare every answer."""
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="bench-formats-") as name:
        path = Path(name) / "store.db"
        db = opened(path, page_size)
        form.make(db)
        gc.collect()
        before, started, last_ms = written(), time.process_time(), 0
        for group in groups:
            db.execute("BEGIN IMMEDIATE")
            form.add(db, group)
            db.execute("COMMIT")
            if group[-1].received_ms - last_ms >= CHECKPOINT_MS:
                db.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
                last_ms = group[-1].received_ms
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        figures.cpu_s = time.process_time() - started
        figures.written = written() - before
        figures.disk, figures.commits = path.stat().st_size, len(groups)
        figures.changes = sum(map(len, groups))
        db.execute("PRAGMA cache_size = -1024")  # as the hub's readers have it
        ask(figures, form, db, [change for group in groups for change in group])
        db.close()
    if not figures.written >= figures.disk:
        raise SystemExit(f"bench_formats: {figures} wrote less than there is; is it a real disk?")
    print(figures.line(), flush=True)
    return figures


def ask(figures: Figures, form: Form, db: sqlite3.Connection, made: list[Change]) -> None:
    number = next(c.number for c in made if c.key == ("device-150", "temperature", ""))
    one = [c for c in made if c.number == number and c.observed_ms in QUARTER]
    few = [c for c in made if c.observed_ms in MINUTES]
    if not one or not few:
        raise SystemExit(f"bench_formats: {figures.name} has nothing to ask for")
    figures.series_ms = timed(one, lambda: form.series(db, number, QUARTER))
    figures.minutes_ms = timed(few, lambda: form.everything(db, MINUTES))
    lowest, highest = made[0].observed_ms, made[-1].observed_ms + 1
    for start in range(lowest - 1000, highest + 1000, HOUR_MS * 6):
        span = range(start, start + HOUR_MS * 6)
        check([c for c in made if c.observed_ms in span], form.everything(db, span))


def timed(wanted: list[Change], question: Callable[[], Iterable[Change]]) -> float:
    """Milliseconds: the best of three."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        answer = list(question())
        best = min(best, time.perf_counter() - started)
        check(wanted, answer)
    return best * 1000


def check(wanted: list[Change], answer: Iterable[Change]) -> None:
    """Every field but the intake, which sealing drops; the types of values too."""
    found = sorted(answer, key=order)
    kept = sorted(wanted, key=order)
    if len(found) != len(kept) or any(map(differs, kept, found)):
        raise SystemExit(f"bench_formats: {len(kept)} changes did not come back as they were")


def order(change: Change) -> tuple[int, int, int]:
    return change.observed_ms, change.number, change.tie


FIELDS = [name for name in Change.__struct_fields__ if name != "intake"]


def differs(one: Change, other: Change) -> bool:
    if one == other:
        return type(one.value) is not type(other.value)
    return any(getattr(one, name) != getattr(other, name) for name in FIELDS)


def logs(changes: list[Change], keys: Keys) -> None:
    """A quarter of the day in each form of the log."""
    times = [change.received_ms for change in changes]
    part = changes[bisect_left(times, QUARTER.start) : bisect_left(times, QUARTER.stop)]
    groups = commits(part)
    weigh(Figures("(a) rows", 0.25), Rows(keys), groups)
    first = Blobs(keys, pack_as_first, unpack_as_first)
    weigh(Figures("(b) blob a commit, MessagePack + zlib", 0.25), first, groups)
    for kib in (1, 2, 4, 8):
        name = f"(b) blob a commit, planes + zstd, {kib} KiB pages"
        weigh(Figures(name, 0.25), Blobs(keys), groups, kib * 1024)
    for channels in (["link.quality"], list(BANDS)):
        kept = within_bands(part, {channel: BANDS[channel] for channel in channels})
        name = (
            f"(c) the same, dead-bands for {', '.join(channels)}: {len(kept) / len(part):.0%} kept"
        )
        weigh(Figures(name, 0.25), Blobs(keys), commits(kept))


def sealed(changes: list[Change], keys: Keys) -> None:
    """The whole day in each form of sealed history."""
    for hours, level, wide in SEALINGS:
        name = f"(d) {hours} h, level {level}, {wide} series a frame"
        weigh(Figures(name, 1), Shelves(keys, level, wide), chapters(changes, hours))


def run() -> None:
    print(f"forms of the store: {machine()}\n{HEADER}", flush=True)
    changes, keys = day(0)
    gc.freeze()  # a day's changes are no garbage; looking at them again and again would be measured
    logs(changes, keys)
    sealed(changes, keys)
    del changes
    changes, keys = day(JITTER_MS)
    name = "(d) 6 h, level 19, 32 series a frame, reports off by 50 ms"
    found = weigh(Figures(name, 1), Shelves(keys, 19), chapters(changes, 6))
    print(f"a day with reports off by 50 ms, sealed: {SEALED.verdict(found.disk / 1e6)}")


if __name__ == "__main__":
    run()
