"""How often a verdict on each class of evidence is right: measured, not felt.

The figures come from simulated people with working sensors (``tests/bench/bench_truth.py``), on
other seeds than those they are tested with. A class without enough cases has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.domain.room import Presence
from hub.rooms.case import Grounds

RIGHT: Mapping[tuple[Presence, Grounds], float] = MappingProxyType(
    {
        (Presence.ABSENT, Grounds.RADAR): 0.999,
        (Presence.ABSENT, Grounds.LEFT): 0.999,
        (Presence.ABSENT, Grounds.CROSSED): 0.999,
        (Presence.ABSENT, Grounds.COUNT): 0.99,
        (Presence.PRESENT, Grounds.RADAR): 0.99,
        (Presence.PRESENT, Grounds.MOTION): 0.90,
        (Presence.PRESENT, Grounds.COUNT): 0.50,
        (Presence.PRESENT, Grounds.RECENT): 0.30,
        (Presence.PRESENT, Grounds.STILL): 0.20,
        (Presence.PRESENT, Grounds.CROSSING): 0.02,
    }
)
"""The lower of two games, with people and sensors as usual or with about twice the mishaps, rounded
down to its first digit (or to nines): more is not known, since no house is like the game. The last
ones are rooms that somebody may just have left: taken as in use until they are proven empty, which
is a precaution and no finding, and is said so. "Still" among them, as whoever slips out unseen
leaves a room in use overnight. Nobody simulates who looks, so a look has no figure."""
PRECAUTION = 0.5
"""Below that a room is more likely empty than not, and is called in use all the same."""


def confidence(presence: Presence, grounds: Grounds | None) -> float | None:
    """The share of time in which such a verdict is right; None where that is not known."""
    return None if grounds is None else RIGHT.get((presence, grounds))
