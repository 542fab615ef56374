"""Floor plans in a configuration: of a floor that has rooms, and read without stopping the hub."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from hub import cli, drawings, settings
from hub.settings import SettingsError, load
from tests.settings.samples import GOOD

DRAWN = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">
<rect id="ghym" width="9" height="9"/></svg>"""


def written(folder: Path, plans: str, drawing: str = DRAWN) -> Path:
    path = folder / "centre.yaml"
    path.write_text(f"{GOOD}\nplans:\n{plans}\n", encoding="utf-8")
    (folder / "plans").mkdir()
    (folder / "plans/one.svg").write_text(drawing)
    return path


def test_a_plan_is_found_beside_its_file(tmp_path: Path) -> None:
    config = load(written(tmp_path, "  - {floor: 1, file: plans/one.svg}"))
    assert Path(config.plans[0].file) == tmp_path / "plans/one.svg"


@pytest.mark.parametrize(
    ("plans", "code"),
    [
        ("  - {floor: 17, file: x.svg}", "plan_no_rooms"),
        ("  - {floor: 1, file: x.svg}\n  - {floor: 1, file: y.svg}", "plan_twice"),
        ("  - {building: shed, floor: 1, file: x.svg}", "plan_no_rooms"),
    ],
)
def test_a_plan_of_nothing_is_named_with_its_line(tmp_path: Path, plans: str, code: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, plans))
    assert [problem.code for problem in caught.value.problems] == [code]
    assert caught.value.problems[0].place.line


def test_check_config_says_which_rooms_lack_a_shape_and_which_shapes_a_room(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LC_ALL", "en_US.UTF-8")
    drawing = DRAWN.replace("ghym", "cabinn")
    path = written(tmp_path, "  - {floor: 1, file: plans/one.svg}", drawing)
    assert cli.main(["check-config", str(path)]) == 0
    told = capsys.readouterr().out
    assert "good. Centre" in told
    assert "one.svg: No shape for: cabin." in told
    assert "No room on this floor is called: cabinn." in told


@pytest.mark.parametrize("broken", ["<svg", "<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>"])
def test_a_broken_drawing_costs_the_drawing_and_not_the_hub(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    config = load(written(tmp_path, "  - {floor: 1, file: plans/one.svg}", broken))
    with caplog.at_level(logging.WARNING):
        assert drawings.load(config, settings.centre(config)) == {}
    assert "A plain plan is shown instead" in caplog.text


def test_a_drawing_that_is_not_there_is_said(tmp_path: Path) -> None:
    config = load(written(tmp_path, "  - {floor: 1, file: plans/two.svg}"))
    notes = drawings.examine(config, settings.centre(config)).notes
    assert [note.code for note in notes] == ["plan_unreadable"]
