"""From settings to what the rules need: the roster, how patient we are, and where channels lead."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from hub.configuration.notify import ChannelSettings, NotifySection, PersonSettings, WebhookSettings
from hub.configuration.timetable import WEEK, by_day
from hub.domain.fault import Severity
from hub.notify.chat import MARKED
from hub.notify.roster import DayNames, Hours, Person, Roster, Shift, weekday_only
from hub.notify.rules import Patience

PLACE = {"wecom": 4, "ntfy": 12, "program": 1}
DRILL_HOURS: dict[str, Hours] = dict.fromkeys(WEEK[:5], ((10 * 60, 11 * 60),))


class Way(NamedTuple):
    """A channel of people, or a webhook of a program."""

    id: str
    kind: str
    file: Path
    url: str = ""
    """Of a webhook; a channel's is in the file."""

    @property
    def most(self) -> int:
        """How many notices one message has place for, each with its line and its link."""
        return PLACE.get(self.kind, 40)

    @property
    def is_marked(self) -> bool:
        """A repeat can be recognised."""
        return bool(self.url) or self.kind in MARKED


def roster(section: NotifySection, zone: str, days: DayNames = weekday_only) -> Roster:
    people = {person.id: _person(person) for person in section.people}
    shifts = tuple(Shift(by_day(item.when), tuple(item.people)) for item in section.roster)
    return Roster(ZoneInfo(zone), people, shifts, section.manager or "", days)


def patience(section: NotifySection) -> Patience:
    rules = section.escalation
    return Patience(ms(rules.after), ms(rules.remind), Severity(rules.least))


def ways(section: NotifySection) -> dict[str, Way]:
    found = [*map(_way, section.channels), *map(_hook, section.webhooks)]
    return {way.id: way for way in found}


def addresses(section: NotifySection) -> dict[tuple[str, str], str]:
    """What becomes of ``{to}``, by person and channel."""
    return {
        (person.id, channel): to for person in section.people for channel, to in person.to.items()
    }


def drills(section: NotifySection) -> tuple[int | None, dict[str, Hours]]:
    """How often, and in which hours of which days; None: only by the button."""
    drill = section.drill
    if drill is None:
        return None, {}
    hours = DRILL_HOURS if drill.when is None else by_day(drill.when)
    return ms(drill.every), hours


def ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)


def _person(person: PersonSettings) -> Person:
    return Person(
        person.id,
        person.name,
        person.language,
        tuple(person.channels),
        person.quiet or (),
        Severity(person.wakes),
    )


def _way(channel: ChannelSettings) -> Way:
    return Way(channel.id, channel.kind, Path(channel.url_file))


def _hook(hook: WebhookSettings) -> Way:
    return Way(hook.id, "program", Path(hook.secret_file), hook.url)
