"""`linli demo` as a stranger starts it: known rooms within half a minute, and a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from edge.clock import Clock
from hub.cli import main
from hub.commands.demo import FASTEST, _speed
from hub.commands.simulate import Job, shared_clock
from simulator.broker import Address
from simulator.centre import Centre

START_WITHIN_S = 15.0
KNOWN_WITHIN_S = 30.0
END_WITHIN_S = 3.0
ENOUGH = 8
COMMAND = (sys.executable, "-m", "hub.cli", "demo")


class Demo:
    """The running command."""

    def __init__(self, folder: Path) -> None:
        self.started_s = time.monotonic()
        self.process = subprocess.Popen(
            [*COMMAND, "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | {"TMPDIR": str(folder), "PYTHONUNBUFFERED": "1"},
        )
        self.folder = folder
        self.board = self.panel = ""
        self._wait_for_greeting()

    def _wait_for_greeting(self) -> None:
        assert self.process.stdout is not None
        text = ""
        for raw in self.process.stdout:
            text += raw.decode()
            addresses = re.findall(r"http://[\d.]+:\d+", text)
            if len(addresses) == 2:
                self.board, self.panel = addresses
                return
        raise AssertionError(text)

    def get(self, path: str) -> Any:
        with urllib.request.urlopen(self.board + path, timeout=5) as answer:  # noqa: S310
            return json.load(answer)

    def known(self) -> dict[str, str]:
        rooms = self.get("/api/v1/status")["rooms"]
        return {room["id"]: room["status"] for room in rooms if room["status"] != "unknown"}

    def family(self) -> list[psutil.Process]:
        me = psutil.Process(self.process.pid)
        return [me, *me.children(recursive=True)]


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    running = Demo(tmp_path)
    yield running
    for process in running.family() if running.process.poll() is None else []:
        process.kill()
    running.process.wait(5)
    if running.process.stdout is not None:
        running.process.stdout.close()


def press(demo: Demo, path: str) -> None:
    request = urllib.request.Request(  # noqa: S310 - http on loopback
        demo.panel + path, method="POST", headers={"accept": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
        assert answer.status == 204


def heard(demo: Demo, device: str) -> str:
    return str(demo.get(f"/api/v1/devices/{device}")["last_heard"])


def speaks_within(demo: Demo, device: str, seconds: float) -> bool:
    """Whether the hub hears something new of the device in so many true seconds."""
    before = heard(demo, device)
    deadline = time.monotonic() + seconds
    while heard(demo, device) == before and time.monotonic() < deadline:
        time.sleep(0.1)
    return heard(demo, device) != before


def wait_for(demo: Demo, count: int, until_s: float) -> dict[str, str]:
    known = demo.known()
    while len(known) < count and time.monotonic() - demo.started_s < until_s:
        time.sleep(0.25)
        known = demo.known()
    return known


def test_a_stranger_sees_known_rooms_and_nothing_is_left(demo: Demo) -> None:
    assert time.monotonic() - demo.started_s < START_WITHIN_S
    with urllib.request.urlopen(demo.board + "/readyz", timeout=5) as answer:  # noqa: S310
        assert answer.status == 200
    known = wait_for(demo, ENOUGH, KNOWN_WITHIN_S)
    assert len(known) >= ENOUGH, demo.get("/api/v1/status")["rooms"]
    assert "free" in known.values() or "in_use" in known.values()
    devices = demo.get("/api/v1/status")["devices"]
    assert sum(devices.values()) == 60

    family = demo.family()
    assert len(family) >= 3  # hub, simulator, broker
    demo.process.send_signal(signal.SIGINT)
    asked_s = time.monotonic()
    assert demo.process.wait(10) == 0
    assert time.monotonic() - asked_s < END_WITHIN_S
    assert psutil.wait_procs(family, timeout=1)[1] == []
    assert list(demo.folder.iterdir()) == []


def test_a_radar_unplugged_on_the_panel_falls_silent_and_comes_back(demo: Demo) -> None:
    assert speaks_within(demo, "gym-radar", 10)
    press(demo, "/devices/gym-radar/break/unplugged")
    assert not list(demo.folder.glob("linli-demo-*/gym-radar"))
    assert not speaks_within(demo, "gym-radar", 3)
    press(demo, "/devices/gym-radar/repair")
    assert speaks_within(demo, "gym-radar", 35)  # the hub looks for a lost port at longer intervals


def test_nothing_outlives_a_killed_demo(demo: Demo) -> None:
    family = demo.family()
    demo.process.kill()
    demo.process.wait(5)
    assert psutil.wait_procs(family, timeout=5)[1] == []


def test_a_taken_port_is_named_with_its_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        answer = subprocess.run(
            [*COMMAND, "--port", str(port)],
            capture_output=True,
            text=True,
            timeout=30,
            env=os.environ | {"TMPDIR": str(tmp_path)},
            check=False,
        )
    assert answer.returncode == 1
    assert f"port {port}" in answer.stderr
    assert "--port" in answer.stderr
    assert "Traceback" not in answer.stderr
    assert list(Path(tmp_path).iterdir()) == []


def test_a_faster_clock_does_not_overtake_kept_history(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "linli.sqlite").write_bytes(b"kept")
    assert main(["demo", "--port", "0", "--speed", "5", "--data", str(tmp_path)]) == 1
    assert "--speed" in capsys.readouterr().err
    assert [file.name for file in tmp_path.iterdir()] == ["linli.sqlite"]


@pytest.mark.parametrize(("wanted", "given"), [(1, 1), (12.5, 12.5), (500, FASTEST), (0.1, 1)])
def test_speed_is_capped_aloud(
    wanted: float, given: float, capsys: pytest.CaptureFixture[str]
) -> None:
    assert _speed(wanted) == given
    assert ("--speed" in capsys.readouterr().out) == (wanted != given)


@pytest.mark.parametrize("cruise", [1, 5])
def test_both_clocks_agree_from_the_quick_minutes_on(cruise: float) -> None:
    true_s = 1_800_000_000.0

    def true_time() -> float:
        return true_s

    parent = Clock(int(true_s * 1000) - 600_000, 20, cruise, true_time)
    job = Job(
        centre=Centre(name={}, timezone="Asia/Shanghai", rooms=(), doors=(), devices=()),
        broker=Address(),
        seed=1,
        panel_port=0,
        clock_ms=parent.now_ms(),
        true_s=true_s,
        speed=parent.speed,
        cruise=cruise,
    )
    true_s += 2.5
    child = shared_clock(job, true_time)
    for _ in range(80):
        true_s += 0.5
        assert abs(child.now_ms() - parent.now_ms()) <= 2
    assert parent.speed == child.speed == cruise
