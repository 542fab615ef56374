"""Who is on duty, and who may be told when."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.domain.fault import Severity
from hub.notify.roster import Person, Roster, Shift, StandIn
from tests.notify.making import DAY, NIGHT, ROSTER, SHANGHAI, at


@pytest.mark.parametrize(
    ("hour", "people"),
    [
        (7.99, ("chen",)),  # Sunday night has no line: the manager
        (8, ("li", "wu", "chen")),
        (17.99, ("li", "wu", "chen")),
        (18, ("wu", "chen")),
        (24 + 7.99, ("wu", "chen")),  # the night shift counts on past midnight
        (24 + 8, ("li", "wu", "chen")),
    ],
)
def test_the_first_line_that_covers_the_moment_counts(hour: float, people: tuple[str, ...]) -> None:
    assert ROSTER.on_duty(at(hour)) == people


def test_a_stand_in_does_the_duty_on_these_days_and_no_others() -> None:
    ill = StandIn(1, "li", "chen", date(2026, 11, 24), date(2026, 11, 24))
    assert ROSTER.on_duty(at(9), [ill]) == ("li", "wu", "chen")
    assert ROSTER.on_duty(at(9, 1), [ill]) == ("chen", "wu"), "each once, in li's place"


def test_who_was_taken_out_of_the_configuration_stands_in_for_nobody() -> None:
    day = date(2026, 11, 23)
    gone = StandIn(1, "li", "somebody-who-left", day, day)
    assert ROSTER.on_duty(at(9), [gone]) == ("li", "wu", "chen")
    assert ROSTER.on_duty(at(9), [StandIn(1, "li", "chen", day, day), gone]) == ("chen", "wu")


def test_two_who_stand_in_for_each_other_do_not_turn_in_circles() -> None:
    day = date(2026, 11, 23)
    swapped = [StandIn(1, "li", "wu", day, day), StandIn(2, "wu", "li", day, day)]
    assert ROSTER.on_duty(at(9), swapped) == ("wu", "li", "chen")


def test_holidays_have_their_line_where_there_is_one_and_their_weekday_where_not() -> None:
    def names(_: date) -> tuple[str, ...]:
        return ("holiday", "mon")

    plain = Shift({"mon": ((480, 1080),)}, ("li",))
    with_line = Shift({"mon": ((480, 1080),), "holiday": ((600, 660),)}, ("li",))
    for shift, hour, is_li in ((plain, 9, True), (with_line, 9, False), (with_line, 10.5, True)):
        roster = Roster(SHANGHAI, ROSTER.people, (shift,), "chen", names)
        assert ("li" in roster.on_duty(at(hour))) is is_li


def test_quiet_hours_end_in_the_morning_whatever_side_of_midnight_it_is() -> None:
    assert ROSTER.may_tell("li", Severity.HIGH, at(21.9)) == at(21.9)
    assert ROSTER.may_tell("li", Severity.HIGH, at(22)) == at(24 + 7)
    assert ROSTER.may_tell("li", Severity.HIGH, at(24 + 6.5)) == at(24 + 7)
    assert ROSTER.may_tell("wu", Severity.HIGH, at(23)) == at(23), "high wakes wu"
    assert ROSTER.may_tell("wu", Severity.MEDIUM, at(23)) == at(24 + 7)


@given(
    st.integers(0, 400 * DAY // 60_000),
    st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=4),
)
def test_what_is_urgent_ignores_quiet_hours_and_nothing_waits_for_ever(
    minute: int, spans: list[tuple[int, int]]
) -> None:
    quiet = tuple((begin, begin + length) for begin, length in spans)
    person = Person("li", "Li", "en", ("mail",), quiet)
    roster = Roster(SHANGHAI, {"li": person}, (), "li")
    now = at(0) + minute * 60_000
    assert roster.may_tell("li", Severity.URGENT, now) == now
    free = roster.may_tell("li", Severity.LOW, now)
    assert now <= free <= now + 40 * DAY
    assert roster.may_tell("li", Severity.LOW, free) == free or free == now


def test_nights_that_end_when_the_next_begins_are_one() -> None:
    person = Person("li", "Li", "en", ("mail",), ((0, 420), (1320, 1440)))
    roster = Roster(SHANGHAI, {"li": person}, (), "li")
    assert roster.may_tell("li", Severity.HIGH, at(23)) == at(24 + 7)
    assert NIGHT[0][1] - 24 * 60 == 420, "the same, written in two pieces"
