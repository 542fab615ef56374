"""Who is to be told what, and when. Pure: what is known and the moment in, what is due out.

    Notice (one event)  >  Sending (one person, one channel, one round)  >  parcel (one message)

A notice is something that must reach somebody. A sending is one row before anything goes out: the
notice, the person, the channel, and the round (0 is the first time, then reminders). No two rows
have the same four, so nothing goes twice to one person over one channel for one event. What is due
for one person over one channel at the same time travels as one parcel: the morning's messages, and
those of a network that was away.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from hub.domain.fault import Alert, AlertState, Severity
from hub.domain.work import WorkOrder
from hub.notify.roster import Roster, StandIn

MINUTE_MS, DAY_MS = 60_000, 86_400_000
LONGEST_PAUSE_MS = DAY_MS
FAILURES = 3  # of one channel: then the next one is tried; of the last one: the next person


class NoticeKind(StrEnum):
    RAISED = "raised"  # an alert: told along the roster until somebody takes it
    GRAVER = "graver"  # it matters more than it did when people were told of it
    OVER = "over"  # it is over; those who were told are told that too
    ORDER = "order"  # a work order was given to somebody
    HOOK = "hook"  # an event for a program


class Notice(msgspec.Struct, frozen=True):
    """Something that must reach somebody. ``event`` is unique: what comes twice is one notice.

    ``alert`` and ``order`` are as they are now, not as they were. ``people``: whom it is for, where
    that is not the roster's to say. ``body``: what a program is sent, as it was then.
    """

    id: int
    event: str
    kind: NoticeKind
    made_ms: int
    alert: Alert | None = None
    order: WorkOrder | None = None
    people: tuple[str, ...] = ()
    body: str = ""
    closed_ms: int | None = None

    @property
    def severity(self) -> Severity:
        """That a fault is over, a drill, or work that somebody was given wakes nobody."""
        if self.alert is None or self.is_drill or self.kind is NoticeKind.OVER:
            return Severity.LOW
        return self.alert.severity

    @property
    def is_drill(self) -> bool:
        return self.alert is not None and self.alert.is_drill


class State(StrEnum):
    WAITING = "waiting"
    SENDING = "sending"  # written before the first byte goes out
    SENT = "sent"
    UNKNOWN = "unknown"  # it may have arrived; a repeat could not be told from a second message
    SPARED = "spared"  # nobody needs it any more: taken care of, or it came another way
    FAILED = "failed"  # given up


FINAL = frozenset({State.SENT, State.UNKNOWN, State.SPARED, State.FAILED})
TOLD = frozenset({State.SENT, State.UNKNOWN})
ENDED = TOLD | {State.SPARED}  # who was spared because another took care hears of it if he does not


class Sending(msgspec.Struct, frozen=True):
    """One notice on its way to one person over one channel, in one round.

    ``parcel`` names the message it goes in. Once the outcome of a try is not known it stays, so
    that every repeat is the same message with the same mark; it is taken back where all surely
    failed.
    ``from_ms``: when it should have gone out; ``due_ms``: when it is tried next.
    """

    id: int
    notice: int
    person: str
    channel: str
    round: int
    from_ms: int
    due_ms: int
    state: State = State.WAITING
    parcel: str = ""
    attempts: int = 0
    failures: int = 0
    done_ms: int | None = None
    error: str = ""
    is_uncertain: bool = False
    """A try may have arrived."""

    @property
    def is_open(self) -> bool:
        return self.state not in FINAL


class Wanted(NamedTuple):
    """A row to make."""

    person: str
    channel: str
    round: int
    due_ms: int


class Due(NamedTuple):
    """``next_ms``: when to look again, if nothing happens before."""

    wanted: tuple[Wanted, ...]
    next_ms: int | None


class Patience(msgspec.Struct, frozen=True):
    """How long nobody may answer."""

    escalate_ms: int
    remind_ms: int
    least: Severity


def due(
    notice: Notice,
    rows: Sequence[Sending],
    roster: Roster,
    stand_ins: Sequence[StandIn],
    patience: Patience,
    now_ms: int,
) -> Due:
    """The rows that a notice needs now, besides those it has."""
    if notice.kind is NoticeKind.HOOK:
        return Due((), None)  # its rows were made with it
    if notice.is_drill and notice.kind is NoticeKind.RAISED:
        return Due(_drill(notice, rows, roster, now_ms), None)
    known = {row.person for row in rows}
    if notice.kind is not NoticeKind.RAISED:
        fresh = [person for person in notice.people if person not in known]
        return Due(tuple(_first(notice, person, roster, now_ms) for person in fresh), None)
    chain = roster.on_duty(now_ms, stand_ins)
    if known.isdisjoint(roster.people):  # also where whoever it was for is not configured any more
        return Due((_first(notice, chain[0], roster, now_ms),), now_ms + 1)
    if not _is_unanswered(notice, patience):
        return Due((), None)
    steps = (_escalated(notice, rows, chain, roster, patience, now_ms),)
    return _together(*steps, *_reminded(notice, rows, roster, patience, now_ms))


def _is_unanswered(notice: Notice, patience: Patience) -> bool:
    alert = notice.alert
    is_raised = alert is not None and alert.state is AlertState.RAISED
    return is_raised and notice.severity.rank >= patience.least.rank


def _first(notice: Notice, person: str, roster: Roster, now_ms: int) -> Wanted:
    due_ms = roster.may_tell(person, notice.severity, now_ms)
    return Wanted(person, roster.people[person].channels[0], 0, due_ms)


def _drill(
    notice: Notice, rows: Sequence[Sending], roster: Roster, now_ms: int
) -> tuple[Wanted, ...]:
    """Everybody, over every channel: a way that is not tried out is not known to work."""
    known = {(row.person, row.channel) for row in rows}
    return tuple(
        Wanted(person.id, channel, 0, roster.may_tell(person.id, notice.severity, now_ms))
        for person in roster.people.values()
        for channel in person.channels
        if (person.id, channel) not in known
    )


def _escalated(
    notice: Notice,
    rows: Sequence[Sending],
    chain: Sequence[str],
    roster: Roster,
    patience: Patience,
    now_ms: int,
) -> Due:
    """The next one on duty, once the last one had the time to answer."""
    known = {row.person for row in rows}
    rest = [person for person in chain if person not in known]
    if not rest:
        return Due((), None)
    called_ms = max(_called_ms(row) for row in rows if row.round == 0)
    next_ms = called_ms + patience.escalate_ms
    if next_ms > now_ms and not _is_out_of_reach(rows, roster):
        return Due((), next_ms)
    return Due((_first(notice, rest[0], roster, now_ms),), now_ms + 1)


def _is_out_of_reach(rows: Sequence[Sending], roster: Roster) -> bool:
    """No channel of whoever was called last works, so there is nothing to wait for."""
    last = rows[-1].person
    own = [row for row in rows if row.person == last]
    fails = [row.state is State.FAILED or (row.is_open and row.failures >= FAILURES) for row in own]
    person = roster.people.get(last)
    return all(fails) and (person is None or {row.channel for row in own} >= {*person.channels})


def _reminded(
    notice: Notice, rows: Sequence[Sending], roster: Roster, patience: Patience, now_ms: int
) -> list[Due]:
    """Each who was told, ever more rarely; never while the message before has not arrived."""
    found = []
    for person in {row.person: None for row in rows}:
        own = [row for row in rows if row.person == person]
        last = max(row.round for row in own)
        told = [row.done_ms or 0 for row in own if row.round == last and row.state in ENDED]
        if not told or person not in roster.people:
            continue
        next_ms = max(told) + pause_ms(patience.remind_ms, last)
        if next_ms > now_ms:
            found.append(Due((), next_ms))
            continue
        first = _first(notice, person, roster, now_ms)
        found.append(Due((first._replace(round=last + 1),), None))
    return found


def pause_ms(remind_ms: int, round_: int) -> int:
    """How long after a round the next reminder comes.

    >>> [pause_ms(30 * MINUTE_MS, round_) // MINUTE_MS for round_ in (0, 1, 2, 9)]
    [30, 60, 120, 1440]
    """
    return min(remind_ms << min(round_, 16), max(LONGEST_PAUSE_MS, remind_ms))


def _called_ms(row: Sending) -> int:
    """When somebody was called: of what could not be sent, when it should have been."""
    return row.done_ms if row.done_ms is not None and row.state in TOLD else row.from_ms


def _together(*found: Due) -> Due:
    wanted = tuple(item for one in found for item in one.wanted)
    moments = [one.next_ms for one in found if one.next_ms is not None]
    return Due(wanted, min(moments, default=None))
