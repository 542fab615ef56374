"""Is the room free? The truth table of docs/decisions/0011-room-rules.md as one pure function.

``judge`` looks at what each witness has shown and answers with a status, its reasons and the next
moment at which time alone could change the answer. Three kinds of finding are weighed:

1. a *claim*: somebody is seen now (radar detects, motion, a count of one or more);
2. a *trace*: somebody was seen and nothing shows that he left (the doors never opened since);
3. a *proof*: a sensor that spoke recently shows that nobody can be there.

Only a proof without a claim makes a room free, and only while none of its sensors is out. A proof
newer than a trace beats it; a proof against a claim is given a moment to settle, then the answer is
unknown. Whatever is stale, bad, remembered by a broker or behind a dead line is no finding at all.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.domain.opening import OPEN, Slot
from hub.domain.room import (
    Crowding,
    Override,
    People,
    Presence,
    RoomState,
    Status,
    Text,
    ZoneState,
)
from hub.rooms.case import SURENESS, Case, Finding, Grounds, since
from hub.rooms.confidence import confidence
from hub.rooms.findings import counters, radars
from hub.rooms.hours import closed
from hub.rooms.looks import looked
from hub.rooms.outage import outages
from hub.rooms.plan import Plan
from hub.rooms.stillness import motion

MINUTE = 60_000
SETTLE_MS = 2 * MINUTE  # how long two sensors may contradict each other, since one is always later
STILL_MS = (
    30 * MINUTE
)  # how long a radar may see somebody who keeps so still that nothing else does
ZERO_AFTER_MS = {
    Grounds.LOOKED: (0, 0),
    Grounds.RADAR: (3 * MINUTE, 10 * MINUTE),
    Grounds.LEFT: (20 * MINUTE, 30 * MINUTE),
    Grounds.CROSSED: (20 * MINUTE, 30 * MINUTE),
}
"""A count above zero is overruled by what has shown nobody for so long: sooner if, with all that
the counters may have missed, it may be nobody anyway."""
STILLNESS = frozenset({Grounds.LEFT, Grounds.CROSSED})
"""Weaker than a count: somebody may keep still. So the two do not contradict each other."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """What the evidence says of a room, whatever the timetable says."""

    status: Status
    reasons: tuple[Text, ...]
    grounds: Grounds | None = None  # the surest class of evidence it rests on
    is_settled: bool = False  # as in ``Verdict``

    @property
    def presence(self) -> Presence:
        return PRESENCE[self.status]


class Verdict(msgspec.Struct, frozen=True, gc=False):
    """A state, and what could change it besides a new value."""

    state: RoomState
    seen: Seen
    due_ms: int | None  # time alone: look again then if nothing is heard
    is_settled: bool  # a repeat of what is known changes nothing before that
    disproves_count: str | None = None  # the reason that shows the counters must begin at zero


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
    _find(plan, case)
    said = [item for item in overrides if not case.passed(item.until_ms)]
    heeded = looked(plan, said, case)
    if case.proofs:
        case.outages = outages(plan.witnesses, case)
    if slot.until_ms is not None:
        case.passed(slot.until_ms)
    limit = plan.capacity if slot.limit is None else slot.limit
    seen = _weigh(plan, case, limit)
    status, reasons, shut_by = closed(plan, seen.status, seen.reasons, slot, said)
    zeroing = _disproof(plan, case)
    zones = tuple(_zone(plan, bay, case, seen.status) for bay in plan.bays)
    begun_ms = before.since_ms if before and before.status is status else now_ms
    people = _people(case, seen)
    state = RoomState(
        room=plan.room,
        status=status,
        presence=seen.presence,
        crowding=_crowding(people, limit),
        people=people,
        confidence=confidence(seen.presence, seen.grounds),
        since_ms=begun_ms,
        as_of_ms=case.as_of_ms or max((w.since_ms for w in plan.witnesses), default=now_ms),
        valid_until_ms=case.due_ms if status is not Status.UNKNOWN else None,
        reasons=reasons,
        zones=zones,
        purpose=slot.purpose,
        override=shut_by or heeded,
    )
    return Verdict(state, seen, case.due_ms, bool(case.claims) or seen.is_settled, zeroing)


PRESENCE = {
    Status.IN_USE: Presence.PRESENT,
    Status.FULL: Presence.PRESENT,
    Status.FREE: Presence.ABSENT,
    Status.UNKNOWN: Presence.UNKNOWN,
}


def _find(plan: Plan, case: Case) -> None:
    radars(plan, case)
    counters(plan, case)
    motion(plan, case)
    for line in plan.lines:
        if line.heard_ms is None:
            case.doubt("not_heard_since_start", device=line.device)


def _weigh(plan: Plan, case: Case, limit: int | None) -> Seen:
    """Balance the findings, strongest first."""
    claims, proofs = case.claims, _standing(case)
    against = _against(claims, proofs)
    if against:
        claim, proof = max(claims, key=since), max(against, key=since)
        is_still = claim.grounds is Grounds.RADAR and proof.grounds in STILLNESS
        settle_ms = STILL_MS if is_still else SETTLE_MS
        if case.passed(max(claim.since_ms, proof.since_ms) + settle_ms):
            which = Text("disagree", {"a": _witness(claim), "b": _witness(proof)})
            return Seen(Status.UNKNOWN, (which, claim.reason, proof.reason))
    if claims:
        return _occupied(case, limit, claims)
    traces = _outlasting(case.traces, proofs)
    if traces:
        return _occupied(case, limit, traces)
    if proofs:
        return _empty(plan, case, proofs)
    return Seen(Status.UNKNOWN, (*case.doubts, *case.helps) or NO_SENSOR)


NO_SENSOR = (Text("no_sensor"), Text("would_help_radar"))
REPAIR = (Text("would_help_repair"), Text("would_help_look"))


def _empty(plan: Plan, case: Case, proofs: list[Finding]) -> Seen:
    """It is proven empty. A sensor that is out might have shown otherwise; then only a person who
    looked is believed."""
    reasons = _reasons(proofs)
    if case.outages:
        proofs = _of_people(case, proofs)
    if not proofs:
        return Seen(Status.UNKNOWN, (*case.outages, *reasons, *REPAIR), is_settled=True)
    reasons = (*_reasons(proofs), *_was_zeroed(plan, proofs))
    return Seen(Status.FREE, reasons, _surest(proofs), is_settled=True)


def _of_people(case: Case, proofs: list[Finding]) -> list[Finding]:
    """The looks of people that nobody was seen after."""
    newest_ms = max((trace.since_ms for trace in case.traces), default=0)
    return [p for p in proofs if p.grounds is Grounds.LOOKED and p.since_ms >= newest_ms]


def _standing(case: Case) -> list[Finding]:
    """The proofs that are worth weighing.

    A counter that says zero does not speak against somebody who is seen: it missed him. A look is
    of a moment: whoever was first seen later has come since.
    """
    if not case.proofs:
        return []
    is_seen = any(claim.grounds is not Grounds.COUNT for claim in case.claims)
    newest_ms = max((f.since_ms for f in case.claims), default=0)
    return [
        proof
        for proof in case.proofs
        if not (proof.grounds is Grounds.COUNT and is_seen)
        and not (proof.grounds is Grounds.LOOKED and newest_ms > proof.since_ms)
    ]


def _outlasting(traces: list[Finding], proofs: list[Finding]) -> list[Finding]:
    """Whom no proof takes out of the room.

    Counters that say zero say so of those they saw: two who pass as one, or a room that was set to
    zero over somebody asleep, leave him uncounted. So zero is no surer than stillness, and waits
    as long for whoever moved.
    """
    ends_ms = max((p.since_ms for p in proofs if p.grounds is not Grounds.COUNT), default=-1)
    return [trace for trace in traces if trace.since_ms > ends_ms]


def _against(claims: list[Finding], proofs: list[Finding]) -> list[Finding]:
    """The proofs that contradict the claims."""
    if all(claim.grounds is Grounds.COUNT for claim in claims):
        proofs = [proof for proof in proofs if proof.grounds not in STILLNESS]
    return proofs if claims else []


def _disproof(plan: Plan, case: Case) -> str | None:
    """Is the room proven empty by others than its counters, for so long that they must be wrong?"""
    tally = case.tally
    if tally is None:
        return None
    proofs = [proof for proof in _standing(case) if proof.grounds is not Grounds.COUNT]
    if case.outages:
        proofs = _of_people(case, proofs)
    if not proofs:
        return None
    if tally.estimate == 0 and tally.slack == 0 and all(c.zeroed for c in plan.counters):
        return None  # they say so themselves
    newest = max(proofs, key=since)
    if any(claim.grounds is not Grounds.COUNT for claim in case.claims) or any(
        trace.since_ms > newest.since_ms for trace in case.traces
    ):
        return None
    surest = _surest(proofs)
    wait_ms = ZERO_AFTER_MS[surest][tally.is_sure]
    if tally.estimate and not case.passed(newest.since_ms + wait_ms):
        return None
    return next(proof.reason.code for proof in proofs if proof.grounds is surest)


def _was_zeroed(plan: Plan, proofs: list[Finding]) -> tuple[Text, ...]:
    """In this emptiness the counters were found wrong: say by how much."""
    record = plan.zeroing
    if record is None or not record.off_by or record.at_ms < max(p.since_ms for p in proofs):
        return ()
    return (Text("counter_zeroed", {"off_by": record.off_by, "time": record.at_ms}),)


def _occupied(case: Case, limit: int | None, why: list[Finding]) -> Seen:
    people = case.people
    if people is not None and limit and people.estimate >= limit:
        over = Text("over_capacity", {"people": people.estimate, "capacity": limit})
        return Seen(Status.FULL, (over, *_reasons(why)), _surest(why))
    return Seen(Status.IN_USE, _reasons(why), _surest(why))


def _reasons(findings: list[Finding]) -> tuple[Text, ...]:
    return tuple(finding.reason for finding in findings)


def _surest(findings: list[Finding]) -> Grounds:
    return min((finding.grounds for finding in findings), key=SURENESS.__getitem__)


def _witness(finding: Finding) -> str:
    return str(finding.reason.params.get("device", finding.reason.code))


def _people(case: Case, seen: Seen) -> People | None:
    """How many, so that it never contradicts the status."""
    people = case.people
    if people is None or seen.status is Status.UNKNOWN:
        return None
    if seen.status is Status.FREE:
        return People(0, 0, 0)
    return People(max(people.low, 1), max(people.estimate, 1), max(people.high, 1))


def _crowding(people: People | None, capacity: int | None) -> Crowding | None:
    if people is None or not capacity:
        return None
    share = people.estimate / capacity
    if share < 0.5:
        return Crowding.LOW
    return Crowding.MEDIUM if share < 0.8 else Crowding.HIGH


def _zone(plan: Plan, bay: Plan, whole: Case, status: Status) -> ZoneState:
    """A bay by its own sensors; what they leave open is unknown, unless the room is empty.

    What watches the whole room or its doors concerns the bay, too, when it is out.
    """
    if status is Status.FREE:
        return ZoneState(bay.room, Status.FREE, Presence.ABSENT)
    case = Case(whole.now_ms)
    _find(bay, case)
    if case.proofs:
        case.outages = outages((w for w in plan.witnesses if w.zone in (None, bay.bay)), case)
    seen = _weigh(bay, case, None)
    if case.due_ms is not None:
        whole.passed(case.due_ms)
    return ZoneState(bay.room, seen.status, seen.presence, _people(case, seen))
