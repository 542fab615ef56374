"""`linli user` and `linli token`: on a folder without a hub, as before a first start."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from hub.access.directory import Directory
from hub.access.passwords import check_password
from hub.access.rules import is_token
from hub.cli import main
from hub.domain.access import Permission


def test_an_account_is_made_changed_and_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = ["--data", str(tmp_path)]
    for words, typed, status in (
        (["add", "Li.Na", "--role", "staff", "--password-stdin"], "short\n", 2),
        (["add", "Li.Na", "--role", "staff", "--password-stdin"], "three plain words\n", 0),
        (["add", "li.na", "--role", "staff", "--password-stdin"], "three plain words\n", 1),
        (["roles", "li.na", "--role", "nurse", "--role", "doctor"], "", 0),
        (["roles", "li.na"], "", 2),
        (["disable", "nobody"], "", 1),
        (["disable", "li.na"], "", 0),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        assert main(["user", *words, *place]) == status, words
    capsys.readouterr()
    assert main(["user", "list", "--json", *place]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    assert (item["name"], item["roles"]) == ("li.na", ["doctor", "nurse"])
    assert item["disabled"]
    directory = Directory(tmp_path / "linli.db")
    assert check_password("three plain words", directory.accounts["li.na"].password)[0]
    directory.close()


def test_a_token_is_printed_once_and_can_be_taken_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    place = ["--data", str(tmp_path)]
    assert main(["token", "add", "--role", "staff", "--name", "wall", *place]) == 0
    said = capsys.readouterr()
    token = said.out.strip()
    assert is_token(token)
    assert token not in said.err
    assert token.encode() not in (tmp_path / "linli.db").read_bytes()
    directory = Directory(tmp_path / "linli.db")
    found = directory.by_token(token)
    assert found is not None
    assert found.principal.may(Permission.LOOK)
    assert not found.principal.may(Permission.OWN)
    directory.close()
    assert main(["token", "add", "--role", "staff", "--name", "wall", *place]) == 1
    assert main(["token", "add", "--role", "staff", "--name", "x", "--expires", "9y", *place]) == 2
    assert main(["token", "add", "--name", "x", *place]) == 2
    assert main(["token", "revoke", "wall", *place]) == 0
    assert main(["token", "revoke", "wall", *place]) == 1
