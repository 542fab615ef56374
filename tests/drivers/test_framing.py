"""The framer itself: how bytes thrown away are told, and what near misses may cost."""

from __future__ import annotations

import pytest

from device_drivers.contract import Discard, DiscardReason, SerialDriver
from device_drivers.framing import RUN_LIMIT, xor
from device_drivers.registry import drivers
from tests.drivers.vectors import line_bytes, read, samples, vectors

NEAR_MISSES = (b"\x16", b"\x16\x16\x0100\x02", b"bp,", b"\x02", b"\xf4\xf3\xf2\xf1")


def driver_of(name: str) -> SerialDriver:
    driver = drivers()[name]
    assert isinstance(driver, SerialDriver)
    return driver


def test_a_babbling_line_is_told_of_every_256_bytes() -> None:
    framer = driver_of("rdm6300").framing()
    found = [item for _ in range(600) for item in framer.feed(b"\xff")]
    assert found == [Discard(DiscardReason.NOISE, RUN_LIMIT)] * 2
    assert framer.idle() == [Discard(DiscardReason.NOISE, 600 - 2 * RUN_LIMIT)]


def test_a_frame_that_is_not_finished_is_told_of_when_the_line_goes_quiet() -> None:
    framer = driver_of("rdm6300").framing()
    assert framer.feed(b"\x0262E3") == []
    assert framer.idle() == [Discard(DiscardReason.LENGTH, 5)]
    assert framer.idle() == []


def test_a_frame_behind_an_unfinished_one_waits_for_quiet_at_most() -> None:
    radar = driver_of("ld2410")
    good = line_bytes(vectors()["ld2410"][0])
    # The damaged length promises 64 bytes, so the good frame looks like its content.
    unfinished = b"\xf4\xf3\xf2\xf1\x40\x00"
    framer = radar.framing()
    assert framer.feed(unfinished + good) == []
    assert framer.idle() == [Discard(DiscardReason.LENGTH, len(unfinished)), good]


def test_the_line_feed_behind_a_carriage_return_is_not_damage() -> None:
    omron = driver_of("omron_hbp9020")
    line = line_bytes(vectors()["omron_hbp9020"][0])
    assert line.endswith(b"\r\n")
    assert not [event for event in read(omron, [line * 3]) if isinstance(event, Discard)]


@pytest.mark.parametrize("gap", [b"", b"\x16", b"\x16\x16", b"\x16\x16\x16\x16"])
def test_any_number_of_syns_may_precede_a_header(gap: bytes) -> None:
    case = vectors()["and_tm265x"][4]
    frame = line_bytes(case).lstrip(b"\x16")
    assert len(samples(read(driver_of("and_tm265x"), [gap + frame]))) == 4


@pytest.mark.parametrize("check", [0x16, 0x03, 0x01])
def test_a_check_byte_may_look_like_a_control_byte(check: int) -> None:
    fields = b"TM2655\x1e2607110905\x1eRB\x1eM\x1eE00\x1eS120\x1eD 80\x1ez"
    # Two characters of an ignored field make the exclusive or what we want it to be.
    missing = xor(fields) ^ check
    text = fields + bytes([0x40, 0x40 ^ missing])
    frame = b"\x16\x16\x0100\x02" + text + b"\x03" + bytes([check])
    found = samples(read(driver_of("and_tm265x"), [frame * 2]))
    assert [sample.value for sample in found] == [120, 80, 120, 80]


@pytest.mark.parametrize(
    ("name", "endless"),
    [
        ("and_tm265x", b"\x16\x16\x0100\x02" + b"A" * 5000),
        ("omron_hbp9020", b"bp," + b"9" * 5000),
        ("rdm6300", b"\x02" + b"A" * 5000),
        ("ld2410", b"\xf4\xf3\xf2\xf1\xff\xff" + b"\0" * 5000),
    ],
)
def test_a_frame_without_an_end_is_given_up_without_waiting_for_quiet(
    name: str, endless: bytes
) -> None:
    good = next(line_bytes(case) for case in vectors()[name] if case["expect"])
    framer = driver_of(name).framing()
    found = framer.feed(endless)
    assert sum(item.size for item in found if isinstance(item, Discard)) > 4000
    assert [item for item in framer.feed(good) if isinstance(item, bytes)]


def test_a_lost_check_byte_does_not_cost_the_next_frame() -> None:
    frame = line_bytes(vectors()["and_tm265x"][5]).lstrip(b"\x16")
    assert len(samples(read(driver_of("and_tm265x"), [frame[:-1] + frame]))) == 4


@pytest.mark.parametrize("name", [n for n, d in drivers().items() if isinstance(d, SerialDriver)])
@pytest.mark.parametrize(
    "start", [b"\x16", b"\x16\x16\x0100\x02", b"bp,", b"\x02", b"\xf4\xf3\xf2\xf1"]
)
def test_a_flood_of_near_misses_is_thrown_away_in_linear_time(name: str, start: bytes) -> None:
    """The suite's time limit is the measure: quadratic work would take minutes."""
    stream = start * (300_000 // len(start))
    events = read(driver_of(name), [stream])
    assert sum(event.size for event in events if isinstance(event, Discard)) == len(stream)
