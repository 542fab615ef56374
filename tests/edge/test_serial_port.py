"""Serial lines on real pseudo-terminals: what is heard, and what is survived."""

from __future__ import annotations

import asyncio
import fcntl
import os
import termios
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import serial

from device_drivers.contract import Poll, SerialLine
from edge.settings import SerialLink
from edge.transports.serial_port import attributes, line_of, quiet_s
from tests.edge.wires import Recorder, running, serial_device, serial_driver
from tests.serialport import SerialCable


@pytest.fixture
def cable(tmp_path: Path) -> Iterator[SerialCable]:
    with SerialCable(tmp_path) as plugged:
        yield plugged


def is_up(outlet: Recorder) -> bool:
    return bool(outlet.links) and outlet.links[-1][1]


async def test_a_frame_is_heard_however_the_bytes_are_cut(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: is_up(outlet))
        for byte in b"contact 1\ncontact 0\n":
            cable.write(bytes([byte]))
            await asyncio.sleep(0)
        await outlet.until(lambda: outlet.values == [1, 0])
    assert outlet.discards == []
    assert outlet.reports[0].is_live


async def test_half_a_frame_does_not_spoil_the_one_after_a_silence(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path, baud=115200)], outlet):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"conta")
        await outlet.until(lambda: len(outlet.discards) == 1)
        cable.write(b"contact 1\n")
        await outlet.until(lambda: outlet.values == [1])
    assert outlet.discards[0][1].size == 5


async def test_unplugged_and_plugged_again_is_told_once_each(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"contact 1\nconta")
        await outlet.until(lambda: outlet.values == [1])
        cable.unplug()
        await outlet.until(lambda: not is_up(outlet))
        cable.plug()
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"contact 0\n")
        await outlet.until(lambda: outlet.values == [1, 0])
    name = str(cable.path)
    assert outlet.links == [(name, True, ""), (name, False, "gone"), (name, True, "")]


async def test_a_port_that_is_missing_at_the_start_is_found_later(tmp_path: Path) -> None:
    cable, outlet = SerialCable(tmp_path), Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: outlet.links == [(str(cable.path), False, "gone")])
        with cable:
            await outlet.until(lambda: is_up(outlet))
            cable.write(b"contact 1\n")
            await outlet.until(lambda: outlet.values == [1])


async def test_a_held_port_is_named_so_and_taken_when_it_is_free(cable: SerialCable) -> None:
    outlet = Recorder()
    holder = os.open(cable.path, os.O_RDWR | os.O_NOCTTY)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        async with running([serial_device(cable.path)], outlet):
            await outlet.until(lambda: outlet.links == [(str(cable.path), False, "held")])
            fcntl.flock(holder, fcntl.LOCK_UN)
            await outlet.until(lambda: is_up(outlet))
    finally:
        os.close(holder)


async def test_nobody_else_can_lock_a_port_we_read(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: is_up(outlet))
        with pytest.raises(serial.SerialException):
            serial.Serial(str(cable.path), exclusive=True)


async def test_settings_the_hardware_refuses_are_named_and_cost_no_other_port(
    cable: SerialCable, tmp_path: Path
) -> None:
    outlet = Recorder()
    with SerialCable(tmp_path, "usb-other") as other:
        devices = [
            serial_device(cable.path, "first", parity="even", data_bits=7),
            serial_device(other.path, "second"),
        ]
        async with running(devices, outlet):
            refused = (str(cable.path), False, "refused_settings")
            up = (str(other.path), True, "")
            await outlet.until(lambda: refused in outlet.links and up in outlet.links)
            other.write(b"contact 1\n")
            await outlet.until(lambda: outlet.values == [1])
    assert outlet.reports[0].device == "second"


def test_a_pseudo_terminal_refuses_parity_by_an_error_that_is_no_oserror(
    cable: SerialCable,
) -> None:
    line = SerialLine(baud=2400, parity="even", stop_bits=1, data_bits=7)
    with serial.Serial(str(cable.path), **attributes(line)) as port:
        # The first setting changed the speed too, and counts as done; this one changes nothing.
        with pytest.raises(termios.error) as raised:
            port.timeout = 0
        assert not isinstance(raised.value, OSError)


def test_the_configuration_wins_over_the_driver_and_reaches_the_port() -> None:
    driver = SerialLine(baud=2400, parity="even", stop_bits=2, data_bits=7)
    assert line_of(SerialLink(serial="x"), driver) == driver
    link = SerialLink(serial="x", baud=115200, parity="odd", stop_bits=1, data_bits=8)
    assert attributes(line_of(link, driver)) == {
        "baudrate": 115200,
        "parity": serial.PARITY_ODD,
        "stopbits": serial.STOPBITS_ONE,
        "bytesize": serial.EIGHTBITS,
        "exclusive": True,
    }
    kept = attributes(line_of(SerialLink(serial="x", parity="none"), driver))
    assert (kept["parity"], kept["stopbits"], kept["bytesize"]) == (
        serial.PARITY_NONE,
        serial.STOPBITS_TWO,
        serial.SEVENBITS,
    )


def test_a_slow_line_is_given_more_time_before_it_counts_as_quiet() -> None:
    slow = SerialLine(baud=2400, parity="even", data_bits=8)
    assert quiet_s(slow) == pytest.approx(64 * 11 / 2400)
    assert quiet_s(SerialLine(baud=115200)) == 0.1


