"""Who is told what and when: nothing twice, nothing lost, nobody woken without need.

A made-up week: alerts come, change and go, channels fail in every way, the hub is killed between
any two steps. What really arrives is counted by the world, which knows more than the hub.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from hub.configuration.notify import WebhookSettings
from hub.domain.centre import Centre
from hub.domain.events import AlertChanged
from hub.domain.fault import Alert, AlertState, Severity
from hub.notify import queue
from hub.notify.book import Book
from hub.notify.intake import Intake
from hub.notify.planned import Way
from hub.notify.planner import Planner
from hub.notify.queue import SENT, Outcome, Parcel, Result
from hub.notify.rules import NoticeKind, Sending, State, due
from tests.notify.making import (
    DAY,
    HOUR,
    MINUTE,
    PATIENCE,
    PEOPLE,
    ROSTER,
    alert,
    at,
    cleared,
    taken,
)

PLACE = Centre("trial", {"en": "Trial"}, "Asia/Shanghai", (), (), (), ())
WAYS = {name: Way(name, kind, Path("/")) for name, kind in
        (("chat", "wecom"), ("mail", "email"), ("sms", "sms"))}  # fmt: skip
WAYS["district"] = Way("district", "program", Path("/"), "http://district/")
HOOK = WebhookSettings(id="district", url="http://district/", secret_file="-")
REFUSED, UNKNOWN = Outcome(Result.REFUSED, "no_connection"), Outcome(Result.UNKNOWN, "no_answer")
LATE = Outcome(Result.REFUSED, "status:429", 600.0)


class World:
    """The hub's rules, and what truly arrives at people."""

    def __init__(self, now_ms: int) -> None:
        self.now_ms = now_ms
        self.book = Book(None)  # type: ignore[arg-type]  # nothing is kept here: see test_service
        self.planner = Planner(self.book, ROSTER, PATIENCE, WAYS)
        self.intake = Intake(self.book, ROSTER, PLACE, [HOOK])
        self.alerts: dict[int, Alert] = {}
        self.arrived: dict[tuple[int, str, str, int], list[str]] = defaultdict(list)
        self.marks: dict[str, set[int]] = defaultdict(set)
        self.sent_at: list[tuple[int, Parcel]] = []
        self.flying: list[Parcel] = []
        self.woken: list[Sending] = []

    def change(self, item: Alert) -> None:
        before = self.alerts.get(item.id)
        self.alerts[item.id] = item
        self.intake.alert_changed(AlertChanged(item, before), self.now_ms)

    def turn(self) -> int | None:
        next_ms = self.planner.plan(self.now_ms)
        busy = {parcel.channel for parcel in self.flying}
        going = self.planner.parcels(self.now_ms, 4, lambda channel: channel not in busy)
        self.flying += going
        self.sent_at += [(self.now_ms, parcel) for parcel in going]
        self.woken += [row for parcel in going for row in parcel.rows if self.wakes(row)]
        return next_ms

    def wakes(self, row: Sending) -> bool:
        """Somebody sleeps, and it could wait."""
        if not row.person:
            return False
        severity = self.book.notices[row.notice].severity
        return ROSTER.may_tell(row.person, severity, self.now_ms) > self.now_ms

    def answer(self, outcome: Outcome, *, has_arrived: bool) -> None:
        """Of all that is on its way."""
        for parcel in self.flying:
            if outcome.result is Result.SENT or has_arrived:
                self.deliver(parcel)
            self.planner.arrived(parcel, outcome, self.now_ms)
        self.flying = []

    def kill(self, *, has_arrived: bool) -> None:
        """The hub dies with messages on their way; another one takes over its rows."""
        for parcel in self.flying:
            if has_arrived:
                self.deliver(parcel)
        self.flying = []
        self.planner = Planner(self.book, ROSTER, PATIENCE, WAYS)
        self.planner.recover(self.now_ms)

    def deliver(self, parcel: Parcel) -> None:
        for row in parcel.rows:
            self.arrived[row.notice, row.person, row.channel, row.round].append(parcel.mark)
            self.marks[parcel.mark].add(row.id)

    def settle(self, span_ms: int) -> None:
        """All is well for so long."""
        end = self.now_ms + span_ms
        while self.now_ms < end:
            next_ms = self.turn()
            if self.flying:
                self.answer(SENT, has_arrived=True)
                continue
            self.now_ms = min(next_ms or end, end)


