"""Faults, alerts and reports of devices, as the tests of work orders need them."""

from __future__ import annotations

from device_drivers.contract import Quality
from edge.reading import Reading, TimeSource
from hub.domain.events import Heard
from hub.domain.fault import (
    Alert,
    AlertState,
    Fault,
    FaultKind,
    Severity,
    Subject,
    SubjectKind,
)
from hub.faults.kinds import KINDS
from hub.maintenance.proof import Want

MINUTE = 60_000
DAY = 86_400_000
NOON = 1_795_320_000_000
WANTS = {kind: Want(row.proof, row.reports) for kind, row in KINDS.items()}


def subject(device: str = "gym-door", channel: str = "") -> Subject:
    return Subject(SubjectKind.DEVICE, device, channel)


def fault(
    number: int,
    kind: FaultKind = FaultKind.SILENT,
    found_ms: int = NOON,
    about: Subject | None = None,
    cleared_ms: int | None = None,
    parent: int | None = None,
) -> Fault:
    times = (found_ms, found_ms, found_ms)
    found = (number, about or subject(), kind, Severity.MEDIUM, "gym")
    return Fault(*found, *times, parent=parent, cleared_ms=cleared_ms)


def alert(
    number: int,
    kind: FaultKind = FaultKind.SILENT,
    about: Subject | None = None,
    *,
    is_drill: bool = False,
) -> Alert:
    whom = about or subject()
    of = (number, number, kind, whom, AlertState.RAISED, Severity.MEDIUM, "gym", ())
    return Alert(*of, (whom.id,), NOON, is_drill=is_drill)


def heard(
    at_ms: int,
    value: float = 1,
    channel: str = "contact",
    device: str = "gym-door",
    quality: Quality = Quality.GOOD,
    part: str = "",
    *,
    is_live: bool = True,
) -> Heard:
    source = TimeSource.HUB if is_live else TimeSource.RETAINED
    times = (at_ms, at_ms, source)
    reading = Reading(device, channel, part, value, "", quality, "", *times)
    return Heard(device, (reading,), at_ms, is_live, True)
