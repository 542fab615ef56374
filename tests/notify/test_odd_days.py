"""Days on which somebody has left, a program takes nothing, or the clock is set."""

from __future__ import annotations

from collections import Counter

import pytest

from hub.domain.fault import Severity
from hub.notify import book
from hub.notify.rules import Notice, NoticeKind, Sending, State, due
from tests.notify.making import HOUR, MINUTE, PATIENCE, ROSTER, alert, at, taken
from tests.notify.test_rules import UNKNOWN, World


def test_what_was_for_somebody_who_left_is_told_to_who_is_there() -> None:
    notice = Notice(1, "alert:1", NoticeKind.RAISED, at(9), alert(1, Severity.LOW))
    row = Sending(1, 1, "somebody-who-left", "chat", 0, at(9), at(9), State.FAILED)
    found = due(notice, [row], ROSTER, [], PATIENCE, at(9))
    assert [wanted.person for wanted in found.wanted] == ["li"]


def test_programs_that_take_nothing_leave_people_their_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(book, "MOST_OPEN", 3)
    world = World(at(10))
    for number in (1, 2, 3):
        world.change(alert(number, Severity.HIGH, world.now_ms))
        world.change(taken(world.alerts[number]))
    kinds = Counter(notice.kind for notice in world.book.notices.values())
    assert kinds == {NoticeKind.HOOK: 3, NoticeKind.RAISED: 3}
    assert world.book.refused == 3


def test_a_clock_that_is_set_back_by_hours_puts_no_reminder_off() -> None:
    world = World(at(15))
    world.change(alert(1, Severity.HIGH, world.now_ms))
    world.settle(MINUTE)
    told = len(world.sent_at)
    world.now_ms = at(10)
    world.planner.begin_anew(world.now_ms)
    world.settle(16 * MINUTE)
    assert [parcel.person for _, parcel in world.sent_at[told:]] == ["wu"]


def test_the_other_channel_of_somebody_who_sleeps_waits_for_the_morning() -> None:
    world = World(at(12))
    world.change(alert(1, Severity.LOW, world.now_ms))
    world.turn()
    world.now_ms = at(22)
    world.answer(UNKNOWN, has_arrived=False)
    world.turn()
    assert "li" not in {parcel.person for parcel in world.flying}
    world.settle(12 * HOUR)
    to_li = [(ms, parcel.channel) for ms, parcel in world.sent_at if parcel.person == "li"]
    assert to_li[:2] == [(at(12), "chat"), (at(24 + 7), "mail")]
    assert world.woken == []
