"""A sensor proves its repair: reports, self-tests, wires; and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality
from hub.domain.events import Heard
from hub.domain.fault import FaultKind, Subject, SubjectKind
from hub.domain.work import ProofKind
from hub.maintenance import rules
from hub.maintenance.proof import STAY_MS, UP_MIN, Watch, begun, plan
from hub.maintenance.rules import Opening
from tests.maintenance.making import DAY, MINUTE, NOON, WANTS, alert, heard, subject

K = FaultKind
CHANNELS = frozenset({"contact", "motion", "presence", "people.count", "battery.level"})


def watch(
    kind: FaultKind,
    about: Subject | None = None,
    *,
    is_standing: bool = False,
    channels: frozenset[str] = CHANNELS,
) -> Watch:
    order = rules.from_alert(1, alert(7, kind, about or subject()), Opening(), "li", NOON)
    wish = plan(order, WANTS[kind], channels)
    done = rules.done(order, begun(wish, NOON), "", "li", NOON)
    return Watch(done, wish, is_standing=is_standing)


def test_a_wire_is_not_proven_by_time_in_which_the_hub_was_off() -> None:
    wire = watch(K.GATEWAY_DOWN, Subject(SubjectKind.LINK, "bridge"))
    started = NOON + 60 * MINUTE
    wire.begin_anew(started)
    wire.advance(started)
    assert not wire.is_proven(started)
    wire.advance(started + UP_MIN * MINUTE)
    assert wire.is_proven(started + UP_MIN * MINUTE)


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["hear", "stand", "gone", "advance"]),
        st.sampled_from(["contact", "motion", "presence", "battery.level", "link.quality"]),
        st.integers(0, 100),
        st.integers(1, 20 * MINUTE),
    ),
    max_size=60,
)


@given(st.sampled_from(sorted(K)), EVENTS)
def test_never_proven_while_its_fault_stands(
    kind: FaultKind, events: list[tuple[str, str, int, int]]
) -> None:
    seen, now = watch(kind, is_standing=True), NOON
    is_standing = True
    for what, channel, value, later in events:
        now += later
        if what == "hear":
            seen.hear(heard(now, value, channel))
        elif what == "advance":
            seen.advance(now)
        else:
            is_standing = what == "stand"
            seen.stand(is_standing=is_standing, now_ms=now)
        assert 0 <= seen.proof.seen <= seen.proof.wanted
        if is_standing:
            assert not seen.is_proven(now)
            assert not seen.is_proven(now + DAY)
        if seen.is_proven(now):
            assert seen.proof.seen == seen.proof.wanted


@given(st.sampled_from(sorted(K)), st.integers(1, 10 * DAY))
def test_time_alone_proves_nothing_of_a_sensor(kind: FaultKind, later_ms: int) -> None:
    seen = watch(kind)
    seen.advance(NOON + later_ms)
    assert not seen.is_proven(NOON + later_ms)


def test_three_live_words_over_a_while_end_a_silence() -> None:
    seen = watch(K.SILENT)
    for second in (1, 2, 3):
        seen.hear(heard(NOON + second * 1000))
    assert seen.proof.seen == 3
    assert not seen.is_proven(NOON + 3_000)  # a burst at its start is no life
    assert seen.due_ms == NOON + 30_000
    assert seen.is_proven(NOON + 30_000)


def test_what_a_broker_remembered_proves_nothing() -> None:
    seen = watch(K.SILENT)
    for second in (1, 2, 3):
        seen.hear(heard(NOON + second * 1000, is_live=False))
    assert seen.proof.seen == 0


def test_one_bad_value_begins_anew() -> None:
    seen = watch(K.OUT_OF_RANGE, subject("gym-air", "temperature"))
    for second in range(9):
        seen.hear(heard(NOON + second * 1000, 21.0, "temperature", "gym-air"))
    assert seen.proof.seen == 9
    seen.hear(heard(NOON + 9_000, 999.0, "temperature", "gym-air", Quality.BAD))
    assert (seen.proof.seen, seen.proof.since_ms) == (0, NOON + 9_000)


def test_a_value_that_does_not_move_is_stuck_still() -> None:
    seen = watch(K.STUCK, subject("gym-air", "temperature"))
    for second in range(20):
        seen.hear(heard(NOON + second * 1000, 21.0, "temperature", "gym-air"))
    assert seen.proof.seen == 0
    for step in range(5):
        seen.hear(heard(NOON + MINUTE + step, 21.1 + step, "temperature", "gym-air"))
    assert seen.is_proven(NOON + 10 * MINUTE)


@pytest.mark.parametrize(("level", "is_full"), [(12, False), (49, False), (100, True)])
def test_a_battery_is_new_when_it_says_so(level: int, is_full: bool) -> None:
    seen = watch(K.BATTERY_LOW)
    seen.hear(heard(NOON + MINUTE, 1, "contact"))  # speaks, and says nothing of its battery
    assert seen.proof.seen == 0
    seen.hear(heard(NOON + MINUTE, level, "battery.level"))
    assert seen.is_proven(NOON + 2 * MINUTE) is is_full


def test_a_door_is_opened_and_shut() -> None:
    seen = watch(K.STUCK_ON, subject("gym-door", "contact"))
    assert seen.steps == ("open_door", "shut_door")
    seen.hear(heard(NOON + 1, 0))  # shut is no proof of opening
    assert seen.proof.seen == 0
    seen.hear(heard(NOON + 2, 1, "motion"))  # another channel
    assert seen.proof.seen == 0
    seen.hear(heard(NOON + 3, 1))
    assert (seen.proof.seen, seen.proof.next) == (1, "shut_door")
    seen.hear(heard(NOON + 4, 0))
    assert seen.is_proven(NOON + 4)


def test_only_the_input_that_was_repaired_counts() -> None:
    seen = watch(K.STUCK_ON, subject("io8", "contact.di1"))
    seen.hear(heard(NOON + 1, 1, device="io8", part="di2"))
    assert seen.proof.seen == 0
    seen.hear(heard(NOON + 2, 1, device="io8", part="di1"))
    assert seen.proof.seen == 1


def test_a_radar_sees_somebody_stand_still() -> None:
    seen = watch(K.STUCK_ON, subject("eye", "presence"))
    seen.hear(heard(NOON + 1, 1, "presence", "eye"))
    assert seen.proof.next == "stand_still"
    seen.hear(heard(NOON + 5_000, 0, "presence", "eye"))  # it lost him
    assert (seen.proof.seen, seen.proof.next) == (0, "walk_in")
    seen.hear(heard(NOON + 6_000, 1, "presence", "eye"))
    assert seen.due_ms == NOON + 6_000 + STAY_MS
    seen.advance(NOON + 6_000 + STAY_MS)
    assert seen.proof.next == "walk_out"
    seen.hear(heard(NOON + 60_000, 0, "presence", "eye"))
    assert seen.is_proven(NOON + 60_000)


def test_a_counter_goes_up_and_down() -> None:
    seen = watch(K.COUNTER_IMBALANCE, subject("gym-count", "people.count"))
    for at, count in enumerate((4, 5, 4), 1):
        seen.hear(heard(NOON + at, count, "people.count", "gym-count"))
    assert seen.is_proven(NOON + 3)


def test_a_wire_proves_itself_by_staying_up() -> None:
    seen = watch(K.GATEWAY_DOWN, Subject(SubjectKind.LINK, "zigbee2mqtt"))
    assert not seen.listens
    seen.advance(NOON + 9 * MINUTE)
    assert not seen.is_proven(NOON + 9 * MINUTE)
    seen.stand(is_standing=True, now_ms=NOON + 9 * MINUTE)
    seen.stand(is_standing=False, now_ms=NOON + 12 * MINUTE)
    seen.advance(NOON + (11 + UP_MIN) * MINUTE)
    assert not seen.is_proven(NOON + (11 + UP_MIN) * MINUTE)
    seen.advance(NOON + (12 + UP_MIN) * MINUTE)
    assert seen.is_proven(NOON + (12 + UP_MIN) * MINUTE)


def test_where_no_sensor_can_tell_a_person_does() -> None:
    seen = watch(K.HUB_OVERLOADED, Subject(SubjectKind.HUB, "hub"))
    assert seen.proof.kind is ProofKind.PERSON
    assert seen.due_ms is None
    assert not seen.is_proven(NOON + DAY)


def test_a_clock_is_right_when_it_says_so() -> None:
    seen = watch(K.CLOCK_WRONG)
    for second in (1, 2, 3):
        plain = heard(NOON + second)
        seen.hear(Heard(plain.device, plain.readings, plain.at_ms, True, True, NOON + DAY))
    assert seen.proof.seen == 0
    for second in (1, 2, 3):
        plain = heard(NOON + MINUTE + second)
        seen.hear(Heard(plain.device, plain.readings, plain.at_ms, True, True, plain.at_ms))
    assert seen.is_proven(NOON + 2 * MINUTE)
