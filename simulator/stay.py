"""What somebody plans for a day: when to be where, and how restlessly."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

MINUTE, HOUR = 60, 3600


class Restlessness(IntEnum):
    """Mean seconds between two movements that a motion sensor would notice."""

    LIVELY = 8
    BUSY = 25
    SITTING = 140
    ASLEEP = 86_400


@dataclass(frozen=True, slots=True)
class Stay:
    """From this second of the day, in this place."""

    from_s: int
    place: str
    zone: str | None = None
    restlessness: Restlessness = Restlessness.SITTING


Itinerary = list[Stay]
"""A person's stays, in order."""
