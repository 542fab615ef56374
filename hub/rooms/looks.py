"""What a person says who looked: evidence like any other, with an author and an end."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.room import Override, OverrideKind, Params, People, Text
from hub.rooms.case import Case, Finding, Grounds
from hub.rooms.plan import Plan

LOOK_HOLD_MS = 15 * 60_000
"""So long a look stands for a room that no sensor watches: somebody may come in at any time."""

LEAVING_MS = 60_000
"""Who looked goes out again, and moves doors and counters while he does."""


def looked(plan: Plan, said: Sequence[Override], case: Case) -> int | None:
    """The newest look: a proof or a trace from its moment on. Answers its id where it counts."""
    looks = [item for item in said if item.kind is OverrideKind.LOOKED]
    if not looks:
        return None
    newest = max(looks, key=lambda item: (item.from_ms, item.id))
    params: Params = {"time": newest.from_ms, "author": newest.author}
    if newest.people:
        if not case.passed(newest.from_ms + LOOK_HOLD_MS) or case.people is None:
            case.people = People(newest.people, newest.people, newest.people)
        reason = Text("looked_people", params | {"people": newest.people})
        case.traces.append(Finding(newest.from_ms, reason, Grounds.LOOKED))
    elif case.passed(newest.from_ms + LOOK_HOLD_MS) or _came_since(plan, newest.from_ms):
        return None
    else:
        reason = Text("looked_empty", params)
        case.proofs.append(Finding(newest.from_ms, reason, Grounds.LOOKED))
    return newest.id


def _came_since(plan: Plan, looked_ms: int) -> bool:
    """May somebody have come in since the look? Whatever a door or a counter did counts."""
    moved = [contact.moved_ms or 0 for contact in plan.contacts]
    return max([plan.crossed_ms or 0, *moved], default=0) > looked_ms + LEAVING_MS
