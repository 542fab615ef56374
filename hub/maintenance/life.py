"""What happened to a device: where it was, what was changed, when it was calibrated. Pure.

Also the two lists that are made of it: calibrations that are due, and batteries to bring.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from hub.domain.device import DeviceState
from hub.domain.fault import Fault, FaultKind

DAY_MS = 86_400_000
WARN = timedelta(days=30)
MONTH_DAYS = 31


class What(StrEnum):
    PLACED = "placed"  # the hub met it first
    MOVED = "moved"
    REPLACED = "replaced"  # another one under the same id
    BATTERY = "battery"
    CALIBRATED = "calibrated"


BY_PEOPLE = (What.BATTERY, What.REPLACED, What.CALIBRATED)
"""What people record; where a device is, the configuration says."""


class Entry(msgspec.Struct, frozen=True):
    """One line of its life. ``room`` is where it was then."""

    id: int
    device: str
    at_ms: int
    what: What
    room: str = ""
    who: str = ""
    note: str = ""


class Rhythm(NamedTuple):
    """How often a device is calibrated; ``last`` is what the configuration says."""

    every: timedelta
    last: date | None = None


class Due(NamedTuple):
    """``on`` is None where nobody knows when it was last done."""

    device: str
    last: date | None
    on: date | None
    is_over: bool


class Battery(NamedTuple):
    """One to bring. ``days_left`` is None where there is no forecast; 0: it is empty."""

    device: str
    room: str | None
    level: float | None
    days_left: int | None
    is_dead: bool


def placed(
    rooms: Mapping[str, str], last: Mapping[str, str], number: int, now_ms: int
) -> Iterator[Entry]:
    """Lines for devices that are somewhere else than when they were last seen.

    >>> [(e.what.value, e.room) for e in placed({"a": "gym"}, {"a": "lane"}, 7, 0)]
    [('moved', 'gym')]
    """
    for device, room in rooms.items():
        if last.get(device) == room:
            continue
        what = What.MOVED if device in last else What.PLACED
        yield Entry(number, device, now_ms, what, room)
        number += 1


def calibrations(
    rhythms: Mapping[str, Rhythm], recorded: Mapping[str, date], today: date
) -> list[Due]:
    """Those that are due within 30 days or over, the most urgent first; unknown ones at the end."""
    found = []
    for device, rhythm in rhythms.items():
        known = [day for day in (rhythm.last, recorded.get(device)) if day is not None]
        if not known:
            found.append(Due(device, None, None, False))
            continue
        on = _after(max(known), rhythm.every)
        if on <= today + WARN:
            found.append(Due(device, max(known), on, on < today))
    return sorted(found, key=lambda due: (due.on or date.max, due.device))


def batteries(
    faults: Iterable[Fault], devices: Mapping[str, DeviceState], now_ms: int
) -> list[Battery]:
    """To bring this month: empty ones first, then by the forecast; without one, those that ask."""
    found: dict[str, Battery] = {}
    for fault in faults:
        device = fault.device
        if device is None or fault.kind not in (FaultKind.BATTERY_LOW, FaultKind.BATTERY_DEAD):
            continue
        state, is_dead = devices.get(device), fault.kind is FaultKind.BATTERY_DEAD
        left = 0 if is_dead else _left(fault, now_ms)
        if left is not None and left > MONTH_DAYS:
            continue
        if device not in found or is_dead:
            level = _level(state) if state is not None else None
            found[device] = Battery(device, fault.room, level, left, is_dead)
    return sorted(found.values(), key=_urgency)


def _urgency(one: Battery) -> tuple[bool, int, str]:
    return (not one.is_dead, MONTH_DAYS if one.days_left is None else one.days_left, one.device)


def _left(fault: Fault, now_ms: int) -> int | None:
    """The forecast was made when it was found."""
    said = fault.evidence.get("days_left", -1)
    if not isinstance(said, int | float) or said < 0:
        return None
    return max(round(said - (now_ms - fault.found_ms) / DAY_MS), 0)


def _level(state: DeviceState) -> float | None:
    channel = state.channels.get("battery.level")
    value = None if channel is None else channel.value
    return float(value) if isinstance(value, int | float) else None


def _after(last: date, every: timedelta) -> date:
    """
    >>> _after(date(9999, 6, 1), timedelta(days=365))
    datetime.date(9999, 12, 31)
    """
    try:
        return last + every
    except OverflowError:
        return date.max
