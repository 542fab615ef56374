"""Another device under the same id: what was learnt of the old one is void."""

from __future__ import annotations

from hub.domain.fault import FaultKind
from tests.faults.detect.house import DAY, HOUR, MINUTE, House, device


def test_its_rhythm_is_learnt_anew() -> None:
    house = House(device("eye"))
    house.beat("eye", MINUTE, 4 * DAY)
    house.detection.forget("eye")
    house.hear("eye")
    house.pass_time(house.now + 30 * MINUTE)  # the old one would have been missed long since
    assert house.found == []


def test_the_first_word_of_the_new_one_ends_the_silence_of_the_old() -> None:
    house = House(device("eye"))
    house.beat("eye", MINUTE, 4 * DAY)
    house.pass_time(house.now + HOUR)
    assert [f.kind for f in house.found] == [FaultKind.SILENT]
    house.detection.forget("eye")
    house.detection.forget("nobody")
    house.pass_time(house.now + HOUR)
    assert len(house.found) == 1  # it has not spoken yet: the fault stands, and once
    house.hear("eye")
    assert [f.is_on for f in house.found] == [True, False]
