"""What the documents claim is what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hub import cli, settings
from hub.configuration.reference import reference
from tools.write_docs import ACCESS, README, ROOT, SETTINGS, between, driver_table, role_table

PAGE = README.read_text(encoding="utf-8")
SHELL = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL))
EXAMPLES = sorted(ROOT.glob("config/*.yaml"))


def test_the_table_of_devices_is_the_generated_one() -> None:
    assert between(PAGE, "drivers") == driver_table(), "run `make docs`"


def test_the_table_of_roles_is_the_generated_one() -> None:
    page = ACCESS.read_text(encoding="utf-8")

    assert between(page, "roles") == role_table(), "run `make docs`"


def test_the_settings_page_is_the_generated_one() -> None:
    assert SETTINGS.read_text(encoding="utf-8") == reference(), "run `make docs`"


def test_every_command_is_named_once_and_every_named_command_exists() -> None:
    table = re.findall(r"^\| `linli ([a-z-]+)", PAGE, flags=re.MULTILINE)

    assert sorted(table) == sorted(cli.COMMANDS)
    assert set(re.findall(r"\blinli ([a-z][a-z-]+)(?= |`|$)", SHELL)) <= cli.COMMANDS.keys()


@pytest.mark.parametrize("command", sorted(cli.COMMANDS))
def test_every_command_teaches(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        cli.main([command, "--help"])

    said = capsys.readouterr().out
    assert end.value.code == 0
    assert f"usage: linli {command}" in said
    assert "examples:" in said


def test_every_word_of_make_in_the_readme_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, flags=re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z]+)", PAGE, flags=re.MULTILINE))

    assert {"run", "test"} <= named <= targets


def test_the_build_server_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci/run").read_text(encoding="utf-8")

    assert "`make check`, then `make test`" in PAGE
    assert re.findall(r"^make (\w+)$", script, flags=re.MULTILINE) == ["check", "test"]


def test_every_path_in_the_readme_exists() -> None:
    folders = "config|device_drivers|docs|edge|hub|simulator|tests|tools"
    paths = set(re.findall(rf"(?<![\w/.])((?:{folders})/[\w./-]*\w)", PAGE))
    kept = {path for path in paths if "NAME" not in path}

    assert len(kept) > 6
    assert sorted(path for path in kept if not Path(ROOT, path).exists()) == []


def test_every_route_in_the_readme_is_served() -> None:
    named = set(
        re.findall(
            r"(?:localhost:8080|`)(/(?:api/v1/[\w-]+|[\w.]+\.json|docs|healthz|readyz))", PAGE
        )
    )
    source = "\n".join(file.read_text(encoding="utf-8") for file in ROOT.glob("hub/**/*.py"))

    assert named
    for route in named:
        last = route.removeprefix("/api/v1")
        assert re.search(rf'"(?:/api/v1)?{re.escape(last)}"', source), route


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_every_example_is_a_right_configuration(file: Path) -> None:
    assert settings.load(file).rooms


def test_every_setting_of_the_examples_in_the_page_is_documented() -> None:
    page = SETTINGS.read_text(encoding="utf-8")

    for name in ("centre", "storage", "http", "access", "mqtt", "rooms[]", "devices[].link (mqtt)"):
        assert f"\n## {name}\n" in page
