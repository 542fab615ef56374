"""What people and sensors do beside the plan: the cases in which a status goes wrong.

``ROLES`` say what people come for. Habits say how they really behave: somebody stays alone after
the meeting, somebody sleeps, a door is propped open. ``Imperfections`` say how far from perfect a
sensor is while it works. Both are shares and limits only; who it strikes is drawn by seed. The
demo's people are well behaved and its sensors perfect, so that a button always shows its effect.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random

import msgspec

from simulator.centre import OUTSIDE
from simulator.stay import MINUTE, Itinerary, Restlessness, Stay

Limits = tuple[int, int]

SHORT_STAY_S = 10 * MINUTE  # nobody falls asleep, or goes for a walk, in so short a visit
BEHIND_S = (1, 4)  # who leaves with the others is so many seconds behind the one before
BESIDE_S = 1  # two who pass a door side by side


class Habits(msgspec.Struct, frozen=True):
    """Shares are of the cases in which it could happen; limits are drawn from evenly."""

    naps: float = 0.0  # of those who sit for long: no movement at all for a while
    nap_minutes: Limits = (20, 60)
    stillest_s: int | None = None  # who is awake moves at least this often
    wanders: float = 0.0  # of those who stay for long: out for some minutes, and back
    wander_minutes: Limits = (2, 8)
    forgets: float = 0.0  # of those who leave a room: back for the umbrella
    forgets_after_s: Limits = (60, 360)
    fetches_for_s: Limits = (20, 90)
    stays_behind: float = 0.0  # of groups: one of them stays when the others have left
    behind_minutes: Limits = (5, 45)
    leaves_at_once: float = 0.0  # of groups: all leave within a minute
    pairs: float = 0.0  # of visitors: comes and goes side by side with the one before
    props: float = 0.0  # of passages: the door is left open
    prop_minutes: Limits = (2, 30)
    peeks: float = 0.0  # a door and day: opened, and nobody passes
    draughts: float = 0.0  # of those: nobody stands in the door either, it was the wind
    peek_hours: tuple[float, float] = (7.0, 21.0)


class Imperfections(msgspec.Struct, frozen=True):
    """How sensors that work differ from sensors in a catalogue."""

    pir_misses: float = 0.0  # share of small movements
    pir_blind: float = 0.0  # share of seats from which small movements are never seen
    pir_clears_s: int = 60  # "no movement" so long after the last one
    radar_loses: float = 0.0  # times in an hour in which somebody keeps still
    radar_loses_s: Limits = (5, 40)
    radar_still_s: int = 60  # it loses nobody who moved within so long
    counter_misses: float = 0.0  # share of passages
    counter_doubles: float = 0.0  # share of passages
    counter_merges_ms: int = 0  # two within so long are counted once
    counter_forgets: bool = False  # after a failure it begins at zero, whoever is inside


WELL_BEHAVED = Habits()
PERFECT = Imperfections()


def live(plan: Itinerary, habits: Habits, random: Random) -> Itinerary:
    """One person's day with everything unplanned that happens in it."""
    stays: Itinerary = []
    for stay, following in zip(plan, [*plan[1:], None], strict=True):
        ends_s = stay.from_s if following is None else following.from_s
        stays += _stay(stay, ends_s, habits, random)
        if stay.place != OUTSIDE and following is not None and following.place == OUTSIDE:
            stays += _umbrella(stay, following, habits, random)
    return _in_order(stays)


def _stay(stay: Stay, ends_s: int, habits: Habits, random: Random) -> Itinerary:
    """A long visit may hold a nap or a short way out."""
    lasts_s = ends_s - stay.from_s
    if stay.place == OUTSIDE or lasts_s < SHORT_STAY_S:
        return [stay]
    is_seated = stay.restlessness is Restlessness.SITTING
    if is_seated and random.random() < habits.naps:
        nap = replace(stay, restlessness=Restlessness.ASLEEP)
        return [stay, *_within(stay, nap, lasts_s, habits.nap_minutes, random)]
    if random.random() < habits.wanders:
        out = replace(stay, place=OUTSIDE, zone=None)
        return [stay, *_within(stay, out, lasts_s, habits.wander_minutes, random)]
    return [stay]


def _within(stay: Stay, other: Stay, lasts_s: int, minutes: Limits, random: Random) -> Itinerary:
    """Something else for a while, and then what it was before, if the visit is long enough."""
    begins_s = stay.from_s + random.randint(3 * MINUTE, lasts_s - 5 * MINUTE)
    ends_s = begins_s + random.randint(*minutes) * MINUTE
    begun = replace(other, from_s=begins_s)
    if ends_s >= stay.from_s + lasts_s - MINUTE:
        return [begun]
    return [begun, replace(stay, from_s=ends_s)]


def _umbrella(stay: Stay, leaving: Stay, habits: Habits, random: Random) -> Itinerary:
    if random.random() >= habits.forgets:
        return []
    back_s = leaving.from_s + random.randint(*habits.forgets_after_s)
    gone_s = back_s + random.randint(*habits.fetches_for_s)
    back = replace(stay, from_s=back_s, restlessness=Restlessness.LIVELY)
    return [leaving, back, replace(leaving, from_s=gone_s)]


def _in_order(stays: Itinerary) -> Itinerary:
    """By time, and nothing twice."""
    return sorted(dict.fromkeys(stays), key=lambda item: item.from_s)


def gather(plans: list[Itinerary], habits: Habits, random: Random) -> list[Itinerary]:
    """What a group does as one: all leave at once, or one of them stays behind."""
    if not plans:
        return plans
    if random.random() < habits.leaves_at_once:
        plans = _leave_at_once(plans, random)
    if random.random() < habits.stays_behind:
        plans = [*plans[:-1], _stay_behind(plans[-1], habits, random)]
    return plans


def _leave_at_once(plans: list[Itinerary], random: Random) -> list[Itinerary]:
    """Everybody who keeps the hours of the first one leaves right behind him."""
    first, behind_s = plans[0], 0
    followed = [first]
    for plan in plans[1:]:
        behind_s += random.randint(*BEHIND_S)
        is_alike = [own.place for own in plan] == [lead.place for lead in first]
        followed.append(_leave_behind(plan, first, behind_s) if is_alike else plan)
    return followed


def _leave_behind(plan: Itinerary, first: Itinerary, behind_s: int) -> Itinerary:
    return [
        replace(own, from_s=lead.from_s + behind_s) if own.place == OUTSIDE else own
        for own, lead in zip(plan, first, strict=True)
    ]


def _stay_behind(plan: Itinerary, habits: Habits, random: Random) -> Itinerary:
    """The last event of the day keeps one of them longer."""
    *stays, leaving = plan
    later_s = random.randint(*habits.behind_minutes) * MINUTE
    return [*stays, replace(leaving, from_s=leaving.from_s + later_s)]


def pair(plans: list[Itinerary], habits: Habits, random: Random) -> list[Itinerary]:
    """Some come and go side by side with the one before."""
    paired: list[Itinerary] = []
    for plan in plans:
        beside = bool(paired) and random.random() < habits.pairs
        paired.append([_beside(stay) for stay in paired[-1]] if beside else plan)
    return paired


def _beside(stay: Stay) -> Stay:
    return replace(stay, from_s=stay.from_s + BESIDE_S)