async def test_a_babbling_line_is_added_up_and_starves_nobody(
    cable: SerialCable, tmp_path: Path
) -> None:
    outlet = Recorder()
    with SerialCable(tmp_path, "usb-other") as other:
        devices = [serial_device(cable.path, "noisy"), serial_device(other.path, "calm")]
        async with running(devices, outlet):
            await outlet.until(lambda: len(outlet.links) == 2)
            loop = asyncio.get_running_loop()
            end, said, sent, latest = loop.time() + 2.5, 0, 0, 0.0
            while loop.time() < end:
                said += cable.write(b"\x55" * 4096)
                other.write(f"contact {sent}\n".encode())
                sent += 1
                asked = loop.time()
                await outlet.until(lambda: len(outlet.reports) == sent)  # noqa: B023
                latest = max(latest, loop.time() - asked)
        noise = [found for device, found in outlet.discards if device == "noisy"]
    assert latest < 0.5
    assert len(noise) <= 5  # one at once, then one a second, and the rest at the end
    assert 60_000 < sum(found.size for found in noise) <= said < 400_000


async def test_a_driver_that_raises_costs_one_discard(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"bug\ncontact 1\n")
        await outlet.until(lambda: outlet.values == [1])
    assert [found.size for _, found in outlet.discards] == [3]


async def test_the_answer_is_sent_when_it_is_safe_and_not_before(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"result 7\n")
        await outlet.until(lambda: outlet.values == [7])
        assert cable.heard() == b""
        outlet.settle()
        assert await cable.read(4) == b"ACK7"


async def test_what_is_committed_at_the_very_end_is_still_answered(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet, commits_at_end=True):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"result 7\n")
        await outlet.until(lambda: outlet.values == [7])
        assert cable.heard() == b""
    assert await cable.read(4) == b"ACK7"


async def test_an_answer_does_not_go_to_a_later_connection(cable: SerialCable) -> None:
    outlet = Recorder()
    async with running([serial_device(cable.path)], outlet):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"result 7\n")
        await outlet.until(lambda: outlet.values == [7])
        cable.unplug()
        await outlet.until(lambda: not is_up(outlet))
        cable.plug()
        await outlet.until(lambda: is_up(outlet))
        outlet.settle()
        cable.write(b"result 8\n")
        await outlet.until(lambda: outlet.values == [7, 8])
        outlet.settle()
        assert await cable.read(4) == b"ACK8"


async def test_a_repeat_in_the_window_is_one_and_is_answered_again(cable: SerialCable) -> None:
    outlet = Recorder()
    catalogue = {"lines": serial_driver(window=timedelta(seconds=30))}
    async with running([serial_device(cable.path)], outlet, catalogue=catalogue):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"result 7 2026-01-02T03:04:05\n" * 2)
        cable.write(b"result 7 2026-01-02T03:04:06\n")
        await outlet.until(lambda: outlet.values == [7, 7])
        outlet.settle()
        assert await cable.read(8) == b"ACK7ACK7"
        cable.write(b"result 7 2026-01-02T03:04:06\n")
        assert await cable.read(4) == b"ACK7"
    assert outlet.values == [7, 7]


async def test_equal_telemetry_without_a_time_is_no_repeat(cable: SerialCable) -> None:
    outlet = Recorder()
    catalogue = {"lines": serial_driver(window=timedelta(seconds=30))}
    async with running([serial_device(cable.path)], outlet, catalogue=catalogue):
        await outlet.until(lambda: is_up(outlet))
        cable.write(b"result 7\nresult 7\ncontact 1\ncontact 1\n")
        cable.write(b"contact 0\n")
        await outlet.until(lambda: outlet.values[-1:] == [0])
    assert outlet.values == [7, 7, 1, 0]


async def test_polls_are_asked_one_at_a_time_and_go_on_without_an_answer(
    cable: SerialCable,
) -> None:
    outlet = Recorder()
    polls = (
        Poll(b"A?", timedelta(milliseconds=50), timedelta(milliseconds=150)),
        Poll(b"B?", timedelta(milliseconds=50), timedelta(milliseconds=150)),
    )
    catalogue = {"lines": serial_driver(polls=polls)}
    async with running([serial_device(cable.path)], outlet, catalogue=catalogue):
        assert await cable.read(2) == b"A?"
        assert cable.heard() == b""  # B waits for A's answer
        cable.write(b"contact 1\n")
        assert await cable.read(2) == b"B?"
        assert await cable.read(2) == b"A?"  # B was never answered
    assert outlet.values == [1]


async def test_a_serial_server_is_read_lost_and_found_again() -> None:
    outlet, writers = Recorder(), list[asyncio.StreamWriter]()

    def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    name = f"socket://127.0.0.1:{port}"
    async with running([serial_device(name)], outlet):
        await outlet.until(lambda: len(writers) == 1)
        writers[0].write(b"contact 1\n")
        await outlet.until(lambda: outlet.values == [1])
        writers[0].close()
        await outlet.until(lambda: len(writers) == 2)
        writers[1].write(b"contact 0\n")
        await outlet.until(lambda: outlet.values == [1, 0])
    assert outlet.links == [(name, True, ""), (name, False, "gone"), (name, True, "")]
    writers[1].close()
    server.close()
    await server.wait_closed()


async def test_a_serial_server_that_is_not_there_is_refused() -> None:
    outlet = Recorder()
    async with running([serial_device("socket://127.0.0.1:1")], outlet):
        await outlet.until(lambda: outlet.links == [("socket://127.0.0.1:1", False, "refused")])
