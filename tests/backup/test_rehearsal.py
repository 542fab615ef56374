"""A rehearsal finds what is wrong, and leaves nothing."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from hub.backup.make import Content, Order, make
from hub.backup.problems import BackupError
from hub.backup.rehearsal import rehearse
from tests.backup.samples import backup, history, source
from tests.store.making import T0_MS


def tree(folder: Path) -> set[Path]:
    return set(folder.rglob("*"))


@pytest.mark.parametrize("passphrase", [None, "secret"])
def test_a_good_one_is_read_back_and_nothing_is_left(
    passphrase: str | None, tmp_path: Path
) -> None:
    made = backup(tmp_path, passphrase)
    before = tree(tmp_path)

    done = rehearse(made.path, tmp_path / "hub/data", passphrase)

    assert (done.series, done.newest_ms) == (1, T0_MS + 20 * 2000)
    assert done.manifest == made.manifest
    assert tree(tmp_path) == before


def test_a_database_without_any_reading_is_no_failure(tmp_path: Path) -> None:
    hub = source(tmp_path / "hub", range(0))

    assert rehearse(make(Order(hub, tmp_path / "b.tar", T0_MS)).path, None).series == 0


def test_counts_that_do_not_come_back_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = Content.manifest

    def boasting(content: Content) -> object:
        manifest = honest(content)
        rows = {**manifest.rows, "log": manifest.rows["log"] + 1}
        return msgspec.structs.replace(manifest, rows=rows)

    monkeypatch.setattr(Content, "manifest", boasting)
    made = backup(tmp_path)
    before = tree(tmp_path)

    with pytest.raises(BackupError) as error:
        rehearse(made.path, None)
    assert error.value.text.code == "rehearsal.differs"
    assert tree(tmp_path) == before


def test_a_damaged_one_is_found(tmp_path: Path) -> None:
    made = backup(tmp_path)
    whole = bytearray(made.path.read_bytes())
    whole[3000] ^= 1
    made.path.write_bytes(whole)

    with pytest.raises(BackupError) as error:
        rehearse(made.path, None)
    assert error.value.text.code == "backup.damaged"


def test_the_live_data_is_not_touched(tmp_path: Path) -> None:
    made = backup(tmp_path)
    history(tmp_path / "now/data", range(3))
    before = {path: path.stat().st_mtime_ns for path in tree(tmp_path / "now")}

    rehearse(made.path, tmp_path / "now/data")
    assert {path: path.stat().st_mtime_ns for path in tree(tmp_path / "now/data")} == {
        path: at for path, at in before.items() if path.parent.name == "data"
    }
