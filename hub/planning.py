"""From settings and store to what is planned: the timetable, and what staff say of rooms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple

from edge.clock import Clock
from hub import settings
from hub.bus import Bus
from hub.configuration.timetable import RoomTimetable, TimetableSection, by_day
from hub.domain.centre import Centre
from hub.domain.room import Override
from hub.rooms.overrides import Overrides, remembered
from hub.store.store import Store
from hub.timetable.calendar import Calendar, official
from hub.timetable.days import Entered
from hub.timetable.days import read as read_days
from hub.timetable.rules import Hours, Purpose, RoomPlan, Week
from hub.timetable.service import TimetableService


class Recalled(NamedTuple):
    """What people decided before this start, as the store kept it."""

    overrides: list[Override]
    days: Entered


async def recalled(store: Store, clock: Clock) -> Recalled:
    """
    Raises:
        QueryTooSlowError: the disk does not answer.
    """
    return Recalled(await remembered(store, clock.now_ms()), await store.ask(read_days))


class Plans(NamedTuple):
    """What is planned for rooms, and what staff say of them."""

    timetable: TimetableService
    overrides: Overrides


def plans(
    config: settings.CentreSettings,
    place: Centre,
    store: Store,
    before: Recalled,
    clock: Clock,
    bus: Bus,
) -> Plans:
    section = config.timetable or TimetableSection()
    calendar = Calendar(official(section.country, section.subdivision), *before.days)
    usual = RoomPlan(_week(section.hours))
    by_room = {room.id: _plan(section.rooms.get(room.id), usual) for room in place.rooms}
    return Plans(
        TimetableService(place, usual, by_room, calendar, store, clock, bus),
        Overrides(by_room, store, clock, bus, before.overrides),
    )


def _plan(own: RoomTimetable | None, usual: RoomPlan) -> RoomPlan:
    if own is None:
        return usual
    purposes = tuple(
        Purpose(
            item.id,
            {str(language): text for language, text in item.name.items()},
            by_day(item.when),
            item.from_ or date.min,
            item.until or date.max,
            item.limit,
        )
        for item in own.purposes
    )
    return RoomPlan(usual.week if own.hours is None else _week(own.hours), purposes)


def _week(hours: Mapping[str, Hours] | None) -> Week | None:
    return None if hours is None else by_day(hours)
