"""Sensors of one floor that measure the same: each against the middle of all.

Once a day each one's mean is compared with the middle of its neighbours' means. What counts is how
far that difference moved away from what it was in the weeks before: a fridge and a sunny room have
their own. A sensor drifts if it moved itself, and its neighbours did not go along: in a heat wave
all move, and a cellar that stays cool is not broken.
"""

from __future__ import annotations

from statistics import median

from hub.domain.centre import Centre
from hub.faults.detect.analog import Analog
from hub.faults.detect.memory import Key, Memory

FEWEST = 4
MOST_DAYS, NEWEST = 16, 2
FEWEST_DAYS = 4
FAR = {"temperature": 2.2, "humidity": 9.0, "co2": 180.0}
"""How far one must have moved away from the others, at least. Light has no neighbours."""
SPREADS = 5.0
ITSELF = 0.6  # of its moving away must be its own
BACK = 0.5


class Neighbours:
    """All groups of a house."""

    def __init__(self, centre: Centre, memories: dict[str, Memory]) -> None:
        self._memories = memories
        floors = {room.id: (room.building, room.floor) for room in centre.rooms}
        doors = {door.id: door.between for door in centre.doors}
        self._floors: dict[str, tuple[str, int]] = {}
        for device in centre.devices:
            for place in device.places.values():
                rooms = (place.room,) if place.room else doors.get(place.door or "", ())
                found = [floors[room] for room in rooms if room in floors]
                if found:
                    self._floors[device.id] = found[0]

    def end_day(self) -> list[tuple[Memory, Key]]:
        """Compare; answers those that are judged otherwise now."""
        groups: dict[tuple[str, int, str], list[tuple[Memory, Key, Analog, float]]] = {}
        for memory in self._memories.values():
            floor = self._floors.get(memory.id)
            for key, analog in memory.analog.items():
                mean = analog.end_day()
                if floor is not None and mean is not None and key[0] in FAR:
                    groups.setdefault((*floor, key[0]), []).append((memory, key, analog, mean))
        return [found for group in groups.values() for found in _compare(group)]


def _compare(group: list[tuple[Memory, Key, Analog, float]]) -> list[tuple[Memory, Key]]:
    if len(group) < FEWEST:
        return []
    middle = median(mean for *_, mean in group)
    found = []
    for memory, key, analog, mean in group:
        was = analog.is_drifting
        analog.days.append((round(mean, 2), round(mean - middle, 2)))
        del analog.days[:-MOST_DAYS]
        _judge(analog, key[0], len(group) - 1)
        if was is not analog.is_drifting:
            found.append((memory, key))
    return found


def _judge(analog: Analog, channel: str, neighbours: int) -> None:
    """Its last days against those before."""
    before, now = analog.days[:-NEWEST], analog.days[-NEWEST:]
    if len(before) < FEWEST_DAYS:
        return
    usual = median(off for _, off in before)
    spread = median(abs(off - usual) for _, off in before)
    own = median(mean for mean, _ in before)
    limit = max(FAR[channel], SPREADS * spread)
    far = now[-1][1] - usual
    if analog.is_drifting:
        analog.is_drifting = abs(far) > limit * BACK
    else:
        before_far = now[0][1] - usual
        goes_on = before_far * far > 0 and abs(before_far) > limit * BACK
        analog.is_drifting = goes_on and _is_off(far, now[-1][0] - own, limit)
    analog.far, analog.neighbours = far, neighbours


def _is_off(far: float, moved: float, limit: float) -> bool:
    return abs(far) > limit and moved * far > 0 and abs(moved) > ITSELF * abs(far)