steps = st.lists(
    st.one_of(
        st.tuples(st.just("raise"), st.sampled_from(list(Severity))),
        st.tuples(st.just("graver"), st.integers(0, 5)),
        st.tuples(st.just("take"), st.integers(0, 5)),
        st.tuples(st.just("shelve"), st.integers(0, 5)),
        st.tuples(st.just("return"), st.integers(0, 5)),
        st.tuples(st.just("clear"), st.integers(0, 5)),
        st.tuples(st.just("pass"), st.integers(1, 12 * 60)),
        st.tuples(st.just("answer"), st.sampled_from([SENT, REFUSED, UNKNOWN, LATE])),
        st.tuples(st.just("lost"), st.sampled_from([REFUSED, UNKNOWN])),
        st.tuples(st.just("kill"), st.booleans()),
    ),
    max_size=40,
)


def play(world: World, what: str, how: Any) -> None:
    known = list(world.alerts.values())
    chosen = known[how % len(known)] if known and isinstance(how, int) else None
    match what:
        case "raise":
            world.change(alert(len(known) + 1, how, world.now_ms))
        case "pass":
            world.now_ms += how * MINUTE
        case "answer":
            world.answer(how, has_arrived=how is UNKNOWN)
        case "lost":
            world.answer(how, has_arrived=False)
        case "kill":
            world.kill(has_arrived=how)
        case _ if chosen is not None and chosen.is_open:
            world.change(changed(what, chosen, world.now_ms))
    world.turn()


def changed(what: str, item: Alert, now_ms: int) -> Alert:
    replace = msgspec.structs.replace
    if what == "graver":
        ranks = list(Severity)
        return replace(item, severity=ranks[min(item.severity.rank + 1, 3)])
    if what == "shelve":
        return replace(item, state=AlertState.SHELVED, shelved_until_ms=now_ms + HOUR)
    if what == "return":
        return replace(item, state=AlertState.RAISED, shelved_until_ms=None, acknowledged_by=None)
    return taken(item) if what == "take" else cleared(item, now_ms)


@settings(max_examples=150, deadline=None)
@given(steps, st.integers(0, 47))
def test_nothing_arrives_twice_and_nothing_is_lost(plan: list[tuple[str, Any]], hour: int) -> None:
    world = World(at(hour))
    for what, how in plan:
        play(world, what, how)
    world.settle(3 * DAY)

    for (_, _, channel, _), marks in world.arrived.items():
        assert len(set(marks)) == 1, "a second message, where only a repeat may be"
        assert len(marks) == 1 or WAYS[channel].is_marked, "a repeat that nobody can recognise"
    told = {notice for notice, *_ in world.arrived}
    for notice in world.book.notices.values():
        rows = world.book.of(notice.id)
        assert not [row for row in rows if row.is_open and row.due_ms <= world.now_ms]
        assert not [row for row in rows if row.state is State.FAILED]
        unspared = [row for row in rows if row.state is not State.SPARED]
        uncertain = [row for row in unspared if row.state is State.UNKNOWN]
        assert notice.id in told or len(uncertain) == len(unspared), notice


@settings(max_examples=100, deadline=None)
@given(steps, st.integers(0, 47))
def test_nobody_is_woken_without_need(plan: list[tuple[str, Any]], hour: int) -> None:
    world = World(at(hour))
    for what, how in plan:
        play(world, what, how)
    assert world.woken == []


