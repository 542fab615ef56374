"""When the machine's time is believed, on made-up machines; and what this one says."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.timekeeping import (
    BOOT_ID,
    SYNCHRONISED,
    SYSTEMD,
    Timekeeper,
    Trust,
    kernel_is_set,
    time_service,
)

MARKER = "/run/linli-clock-set"


def touch(root: Path, *paths: str) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).touch()


@pytest.mark.parametrize(
    ("trust", "there", "kernel", "is_set"),
    [
        ("always", [], False, True),
        # nobody will ever set it: believe it, and let doctor warn
        ("auto", [], False, True),
        ("auto", [], None, True),
        ("auto", ["run/systemd/timesync/x"], False, False),
        ("auto", ["run/systemd/timesync/x"], None, False),
        ("auto", ["run/systemd/timesync/x", SYNCHRONISED], False, True),
        ("auto", ["run/chrony/chronyd.pid"], False, False),
        ("auto", ["run/chrony/chronyd.pid"], True, True),
        ("auto", ["run/ntpd.pid", "run/linli-clock-set"], False, True),
        ("synced", [], False, False),
        ("synced", [], True, True),
        ("synced", [SYNCHRONISED], False, True),
        ("synced", ["run/linli-clock-set"], False, True),
        ("marker", [SYNCHRONISED], True, False),
        ("marker", ["run/linli-clock-set"], False, True),
    ],
)
def test_who_is_believed(
    tmp_path: Path, trust: Trust, there: list[str], kernel: bool | None, is_set: bool
) -> None:
    touch(tmp_path, *there)
    assert Timekeeper(trust, MARKER, tmp_path, lambda: kernel).is_set() is is_set


def test_a_time_service_is_one_that_runs_or_that_systemd_starts(tmp_path: Path) -> None:
    assert time_service(tmp_path) == ""
    touch(tmp_path, "etc/systemd/system/sysinit.target.wants/systemd-timesyncd.service")
    assert time_service(tmp_path) == "", "nobody starts it without systemd"
    touch(tmp_path, f"{SYSTEMD}/x")
    assert time_service(tmp_path) == "systemd-timesyncd"
    touch(tmp_path, "run/chrony/chronyd.pid")
    assert time_service(tmp_path) == "chrony"


def test_a_boot_has_a_name_that_stays(tmp_path: Path) -> None:
    touch(tmp_path, BOOT_ID)
    (tmp_path / BOOT_ID).write_text("d9c4d077-7376\n")
    assert Timekeeper(root=tmp_path).boot_id() == "d9c4d077-7376"
    unknown = Timekeeper(root=tmp_path / "elsewhere")
    assert unknown.boot_id() == unknown.boot_id() != ""


def test_this_machine_answers() -> None:
    keeper = Timekeeper("synced", "/nowhere/at/all")
    assert kernel_is_set() in (True, False, None)
    assert keeper.is_set() in (True, False)
    assert keeper.boot_id()
    assert 0 < keeper.uptime_s() <= keeper.uptime_s()
