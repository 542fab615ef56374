"""Restoring: all or nothing, and the old state is kept."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from hub.backup import places
from hub.backup.make import Order, make
from hub.backup.problems import BackupError
from hub.backup.restore import Wish, restore
from hub.store.migrations import LATEST
from tests.backup.samples import CENTRE, backup, change, history, source, values_in
from tests.store.making import T0_MS


def refusal(wish: Wish) -> str:
    before = {path: path.stat().st_mtime_ns for path in wish.data.parent.rglob("*")}
    with pytest.raises(BackupError) as error:
        restore(wish, T0_MS)
    assert {path: path.stat().st_mtime_ns for path in before} == before
    assert not list(wish.data.parent.glob("*unfinished*"))
    return error.value.text.code


def test_the_old_state_goes_aside_and_the_backup_takes_its_place(tmp_path: Path) -> None:
    made = backup(tmp_path)
    history(tmp_path / "now/data", range(100, 105))

    done = restore(Wish(made.path, tmp_path / "now/data"), T0_MS)

    assert values_in(done.data) == list(range(20))
    assert done.aside == tmp_path / "now/data.before-20260101-000000"
    assert values_in(done.aside) == list(range(100, 105))
    assert (done.config / "centre.yaml").read_text() == CENTRE
    assert done.config.parent == tmp_path / "now"
    assert not list(tmp_path.rglob("password"))[1:], "only the source has it"


@pytest.mark.parametrize("is_there", [False, True])
def test_a_new_machine_needs_no_old_state(is_there: bool, tmp_path: Path) -> None:
    made = backup(tmp_path)
    data = tmp_path / "new/machine/data"
    if is_there:
        data.mkdir(parents=True)

    done = restore(Wish(made.path, data), T0_MS)

    assert done.aside is None
    assert values_in(data) == list(range(20))


def test_the_floor_plans_come_back_with_the_configuration(tmp_path: Path) -> None:
    """Also one from outside, one that is named twice, and without the one that is not there."""
    etc = tmp_path / "hub/etc"
    plans = [etc / "plans/1.svg", etc / "plans/../plans/1.svg", etc / "plans/2.svg"]
    outside = tmp_path / "drawings/3.svg"
    hub = source(tmp_path / "hub", plans=(*plans, outside))
    for path, text in ((plans[0], "<svg>one</svg>"), (outside, "<svg>three</svg>")):
        path.parent.mkdir()
        path.write_text(text)
    made = make(Order(hub, tmp_path / "b.tar", T0_MS, "five plain words are enough"))
    wish = Wish(made.path, tmp_path / "new/data", "five plain words are enough", tmp_path / "to")

    done = restore(wish, T0_MS)

    assert done.config == tmp_path / "to"
    found = {path.relative_to(done.config): path for path in done.config.rglob("*.svg")}
    elsewhere = Path("elsewhere", *outside.parts[1:])
    assert found.keys() == {Path("plans/1.svg"), elsewhere}
    assert found[Path("plans/1.svg")].read_text() == "<svg>one</svg>"
    assert found[elsewhere].read_text() == "<svg>three</svg>"


def test_plans_of_people_are_not_replaced_unasked(tmp_path: Path) -> None:
    plan = tmp_path / "hub/etc/1.svg"
    hub = source(tmp_path / "hub", plans=(plan,))
    plan.write_text("<svg>then</svg>")
    made = make(Order(hub, tmp_path / "b.tar", T0_MS))
    theirs = tmp_path / "to/1.svg"
    theirs.parent.mkdir()
    theirs.write_text("<svg>mine</svg>")
    wish = Wish(made.path, tmp_path / "new/data", config_to=theirs.parent)

    assert refusal(wish) == "restore.config_there"
    restore(Wish(made.path, wish.data, config_to=theirs.parent, is_forced=True), T0_MS)
    assert theirs.read_text() == "<svg>then</svg>"
    assert (theirs.parent / "1.svg.before-20260101-000000").read_text() == "<svg>mine</svg>"


def test_a_backup_of_an_earlier_version_still_restores(tmp_path: Path) -> None:
    """The file was made by Linli 0.1.0, before backups held floor plans."""
    done = restore(Wish(Path(__file__).with_name("format1.tar"), tmp_path / "data"), T0_MS)

    assert (done.manifest.format, done.manifest.db_schema) == (1, 5)
    assert values_in(done.data) == list(range(20))
    assert (done.config / "centre.yaml").read_text() == CENTRE


def test_a_hub_that_runs_is_not_disturbed(tmp_path: Path) -> None:
    made = backup(tmp_path)
    history(tmp_path / "now/data", range(3))
    lock = os.open(tmp_path / "now/data", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        assert refusal(Wish(made.path, tmp_path / "now/data")) == "restore.hub_runs"
    finally:
        os.close(lock)


def test_a_damaged_file_changes_nothing(tmp_path: Path) -> None:
    made = backup(tmp_path)
    history(tmp_path / "now/data", range(3))
    made.path.write_bytes(made.path.read_bytes()[:-700])

    assert refusal(Wish(made.path, tmp_path / "now/data")) == "backup.damaged"
    assert values_in(tmp_path / "now/data") == [0, 1, 2]


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    assert refusal(Wish(tmp_path / "none.tar", tmp_path / "data")) == "backup.disk"


def spoiled(tmp_path: Path, statement: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A whole backup of a database that is not right."""
    hub = source(tmp_path / "hub")
    change(hub.data / "linli.db", statement)
    with monkeypatch.context() as patch:
        patch.setattr("hub.backup.make.version", lambda _: LATEST)
        return make(Order(hub, tmp_path / "spoiled.tar", T0_MS)).path


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE migrations SET version = 99 WHERE version = 1", "backup.database_damaged"),
        ("PRAGMA application_id = 7", "backup.foreign"),
    ],
)
def test_a_database_that_is_newer_or_foreign_changes_nothing(
    statement: str, code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = spoiled(tmp_path, statement, monkeypatch)
    history(tmp_path / "now/data", range(3))

    assert refusal(Wish(file, tmp_path / "now/data")) == code
    assert values_in(tmp_path / "now/data") == [0, 1, 2]


def test_a_database_that_was_damaged_when_it_was_copied_is_found(tmp_path: Path) -> None:
    hub = source(tmp_path / "hub", range(2000))
    database = hub.data / "linli.db"
    change(database, "PRAGMA user_version = 1")
    whole = bytearray(database.read_bytes())
    half = len(whole) // 2
    whole[half : half + 40_000] = os.urandom(40_000)
    database.write_bytes(whole)
    with pytest.raises(BackupError) as error:
        restore(Wish(make(Order(hub, tmp_path / "b.tar", T0_MS)).path, tmp_path / "now"), T0_MS)
    assert error.value.text.code in ("backup.unreadable", "backup.database_damaged")
    assert not (tmp_path / "now").exists()


def test_a_file_system_that_cannot_swap_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cannot(one: Path, other: Path) -> None:
        raise OSError(22, "Invalid argument")

    made = backup(tmp_path)
    history(tmp_path / "now/data", range(3))
    monkeypatch.setattr(places, "exchange", cannot)

    assert refusal(Wish(made.path, tmp_path / "now/data")) == "restore.no_swap"


def test_peoples_files_are_replaced_only_when_asked_and_kept_then(tmp_path: Path) -> None:
    made = backup(tmp_path)
    etc = tmp_path / "now/etc"
    etc.mkdir(parents=True)
    (etc / "centre.yaml").write_text("# mine\n")
    history(tmp_path / "now/data", range(3))
    wish = Wish(made.path, tmp_path / "now/data", config_to=etc)

    assert refusal(wish) == "restore.config_there"
    assert (etc / "centre.yaml").read_text() == "# mine\n"
    restore(Wish(made.path, tmp_path / "now/data", config_to=etc, is_forced=True), T0_MS)
    assert (etc / "centre.yaml").read_text() == CENTRE
    assert (etc / "centre.yaml.before-20260101-000000").read_text() == "# mine\n"
    assert (etc / "devices.d/more.yaml").exists()


def test_twice_in_a_second_loses_nothing(tmp_path: Path) -> None:
    made = backup(tmp_path)
    history(tmp_path / "now/data", range(3))
    first = restore(Wish(made.path, tmp_path / "now/data"), T0_MS)
    second = restore(Wish(made.path, tmp_path / "now/data"), T0_MS)

    assert first.aside != second.aside
    assert first.aside is not None
    assert values_in(first.aside) == [0, 1, 2]
