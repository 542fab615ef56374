"""`linli explain` on a day that was lived: it comes to what was said, and tries other settings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.cli import main
from tests.rooms.life import HOUR, MINUTE, Life

Words = pytest.CaptureFixture[str]


def rfc3339(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat()


@pytest.fixture
async def life(tmp_path: Path) -> Life:
    """Eight hours, and the hub is stopped."""
    made = Life(tmp_path, 5, is_configured=True)
    await made.start()
    await made.live(8)
    await made.stop()
    (tmp_path / "centre.yaml").write_text(made.settings(), encoding="utf-8")
    return made


def explain(life: Life, *words: str) -> int:
    return main(["explain", "--config", str(life.path / "centre.yaml"), *words])


async def test_any_moment_is_explained_as_it_was_said(life: Life, capsys: Words) -> None:
    for room in ("gym", "hall", "lab"):
        for at_ms in range(life.began_ms + 7 * MINUTE, life.time.now, 71 * MINUTE):
            assert explain(life, "--room", room, "--at", rfc3339(at_ms), "--json") == 0
            found = json.loads(capsys.readouterr().out)
            last = [item for item in life.told[room] if item.at_ms <= at_ms][-1]
            assert found["agrees"], (room, at_ms)
            assert found["state"]["status"] == last.status
            assert [reason["code"] for reason in found["state"]["reasons"]] == [
                code for code, _ in last.reasons
            ]
            assert found["slot"].get("purpose") == last.purpose


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("C.UTF-8", "because:"), ("zh_CN.UTF-8", "原因："), ("zh_TW.UTF-8", "感測器")],
)
async def test_it_reads_like_a_sentence(
    life: Life, capsys: Words, monkeypatch: pytest.MonkeyPatch, language: str, sentence: str
) -> None:
    monkeypatch.setenv("LC_ALL", language)
    assert explain(life, "--room", "gym", "--at", rfc3339(life.time.now - HOUR)) == 0
    out = capsys.readouterr().out
    assert sentence in out
    assert "gym-radar presence" in out


async def test_what_nobody_watched_is_not_explained(life: Life, capsys: Words) -> None:
    assert explain(life, "--room", "gym", "--at", rfc3339(life.began_ms - HOUR)) == 1
    assert "Nobody watched" in capsys.readouterr().out
    assert explain(life, "--room", "gym", "--at", rfc3339(life.time.now + HOUR)) == 1


async def test_other_settings_are_tried_on_a_past_time(life: Life, capsys: Words) -> None:
    same, other = life.path / "same.yaml", life.path / "other.yaml"
    same.write_text(life.settings(), encoding="utf-8")
    other.write_text(life.settings().replace("capacity: 8", "capacity: 1"), encoding="utf-8")
    span = ("--from", rfc3339(life.began_ms), "--to", rfc3339(life.time.now), "--json")
    found = {}
    for file in (same, other):
        assert explain(life, "--room", "gym", "--with", str(file), *span) == 0
        found[file] = json.loads(capsys.readouterr().out)["gym"]
    # the timetable of the test is in no file: in a configuration without one the rooms are open
    closed_ms = found[same]["old_ms"]["closed"]
    assert "closed" not in found[same]["new_ms"] or found[same]["new_ms"]["closed"] < closed_ms
    assert sum(found[same]["old_ms"].values()) == sum(found[same]["new_ms"].values())
    assert found[other]["new_ms"]["full"] > found[same]["new_ms"].get("full", 0)
    assert found[same]["unkept_ms"] == 0
    for item in found[same]["differs"]:
        assert "closed" in (item["old"], item["new"])  # or the trial would invent something


async def test_the_table_has_every_room(life: Life, capsys: Words) -> None:
    file = life.path / "centre.yaml"
    assert explain(life, "--with", str(file), "--from", rfc3339(life.began_ms)) == 0
    out = capsys.readouterr().out
    assert all(f"{name}: " in out for name in ("Gym", "Hall", "Lab"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((), "Which room?"),
        (("--room", "attic"), "There is no room attic"),
        (("--room", "gym", "--at", "soon"), "--at is a date or a time"),
        (("--room", "gym", "--from", "2026-01-01"), "--from and --to go with --with"),
    ],
)
async def test_wrong_usage_is_told(
    life: Life, capsys: Words, words: tuple[str, ...], sentence: str
) -> None:
    assert explain(life, *words) == 2
    assert sentence in capsys.readouterr().err
