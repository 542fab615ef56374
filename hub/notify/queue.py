"""What becomes of a sending: tried again, sent another way, spared, given up. Pure.

What is known of a try is one of three things, and the third is the hard one:

    sent      somebody took it
    refused   it surely did not arrive: no connection, a status that says no
    unknown   it may have arrived: the answer was cut, or we were killed while we waited for it

A repeat of a mail carries the same Message-ID, and one to a program the same key, so both can be
recognised and are made. A chat or a short message has no such mark: what may have arrived is not
sent again over that channel; another channel is taken, and the reminder comes anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from hub.domain.fault import AlertState
from hub.notify.roster import Person, Roster
from hub.notify.rules import DAY_MS, FAILURES, MINUTE_MS, Notice, NoticeKind, Sending, State, Wanted

FIRST_WAIT_MS = 15_000
LONGEST_WAIT_MS = 15 * MINUTE_MS
LONGEST_ASKED_MS = 60 * MINUTE_MS  # a server that asks for more patience is asked again after this
TROUBLE_MS = 2 * DAY_MS  # what has not arrived after so long is told on the page
GIVE_UP_MS = 14 * DAY_MS


class Result(StrEnum):
    SENT = "sent"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Outcome(NamedTuple):
    """``error`` is a code; ``of_channel``: whatever else goes over that channel fails too."""

    result: Result
    error: str = ""
    retry_after_s: float = 0.0
    of_channel: bool = True


SENT = Outcome(Result.SENT)


class Health(NamedTuple):
    """How a channel is. ``until_ms``: nothing goes over it before."""

    failures: int = 0
    until_ms: int = 0

    @property
    def is_down(self) -> bool:
        return self.failures >= FAILURES


class Parcel(NamedTuple):
    """What goes out as one message."""

    mark: str
    person: str
    channel: str
    rows: tuple[Sending, ...]


def wait_ms(failures: int, retry_after_s: float = 0.0) -> int:
    """How long after so many failures in a row the next try is made.

    >>> [wait_ms(failures) // 1000 for failures in (1, 2, 3, 4, 9)]
    [15, 30, 60, 120, 900]
    >>> wait_ms(1, 120) // 1000, wait_ms(1, 1e9) // 1000
    (120, 3600)
    """
    own = min(FIRST_WAIT_MS << min(failures - 1, 16), LONGEST_WAIT_MS)
    return max(own, round(min(retry_after_s * 1000, LONGEST_ASKED_MS)))


def health(before: Health, outcome: Outcome, now_ms: int) -> Health:
    """How a channel is after a try."""
    if outcome.result is Result.SENT or not outcome.of_channel:
        return Health()
    failures = before.failures + 1
    return Health(failures, now_ms + wait_ms(failures, outcome.retry_after_s))


def tried(row: Sending, outcome: Outcome, *, is_marked: bool, now_ms: int) -> Sending:
    """A row after a try. ``is_marked``: a repeat can be recognised."""
    replace = msgspec.structs.replace
    if outcome.result is Result.SENT:
        return replace(row, state=State.SENT, done_ms=now_ms, error="")
    is_unknown = outcome.result is Result.UNKNOWN
    is_uncertain = row.is_uncertain or is_unknown
    row = replace(row, failures=row.failures + 1, error=outcome.error, is_uncertain=is_uncertain)
    if is_unknown and not is_marked:
        return replace(row, state=State.UNKNOWN, done_ms=now_ms)
    if now_ms - row.from_ms > GIVE_UP_MS:
        return replace(row, state=State.FAILED, done_ms=now_ms)
    due_ms = now_ms + wait_ms(row.failures, outcome.retry_after_s)
    parcel = row.parcel if is_uncertain else ""
    return replace(row, state=State.WAITING, due_ms=due_ms, parcel=parcel)


def found_in_flight(row: Sending, *, is_marked: bool, now_ms: int) -> Sending:
    """A row that was being sent when the hub ended: nobody knows whether it arrived."""
    outcome = Outcome(Result.UNKNOWN, "cut_off")
    found = tried(row, outcome, is_marked=is_marked, now_ms=now_ms)
    return msgspec.structs.replace(found, due_ms=min(found.due_ms, now_ms))


def other_way(
    row: Sending, beside: Sequence[Sending], person: Person, down: Container[str], now_ms: int
) -> Wanted | None:
    """The next channel, where this one fails or nobody knows; None: no need, or there is none.

    ``beside``: all rows of the same notice, person and round.
    """
    if any(_is_hopeful(other, down, now_ms) for other in beside):
        return None
    used = {other.channel for other in beside}
    rest = [channel for channel in person.channels if channel not in used]
    if not rest:
        return None
    best = next((channel for channel in rest if channel not in down), rest[0])
    return Wanted(row.person, best, row.round, now_ms)


def _is_hopeful(row: Sending, down: Container[str], now_ms: int) -> bool:
    """It arrived, or it may yet without another channel's help."""
    if not row.is_open:
        return row.state in (State.SENT, State.SPARED)
    if row.due_ms > now_ms and not row.failures:
        return True  # it waits for the morning, and by then all may be well
    return row.failures < FAILURES and row.channel not in down


def spared(row: Sending, notice: Notice, beside: Iterable[Sending], now_ms: int) -> Sending:
    """The same row, or spared: somebody took care of it, or it arrived another way.

    What may have arrived already is not taken back, so that its repeat has an end. A fault that
    was over before anybody could be told is told all the same, as one that was.
    """
    if row.state is not State.WAITING or row.parcel or notice.is_drill:
        return row
    if _is_needed(row, notice) and not any(other.state is State.SENT for other in beside):
        return row
    return msgspec.structs.replace(row, state=State.SPARED, done_ms=now_ms, error="")


def _is_needed(row: Sending, notice: Notice) -> bool:
    if notice.kind not in (NoticeKind.RAISED, NoticeKind.GRAVER) or notice.alert is None:
        return True
    if notice.alert.merged_into is not None:
        return False  # its cause is told instead
    if notice.alert.state in (AlertState.ACKNOWLEDGED, AlertState.SHELVED):
        return notice.kind is NoticeKind.GRAVER
    return notice.alert.state is AlertState.RAISED or row.round == 0


def sooner(row: Sending, notice: Notice, roster: Roster, now_ms: int) -> Sending:
    """The same row, or due earlier: what waits for the morning does not once it is urgent."""
    if row.state is not State.WAITING or row.failures or row.person not in roster.people:
        return row
    due_ms = roster.may_tell(row.person, notice.severity, now_ms)
    return row if due_ms >= row.due_ms else msgspec.structs.replace(row, due_ms=due_ms)


def put_off(row: Sending, notice: Notice, roster: Roster, now_ms: int) -> Sending:
    """The same row, or due in the morning: what could not be sent by day wakes nobody at night."""
    if row.state is not State.WAITING or row.due_ms > now_ms or row.person not in roster.people:
        return row
    due_ms = roster.may_tell(row.person, notice.severity, now_ms)
    return row if due_ms <= now_ms else msgspec.structs.replace(row, due_ms=due_ms)


def begun_anew(row: Sending, notice: Notice, roster: Roster, now_ms: int) -> Sending:
    """The same row after the clock was set: what was reckoned with the old time is not kept.

    What was done at an hour that is yet to come was done now, or reminders would wait for it.
    """
    if row.done_ms is not None and row.done_ms > now_ms:
        return msgspec.structs.replace(row, done_ms=now_ms, from_ms=min(row.from_ms, now_ms))
    if row.state is not State.WAITING:
        return row
    due_ms = min(row.due_ms, now_ms + LONGEST_WAIT_MS)
    if not row.failures and row.person in roster.people:
        due_ms = roster.may_tell(row.person, notice.severity, now_ms)
    return msgspec.structs.replace(row, from_ms=min(row.from_ms, now_ms), due_ms=due_ms)


def is_over(notice: Notice, rows: Sequence[Sending]) -> bool:
    """Nothing is to be done for it any more."""
    if any(row.is_open for row in rows):
        return False
    if notice.kind is not NoticeKind.RAISED or notice.alert is None:
        return True
    return bool(rows) and notice.alert.state is AlertState.CLEARED


def is_trouble(row: Sending, now_ms: int) -> bool:
    """Somebody must look at it: it was given up, or has not arrived for two days."""
    return row.state is State.FAILED or (row.is_open and now_ms - row.from_ms > TROUBLE_MS)


def parcels(
    rows: Iterable[Sending],
    notices: Mapping[int, Notice],
    channels: Mapping[str, Health],
    most: Callable[[str], int],
    now_ms: int,
) -> Iterator[Parcel]:
    """What may go out now, gravest first. A repeat goes as it went; all else is put together.

    ``most``: how many notices one message over a channel has place for.
    """
    groups: dict[tuple[str, str, str], list[Sending]] = {}
    for row in rows:
        if row.state is not State.WAITING or row.due_ms > now_ms:
            continue
        if channels.get(row.channel, Health()).until_ms > now_ms:
            continue
        alone = row.parcel or (f"h{row.id}" if notices[row.notice].kind is NoticeKind.HOOK else "")
        groups.setdefault((row.channel, row.person, alone), []).append(row)
    found = []
    for (channel, person, _), group in groups.items():
        group.sort(key=lambda row: _weight(row, notices))
        whole = len(group) if group[0].parcel else most(channel)
        found.append(Parcel(group[0].parcel, person, channel, tuple(group[:whole])))
    yield from sorted(found, key=lambda parcel: _weight(parcel.rows[0], notices))


def _weight(row: Sending, notices: Mapping[int, Notice]) -> tuple[int, int]:
    return (-notices[row.notice].severity.rank, row.id)
