from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hub import cli
from hub.backup import places
from hub.backup.archive import verified
from hub.backup.make import Order, Source, make
from hub.backup.secret import fit_for_a_backup
from tests.backup.samples import source
from tests.flow.test_full_disk import fill
from tests.store.making import T0_MS


@pytest.fixture
def hub(tmp_path: Path) -> Source:
    return source(tmp_path / "hub")


def words(hub: Source, *more: str | Path) -> list[str]:
    return [*map(str, more), "--config", str(hub.config), "--data", str(hub.data)]


def test_it_says_what_is_in_it_and_what_is_not(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(words(hub, "backup", tmp_path)) == 0
    said = capsys.readouterr().out

    (file,) = tmp_path.glob("linli-trial-*Z.tar")
    assert said.startswith(f"{file}: ")
    assert "linli.db, config/centre.yaml, config/devices.d/more.yaml" in said
    assert "not encrypted" in said
    assert "does not hold: files with passwords, tokens or keys" in said
    verified(file)


def test_the_drawings_that_the_configuration_names_are_in_it(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plans = "plans: [{floor: 4, file: plans/4.svg}]\n"
    hub.config.write_text(hub.config.read_text() + plans)
    missing = hub.config.parent / "plans/4.svg"
    assert cli.main(words(hub, "backup", tmp_path / "1.tar")) == 0
    assert f"does not hold {missing}: it is not there" in capsys.readouterr().out
    missing.parent.mkdir()
    missing.write_text("<svg/>")
    assert cli.main(words(hub, "backup", tmp_path / "2.tar")) == 0
    assert "config/plans/4.svg" in capsys.readouterr().out


def test_programs_are_told_in_json(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.tar"
    assert cli.main(words(hub, "backup", file, "--json")) == 0
    made = json.loads(capsys.readouterr().out)
    assert cli.main(words(hub, "backup", file, "--json")) == 1
    refused = json.loads(capsys.readouterr().out)

    assert (made["ok"], made["file"], made["size"]) == (True, str(file), file.stat().st_size)
    assert refused.pop("cost")
    assert refused == {"ok": False, "code": "backup.exists", "params": {"path": str(file)}}
    assert cli.main(words(hub, "backup", file, "--force")) == 0


def test_a_passphrase_is_taken_from_a_file_or_a_person(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame, please\n")
    file = tmp_path / "b.tar"
    assert cli.main(words(hub, "backup", file, "--passphrase-file", secret)) == 0
    assert "encrypted: without the passphrase" in capsys.readouterr().out

    monkeypatch.setattr("getpass.getpass", lambda _: "open sesame, please")
    assert cli.main(words(hub, "restore", file, "--rehearse", "--ask-passphrase")) == 0
    monkeypatch.setattr("getpass.getpass", lambda _: "close sesame")
    assert cli.main(words(hub, "restore", file, "--rehearse", "--ask-passphrase")) == 1
    assert "This passphrase does not open" in capsys.readouterr().err


def test_a_mistyped_or_empty_passphrase_makes_nothing(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = iter(["one", "two", ""])
    monkeypatch.setattr("getpass.getpass", lambda _: next(typed))
    file = tmp_path / "b.tar"
    for _ in range(2):
        assert cli.main(words(hub, "backup", file, "--ask-passphrase")) == 1
    empty = tmp_path / "empty"
    empty.write_text("\n")
    for unusable in (empty, tmp_path / "none"):
        assert cli.main(words(hub, "backup", file, "--passphrase-file", unusable)) == 1
    assert capsys.readouterr().err.count("Nothing was changed") == 4
    assert not file.exists()


@pytest.mark.parametrize("weak", ["x", "correct hor", "aaaabbbbaaaabbbb", "a a a a a"])
def test_a_passphrase_that_is_soon_guessed_makes_no_backup(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str], weak: str
) -> None:
    secret, file = tmp_path / "secret", tmp_path / "b.tar"
    secret.write_text(weak)

    assert cli.main(words(hub, "backup", file, "--passphrase-file", secret)) == 1

    assert not file.exists()
    said = capsys.readouterr().err
    assert "no backup was made" in said
    assert "openssl rand" in said


@pytest.mark.parametrize("good", ["correct hors", "马 电池 钉 书 正确", "jAx0/9f+Kq2w"])
def test_twelve_characters_or_five_words_will_do(good: str) -> None:
    assert fit_for_a_backup(good) == good


def test_an_old_backup_opens_with_a_passphrase_that_would_not_do_today(
    hub: Source, tmp_path: Path
) -> None:
    old = make(Order(hub, tmp_path / "old.tar", T0_MS, "x")).path
    secret = tmp_path / "secret"
    secret.write_text("x")
    assert cli.main(words(hub, "restore", old, "--rehearse", "--passphrase-file", secret)) == 0


def test_the_configured_passphrase_is_taken(
    hub: Source, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("open sesame, please")
    with hub.config.open("a") as file:
        file.write(f"backup: {{folder: {tmp_path}, passphrase_file: {secret}}}\n")

    assert cli.main(words(hub, "backup", tmp_path / "b.tar")) == 0
    assert verified(tmp_path / "b.tar").manifest.encrypted
    assert cli.main(words(hub, "restore", tmp_path / "b.tar", "--rehearse")) == 0
    assert "1 series read back" in capsys.readouterr().out


def test_a_wrong_configuration_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = tmp_path / "centre.yaml"
    config.write_text("centre: 7\n")

    assert cli.main(["backup", str(tmp_path / "b.tar"), "--config", str(config)]) == 2
    assert f"{config}:1" in capsys.readouterr().err


@pytest.fixture
def small_stick(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "stick"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("no right to mount a small disk here: run as root to test a full one")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.parametrize("reserve", [places.RESERVE, -(2**30)])
def test_a_full_stick_is_told_before_or_in_the_middle_and_keeps_the_older_one(
    reserve: int,
    small_stick: Path,
    hub: Source,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(places, "RESERVE", -(2**30))
    assert cli.main(words(hub, "backup", small_stick / "old.tar")) == 0
    fill(small_stick / "ballast")
    monkeypatch.setattr(places, "RESERVE", reserve)

    assert cli.main(words(hub, "backup", small_stick / "new.tar")) == 1
    said = capsys.readouterr().err
    assert ("MB are needed" if reserve > 0 else "No space left") in said or "full" in said
    assert sorted(os.listdir(small_stick)) == ["ballast", "old.tar"]  # noqa: PTH208
    verified(small_stick / "old.tar")
