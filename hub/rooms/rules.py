"""Is the room free? The truth table of ARCHITECTURE section 7 as one pure function.

``judge`` looks at what each witness has shown and answers with a status, its reasons and the next
moment at which time alone could change the answer. Three kinds of finding are weighed:

1. a *claim*: somebody is seen now (radar detects, motion, a count of one or more);
2. a *trace*: somebody was seen and nothing shows that he left (the doors never opened since);
3. a *proof*: a sensor that spoke recently shows that nobody can be there.

Only a proof without a claim makes a room free. A proof newer than a trace beats it; a proof
against a claim is given a moment to settle, then the answer is unknown. Whatever is stale, bad,
remembered by a broker or behind a dead line is no finding at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hub.domain.opening import OPEN, Slot
from hub.domain.room import (
    Crowding,
    Override,
    OverrideKind,
    Params,
    People,
    Presence,
    RoomState,
    Status,
    Text,
    ZoneState,
)
from hub.rooms.case import Case, Finding, since
from hub.rooms.evidence import Plan
from hub.rooms.findings import counters, motion, radars

SETTLE_MS = 120_000  # how long two sensors may contradict each other, since one is always later


@dataclass(frozen=True, slots=True)
class Verdict:
    """A state, and what could change it besides a new value."""

    state: RoomState
    due_ms: int | None  # time alone: look again then if nothing is heard
    is_settled: bool  # a repeat of what is known changes nothing before that


def judge(
    plan: Plan,
    now_ms: int,
    before: RoomState | None = None,
    slot: Slot = OPEN,
    overrides: Sequence[Override] = (),
) -> Verdict:
    """Say whether the room is free.

    ``slot`` is what the timetable plans now, ``overrides`` what staff said and did not take back.
    """
    case = Case(now_ms)
    radars(plan, case)
    counters(plan, case)
    motion(plan, case)
    said = [item for item in overrides if not case.passed(item.until_ms)]
    heeded = _looked(said, case)
    for line in plan.lines:
        if line.heard_ms is None:
            case.doubt("not_heard_since_start", device=line.device)
    if slot.until_ms is not None:
        case.passed(slot.until_ms)
    limit = plan.capacity if slot.limit is None else slot.limit
    seen, why = _weigh(case, limit)
    status, reasons, shut_by = _opened(seen, why, slot, said)
    zones = tuple(_zone(plan, zone, case) for zone in plan.zones)
    unchanged = before is not None and before.status is status
    people = case.people if seen is not Status.UNKNOWN else None
    state = RoomState(
        room=plan.room,
        status=status,
        presence=PRESENCE[seen],
        crowding=_crowding(people, limit),
        people=people,
        confidence=None,
        since_ms=before.since_ms if unchanged and before else now_ms,
        as_of_ms=case.as_of_ms or max((w.since_ms for w in plan.witnesses), default=now_ms),
        valid_until_ms=case.due_ms if status is not Status.UNKNOWN else None,
        reasons=reasons,
        zones=zones,
        purpose=slot.purpose,
        override=shut_by or heeded,
    )
    return Verdict(state, case.due_ms, bool(case.claims) or status is Status.FREE)


def _looked(said: Sequence[Override], case: Case) -> int | None:
    """Somebody looked: a proof or a trace from that moment on; the newest look counts."""
    looks = [item for item in said if item.kind is OverrideKind.LOOKED]
    if not looks:
        return None
    newest = max(looks, key=lambda item: item.from_ms)
    params: Params = {"time": newest.from_ms, "author": newest.author}
    if newest.people:
        case.people = People(newest.people, newest.people, newest.people)
        reason = Text("looked_people", params | {"people": newest.people})
        case.traces.append(Finding(newest.from_ms, reason))
    else:
        case.proofs.append(Finding(newest.from_ms, Text("looked_empty", params)))
    return newest.id


def _opened(
    seen: Status, why: tuple[Text, ...], slot: Slot, said: Sequence[Override]
) -> tuple[Status, tuple[Text, ...], int | None]:
    """Closed hours and closed doors come before what the sensors say; they stay beside it."""
    shut = [item for item in said if item.kind is OverrideKind.CLOSED]
    if not shut and slot.is_open:
        return seen, (*why, *slot.reasons), None
    present = why if PRESENCE[seen] is Presence.PRESENT else ()
    if not shut:
        return Status.CLOSED, (*slot.reasons, *present), None
    last = max(shut, key=lambda item: item.until_ms)
    params: Params = {"time": last.until_ms, "author": last.author, "why": last.reason}
    return Status.CLOSED, (Text("override_closed", params), *present), last.id


PRESENCE = {
    Status.IN_USE: Presence.PRESENT,
    Status.FULL: Presence.PRESENT,
    Status.FREE: Presence.ABSENT,
    Status.UNKNOWN: Presence.UNKNOWN,
    Status.CLOSED: Presence.UNKNOWN,
}


def _weigh(case: Case, limit: int | None) -> tuple[Status, tuple[Text, ...]]:
    """Balance the findings, strongest first."""
    if case.claims and case.proofs:
        claim, proof = max(case.claims, key=since), max(case.proofs, key=since)
        if case.passed(max(claim.since_ms, proof.since_ms) + SETTLE_MS):
            return Status.UNKNOWN, (
                Text("disagree", {"a": _witness(claim), "b": _witness(proof)}),
                claim.reason,
                proof.reason,
            )
    if case.claims:
        return _occupied(case, limit, case.claims)
    newest = max(case.proofs, key=since, default=None)
    open_traces = [t for t in case.traces if newest is None or t.since_ms > newest.since_ms]
    if open_traces:
        return _occupied(case, limit, open_traces)
    if case.proofs:
        return Status.FREE, tuple(p.reason for p in case.proofs)
    return Status.UNKNOWN, tuple(case.doubts) or (Text("no_sensor"),)


def _occupied(case: Case, limit: int | None, why: list[Finding]) -> tuple[Status, tuple[Text, ...]]:
    reasons = tuple(f.reason for f in why)
    people = case.people
    if people is not None and limit and people.estimate >= limit:
        over = Text("over_capacity", {"people": people.estimate, "capacity": limit})
        return Status.FULL, (over, *reasons)
    return Status.IN_USE, reasons


def _witness(finding: Finding) -> str:
    return str(finding.reason.params.get("device", finding.reason.code))


def _crowding(people: People | None, capacity: int | None) -> Crowding | None:
    if people is None or not capacity:
        return None
    share = people.estimate / capacity
    if share < 0.5:
        return Crowding.LOW
    return Crowding.MEDIUM if share < 0.8 else Crowding.HIGH


def _zone(plan: Plan, zone: str, whole: Case) -> ZoneState:
    """A bay by its own sensors; what its sensors leave open stays unknown."""
    own = Plan(zone, plan.kind, None)
    for witness in plan.witnesses:
        if witness.zone == zone:
            # inside its zone it covers the whole of the place that is judged
            own.call(replace(witness, zone=None))
    case = Case(whole.now_ms)
    radars(own, case)
    counters(own, case)
    motion(own, case)
    status, _ = _weigh(case, None)
    if case.due_ms is not None:
        whole.passed(case.due_ms)
    return ZoneState(zone, status, PRESENCE[status], case.people)
