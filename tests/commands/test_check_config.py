from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hub import cli
from tests.settings.samples import GOOD, changed


@pytest.fixture
def good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    path = tmp_path / "centre.yaml"
    path.write_text(GOOD, encoding="utf-8")
    return path


@pytest.fixture
def wrong(good: Path) -> Path:
    text = changed("room: cabin", "room: cabn").replace("capacity: 2", "capacty: 2")
    good.write_text(text, encoding="utf-8")
    return good


def test_a_good_file_is_summed_up(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", str(good)]) == 0

    assert "2 rooms, 1 door, 3 devices (1 and_tm265x, 2 zigbee2mqtt)" in capsys.readouterr().out


def test_every_mistake_is_printed_with_place_and_remedy(
    wrong: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check-config", str(wrong)]) == 2

    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        f'{wrong}:3:63: There is no setting "capacty" here.',
        "    Did you mean capacity?",
        f'{wrong}:8:40: There is no room "cabn".',
        "    Did you mean cabin?",
        "2 problems. Nothing was started or changed.",
    ]


@pytest.mark.parametrize(
    ("locale", "words"),
    [("zh_CN.UTF-8", "没有房间“cabn”"), ("zh_TW.UTF-8", "沒有房間「cabn」"), ("de_DE", "no room")],
)
def test_mistakes_are_told_in_the_language_of_the_terminal(
    locale: str,
    words: str,
    wrong: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LANG", locale)

    assert cli.main(["check-config", str(wrong)]) == 2
    assert words in capsys.readouterr().err


def test_json_says_the_same(wrong: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", "--json", "--config", str(wrong)]) == 2

    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert [item["code"] for item in said["problems"]] == ["unknown_key", "unknown_room"]
    assert said["problems"][1] == {
        "code": "unknown_room",
        "file": str(wrong),
        "line": 8,
        "column": 40,
        "what": 'There is no room "cabn".',
        "remedy": "Did you mean cabin?",
        "guess": "cabin",
    }


def test_json_of_a_good_file_counts(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["check-config", "--json", str(good)]) == 0

    said = json.loads(capsys.readouterr().out)
    assert (said["ok"], said["rooms"], said["devices"]) == (True, 2, 3)
    assert said["drivers"] == {"and_tm265x": 1, "zigbee2mqtt": 2}


def test_a_missing_file_has_no_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "nowhere.yaml"

    assert cli.main(["check-config", "--json", str(path)]) == 2
    problem = json.loads(capsys.readouterr().out)["problems"][0]
    assert (problem["code"], problem["line"]) == ("no_file", None)


def test_run_starts_nothing_with_a_wrong_file(
    wrong: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"

    assert cli.main(["run", "--config", str(wrong), "--data", str(data)]) == 2
    assert "2 problems. Nothing was started" in capsys.readouterr().err
    assert not data.exists()


def test_an_unknown_command_is_answered_with_what_was_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["chek-config"]) == 2
    assert "Did you mean check-config?" in capsys.readouterr().err


def test_linli_alone_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main([]) == 0

    said = capsys.readouterr().out
    assert all(re.search(rf"^ +{name} +\w", said, re.MULTILINE) for name in cli.COMMANDS)
    assert "linli COMMAND --help" in said


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys; from hub import cli; cli.main([]);"
        "print(sorted({'pydantic', 'fastapi', 'yaml', 'asyncio'} & set(sys.modules)))"
    )
    start = time.monotonic()
    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=30
    )

    assert said.stdout.splitlines()[-1] == "[]"
    assert time.monotonic() - start < 2  # 0.05 s on a quiet machine


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    command = f"{sys.executable} -m hub.cli drivers | head -n 1"
    said = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True, timeout=30
    )

    assert (said.returncode, said.stderr) == (0, "")
