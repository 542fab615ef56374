"""A sensor is missed against its own rhythm, and for nothing that is not its fault."""

from __future__ import annotations

from random import Random

import pytest

from edge.reading import TimeSource
from hub.domain.events import ClockChanged
from hub.domain.fault import FaultKind
from hub.domain.room import Status
from tests.faults.detect.house import BEGIN, DAY, HOUR, MINUTE, SECOND, House, device

SILENT = FaultKind.SILENT


def known(every_ms: int = 10 * MINUTE, days: int = 4) -> House:
    """A sensor whose rhythm is learnt, heard just before the end of the days."""
    house = House(device("eye"))
    house.beat("eye", every_ms, days * DAY)
    assert house.found == []
    return house


@pytest.mark.parametrize("every_ms", [MINUTE, 10 * MINUTE, HOUR, 4 * HOUR])
def test_it_is_missed_after_little_more_than_two_of_its_pauses(every_ms: int) -> None:
    house = known(every_ms, days=8)
    last = house.detection.memories["eye"].heard_ms or 0

    house.pass_time(house.now + 10 * every_ms)

    (finding,) = house.found
    assert finding.kind is SILENT
    assert finding.since_ms == last
    assert 2 * every_ms < finding.at_ms - last < 2.6 * every_ms
    assert finding.evidence["silent_s"] == round((finding.at_ms - last) / 1000)
    assert abs(int(finding.evidence["usual_s"]) - every_ms / 1000) < 0.1 * every_ms / 1000


def test_a_word_ends_it_at_once() -> None:
    house = known()
    house.pass_time(house.now + HOUR)
    house.hear("eye")

    assert [f.is_on for f in house.found] == [True, False]
    assert house.found[1].since_ms == house.found[0].since_ms


def test_until_its_rhythm_is_known_the_configured_time_counts() -> None:
    house = House(device("eye", silent_after_ms=2 * HOUR))
    house.beat("eye", 10 * MINUTE, HOUR)

    house.pass_time(house.now + HOUR + 40 * MINUTE)
    assert house.found == []
    house.pass_time(house.now + 21 * MINUTE)
    assert house.is_on(SILENT)


def test_a_sensor_that_loses_words_is_given_more_time_than_one_that_does_not() -> None:
    chance = Random(1)
    house = House(device("lossy"), device("sure"))
    for at in range(0, 20 * DAY, 10 * MINUTE):
        house.at(at).hear("sure")
        if chance.random() > 0.08:
            house.hear("lossy")
    house.pass_time(21 * DAY)

    missed = {f.subject.id: f.at_ms - f.since_ms for f in house.found}
    assert len(house.found) == 2, "and neither was before"
    assert missed["sure"] < 25 * MINUTE < 35 * MINUTE < missed["lossy"] < 80 * MINUTE


def test_a_heartbeat_counts_where_people_let_it_speak_more_often_by_day() -> None:
    chance = Random(2)
    house = House(device("door"))
    at = 0
    while at < 14 * DAY:
        is_day = at % DAY < 12 * HOUR
        at += min(round(chance.expovariate(1 / (4 * MINUTE))) if is_day else HOUR, HOUR)
        house.at(at).hear("door")

    assert house.found == []
    house.pass_time(at + 3 * HOUR)
    assert house.is_on(SILENT)


def test_what_only_people_move_is_not_missed_while_its_room_is_closed() -> None:
    house = House(device("monitor", silent_after_ms=30 * HOUR))
    for day in range(10):
        house.now = day * DAY + 8 * HOUR
        house.room("gym", Status.FREE)
        for hour in (9, 11, 15):
            house.at(day * DAY + hour * HOUR).hear("monitor")
        house.now = day * DAY + 18 * HOUR
        house.room("gym", Status.CLOSED)

    house.pass_time(20 * DAY)
    assert house.found == []

    house.room("gym", Status.FREE)
    house.pass_time(20 * DAY + 31 * HOUR)
    assert house.is_on(SILENT)


@pytest.mark.parametrize("is_parent", [True, False])
def test_nobody_is_silent_by_himself_behind_what_is_lost(is_parent: bool) -> None:
    house = known()
    house.link("bridge", False, "eye", is_parent=is_parent)
    house.pass_time(house.now + 5 * HOUR)
    house.link("bridge", True, "eye", is_parent=is_parent)
    house.pass_time(house.now + 9 * MINUTE)

    assert SILENT not in house.kinds

    house.pass_time(house.now + HOUR)
    assert house.is_on(SILENT)


def test_a_pause_in_which_the_link_was_lost_is_not_learnt() -> None:
    house = known()
    for _ in range(30):
        house.link("line", False, "eye")
        house.pass_time(house.now + 2 * HOUR)
        house.link("line", True, "eye")
        house.beat("eye", 10 * MINUTE, house.now + HOUR)
    house.beat("eye", 10 * MINUTE, house.now + DAY)
    house.pass_time(house.now + 25 * MINUTE)

    assert house.is_on(SILENT)


def test_a_blip_of_a_link_starts_no_new_wait_and_a_longer_loss_does() -> None:
    for lost_ms, is_missed in ((10 * SECOND, True), (5 * MINUTE, False)):
        house = known(HOUR)
        house.hear("eye")
        house.pass_time(house.now + HOUR)
        house.link("line", False, "eye")
        house.pass_time(house.now + lost_ms)
        house.link("line", True, "eye")
        house.pass_time(house.now + 90 * MINUTE)
        assert house.is_on(SILENT) is is_missed


