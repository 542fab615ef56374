"""How fast faults are found and mended, and whether repairs last: by kind and by building. Pure.

One cause counts once: an alert that went on in another one's, and a drill, are none of them.
Middles are medians, so that one device which was broken over a holiday does not hide all others.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from enum import IntEnum
from statistics import median
from typing import NamedTuple, TypeVar

from hub.domain.fault import Alert, FaultKind
from hub.domain.work import WorkOrder

AGAIN = "reopened"  # what an order's history says of a repair that did not hold


class Span(IntEnum):
    """Days that are looked back over."""

    MONTH = 30
    QUARTER = 90
    YEAR = 365


class Case(NamedTuple):
    """One cause. ``found_ms`` and ``mended_ms`` are spans: from its beginning until it was found,
    and from the alert until it was over, or until its repair was proven."""

    kind: FaultKind
    building: str | None
    is_solved: bool
    found_ms: int | None
    mended_ms: int | None
    not_held: int = 0  # how often its repair had to be done again


class Figures(NamedTuple):
    """``None``: nothing to measure."""

    found: int
    solved: int
    not_held: int
    found_ms: int | None
    mended_ms: int | None


class Reports(NamedTuple):
    """What people said at doors, and how long they waited for an answer."""

    answered: int
    unanswered: int
    answered_ms: int | None


class Raised(NamedTuple):
    """An alert, with the beginning and the finding of its fault."""

    alert: Alert
    since_ms: int | None
    found_ms: int | None


def cases(
    raised: Iterable[Raised],
    orders: Iterable[WorkOrder],
    building_of: Callable[[Alert], str | None],
    since_ms: int,
) -> list[Case]:
    """Of what was raised, and of what was to be done since then."""
    work = list(orders)
    proven = {alert: order.verified_ms for order in work for alert in order.alerts}
    again = {max(order.alerts): _again(order, since_ms) for order in work if order.alerts}
    return [
        Case(
            kind=one.alert.kind,
            building=building_of(one.alert),
            is_solved=one.alert.cleared_ms is not None,
            found_ms=_found_ms(one),
            mended_ms=_mended_ms(one.alert, proven.get(one.alert.id)),
            not_held=again.get(one.alert.id, 0),
        )
        for one in raised
        if not one.alert.is_drill and one.alert.merged_into is None
    ]


def figures(of: Sequence[Case]) -> Figures:
    return Figures(
        found=len(of),
        solved=sum(case.is_solved for case in of),
        not_held=sum(case.not_held for case in of),
        found_ms=middle(case.found_ms for case in of),
        mended_ms=middle(case.mended_ms for case in of),
    )


Part = TypeVar("Part", bound=Hashable)


def parted(of: Iterable[tuple[Part, Case]]) -> list[tuple[Part, Figures]]:
    """Figures for each part, the most frequent first."""
    parts: defaultdict[Part, list[Case]] = defaultdict(list)
    for part, case in of:
        parts[part].append(case)
    ordered = sorted(parts.items(), key=lambda item: (-len(item[1]), str(item[0])))
    return [(part, figures(own)) for part, own in ordered]


def reports(made: Iterable[tuple[int, int | None]]) -> Reports:
    """Of when each was made, and when it was answered."""
    waited = [None if answered is None else answered - at_ms for at_ms, answered in made]
    answered = sum(wait is not None for wait in waited)
    return Reports(answered, len(waited) - answered, middle(waited))


def middle(spans: Iterable[int | None]) -> int | None:
    """
    >>> middle([100, None, 300, 10_000])
    300
    """
    known = [span for span in spans if span is not None]
    return round(median(known)) if known else None


def _found_ms(one: Raised) -> int | None:
    """A fault that came back has the times of its last coming: they say nothing of an alert that
    was raised before."""
    if one.since_ms is None or one.found_ms is None or one.found_ms > one.alert.raised_ms:
        return None
    return max(one.found_ms - one.since_ms, 0)


def _mended_ms(alert: Alert, proven_ms: int | None) -> int | None:
    if alert.cleared_ms is None:
        return None
    return max(max(alert.cleared_ms, proven_ms or 0) - alert.raised_ms, 0)


def _again(order: WorkOrder, since_ms: int) -> int:
    return sum(entry.what == AGAIN and entry.at_ms >= since_ms for entry in order.history)
