"""Who is on duty, and who may be told now. Pure: the moment is an argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from hub.domain.fault import Severity

A_DAY = timedelta(days=1)
DAY_MINUTES = 24 * 60
WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MOST_SPANS = 32  # of quiet hours in a row; quiet hours without an end are those of nobody

Hours = tuple[tuple[int, int], ...]
"""From and until in minutes of the day, until beyond 1440 past midnight."""

DayNames = Callable[[date], Sequence[str]]
"""The lines of a week that a day may go by, the first that is written counts: ``holiday``, then
its weekday. On a holiday somebody is on duty even where no line names holidays."""


def weekday_only(on: date) -> Sequence[str]:
    """For a roster that knows of no holidays.

    >>> weekday_only(date(2026, 11, 22))
    ('sun',)
    """
    return (WEEK[on.weekday()],)


class Person(msgspec.Struct, frozen=True):
    """Somebody who can be told; ``channels`` the best first."""

    id: str
    name: str
    language: str
    channels: tuple[str, ...]
    quiet: Hours = ()
    wakes: Severity = Severity.URGENT


class Shift(msgspec.Struct, frozen=True):
    """Who is on duty at some hours, in the order in which they are told."""

    week: Mapping[str, Hours]
    people: tuple[str, ...]


class StandIn(msgspec.Struct, frozen=True):
    """On these days, both included, somebody does another one's duty."""

    id: int
    person: str
    instead: str
    first: date
    last: date
    author: str = ""


class Roster(msgspec.Struct, frozen=True):
    """Shifts, people, and the centre's clocks."""

    zone: ZoneInfo
    people: Mapping[str, Person]
    shifts: tuple[Shift, ...]
    manager: str
    days: DayNames = weekday_only

    def on_duty(self, at_ms: int, stand_ins: Sequence[StandIn] = ()) -> tuple[str, ...]:
        """Who is told, in order: those of the first shift that covers the moment, then the
        manager; each once, and whoever is stood in for is not among them."""
        at = self._local(at_ms)
        shift = next((shift for shift in self.shifts if self._covers(shift.week, at)), None)
        wanted = (*(shift.people if shift else ()), self.manager)
        found = (self._in_person(person, at.date(), stand_ins) for person in wanted)
        return tuple(dict.fromkeys(found))

    def may_tell(self, person: str, severity: Severity, at_ms: int) -> int:
        """From when on somebody may be told: at once, or at the end of the quiet hours."""
        whom = self.people[person]
        if severity.rank >= whom.wakes.rank:  # nothing is graver than urgent, so that always is
            return at_ms
        free_ms = at_ms
        for _ in range(MOST_SPANS):
            end = self._quiet_until(whom.quiet, free_ms)
            if end is None:
                return free_ms
            free_ms = end
        return at_ms

    def is_within(self, week: Mapping[str, Hours], at_ms: int) -> bool:
        """Whether a week's hours cover the moment."""
        return self._covers(week, self._local(at_ms))

    def today(self, at_ms: int) -> date:
        return self._local(at_ms).date()

    def _local(self, at_ms: int) -> datetime:
        return datetime.fromtimestamp(at_ms / 1000, self.zone)

    def _covers(self, week: Mapping[str, Hours], at: datetime) -> bool:
        minute = at.hour * 60 + at.minute
        passed = ((at.date(), minute), (at.date() - A_DAY, minute + DAY_MINUTES))
        return any(
            begin <= since < end for day, since in passed for begin, end in self._hours(week, day)
        )

    def _hours(self, week: Mapping[str, Hours], on: date) -> Hours:
        return next((week[name] for name in self.days(on) if name in week), ())

    def _in_person(self, person: str, on: date, stand_ins: Sequence[StandIn]) -> str:
        """The newest entry counts; a stand-in has no stand-in, so two cannot point in a circle.

        Who was taken out of the configuration since stands in for nobody.
        """
        for item in reversed(stand_ins):
            if item.instead not in self.people:
                continue
            if item.person == person and item.first <= on <= item.last:
                return item.instead
        return person

    def _quiet_until(self, quiet: Hours, at_ms: int) -> int | None:
        """The end of the quiet hours that hold; None: none do."""
        at = self._local(at_ms)
        minute = at.hour * 60 + at.minute
        for day, since in ((at.date(), minute), (at.date() - A_DAY, minute + DAY_MINUTES)):
            for begin, end in quiet:
                if begin <= since < end:
                    return self._moment(day, end)
        return None

    def _moment(self, on: date, minute: int) -> int:
        days, minutes = divmod(minute, DAY_MINUTES)
        day = on + days * A_DAY
        wall = datetime(day.year, day.month, day.day, *divmod(minutes, 60), tzinfo=self.zone)
        return round(wall.astimezone(UTC).timestamp() * 1000)
