"""What each kind of sensor shows: the rows of the truth table, as claims, traces and proofs."""

from __future__ import annotations

from dataclasses import dataclass

from hub.domain.room import People, Text
from hub.rooms.case import Case, Finding, since
from hub.rooms.evidence import Kind, Plan, Witness

RADAR_HOLD_MS = 60_000
MOTION_HOLD_MS = 600_000
CROSSINGS_PER_DOUBT = 10  # a counter may have lost one person in this many

CROSSED_KINDS = frozenset({"corridor", "refuse", "storage"})
"""Kinds of room that people cross and where nobody sits still."""


def _speaks(witness: Witness, case: Case) -> bool:
    """Can this witness say anything at all? Records why not."""
    line = witness.line
    if line.offline:
        case.doubt("silent", device=line.device, time=line.heard_ms or 0)
    elif not witness.is_live or line.heard_ms is None:
        code = witness.source if witness.source in ("retained", "queued") else ""
        case.doubt(code or "not_heard_since_start", device=line.device)
    elif not witness.is_good:
        case.doubt("bad", device=line.device, reason=witness.reason)
    elif case.passed(line.heard_ms + line.silent_after_ms):
        case.doubt("silent", device=line.device, time=line.heard_ms)
    else:
        case.as_of_ms = max(case.as_of_ms, line.heard_ms)
        return True
    return False


def _proves(witness: Witness, case: Case) -> bool:
    """Does its silence prove anything? Only on a live line, and only if it spoke recently."""
    line = witness.line
    if line.lost:
        name, code = next(iter(line.lost.items()))
        case.doubt(code, **{"link" if code == "link_lost" else "parent": name})
        return False
    if line.is_faulty:
        case.doubt("bad", device=line.device, reason="device_fault")
        return False
    heard = line.heard_ms or 0
    if heard < line.proof_from_ms or case.passed(heard + line.trusted_ms):
        case.doubt("stale", device=line.device, time=heard)
        return False
    return True


def radars(plan: Plan, case: Case) -> None:
    """A radar sees still people too: clear for its hold, over the whole room, proves emptiness."""
    clear: list[Finding] = []
    covered: set[str | None] = set()
    for radar in plan.of(Kind.RADAR):
        if not _speaks(radar, case):
            continue
        if radar.value:
            # a detection that is not repeated is old news: as unproven as silence
            if _proves(radar, case):
                case.claims.append(_finding("radar_present", radar))
        elif _proves(radar, case):
            if case.passed(radar.since_ms + RADAR_HOLD_MS):
                clear.append(_finding("radar_clear", radar))
                covered.add(radar.zone)
            else:
                until = radar.since_ms + RADAR_HOLD_MS
                case.doubt("waiting_for_proof", device=radar.line.device, until=until)
    if None in covered or (plan.zones and covered >= set(plan.zones)):
        # the room is as empty as the part of it that was last seen occupied
        case.proofs.append(max(clear, key=since))


def counters(plan: Plan, case: Case) -> None:
    """Counters on the doors: people inside, with what may have been missed."""
    gates = plan.of(Kind.COUNT)
    if not gates or not all(_speaks(c, case) for c in gates):
        return
    estimate = max(sum(c.value or 0 for c in gates), 0)
    zeroed = all(c.zeroed for c in gates)
    crossings = sum(c.crossings for c in gates)
    slack = crossings // CROSSINGS_PER_DOUBT + (0 if zeroed else 1)
    case.people = People(max(estimate - slack, 0), estimate, estimate + slack)
    newest = max(gates, key=lambda c: c.since_ms)
    if estimate >= 1:
        reason = Text("count", {"people": estimate, "time": newest.since_ms})
        case.claims.append(Finding(newest.since_ms, reason))
    elif not all(_proves(c, case) for c in gates):
        pass  # _proves has said why
    elif slack == 0:
        case.proofs.append(Finding(newest.since_ms, Text("count_zero", {"time": newest.since_ms})))
    else:
        case.doubt("count_not_rezeroed", device=newest.line.device)


