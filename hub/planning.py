"""From settings and store to what is planned: the timetable, and what staff say of rooms."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple
from zoneinfo import ZoneInfo

from edge.clock import Clock
from hub import settings
from hub.bus import Bus
from hub.configuration.timetable import RoomTimetable, TimetableSection, by_day
from hub.domain.centre import Centre
from hub.domain.room import Override
from hub.faults import service as faults
from hub.faults.rows import Recalled as Broken
from hub.maintenance import upkeep as maintenance
from hub.maintenance.rows import Recalled as Labour
from hub.rooms.overrides import Overrides, remembered
from hub.store.store import Store
from hub.timetable.calendar import Calendar, official
from hub.timetable.days import Entered
from hub.timetable.days import read as read_days
from hub.timetable.rules import Hours, Purpose, RoomPlan, Timetable, Week
from hub.timetable.service import TimetableService


class Recalled(NamedTuple):
    """What people decided before this start, what was broken, and what was to be done about it, as
    the store kept it."""

    overrides: list[Override]
    days: Entered
    broken: Broken
    labour: Labour


async def recalled(store: Store, clock: Clock) -> Recalled:
    """
    Raises:
        QueryTooSlowError: the disk does not answer.
    """
    now_ms = clock.now_ms()
    return Recalled(
        await remembered(store, now_ms),
        await store.ask(read_days),
        await faults.recalled(store, now_ms),
        await maintenance.recalled(store, now_ms),
    )


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
    rules = _rules(config, place)
    calendar = _calendar(config, before.days)
    return Plans(
        TimetableService(place, rules.usual, rules.by_room, calendar, store, clock, bus),
        Overrides(rules.by_room, store, clock, bus, before.overrides),
    )


def schedule(config: settings.CentreSettings, place: Centre, days: Entered) -> Timetable:
    """The same timetable without a hub around it, for a past day or another configuration."""
    rules = _rules(config, place)
    return Timetable(ZoneInfo(place.timezone), rules.by_room, _calendar(config, days))


class _Rules(NamedTuple):
    usual: RoomPlan
    by_room: dict[str, RoomPlan]


def _rules(config: settings.CentreSettings, place: Centre) -> _Rules:
    section = config.timetable or TimetableSection()
    usual = RoomPlan(_week(section.hours))
    by_room = {room.id: _plan(section.rooms.get(room.id), usual) for room in place.rooms}
    return _Rules(usual, by_room)


def _calendar(config: settings.CentreSettings, days: Entered) -> Calendar:
    section = config.timetable or TimetableSection()
    return Calendar(official(section.country, section.subdivision), *days)


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
