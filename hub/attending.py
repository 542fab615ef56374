"""From what is broken to what is repaired: faults, who is told of them, and what is done.

The constructors that need more than a line; ``hub/run.py`` joins the result to the rest.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.centre import Centre
from hub.domain.fault import Fault, Finding
from hub.domain.opening import Schedule
from hub.faults.detect.watch import Detection
from hub.faults.rows import Recalled
from hub.faults.service import FaultsService
from hub.live import LiveState
from hub.store.store import Store

OF_PEOPLE = frozenset(
    {"motion", "presence", "occupancy", "people.count", "people.in", "people.out"}
)
"""Channels that tell of people in a room; a door alone never does."""


class Attended(NamedTuple):
    """``tasks`` run by name until they are cancelled."""

    faults: FaultsService
    tasks: Mapping[str, Callable[[], Coroutine[object, object, None]]]


def attend(
    place: Centre, clock: Clock, bus: Bus, store: Store, schedule: Schedule, before: Recalled
) -> Attended:
    tells = partial(tells_of_people, store.live)
    detect = partial(_detection, place)
    faults = FaultsService(place, clock, bus, store, schedule, tells, detect, before)
    return Attended(faults, {"faults": faults.run})


def tells_of_people(live: LiveState, device: str) -> bool:
    """What it has said shows it; of one that never spoke the best is assumed."""
    series = live.by_device.get(device, ())
    return not series or any(one.key.channel in OF_PEOPLE for one in series)


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
