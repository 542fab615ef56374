"""How often a verdict on each class of evidence is right: measured, not felt.

The figures come from simulated people with working sensors (``tests/bench/bench_truth.py``), on
other seeds than those they are tested with. A class without enough cases has none.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from hub.domain.room import Presence
from hub.rooms.case import Grounds

RIGHT: Mapping[tuple[Presence, Grounds], float] = MappingProxyType({})


def confidence(presence: Presence, grounds: Grounds | None) -> float | None:
    """The share of time in which such a verdict is right; None where that is not known."""
    return None if grounds is None else RIGHT.get((presence, grounds))
