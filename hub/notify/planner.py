"""The rules applied to the book: which rows are made, which go out together, what becomes of them.

No clock, no disk, no network: ``Notify`` gives it the moment and tells it each outcome.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping

import msgspec

from hub.notify import queue
from hub.notify.book import Book
from hub.notify.events import digest
from hub.notify.planned import Way
from hub.notify.queue import Health, Outcome, Parcel
from hub.notify.roster import Roster
from hub.notify.rules import Notice, NoticeKind, Patience, Sending, State, due


class Planner:
    def __init__(
        self, book: Book, roster: Roster, patience: Patience, ways: Mapping[str, Way]
    ) -> None:
        self.channels: dict[str, Health] = {}
        self._book = book
        self._roster = roster
        self._patience = patience
        self._ways = ways

    def plan(self, now_ms: int) -> int | None:
        """Make the rows that are due and spare those nobody needs; when to look again."""
        moments: list[int] = []
        for notice in list(self._book.notices.values()):
            moments += self._plan_one(notice, now_ms)
        waiting = (row for row in self._book.sendings.values() if row.state is State.WAITING)
        moments += [row.due_ms for row in waiting]
        moments += [health.until_ms for health in self.channels.values()]
        return min((moment for moment in moments if moment > now_ms), default=None)

    def parcels(self, now_ms: int, room: int, is_free: Callable[[str], bool]) -> list[Parcel]:
        """What goes out now, its rows marked as being sent: at most one over each free channel."""
        book, found = self._book, dict[str, Parcel]()
        rows, notices = book.sendings.values(), book.notices
        ready = queue.parcels(rows, notices, self.channels, self._most, now_ms)
        for parcel in list(ready):
            if len(found) >= room or parcel.channel in found or not is_free(parcel.channel):
                continue
            alone = tuple(row for row in parcel.rows if not self._goes_another_way(row))
            if alone and (not parcel.mark or len(alone) == len(parcel.rows)):
                found[parcel.channel] = self._marked(parcel._replace(rows=alone))
        return list(found.values())

    def arrived(self, parcel: Parcel, outcome: Outcome, now_ms: int) -> None:
        """What became of a message."""
        before = self.channels.get(parcel.channel, Health())
        self.channels[parcel.channel] = queue.health(before, outcome, now_ms)
        is_marked = self._ways[parcel.channel].is_marked
        for row in parcel.rows:
            row = self._book.sendings[row.id]
            self._book.set(queue.tried(row, outcome, is_marked=is_marked, now_ms=now_ms))

    def is_failing(self, channel: str) -> bool:
        """Its last try failed."""
        return self.channels.get(channel, Health()).failures > 0

    def recover(self, now_ms: int) -> None:
        """After a start: decide what was in flight, and what leads nowhere any more."""
        for row in list(self._book.sendings.values()):
            if (found := self._recovered(row, now_ms)) is not row:
                self._book.set(found)

    def begin_anew(self, now_ms: int) -> None:
        """The clock was set."""
        self.channels.clear()
        for row in list(self._book.sendings.values()):
            notice = self._book.notices[row.notice]
            found = queue.begun_anew(row, notice, self._roster, now_ms)
            if found != row:
                self._book.set(found)

    def _plan_one(self, notice: Notice, now_ms: int) -> Iterable[int]:
        book = self._book
        while True:
            rows = book.of(notice.id)
            found = due(notice, rows, self._roster, book.stand_ins, self._patience, now_ms)
            made = [book.want(notice, wanted) for wanted in found.wanted]
            if not any(made) or found.next_ms is None or found.next_ms > now_ms + 1:
                break
        for row in book.of(notice.id):
            self._look_after(row, notice, now_ms)
        if queue.is_over(notice, book.of(notice.id)):
            book.close(notice, now_ms)
            return ()
        return () if found.next_ms is None else (found.next_ms,)

    def _look_after(self, row: Sending, notice: Notice, now_ms: int) -> None:
        """Another channel, where this one fails; or none at all, where nobody needs it."""
        later = queue.put_off(row, notice, self._roster, now_ms)
        if later is not row:
            self._book.set(later)
            row = later
        beside = self._book.beside(row)
        kept = queue.spared(row, notice, beside, now_ms)
        person = self._roster.people.get(row.person)
        if kept is not row:
            self._book.set(kept)
        elif person is not None and not notice.is_drill:
            wanted = queue.other_way(row, beside, person, self._down(), now_ms)
            if wanted is not None:  # which may be hours after the first try
                due_ms = self._roster.may_tell(person.id, notice.severity, now_ms)
                self._book.want(notice, wanted._replace(due_ms=due_ms))

    def _goes_another_way(self, row: Sending) -> bool:
        """It is just being sent to the same person over another channel: that may be enough."""
        if self._book.notices[row.notice].is_drill:
            return False
        return any(other.state is State.SENDING for other in self._book.beside(row))

    def _most(self, channel: str) -> int:
        return self._ways[channel].most

    def _down(self) -> set[str]:
        return {channel for channel, health in self.channels.items() if health.is_down}

    def _marked(self, parcel: Parcel) -> Parcel:
        """Before the first byte goes out: so much is known if we are killed meanwhile."""
        mark = parcel.mark or self._mark(parcel)
        rows = tuple(
            msgspec.structs.replace(
                row, state=State.SENDING, parcel=mark, attempts=row.attempts + 1
            )
            for row in parcel.rows
        )
        for row in rows:
            self._book.set(row)
        return parcel._replace(mark=mark, rows=rows)

    def _mark(self, parcel: Parcel) -> str:
        """A program's is that of the event, also after a restart; a message to people is new."""
        notice = self._book.notices[parcel.rows[0].notice]
        if notice.kind is NoticeKind.HOOK:
            return digest(notice.event)
        return secrets.token_hex(16)

    def _recovered(self, row: Sending, now_ms: int) -> Sending:
        way = self._ways.get(row.channel)
        is_known = way is not None and (bool(way.url) or row.person in self._roster.people)
        if row.is_open and not is_known:  # somebody took it out of the configuration
            return msgspec.structs.replace(
                row, state=State.FAILED, done_ms=now_ms, error="not_configured"
            )
        if row.state is State.SENDING and way is not None:
            return queue.found_in_flight(row, is_marked=way.is_marked, now_ms=now_ms)
        return row