def test_what_could_not_be_sent_by_day_wakes_nobody_at_night() -> None:
    world = World(at(21.9))
    world.change(alert(1, Severity.MEDIUM, world.now_ms))
    world.turn()
    world.answer(REFUSED, has_arrived=False)
    world.now_ms = at(23)
    world.turn()
    assert "wu" not in {parcel.person for parcel in world.flying}
    world.answer(SENT, has_arrived=True)
    world.settle(12 * HOUR)
    to_wu = [ms for ms, parcel in world.sent_at if parcel.person == "wu"]
    assert to_wu[:2] == [at(21.9), at(24 + 7)]
    assert world.woken == []


def test_an_urgent_alert_at_night_goes_out_at_once() -> None:
    world = World(at(23))
    world.change(alert(1, Severity.URGENT, world.now_ms))
    world.turn()
    assert {parcel.person for parcel in world.flying} == {"wu", ""}, "the night shift, a program"
    assert world.sent_at[0][0] == at(23)


def test_what_waits_for_the_morning_is_one_message() -> None:
    world = World(at(24 + 5))  # Tuesday before dawn: wu sleeps, and is on duty
    for number in range(1, 6):
        world.change(alert(number, Severity.MEDIUM, world.now_ms))
    world.turn()
    assert {parcel.person for parcel in world.flying} == {""}
    world.answer(SENT, has_arrived=True)
    world.now_ms = at(24 + 7)
    world.turn()
    (morning,) = [parcel for parcel in world.flying if parcel.person == "wu"]
    assert len(morning.rows) == 5


def test_what_becomes_urgent_does_not_wait_for_the_morning() -> None:
    world = World(at(24 + 5))
    item = alert(1, Severity.MEDIUM, world.now_ms)
    world.change(item)
    world.turn()
    world.change(msgspec.structs.replace(item, severity=Severity.URGENT))
    world.turn()
    assert "wu" in {parcel.person for parcel in world.flying}


def test_nobody_answers_so_the_next_one_is_told_and_then_the_manager() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.HIGH, world.now_ms))
    world.settle(31 * MINUTE)
    calls = [(ms - at(10), p.person) for ms, p in world.sent_at if p.person]
    first = {person: ms for ms, person in reversed(calls)}
    assert first == {"li": 0, "wu": 15 * MINUTE, "chen": 30 * MINUTE}


def test_reminders_come_ever_more_rarely_until_somebody_takes_it() -> None:
    world = World(at(8))
    item = alert(1, Severity.HIGH, world.now_ms)
    world.change(item)
    world.settle(8 * HOUR)
    to_li = [ms - at(8) for ms, parcel in world.sent_at if parcel.person == "li"]
    assert to_li == [0, 30 * MINUTE, 90 * MINUTE, 210 * MINUTE, 450 * MINUTE]
    world.change(taken(item))
    before = len(world.sent_at)
    world.settle(2 * DAY)
    assert len(world.sent_at) == before + 1, "the program is told that it was taken, nobody else"


def test_what_is_not_urgent_is_told_once() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.LOW, world.now_ms))
    world.settle(5 * DAY)
    assert [parcel.person for _, parcel in world.sent_at if parcel.person] == ["li"]


def test_who_was_told_hears_that_it_is_over_and_nobody_else() -> None:
    world = World(at(10))
    item = alert(1, Severity.HIGH, world.now_ms)
    world.change(item)
    world.settle(MINUTE)
    world.change(cleared(item, world.now_ms))
    world.settle(DAY)
    told = [parcel.person for _, parcel in world.sent_at if parcel.person]
    assert told == ["li", "li"]
    assert world.book.notices == {}, "it is closed"


def test_a_fault_that_was_over_before_anybody_could_be_told_is_told_as_past() -> None:
    world = World(at(24 + 5))
    item = alert(1, Severity.MEDIUM, world.now_ms)
    world.change(item)
    world.turn()
    world.answer(SENT, has_arrived=True)
    world.change(cleared(item, world.now_ms))
    world.settle(DAY)
    told = [(ms, parcel.person) for ms, parcel in world.sent_at if parcel.person]
    assert told == [(at(24 + 7), "wu")]


