"""What each kind of sensor shows: the rows of the truth table, as claims, traces and proofs.

Motion sensors, with the doors, have a file of their own (``stillness.py``).
"""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.room import Text
from hub.rooms.case import Case, Finding, Grounds, Tally, since
from hub.rooms.evidence import Contact, Eye, Witness
from hub.rooms.learning import LATE_MS
from hub.rooms.outage import faulty, lost, silent
from hub.rooms.plan import SEEN_BEFORE_MS, Plan

RADAR_HOLD_MS = 60_000
COUNT_HOLD_MS = 2 * 3_600_000
"""So long a count that may be nobody is taken for somebody, if nobody passes."""
UNSEEN_HOLD_MS = 2 * 3_600_000
"""So long one opening with nobody seen is taken for somebody, where one sensor alone could see."""
CROSSINGS_PER_DOUBT = 4  # a counter may have lost one person in this many


def speaks(witness: Witness, case: Case) -> bool:
    """Can this witness say anything at all? Records why not."""
    line = witness.line
    if line.offline:
        case.wonder(silent(line))
    elif not witness.is_live or line.heard_ms is None:
        case.wonder(Text(witness.source or "not_heard_since_start", {"device": line.device}))
    elif not witness.is_good:
        case.doubt("bad", device=line.device, reason=witness.reason)
    elif case.passed(line.silent_ms):
        case.wonder(silent(line))
    else:
        case.as_of_ms = max(case.as_of_ms, line.heard_ms)
        return True
    return False


def proves(witness: Witness, case: Case) -> bool:
    """Does its silence prove anything? Only on a live line, and only if it spoke recently."""
    line = witness.line
    if line.lost:
        case.wonder(lost(line))
        return False
    if line.is_faulty:
        case.wonder(faulty(line))
        return False
    heard = line.heard_ms or 0
    if heard < line.proof_from_ms or case.passed(heard + line.trusted_ms):
        case.doubt("stale", device=line.device, time=heard)
        return False
    return True


def is_blind(plan: Plan, eye: Eye, case: Case) -> bool:
    """Did it fail to see somebody who was there for certain? Then its "nobody" proves nothing."""
    if not plan.misses(eye) and not _may_have_missed(plan, eye, case):
        return False
    case.doubt(
        "saw_nobody_pass",
        device=eye.line.device,
        time=max(plan.crossed_ms or 0, plan.opened_ms or 0),
    )
    return True


def _may_have_missed(plan: Plan, eye: Eye, case: Case) -> bool:
    """A door opened, and the only sensor that could see who came in saw nobody.

    It may have been the wind, or a look into the room. Where people only pass nobody stays long.
    """
    if not plan.unseen or plan.opened_ms is None or not plan.seated:
        return False
    if eye.saw_since(plan.opened_ms - SEEN_BEFORE_MS) or not plan.is_alone(eye, case.now_ms):
        return False
    return not case.passed(plan.opened_ms + UNSEEN_HOLD_MS)


def radars(plan: Plan, case: Case) -> None:
    """A radar sees still people too: clear for its hold, over the whole room, proves emptiness."""
    clear = [radar for radar in plan.radars if _is_clear(plan, radar, case)]
    if not clear:
        return
    if plan.covered_by(clear):
        # the room is as empty as the part of it that was last seen occupied
        found = [finding("radar_clear", radar, Grounds.RADAR) for radar in clear]
        case.proofs.append(max(found, key=since))
    elif not plan.covered_by(plan.radars):
        case.doubt("part_not_covered", device=clear[0].line.device)
        case.help(Text("would_help_whole_room"))


def _is_clear(plan: Plan, radar: Eye, case: Case) -> bool:
    # a detection that is not repeated is old news: as unproven as silence
    if not speaks(radar, case) or not proves(radar, case):
        return False
    until_ms = radar.since_ms + RADAR_HOLD_MS
    if radar.value:
        case.claims.append(finding("radar_present", radar, Grounds.RADAR))
    elif not case.passed(until_ms):
        case.doubt("waiting_for_proof", device=radar.line.device, until=until_ms)
    elif radar.lost and not (
        # counters miss some who go; doors miss nobody
        not plan.knows_all_doors and case.passed(radar.since_ms + COUNT_HOLD_MS)
    ):
        _lost(plan, radar, case)
    else:
        return not is_blind(plan, radar, case)
    return False


def _lost(plan: Plan, radar: Eye, case: Case) -> None:
    """It stopped seeing somebody who cannot have gone: he is there, or it does not see any more."""
    for witness in (*plan.contacts, *plan.counters):
        case.passed((witness.line.heard_ms or 0) + witness.line.trusted_ms)
    if plan.last_exit_ms(case.now_ms) <= radar.since_ms + LATE_MS:
        case.traces.append(finding("lost_sight", radar, Grounds.STILL))
    else:
        case.doubt("lost_sight", device=radar.line.device, time=radar.since_ms)


def counters(plan: Plan, case: Case) -> None:
    """Counters on the doors: people inside, with what may have been missed.

    Whom they counted is inside also when one of them has failed since; only more is not known.
    """
    gates = plan.counters
    silent = [gate for gate in gates if not speaks(gate, case)]  # each says why not
    if not any(gate.is_live for gate in gates):
        return
    if not plan.counts_all_doors:
        case.doubt("doors_uncounted")
        return
    unproven = silent or [gate for gate in gates if not proves(gate, case)]
    newest = max(gates, key=lambda c: (c.passed_ms, c.since_ms))
    moved_ms = newest.passed_ms or newest.since_ms
    estimate = max(sum(c.net for c in gates), 0)
    zeroed = all(c.zeroed for c in gates)
    slack = sum(c.crossings for c in gates) // CROSSINGS_PER_DOUBT + plan.missed + (not zeroed)
    tally = Tally(
        estimate,
        slack if plan.capacity is None else min(slack, max(plan.capacity, 1)),
        has_base=not silent and all(c.has_base for c in gates),
        proves=not unproven,
        moved_ms=moved_ms,
    )
    case.tally, case.people = tally, tally.people
    if tally.is_sure or (estimate and not case.passed(moved_ms + COUNT_HOLD_MS)):
        reason = Text("count", {"people": estimate, "time": moved_ms})
        case.claims.append(Finding(moved_ms, reason, Grounds.COUNT))
    elif not tally.proves:
        pass  # `proves` has said why
    elif not estimate and slack == 0:
        reason = Text("count_zero", {"time": moved_ms})
        case.proofs.append(Finding(moved_ms, reason, Grounds.COUNT))
    else:
        code = "count_adrift" if zeroed else "count_not_rezeroed"
        case.doubt(code, device=newest.line.device)
        case.help(Text("would_help_look"))


def finding(code: str, witness: Witness, grounds: Grounds) -> Finding:
    at = witness.since_ms
    return Finding(at, Text(code, {"device": witness.line.device, "time": at}), grounds)


def door(contacts: Sequence[Contact]) -> dict[str, str | int | float]:
    """The door that moved last, as parameters of a reason."""
    newest = max(contacts, key=lambda contact: contact.moved_ms or 0)
    return {"device": newest.line.device, "time": newest.since_ms}
