"""Batteries: the slow fall, the plunge, the cold night, the end."""

from __future__ import annotations

from random import Random

from hub.domain.fault import FaultKind
from tests.faults.detect.house import DAY, HOUR, House, device, last, weeks

K = FaultKind


def test_a_battery_that_falls_slowly_is_told_with_its_day() -> None:
    chance = Random(1)
    house = House(device("eye"))
    weeks(house, 26, HOUR, lambda at: {"battery_level": 70 - 2 * at / DAY + chance.gauss(0, 1)})

    (finding,) = house.found
    assert finding.kind is K.BATTERY_LOW
    level, left = int(finding.evidence["level"]), int(finding.evidence["days_left"])
    assert 20 < level < 40
    assert abs(left - (level - 4) / 2) <= 3


def test_cold_nights_and_a_tired_cell_that_holds_are_no_low_battery() -> None:
    chance = Random(2)

    def level(at: int) -> dict[str, float]:
        is_night = at % DAY < 9 * HOUR
        return {"battery_level": round(34 - 21 * is_night + chance.gauss(0, 2))}

    house = weeks(House(device("eye")), 21, HOUR, level)

    assert house.found == []


def test_an_empty_battery_is_told_with_its_own_level_and_a_better_one_ends_it() -> None:
    house = weeks(House(device("eye")), 1, HOUR, lambda _: {"battery_level": 77})
    weeks(house, 0.2, HOUR, lambda _: {"battery_level": 3})
    (finding,) = house.found
    assert finding.kind is K.BATTERY_LOW
    assert finding.evidence == {"level": 3, "days_left": -1}

    weeks(house, 0.2, HOUR, lambda _: {"battery_level": 77})
    assert not house.found[-1].is_on


def test_a_lithium_cell_at_its_end_is_told_the_day_before() -> None:
    def level(at: int) -> dict[str, float]:
        end = at / DAY - 12
        return {"battery_level": 82.0 if end < 0 else 82 - 45 * end}

    house = weeks(House(device("eye")), 13.4, HOUR, level)

    (finding,) = house.found
    assert finding.kind is K.BATTERY_LOW
    assert int(finding.evidence["level"]) > 25
    assert 0 <= int(finding.evidence["days_left"]) <= 4


def test_a_battery_that_loses_two_coarse_steps_in_a_week_is_low_however_full_it_says_it_is() -> (
    None
):
    house = weeks(House(device("eye")), 10, HOUR, lambda _: {"battery_level": 60})
    weeks(house, 4, HOUR, lambda _: {"battery_level": 50})
    assert house.found == []

    weeks(house, 1.6, HOUR, lambda _: {"battery_level": 40})
    assert house.is_on(K.BATTERY_LOW)


def test_a_voltage_is_measured_against_the_best_it_had() -> None:
    house = weeks(House(device("eye")), 3, HOUR, lambda _: {"battery_voltage": 3.05})
    weeks(house, 3, HOUR, lambda _: {"battery_voltage": 2.9})
    assert house.found == []

    weeks(house, 2, HOUR, lambda _: {"battery_voltage": 2.52})
    assert house.is_on(K.BATTERY_LOW)


def test_one_that_only_asks_is_believed_after_half_a_day() -> None:
    house = weeks(House(device("eye")), 3, HOUR, lambda at: {"battery_low": at % DAY < 9 * HOUR})
    assert house.found == []

    weeks(house, 0.6, HOUR, lambda _: {"battery_low": 1})
    assert last(house, K.BATTERY_LOW).evidence == {"level": -1, "days_left": -1}

    weeks(house, 0.5, HOUR, lambda _: {"battery_low": 0})
    assert not house.is_on(K.BATTERY_LOW)


def test_who_dies_with_a_low_battery_is_dead_and_not_silent_until_it_has_a_better_one() -> None:
    house = weeks(House(device("eye")), 4, HOUR, lambda _: {"battery_level": 12})
    house.pass_time(house.now + DAY)
    assert house.is_on(K.BATTERY_DEAD)

    house = house.again([f for f in house.found if f.is_on])
    weeks(house, 0.5, HOUR, lambda _: {"battery_level": 16})  # it rested, and wakes up once more
    assert house.found == []

    weeks(house, 0.5, HOUR, lambda _: {"battery_level": 98})
    assert {(f.kind, f.is_on) for f in house.found} == {
        (K.BATTERY_DEAD, False),
        (K.BATTERY_LOW, False),
    }
    assert K.SILENT not in house.kinds