def test_a_channel_that_fails_three_times_gets_help_from_the_next() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.HIGH, world.now_ms))
    for wait in (0, 15_000, 30_000):
        world.now_ms += wait
        world.turn()
        world.answer(REFUSED, has_arrived=False)
    world.turn()
    li = [parcel for parcel in world.flying if parcel.person == "li"]
    assert [parcel.channel for parcel in li] == ["mail"]
    world.answer(SENT, has_arrived=True)
    world.turn()
    rows = [row for row in world.book.sendings.values() if row.person == "li"]
    assert {row.channel: row.state for row in rows} == {
        "chat": State.SPARED,
        "mail": State.SENT,
    }


def test_when_two_channels_come_back_one_message_is_enough() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.HIGH, world.now_ms))
    for wait in (0, 15_000, 30_000, 60_000, 900_000):
        world.now_ms += wait
        world.turn()
        world.answer(REFUSED, has_arrived=False)
    world.now_ms += HOUR
    world.turn()
    assert [parcel.person for parcel in world.flying].count("li") == 1
    world.settle(10 * MINUTE)
    to_li = [way for (_, person, way, round_) in world.arrived if (person, round_) == ("li", 0)]
    assert len(to_li) == 1


def test_who_cannot_be_reached_at_all_is_not_waited_for() -> None:
    world = World(at(20))  # wu is on duty, with a telephone that nothing reaches
    world.change(alert(1, Severity.HIGH, world.now_ms))
    for wait in (0, 15_000, 30_000):
        world.now_ms += wait
        world.turn()
        world.answer(REFUSED, has_arrived=False)
    world.now_ms += 60_000
    world.turn()
    assert "chen" in {parcel.person for parcel in world.flying}


def test_a_chat_that_may_have_arrived_is_not_repeated_and_a_mail_is() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.HIGH, world.now_ms))
    world.turn()
    world.answer(UNKNOWN, has_arrived=True)
    world.turn()
    assert ("li", "mail") in {(p.person, p.channel) for p in world.flying}, "the other way at once"
    world.kill(has_arrived=True)
    world.turn()
    again = [parcel for parcel in world.flying if parcel.channel == "mail"]
    first = next(parcel for _, parcel in world.sent_at if parcel.channel == "mail")
    assert [parcel.mark for parcel in again] == [first.mark], "with the same Message-ID"
    assert all(parcel.channel != "chat" for parcel in world.flying)


def test_a_drill_goes_to_everybody_over_every_channel_once() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.URGENT, world.now_ms, is_drill=True))
    world.settle(3 * DAY)
    people = Counter((p.person, p.channel) for _, p in world.sent_at if p.person)
    assert people == {(p.id, channel): 1 for p in PEOPLE.values() for channel in p.channels}


def test_the_same_event_told_again_is_the_same_notice() -> None:
    world = World(at(10))
    item = alert(1, Severity.HIGH, world.now_ms)
    for _ in range(3):
        world.change(item)
    kinds = Counter(notice.kind for notice in world.book.notices.values())
    assert kinds == {NoticeKind.RAISED: 1, NoticeKind.HOOK: 1}


def test_nobody_on_duty_is_the_manager() -> None:
    world = World(at(72 + 12))  # Thursday: no line
    world.change(alert(1, Severity.HIGH, world.now_ms))
    world.turn()
    assert {parcel.person for parcel in world.flying} == {"chen", ""}


def test_due_never_looks_into_the_past() -> None:
    world = World(at(10))
    world.change(alert(1, Severity.HIGH, world.now_ms))
    world.settle(HOUR)
    (notice,) = [n for n in world.book.notices.values() if n.kind is NoticeKind.RAISED]
    rows = world.book.of(notice.id)
    found = due(notice, rows, ROSTER, (), PATIENCE, world.now_ms)
    assert found.next_ms is None or found.next_ms > world.now_ms


def test_waits_grow_and_have_an_end() -> None:
    waits = [queue.wait_ms(failures) for failures in range(1, 30)]
    assert waits == sorted(waits)
    assert waits[-1] == queue.LONGEST_WAIT_MS
