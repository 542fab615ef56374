"""From what is broken to what is repaired: faults, who is told of them, and what is done.

The constructors that need more than a line; ``hub/run.py`` joins the result to the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import NamedTuple

from device_drivers.registry import drivers
from edge.clock import Clock
from hub.bus import Bus
from hub.configuration.models import CentreSettings
from hub.configuration.timetable import HOLIDAY, MAKEUP, WEEK
from hub.domain.centre import Centre
from hub.domain.fault import Fault, Finding
from hub.faults.consequence import Sense
from hub.faults.detect.watch import Detection
from hub.faults.night_service import NightService
from hub.faults.rows import Recalled
from hub.faults.service import FaultsService
from hub.intake import Intake
from hub.live import LiveState
from hub.notify.service import Notify
from hub.planning import Recalled as Before
from hub.repairing import Repairs, repairs
from hub.store.store import Store
from hub.timetable.rules import Kind
from hub.timetable.service import TimetableService

BROKER = "mqtt"
SENSES: Mapping[str, Sense] = {
    "motion": Sense.MOTION,
    "occupancy": Sense.MOTION,
    "presence": Sense.STILL,
    "people.count": Sense.STILL,
    "people.in": Sense.STILL,
    "people.out": Sense.STILL,
    "contact": Sense.DOOR,
}
"""What a channel tells of people in a room."""


class Attended(NamedTuple):
    """``tasks`` run by name until they are cancelled."""

    faults: FaultsService
    notify: Notify
    repairs: Repairs
    nights: NightService
    tasks: Mapping[str, Callable[[], Coroutine[object, object, None]]]


def attend(
    config: CentreSettings,
    place: Centre,
    clock: Clock,
    bus: Bus,
    store: Store,
    timetable: TimetableService,
    before: Before,
    data: Path,
    intake: Intake,
) -> Attended:
    known = drivers()
    could = {item.id: frozenset(known[item.driver].channels) for item in place.devices}
    senses = partial(_senses, store.live, could)
    detect = partial(_detection, place)
    faults = FaultsService(place, clock, bus, store, timetable, senses, detect, before.broken)
    notify = Notify(
        config.notify,
        *(place, store, clock, bus, faults, data),
        days=partial(names_of_day, timetable),
        is_well=lambda: _is_well(store, intake),
    )
    mended = repairs(config, place, clock, bus, store, faults, before.labour)
    nights = NightService(place, clock, bus, store, timetable, faults)
    tasks = {"faults": faults.run, "notify": notify.run, "maintenance": mended.orders.run}
    return Attended(faults, notify, mended, nights, tasks | {"nights": nights.run})


def names_of_day(timetable: TimetableService, on: date) -> tuple[str, ...]:
    """By which lines of a roster a day may go: a make-up day as the weekday beside it."""
    kind, at = timetable.day(on).kind, on.weekday()
    if kind is Kind.HOLIDAY:
        return (HOLIDAY, WEEK[at])
    if kind is Kind.MAKEUP:
        return (MAKEUP, WEEK[{5: 4, 6: 0}.get(at, at)])
    return (WEEK[at],)


def _is_well(store: Store, intake: Intake) -> bool:
    """The disk takes what is written, and the broker is there, where there is one."""
    return store.state().failing_since_ms is None and BROKER not in intake.links_down


def _senses(live: LiveState, could: Mapping[str, frozenset[str]], device: str) -> frozenset[Sense]:
    """What it has said shows it; of one that never spoke, what its driver could say."""
    said = {one.key.channel for one in live.by_device.get(device, ())}
    channels = said or could.get(device, frozenset())
    return frozenset(sense for channel, sense in SENSES.items() if channel in channels)


def _detection(
    place: Centre, tell: Callable[[Finding], None], before: Recalled, now_ms: int
) -> Detection:
    return Detection(place, now_ms, tell, before.learnt, _standing(before.faults))


def _standing(faults: list[Fault]) -> Iterator[Finding]:
    """What was found before this start and is not over, as it was told then."""
    for fault in faults:
        if fault.cleared_ms is None and not fault.is_drill:
            yield Finding(
                fault.subject, fault.kind, True, fault.found_ms, fault.since_ms, fault.evidence
            )
