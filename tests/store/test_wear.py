"""What is written is counted: by purpose, by day, and nothing is left over."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from hub.store import wear as wear_module
from hub.store.wear import DAY_MS, KEEP_DAYS, CountingHandler, Wear, keep_days
from tests.store.making import T0_MS, Time, feed, opened, report

PAGE = 4096
TODAY = T0_MS // DAY_MS


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With files that exist already: a name that is new may cost a page of the folder."""
    for name in "abc":
        (tmp_path / name).touch()
    skip_unless_counted(tmp_path)
    return tmp_path


def skip_unless_counted(folder: Path) -> None:
    """A folder in memory costs no card anything, and some kernels do not count."""
    (folder / "a").touch()
    with Wear(lambda: T0_MS).of("trial") as written:
        write(folder / "a", PAGE)
    if not written.bytes:
        pytest.skip(f"{folder} is in memory, or this kernel does not count what is written")


def write(path: Path, size: int) -> None:
    with path.open("r+b") as file:
        file.write(b"x" * size)
        file.flush()
        os.fsync(file.fileno())


def test_a_write_counts_whole_pages_under_its_purpose(folder: Path) -> None:
    wear = Wear(lambda: T0_MS)
    with wear.of("changes") as written:
        write(folder / "a", 10 * PAGE + 1)
    assert written.bytes == 11 * PAGE
    assert wear.days()[TODAY]["changes"] == 11 * PAGE


def test_a_purpose_inside_another_is_not_counted_twice(folder: Path) -> None:
    wear = Wear(lambda: T0_MS)
    with wear.of("changes"):
        write(folder / "a", PAGE)
        with wear.of("moving"):
            write(folder / "b", 3 * PAGE)
        with wear.of("moving"):
            write(folder / "c", PAGE)
    found = wear.days()[TODAY]
    assert (found["changes"], found["moving"]) == (PAGE, 4 * PAGE)


def test_what_nobody_named_is_other_and_threads_do_not_mix(folder: Path) -> None:
    wear = Wear(lambda: T0_MS)
    stranger = threading.Thread(target=write, args=(folder / "b", 5 * PAGE))
    with wear.of("changes"):
        stranger.start()
        stranger.join()
        write(folder / "a", PAGE)
        assert TODAY not in wear.days(), "half a write is not counted as anything yet"
    found = wear.days()[TODAY]
    assert found["changes"] == PAGE
    assert 5 * PAGE <= found["other"] <= 25 * PAGE  # and what the file system adds for a new file


ALONE = """
import sqlite3, sys, threading
from pathlib import Path
from hub.store.wear import DAY_MS, Wear

folder = Path(sys.argv[1])
def written():
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("write_bytes"))

before = written()
wear = Wear(lambda: DAY_MS)
db = sqlite3.connect(folder / "a.db", isolation_level=None)
with wear.of("opening"):
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("CREATE TABLE t (body BLOB)")
for number in range(200):
    with wear.of("changes"):
        db.execute("INSERT INTO t VALUES (?)", (bytes(number * 50),))
with wear.of("moving"):
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
(folder / "unnamed").write_bytes(bytes(100_000))
found = wear.days()[1]
print(written() - before, sum(found.values()), found["changes"], found["moving"], found["other"])
"""


def test_the_sum_over_all_purposes_is_what_the_process_wrote(folder: Path) -> None:
    command = [sys.executable, "-c", textwrap.dedent(ALONE), str(folder)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    kernel, total, changes, moving, other = (int(word) for word in said.split())
    assert total == kernel
    assert changes > 200 * PAGE
    assert moving > 100 * PAGE
    # A file system also charges its own pages for a new file: 3 to 5 of them have been seen.
    assert 100_000 <= other <= 100_000 + 20 * PAGE


def test_rows_replace_those_before_and_only_changes_are_written(folder: Path) -> None:
    now = T0_MS
    wear = Wear(lambda: now)
    wear.load([(TODAY, "changes", 1_000_000), (TODAY - 1, "changes", 7)])
    assert wear.rows() == []
    with wear.of("changes"):
        write(folder / "a", PAGE)
    assert (TODAY, "changes", 1_000_000 + PAGE) in wear.rows()
    now += DAY_MS
    with wear.of("sealing"):
        write(folder / "b", PAGE)
    rows = wear.rows()
    assert (TODAY + 1, "sealing", PAGE) in rows
    assert "changes" not in {purpose for _, purpose, _ in rows}


def test_what_was_counted_before_the_totals_were_read_is_added(folder: Path) -> None:
    wear = Wear(lambda: T0_MS)
    with wear.of("opening"):
        write(folder / "a", PAGE)
    wear.load([(TODAY, "opening", 100)])
    assert (TODAY, "opening", 100 + PAGE) in wear.rows()


def test_two_years_stay() -> None:
    wear = Wear(lambda: T0_MS)
    wear.load([(TODAY - age, "changes", 1) for age in range(KEEP_DAYS + 50)])
    wear.rows()
    assert len(wear.days()) == KEEP_DAYS
    assert min(wear.days()) == TODAY - KEEP_DAYS + 1


async def test_a_minute_in_2106_deletes_no_days(tmp_path: Path) -> None:
    time = Time()
    store = await opened(tmp_path, time)
    await store.work("test", lambda db: keep_days(db, [(TODAY - 9, "changes", 77)]))
    await store.close()
    now, time.ms = time.ms, 80 * 365 * DAY_MS
    store = await opened(tmp_path, time)
    feed(store, report("d1", time.now, temperature=1))
    await store.close()
    time.ms = now
    store = await opened(tmp_path, time)
    assert store.wear.days()[TODAY - 9] == {"changes": 77}
    await store.close()


def test_without_accounting_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wear_module, "_written", lambda path: 0)
    wear = Wear(lambda: T0_MS)
    with wear.of("changes") as written:
        pass
    assert written.bytes == 0
    assert wear.days() == {}


def test_the_log_counts_as_text_for_a_pipe_and_as_pages_for_a_file(folder: Path) -> None:
    root, level = logging.getLogger(), logging.getLogger().level
    pipe = CountingHandler(io.StringIO())
    with (folder / "log").open("w") as file:
        paper = CountingHandler(file)
        wear = Wear(lambda: T0_MS)
        root.setLevel(logging.INFO)
        for handler in (pipe, paper):
            root.addHandler(handler)
        try:
            logging.getLogger("hub").info("门开了 %d", 7)
            found = wear.days()[TODAY]
        finally:
            for handler in (pipe, paper):
                root.removeHandler(handler)
            root.setLevel(level)
    assert pipe.text == len("门开了 7\n".encode())
    assert paper.text == 0
    assert paper.pages == PAGE
    assert found["log"] == pipe.text + PAGE
