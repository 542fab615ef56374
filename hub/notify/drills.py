"""Drills: a marked fault that is none goes the whole way, and whoever answers proves his part.

button or schedule  >  DrillWanted  >  faults  >  AlertChanged (drill)  >  messages  >  links
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from hub.bus import Bus
from hub.domain.errors import RefusedDecisionError
from hub.domain.events import DrillWanted
from hub.domain.fault import Alert, FaultKind
from hub.domain.room import Text
from hub.notify.book import Book
from hub.notify.roster import Hours, Roster
from hub.notify.rows import Drill

MINUTE_MS, HOUR_MS = 60_000, 3_600_000
LASTS_MS = 24 * HOUR_MS  # then whoever has not answered has not
APART_MS = 10 * MINUTE_MS  # two drills at once would teach people to look away
LOST_AFTER_MS = MINUTE_MS  # no alert came of it: the way is broken at its beginning


class Drills:
    """Belongs to the event loop."""

    def __init__(
        self, book: Book, roster: Roster, bus: Bus, every_ms: int | None, hours: Mapping[str, Hours]
    ) -> None:
        """``every_ms`` None: only by the button."""
        self._book = book
        self._roster = roster
        self._bus = bus
        self._every_ms = every_ms
        self._hours = hours

    def begin(self, by: str, now_ms: int) -> Drill:
        """
        Raises:
            RefusedDecisionError: there is nobody to tell, or one has only just begun.
        """
        last = self._book.drill
        if not self._roster.people:
            raise RefusedDecisionError(Text("notify.drill_nobody"), 409)
        if last is not None and 0 <= now_ms - last.begun_ms < APART_MS:
            raise RefusedDecisionError(Text("notify.drill_again"), 409)
        drill = self._book.begin_drill(by, now_ms)
        self._bus.publish(DrillWanted(drill.id, FaultKind.TAMPER, now_ms))
        return self._book.drill or drill  # its alert may be known by now

    def came(self, alert: Alert) -> None:
        """The alert of a drill was raised."""
        drill = self._book.drill
        if drill is None or drill.alert is not None or alert.evidence.get("number") != drill.id:
            return
        wanted = sum(len(person.channels) for person in self._roster.people.values())
        self._book.set_drill(msgspec.structs.replace(drill, alert=alert.id, wanted=wanted))

    def answered(self, alert: int, person: str, channel: str, now_ms: int) -> None:
        """Somebody used the link that came to him over a channel."""
        self._book.prove(person, channel, now_ms)
        drill = self._book.drill
        if drill is None or drill.alert != alert or (person, channel) in drill.proven:
            return
        drill = msgspec.structs.replace(drill, proven=(*drill.proven, (person, channel)))
        if len(drill.proven) >= drill.wanted:
            drill = msgspec.structs.replace(drill, ended_ms=now_ms)
        self._book.set_drill(drill)

    def look(self, now_ms: int) -> None:
        """End the last one after a day, and begin the next one where it is time."""
        last = self._book.drill
        if last is not None and last.ended_ms is None and now_ms - last.begun_ms > LASTS_MS:
            self._book.set_drill(msgspec.structs.replace(last, ended_ms=now_ms))
        if self._every_ms is None or not self._roster.people:
            return
        is_due = last is None or now_ms - last.begun_ms >= max(self._every_ms, APART_MS)
        if is_due and self._roster.is_within(self._hours, now_ms):
            self.begin("", now_ms)


def is_lost(drill: Drill, now_ms: int) -> bool:
    """A drill of which no alert came."""
    return drill.alert is None and now_ms - drill.begun_ms > LOST_AFTER_MS
