"""Alerts, people and rosters for the tests of notices."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from hub.domain.fault import Alert, AlertState, FaultKind, Severity, Subject, SubjectKind
from hub.notify.roster import Person, Roster, Shift
from hub.notify.rules import Patience

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000
SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY_MS = 1_795_363_200_000  # 2026-11-23 00:00 in Shanghai
NIGHT = ((22 * 60, 31 * 60),)
PATIENCE = Patience(15 * MINUTE, 30 * MINUTE, Severity.MEDIUM)

PEOPLE = {
    "li": Person("li", "Li", "zh-CN", ("chat", "mail"), NIGHT),
    "wu": Person("wu", "Wu", "en", ("sms",), NIGHT, Severity.HIGH),
    "chen": Person("chen", "Chen", "zh-TW", ("mail", "chat", "sms")),
}
ROSTER = Roster(
    SHANGHAI,
    PEOPLE,
    (
        Shift({"mon": ((480, 1080),), "tue": ((480, 1080),)}, ("li", "wu")),
        Shift(dict.fromkeys(("mon", "tue"), ((1080, 1920),)), ("wu",)),
    ),
    "chen",
)


def at(hour: float, day: int = 0) -> int:
    """So many hours after midnight of that Monday."""
    return MONDAY_MS + day * DAY + round(hour * HOUR)


def alert(
    number: int = 1,
    severity: Severity = Severity.HIGH,
    raised_ms: int = MONDAY_MS,
    *,
    is_drill: bool = False,
) -> Alert:
    return Alert(
        id=number,
        fault=number,
        kind=FaultKind.SILENT,
        subject=Subject(SubjectKind.DEVICE, f"door-{number}"),
        state=AlertState.RAISED,
        severity=severity,
        room="gym",
        rooms_blinded=(),
        devices=(f"door-{number}",),
        raised_ms=raised_ms,
        evidence={"silent_s": 900, "usual_s": 60},
        is_drill=is_drill,
    )


def cleared(item: Alert, at_ms: int) -> Alert:
    return msgspec.structs.replace(item, state=AlertState.CLEARED, cleared_ms=at_ms)


def taken(item: Alert, who: str = "li") -> Alert:
    return msgspec.structs.replace(item, state=AlertState.ACKNOWLEDGED, acknowledged_by=who)
