"""When does stillness mean an empty room? Motion sensors, with the doors where they are known.

A motion sensor sees only who moves. Behind shut doors nobody can leave, so whoever moved since a
door last opened is still there, however still he sits. Who goes is seen walking to the door before
it opens, and not any more when it has; who comes in is not seen before, and walks on inside.
"""

from __future__ import annotations

from hub.domain.room import Text
from hub.rooms.case import Case, Finding, Grounds
from hub.rooms.evidence import Contact, Eye
from hub.rooms.findings import door, finding, is_blind, proves, speaks
from hub.rooms.plan import Plan


class Quiet:
    """A room whose motion sensors see nothing now."""

    __slots__ = ("hold_ms", "last", "last_ms", "pirs", "seated", "watched")

    def __init__(self, pirs: list[Eye], watched: bool, seated: bool, hold_ms: int) -> None:
        """``watched``: all of it, by sensors that spoke recently and are not blind. ``seated``: a
        kind of room where people sit still."""
        self.pirs = pirs
        self.watched = watched
        self.seated = seated
        self.hold_ms = hold_ms
        self.last = max(pirs, key=_last_motion)
        self.last_ms = _last_motion(self.last)

    @property
    def was_seen(self) -> bool:
        return any(p.seen_ms is not None for p in self.pirs)

    def reason(self, code: str) -> Text:
        return Text(code, {"device": self.last.line.device, "time": self.last_ms})

    def sight(self, code: str, grounds: Grounds) -> Finding:
        """Somebody was really seen, however long nobody could listen since: others may know more.

        Only where ``was_seen``.
        """
        seen = max(self.pirs, key=lambda pir: pir.last_ms or 0)
        at_ms = seen.last_ms or 0
        return Finding(at_ms, Text(code, {"device": seen.line.device, "time": at_ms}), grounds)


def _last_motion(pir: Eye) -> int:
    """Last motion; we cannot know what happened before we listened, or while it was silent."""
    return max(pir.last_ms or 0, pir.first_live_ms or 0)


def motion(plan: Plan, case: Case) -> None:
    """Motion is somebody; stillness is judged by the kind of room and what its doors did."""
    pirs = [p for p in plan.pirs if speaks(p, case)]
    for pir in plan.pirs:
        if pir not in pirs:
            _remembered(plan, case, pir)
    moving = [p for p in pirs if p.value and proves(p, case)]
    for pir in moving:
        case.claims.append(finding("motion", pir, Grounds.MOTION))
    if not pirs or moving:
        return
    quiet = Quiet(pirs, _watched(plan, case, pirs), plan.seated, plan.hold_ms)
    shown = [speaks(contact, case) and proves(contact, case) for contact in plan.contacts]
    if not quiet.seated or not plan.knows_all_doors:
        # where nobody sits still a door adds nothing: whoever is there moves
        _motion_alone(plan, case, quiet)
    elif not all(shown):
        _recent_motion(case, quiet)
    else:
        _motion_and_doors(plan, case, quiet)


def _remembered(plan: Plan, case: Case, pir: Eye) -> None:
    """It saw somebody and failed since: that takes nobody out of the room."""
    if pir.last_ms is None:
        return
    reason = Text("motion", {"device": pir.line.device, "time": pir.last_ms})
    if plan.seated and plan.knows_all_doors and not plan.may_have_left:
        case.traces.append(Finding(pir.last_ms, reason, Grounds.STILL))
    elif not case.passed(pir.last_ms + plan.hold_ms):
        grounds = Grounds.RECENT if plan.seated else Grounds.CROSSING
        case.traces.append(Finding(pir.last_ms, reason, grounds))


def _watched(plan: Plan, case: Case, pirs: list[Eye]) -> bool:
    """A blind part of the room proves nothing, whatever the rest of it sees."""
    proved = [proves(pir, case) for pir in pirs]
    if len(pirs) < len(plan.pirs) or not all(proved):
        return False
    if not plan.covered_by(pirs):
        case.doubt("part_not_covered", device=pirs[0].line.device)
        case.help(Text("would_help_whole_room"))
        return False
    blind = [is_blind(plan, pir, case) for pir in pirs]
    return not any(blind)


def _recent_motion(case: Case, quiet: Quiet) -> None:
    """Somebody moved within the hold: he is taken to be still there."""
    until = quiet.last_ms + quiet.hold_ms
    if case.passed(until):
        case.doubts.append(quiet.reason("no_motion"))
    elif quiet.was_seen:
        grounds = Grounds.RECENT if quiet.seated else Grounds.CROSSING
        case.traces.append(quiet.sight("motion", grounds))
    else:
        case.doubt("waiting_for_proof", device=quiet.last.line.device, until=until)


def _motion_alone(plan: Plan, case: Case, quiet: Quiet) -> None:
    """Without doors, the absence of motion proves emptiness only where people never sit."""
    if not case.passed(quiet.last_ms + quiet.hold_ms):
        _recent_motion(case, quiet)
    elif quiet.seated:
        case.doubt("no_proof_kind")
        if plan.doors:
            case.doubt("doors_unknown")
        case.help(Text("would_help_radar" if plan.contacts else "would_help_door"))
    elif quiet.watched:
        reason = quiet.reason("no_motion")
        case.proofs.append(Finding(quiet.last_ms, reason, Grounds.CROSSED))


def _motion_and_doors(plan: Plan, case: Case, quiet: Quiet) -> None:
    """Somebody who moved is still inside until a door has opened and quiet has lasted."""
    doors = plan.contacts
    moved_ms = max(d.moved_ms or 0 for d in doors)
    ajar = [d for d in doors if d.value]
    if not plan.may_have_left:
        _nobody_left(case, quiet, doors, ajar)
        return
    lasted = case.passed(max(quiet.last_ms, moved_ms) + quiet.hold_ms)
    # silence since the door moved proves something only if the sensor was alive since then
    spoke_since = all((p.line.heard_ms or 0) > moved_ms for p in quiet.pirs)
    if ajar:
        _recent_motion(case, quiet)
        case.doubt("door_open", **door(ajar))
        case.help(Text("would_help_radar"))
    elif lasted and spoke_since and quiet.watched:
        left = Text("door_opened_after_motion", {"time": plan.left_ms or 0})
        case.proofs.append(Finding(quiet.last_ms, left, Grounds.LEFT))
        case.proofs.append(Finding(quiet.last_ms, quiet.reason("no_motion"), Grounds.LEFT))
    elif quiet.watched:
        # what is remembered is the motion; a door that moved since is only why nobody has left
        shut = Text("door_shut", door(doors))
        case.traces.append(Finding(quiet.last_ms, shut, Grounds.CROSSING))


def _nobody_left(case: Case, quiet: Quiet, doors: list[Contact], ajar: list[Contact]) -> None:
    """No door has opened since the last motion."""
    if ajar:
        _recent_motion(case, quiet)
    elif quiet.was_seen:
        case.traces.append(quiet.sight("still_person", Grounds.STILL))
    else:
        # nothing seen yet: whoever sat here before we listened still sits here
        case.doubt("door_shut", **door(doors))
        case.help(Text("would_help_look"))
