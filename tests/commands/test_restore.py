from __future__ import annotations

import json
from pathlib import Path

import pytest

from hub import cli
from tests.backup.samples import backup, history, values_in


def test_it_says_where_everything_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backup(tmp_path)
    data = tmp_path / "now/data"
    history(data, range(3))

    assert cli.main(["restore", str(made.path), "--data", str(data)]) == 0
    said = capsys.readouterr().out
    (aside,) = data.parent.glob("data.before-*")
    (config,) = data.parent.glob("data.config-*")
    assert f"{data}: as it was at 2026-01-01 00:00:00 UTC, centre trial" in said
    assert str(aside) in said
    assert str(config) in said
    assert values_in(data) == list(range(20))


def test_programs_are_told_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    made = backup(tmp_path)
    common = [str(made.path), "--data", str(tmp_path / "new"), "--json"]

    assert cli.main(["restore", *common]) == 0
    assert json.loads(capsys.readouterr().out)["aside"] is None
    assert cli.main(["restore", *common, "--rehearse"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["ok"], done["code"], done["params"]["count"]) == (True, "rehearsal.ok", 1)


def test_without_a_configuration_the_data_folder_must_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = backup(tmp_path)
    none = str(tmp_path / "none.yaml")

    assert cli.main(["restore", str(made.path), "--config", none]) == 2
    assert "Name it with --data" in capsys.readouterr().err


def test_the_data_folder_of_the_configuration_is_taken(tmp_path: Path) -> None:
    made = backup(tmp_path)
    config = tmp_path / "hub/etc/centre.yaml"
    with config.open("a") as file:
        file.write(f"storage: {{path: {tmp_path / 'elsewhere'}}}\n")

    assert cli.main(["restore", str(made.path), "--config", str(config)]) == 0
    assert values_in(tmp_path / "elsewhere") == list(range(20))


@pytest.mark.parametrize("name", ["none.tar", "letter.tar"])
def test_what_is_no_backup_is_told(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letter.tar").write_text("Dear all")

    assert cli.main(["restore", str(tmp_path / name), "--data", str(tmp_path / "data")]) == 1
    assert "Nothing was changed" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_an_encrypted_one_asks_for_its_passphrase(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = backup(tmp_path, "open sesame")
    command = ["restore", str(made.path), "--data", str(tmp_path / "data")]
    monkeypatch.setattr("sys.stdin.isatty", lambda: False)

    assert cli.main(command) == 1
    assert "--ask-passphrase" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("getpass.getpass", lambda _: "open sesame")
    assert cli.main(command) == 0
