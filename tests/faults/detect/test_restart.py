"""What was found before a restart is not told again, and ends by the same words as ever."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from hub.domain.fault import FaultKind
from tests.faults.detect.house import BEGIN, HOUR, MINUTE, House, device

K = FaultKind
STEP = 10 * MINUTE


def well(house: House, words: int, chance: Random) -> None:
    for _ in range(words):
        house.now += STEP
        degrees, quality = 21 + chance.gauss(0, 0.15), 80 + chance.randint(-4, 4)
        house.hear("eye", BEGIN + house.now, temperature=round(degrees, 1), link_quality=quality)


def ill(house: House, kind: K, chance: Random) -> None:
    """One word of a device that has it."""
    house.now += STEP
    degrees, quality, said = 21 + chance.gauss(0, 0.15), 80, BEGIN + house.now
    if kind is K.GARBLED:
        house.discard("eye")
        return
    if kind in (K.OUT_OF_RANGE, K.DEVICE_ERROR):
        reason = "implausible" if kind is K.OUT_OF_RANGE else "cold"
        house.bad("eye", "temperature", 900, reason)
        return
    if kind is K.STUCK:
        degrees = 21.0
    elif kind is K.JUMP:
        degrees += 12
    elif kind is K.NOISE:
        degrees += chance.gauss(0, 1.3)
    elif kind is K.WEAK_LINK:
        quality = 12
    elif kind is K.CLOCK_WRONG:
        said -= HOUR
    house.hear("eye", said, temperature=round(degrees, 1), link_quality=quality)


@pytest.mark.parametrize(
    "kind",
    [
        K.GARBLED,
        K.OUT_OF_RANGE,
        K.DEVICE_ERROR,
        K.STUCK,
        K.JUMP,
        K.NOISE,
        K.WEAK_LINK,
        K.CLOCK_WRONG,
    ],
)
def test_it_stands_over_a_restart_and_ends_with_the_repair(kind: K) -> None:
    chance: Random = Random(str(kind))
    house = House(device("eye"))
    well(house, 8 * 144, chance)
    assert house.found == []
    for _ in range(60):
        ill(house, kind, chance)
    assert [(f.kind, f.is_on) for f in house.found] == [(kind, True)]

    standing = house.found
    house = house.again(standing)
    for _ in range(30):
        ill(house, kind, chance)
    assert house.found == []

    well(house, 60, chance)
    assert [(f.kind, f.is_on, f.subject) for f in house.found] == [
        (kind, False, standing[0].subject)
    ]


@pytest.mark.parametrize("learnt", [b"", b"\x93\x01", b"\x95\x00\x00\x80\x80\x80", b"nonsense"])
def test_what_another_version_kept_stops_no_start(learnt: bytes) -> None:
    house = House(device("eye"), learnt=learnt)

    assert house.detection.has_forgotten
    well(house, 3, Random(1))


Say = Callable[[House], None]


@pytest.mark.parametrize(
    ("lose", "find"),
    [
        (lambda h: h.link("mqtt", False, "eye"), lambda h: h.link("mqtt", True, "eye")),
        (
            lambda h: h.link("b/bridge/state", False, "eye", is_parent=True),
            lambda h: h.link("b/bridge/state", True, "eye", is_parent=True),
        ),
    ],
)
def test_a_link_that_was_lost_before_is_found_again_after(lose: Say, find: Say) -> None:
    house = House(device("eye"))
    lose(house)
    house.pass_time(house.now + HOUR)
    assert len(house.found) == 1

    house = house.again(house.found)
    find(house)
    house.pass_time(house.now + HOUR)
    assert [f.is_on for f in house.found] == [False]
