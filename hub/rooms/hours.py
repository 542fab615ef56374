"""Closed hours and closed doors come before what the sensors say; that stays beside it."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.opening import Slot
from hub.domain.room import Override, OverrideKind, Params, Status, Text
from hub.rooms.plan import Plan

OCCUPIED = frozenset({Status.IN_USE, Status.FULL})


def closed(
    plan: Plan, seen: Status, why: tuple[Text, ...], slot: Slot, said: Sequence[Override]
) -> tuple[Status, tuple[Text, ...], int | None]:
    """The status with the opening hours, its reasons, and the id of what staff said, if they shut.

    Somebody inside a closed room, and its open door, are reasons: staff have to go and see.
    """
    shut = [item for item in said if item.kind is OverrideKind.CLOSED]
    if not shut and slot.is_open:
        return seen, (*why, *slot.reasons), None
    noticed = (*_inside(seen, why), *_ajar(plan))
    if not shut:
        return Status.CLOSED, (*slot.reasons, *noticed), None
    last = max(shut, key=lambda item: (item.until_ms, item.id))
    params: Params = {"time": last.until_ms, "author": last.author, "why": last.reason}
    return Status.CLOSED, (Text("override_closed", params), *noticed), last.id


def _inside(seen: Status, why: tuple[Text, ...]) -> tuple[Text, ...]:
    return (Text("present_while_closed"), *why) if seen in OCCUPIED else ()


def _ajar(plan: Plan) -> tuple[Text, ...]:
    """Doors that are open as far as is known: an old word about a door is worth a look too."""
    return tuple(
        Text("open_while_closed", {"device": contact.line.device, "time": contact.since_ms})
        for contact in plan.contacts
        if contact.is_live and contact.is_good and contact.value and not contact.line.offline
    )