def motion(plan: Plan, case: Case) -> None:
    """Motion sensors, with the doors where they are known."""
    all_pirs = plan.of(Kind.MOTION)
    pirs = [p for p in all_pirs if _speaks(p, case)]
    moving = [p for p in pirs if p.value and _proves(p, case)]
    for pir in moving:
        case.claims.append(_finding("motion", pir))
    if not pirs or moving:
        return
    # a blind part of the room proves nothing, whatever the rest of it sees
    watched = len(pirs) == len(all_pirs) and all(_proves(p, case) for p in pirs)
    quiet = Quiet(pirs, watched, seated=plan.kind not in CROSSED_KINDS)
    doors = plan.of(Kind.DOOR)
    if not quiet.seated or not plan.knows_all_doors:
        # where nobody sits still a door adds nothing: whoever is there moves
        _motion_alone(plan, case, quiet)
    elif not all(_speaks(d, case) and _proves(d, case) for d in doors):
        _recent_motion(case, quiet)
    else:
        _motion_and_doors(case, quiet, doors)


@dataclass(slots=True)
class Quiet:
    """A room whose motion sensors see nothing now."""

    pirs: list[Witness]
    watched: bool  # all of them speak, recently
    seated: bool  # a kind of room where people sit still

    @property
    def last(self) -> Witness:
        return max(self.pirs, key=_last_motion)

    @property
    def last_ms(self) -> int:
        return _last_motion(self.last)

    @property
    def was_seen(self) -> bool:
        return any(p.last_on_ms is not None for p in self.pirs)

    def reason(self, code: str) -> Text:
        return Text(code, {"device": self.last.line.device, "time": self.last_ms})


def _last_motion(pir: Witness) -> int:
    """Last motion; we cannot know what happened before we listened, or while it was silent."""
    return max(pir.last_on_ms or 0, pir.first_live_ms or 0)


def _recent_motion(case: Case, quiet: Quiet) -> None:
    """Somebody moved within the hold: he is taken to be still there."""
    until = quiet.last_ms + MOTION_HOLD_MS
    if case.passed(until):
        case.doubts.append(quiet.reason("no_motion"))
    elif quiet.was_seen:
        case.traces.append(Finding(quiet.last_ms, quiet.reason("motion")))
    else:
        case.doubt("waiting_for_proof", device=quiet.last.line.device, until=until)


def _motion_alone(plan: Plan, case: Case, quiet: Quiet) -> None:
    """Without doors, the absence of motion proves emptiness only where people never sit."""
    if not case.passed(quiet.last_ms + MOTION_HOLD_MS):
        _recent_motion(case, quiet)
    elif quiet.seated:
        case.doubt("no_proof_kind")
        case.doubt("would_help_radar" if plan.doors else "would_help_door")
    elif quiet.watched:
        case.proofs.append(Finding(quiet.last_ms, quiet.reason("no_motion")))


def _motion_and_doors(case: Case, quiet: Quiet, doors: list[Witness]) -> None:
    """Somebody who moved is still inside until a door has opened and quiet has lasted."""
    opened_ms = max(d.last_on_ms or 0 for d in doors)
    moved_ms = max(d.moved_ms or 0 for d in doors)
    ajar = [d for d in doors if d.value]
    if opened_ms <= quiet.last_ms:
        _nobody_left(case, quiet, doors, ajar)
        return
    lasted = case.passed(max(quiet.last_ms, moved_ms) + MOTION_HOLD_MS)
    # silence since the door moved proves something only if the sensor was alive since then
    spoke_since = all((p.line.heard_ms or 0) > moved_ms for p in quiet.pirs)
    if ajar:
        case.doubt("door_open", **_door(ajar))
    elif lasted and spoke_since and quiet.watched:
        left = Text("door_opened_after_motion", {"time": opened_ms})
        case.proofs.append(Finding(opened_ms, left))
        case.proofs.append(Finding(quiet.last_ms, quiet.reason("no_motion")))
    elif quiet.watched:
        # what is remembered is the motion; a door that moved since is only why nobody has left
        case.traces.append(Finding(quiet.last_ms, Text("door_shut", _door(doors))))


def _nobody_left(case: Case, quiet: Quiet, doors: list[Witness], ajar: list[Witness]) -> None:
    """No door has opened since the last motion."""
    if ajar:
        _recent_motion(case, quiet)
    elif quiet.was_seen:
        case.traces.append(Finding(quiet.last_ms, quiet.reason("still_person")))
    else:
        # nothing seen yet: whoever sat here before we listened still sits here
        case.doubt("door_shut", **_door(doors))


def _door(doors: list[Witness]) -> dict[str, str | int | float]:
    newest = max(doors, key=lambda d: d.moved_ms or 0)
    return {"device": newest.line.device, "time": newest.since_ms}


def _finding(code: str, witness: Witness) -> Finding:
    at = witness.since_ms
    return Finding(at, Text(code, {"device": witness.line.device, "time": at}))
