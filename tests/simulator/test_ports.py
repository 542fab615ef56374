"""Pseudo-terminals come, carry bytes, hang up and go."""

from __future__ import annotations

import os
import select
from pathlib import Path

import pytest
import serial

from simulator.ports import PseudoTerminal

WITHIN_S = 2.0


def test_bytes_arrive_as_they_were_sent(tmp_path: Path) -> None:
    port = PseudoTerminal(tmp_path / "run" / "bp")
    port.plug()
    sent = bytes(range(256))  # control bytes too: the line must be raw
    with serial.Serial(str(port.path), 2400, timeout=WITHIN_S) as line:
        assert port.write(sent)
        assert line.read(len(sent)) == sent
    port.unplug()


def test_where_nobody_listens_bytes_are_lost_not_kept(tmp_path: Path) -> None:
    port = PseudoTerminal(tmp_path / "bp")
    port.plug()
    assert not port.write(b"before")
    with serial.Serial(str(port.path), timeout=0.2) as line:
        assert line.read(10) == b""
    assert not port.write(b"after")
    port.unplug()


def test_pulling_the_plug_hangs_up_and_a_new_one_can_be_opened(tmp_path: Path) -> None:
    port = PseudoTerminal(tmp_path / "bp")
    port.plug()
    line = os.open(port.path, os.O_RDWR | os.O_NOCTTY)
    port.unplug()
    watch = select.poll()
    watch.register(line, select.POLLIN)
    ((_, event),) = watch.poll(WITHIN_S * 1000)
    os.close(line)
    assert event & select.POLLHUP
    assert not os.path.lexists(port.path)

    port.plug()
    with serial.Serial(str(port.path), timeout=WITHIN_S) as again:
        assert port.write(b"back")
        assert again.read(4) == b"back"
    port.unplug()


def test_a_real_device_is_never_replaced(tmp_path: Path) -> None:
    (tmp_path / "bp").write_text("real")
    with pytest.raises(FileExistsError):
        PseudoTerminal(tmp_path / "bp").plug()
    assert (tmp_path / "bp").read_text() == "real"


def test_what_a_killed_simulator_left_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / "bp").symlink_to(tmp_path / "gone")
    port = PseudoTerminal(tmp_path / "bp")
    port.plug()
    assert port.path.exists()
    port.unplug()


def test_a_reader_that_sleeps_does_not_stop_the_device(tmp_path: Path) -> None:
    port = PseudoTerminal(tmp_path / "radar")
    port.plug()
    with serial.Serial(str(port.path)):
        results = [port.write(bytes(1000)) for _ in range(100)]
    port.unplug()
    assert results[0]
    assert not results[-1]