def test_one_word_lost_in_two_weeks_of_hourly_ones_costs_no_third_pause() -> None:
    house = known(HOUR, days=7)
    house.pass_time(house.now + 30 * MINUTE)
    house.beat("eye", HOUR, house.now + 7 * DAY)
    last = house.detection.memories["eye"].heard_ms or 0
    house.pass_time(house.now + 5 * HOUR)
    assert house.is_on(SILENT)
    assert house.found[-1].at_ms - last < 2.5 * HOUR


def test_a_restart_keeps_the_rhythm_and_counts_from_the_start() -> None:
    house = known()
    house.now += 6 * HOUR
    house = house.again()

    house.pass_time(house.now + 20 * MINUTE)
    assert house.found == []
    house.pass_time(house.now + 5 * MINUTE)
    assert house.is_on(SILENT)


def test_what_was_found_before_a_restart_ends_with_a_word_after_it() -> None:
    house = known()
    house.pass_time(house.now + HOUR)
    standing = house.found

    house = house.again(standing)
    house.pass_time(house.now + HOUR)
    assert house.found == [], "it is not told twice"
    house.hear("eye")

    (over,) = house.found
    assert not over.is_on
    assert over.since_ms == standing[0].since_ms


@pytest.mark.parametrize("shift_ms", [-3 * DAY, -HOUR, HOUR, 40 * DAY])
def test_a_clock_that_is_set_makes_nobody_silent(shift_ms: int) -> None:
    house = known()
    house.now += shift_ms
    house.detection.clock_set(ClockChanged(shift_ms, True, BEGIN + house.now))
    house.beat("eye", 10 * MINUTE, house.now + DAY)
    assert house.found == []

    house.pass_time(house.now + HOUR)
    (finding,) = house.found
    assert finding.at_ms - finding.since_ms < 35 * MINUTE


def test_time_in_which_the_hub_was_busy_is_not_silence() -> None:
    house = known(MINUTE)
    house.detection.lag(300, BEGIN + house.now)
    house.pass_time(house.now + 5 * MINUTE)
    assert house.found == []

    house.pass_time(house.now + 3 * MINUTE)
    assert house.is_on(SILENT)


@pytest.mark.parametrize("source", [TimeSource.RETAINED, TimeSource.QUEUED])
def test_what_a_broker_remembers_is_no_word(source: TimeSource) -> None:
    house = known()
    house.pass_time(house.now + 15 * MINUTE)
    house.remembered("eye", source)
    house.pass_time(house.now + 15 * MINUTE)
    house.remembered("eye", source)

    assert house.is_on(SILENT)


def test_its_convention_tells_sooner_and_may_take_it_back() -> None:
    house = known(4 * HOUR, 8)
    house.online("eye", 0)
    house.pass_time(house.now + MINUTE)
    house.online("eye", 1)
    house.pass_time(house.now + 10 * MINUTE)
    assert house.found == []

    house.online("eye", 0)
    house.pass_time(house.now + 6 * MINUTE)
    assert house.is_on(SILENT)


def test_another_rhythm_is_learnt_anew_after_three_silences() -> None:
    house = known()
    house.beat("eye", 2 * HOUR, house.now + 3 * DAY)

    assert [f.is_on for f in house.found] == [True, False] * 3


def test_one_that_is_lost_now_and_then_is_missed_each_time() -> None:
    house = known()
    for _ in range(12):
        house.beat("eye", 10 * MINUTE, house.now + 2 * HOUR)
        house.pass_time(house.now + 2 * HOUR)

    assert [f.is_on for f in house.found] == [True, False] * 11 + [True]


def test_garbled_words_are_no_silence() -> None:
    house = known()
    for _ in range(30):
        house.pass_time(house.now + 10 * MINUTE)
        house.discard("eye")

    assert house.kinds == {FaultKind.GARBLED}
    assert house.found[0].evidence["reason"] == "checksum"


def test_what_never_spoke_is_found_once_somebody_waited_for_long() -> None:
    house = House(device("new"), device("used", silent_after_ms=7 * DAY))
    house.pass_time(8 * HOUR)
    house = house.again()
    house.pass_time(house.now + 3 * HOUR)
    assert house.found == []

    house.pass_time(house.now + 2 * HOUR)
    (finding,) = house.found
    assert (finding.kind, finding.subject.id) == (FaultKind.NEVER_HEARD, "new")
    assert finding.evidence == {"waited_s": 12 * 3600}

    house.hear("new")
    assert not house.is_on(FaultKind.NEVER_HEARD)


def test_the_hold_of_a_radio_that_speaks_ten_times_a_second_is_seconds() -> None:
    house = House(device("radar"))
    memory = house.detection.memories["radar"]
    for _ in range(20):
        memory.rhythm.learn(100)
    memory.rhythm.span_ms = 9 * DAY
    house.hear("radar")
    house.pass_time(house.now + 19 * SECOND)
    assert house.found == []
    house.pass_time(house.now + 2 * SECOND)
    assert house.is_on(SILENT)
