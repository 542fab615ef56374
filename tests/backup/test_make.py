"""A copy of a database that is written all the time is one moment of it, and made once."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from hub.backup import make as making
from hub.backup import places
from hub.backup.archive import verified
from hub.backup.make import Order, Source, make
from hub.backup.problems import BackupError
from hub.backup.unpack import unpack
from tests.backup.samples import source
from tests.store.making import T0_MS

BULK_MB = 16
SPAWN = multiprocessing.get_context("spawn")


def write_always(database: str, stop: object, written: object) -> None:
    """A hub that commits without a pause: the same number into two tables, far from each other."""
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("PRAGMA synchronous = OFF")
        db.execute("PRAGMA wal_autocheckpoint = 200")
        number = 0
        while not stop.is_set():  # type: ignore[attr-defined]
            number += 1
            db.execute("BEGIN IMMEDIATE")
            db.execute("UPDATE first SET number = ?", (number,))
            db.execute("UPDATE last SET number = ?", (number,))
            db.execute("UPDATE bulk SET body = randomblob(900) WHERE rowid = ?", (number % 9999,))
            db.execute("COMMIT")
            written.value = number  # type: ignore[attr-defined]  # a moment behind the commit


@contextmanager
def busy_hub(hub: Source) -> Iterator[object]:
    database = hub.data / "linli.db"
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute("CREATE TABLE first (number INTEGER)")
        db.execute("CREATE TABLE bulk (body BLOB)")
        series = "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
        db.execute(f"INSERT INTO bulk {series} SELECT randomblob(900) FROM n", (BULK_MB * 1024,))  # noqa: S608
        db.execute("CREATE TABLE last (number INTEGER)")
        db.execute("INSERT INTO first VALUES (0)")
        db.execute("INSERT INTO last VALUES (0)")
    stop, written = SPAWN.Event(), SPAWN.Value("q", 0)
    writer = SPAWN.Process(target=write_always, args=(str(database), stop, written))
    writer.start()
    try:
        while not written.value:
            assert writer.is_alive()
            stop.wait(0.01)
        yield written
    finally:
        stop.set()
        writer.join(20)
        assert writer.exitcode == 0


def test_a_busy_hub_makes_no_copy_begin_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "STEP_PAGES", 64)
    hub, told = source(tmp_path / "hub"), []
    with busy_hub(hub) as written:
        before = written.value  # type: ignore[attr-defined]

        def watch(stage: str, done: int, total: int) -> None:
            if stage == "copy":
                told.append((done, total, written.value))  # type: ignore[attr-defined]

        made = make(Order(hub, tmp_path / "busy.tar", T0_MS), watch)
    assert told[-1][2] > told[0][2] > before - 1, "commits went on meanwhile"
    shares = [done for done, _, _ in told]
    assert shares == sorted(shares), "it never began again"
    assert len({total for _, total, _ in told}) == 1

    unpack(verified(made.path), tmp_path / "to", None)
    with closing(sqlite3.connect(tmp_path / "to/linli.db")) as db:
        first, last = db.execute("SELECT first.number, last.number FROM first, last").fetchone()
        assert first == last, "one moment"
        # its beginning may lie between a commit and the counter that tells it
        assert first <= told[0][2] + 1, "the moment of its beginning"
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_the_log_of_the_hub_is_not_held_up_once_it_is_copied(tmp_path: Path) -> None:
    hub = source(tmp_path / "hub")
    wal = hub.data / "linli.db-wal"
    sizes: list[int] = []

    def watch(stage: str, done: int, total: int) -> None:
        if stage != "write" or sizes:
            return
        with closing(sqlite3.connect(hub.data / "linli.db", isolation_level=None)) as db:
            assert db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
            sizes.append(wal.stat().st_size)

    make(Order(hub, tmp_path / "b.tar", T0_MS), watch)
    assert sizes == [0]


@pytest.mark.parametrize("passphrase", [None, "secret"])
def test_an_encrypted_one_never_puts_plain_bytes_on_the_stick(
    passphrase: str | None, tmp_path: Path
) -> None:
    hub, stick = source(tmp_path / "hub"), tmp_path / "stick"
    stick.mkdir()
    plain = []

    def watch(stage: str, done: int, total: int) -> None:
        for file in stick.iterdir():
            with file.open("rb") as opened:
                if opened.read(15) == b"SQLite format 3":
                    plain.append(file)

    make(Order(hub, stick, T0_MS, passphrase), watch)
    assert bool(plain) == (passphrase is None)
    assert [path.name for path in stick.iterdir()] == ["linli-trial-20260101T000000Z.tar"]
    assert not list(hub.data.glob(".linli*"))


def refusal(order: Order) -> str:
    with pytest.raises(BackupError) as error:
        make(order)
    return error.value.text.code


def test_nothing_is_replaced_unasked(tmp_path: Path) -> None:
    hub, target = source(tmp_path / "hub"), tmp_path / "mine.tar"
    target.write_text("mine")

    assert refusal(Order(hub, target, T0_MS)) == "backup.exists"
    assert target.read_text() == "mine"
    make(Order(hub, target, T0_MS, is_forced=True))
    verified(target)


def test_what_cannot_be_is_told(tmp_path: Path) -> None:
    hub = source(tmp_path / "hub")
    nothing = Source("trial", tmp_path / "none", hub.config)

    assert refusal(Order(hub, tmp_path / "no/folder/b.tar", T0_MS)) == "backup.no_folder"
    assert refusal(Order(hub, hub.data, T0_MS)) == "backup.inside_data"
    assert refusal(Order(nothing, tmp_path / "b.tar", T0_MS)) == "backup.no_history"
    lock = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        assert refusal(Order(hub, tmp_path / "b.tar", T0_MS)) == "backup.busy"
    finally:
        os.close(lock)
    assert not list(tmp_path.glob("*.tar"))


def test_a_file_that_fat_cannot_hold_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "is_fat", lambda _: True)
    hub = source(tmp_path / "hub")
    make(Order(hub, tmp_path / "small.tar", T0_MS))
    monkeypatch.setattr(places, "FAT_LIMIT", 1000)

    assert refusal(Order(hub, tmp_path / "large.tar", T0_MS)) == "backup.too_large"


def test_a_disk_without_room_is_told_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = source(tmp_path / "hub")
    monkeypatch.setattr(places, "RESERVE", 2**60)

    assert refusal(Order(hub, tmp_path / "b.tar", T0_MS)) == "backup.no_space"


def test_a_mount_point_without_its_disk_is_absent(tmp_path: Path) -> None:
    stick, fstab = tmp_path / "my stick", tmp_path / "fstab"
    point = str(stick).replace(" ", "\\040")
    fstab.write_text(f"# sticks\nLABEL=backup {point} exfat nofail 0 2\nproc /proc proc x 0 0\n")
    (stick / "linli").mkdir(parents=True)

    assert places.is_absent(stick / "linli", fstab)
    assert not places.is_absent(tmp_path, fstab)
    assert places.is_absent(tmp_path / "nowhere", fstab)
    assert not places.is_absent(stick, tmp_path / "no-fstab")


def run_within(limit: int, words: list[str]) -> None:
    """A command that may not take more memory than so many bytes."""
    bound = ["prlimit", f"--data={limit}", sys.executable, "-m", "hub.cli", *words]
    done = subprocess.run(bound, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_memory_does_not_grow_with_the_database(tmp_path: Path) -> None:
    hub = source(tmp_path / "hub")
    with closing(sqlite3.connect(hub.data / "linli.db", isolation_level=None)) as db:
        db.execute("CREATE TABLE bulk (body BLOB)")
        for _ in range(2):  # zeros: what packs best is what unpacks worst
            db.execute("INSERT INTO bulk VALUES (zeroblob(100000000))")
    file = str(tmp_path / "big.tar")
    common = ["--config", str(hub.config), "--data", str(hub.data)]

    run_within(100_000_000, ["backup", file, *common])
    run_within(100_000_000, ["restore", file, *common])
    assert (hub.data / "linli.db").stat().st_size > 200_000_000
