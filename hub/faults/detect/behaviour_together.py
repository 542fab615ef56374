"""All behavioural kinds as one behaviour: each message is walked through once.

Heard > what is worth a look > flags and figures > every part that asks for them > docket
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from device_drivers.contract import Quality
from edge.reading import Reading
from hub.domain.centre import Centre
from hub.faults.detect.behaviour_counts import Counts
from hub.faults.detect.behaviour_flaps import Flapping
from hub.faults.detect.behaviour_load import Load
from hub.faults.detect.behaviour_on import StuckOn
from hub.faults.detect.behaviour_part import Part
from hub.faults.detect.behaviour_tamper import Tamper
from hub.faults.detect.behaviour_twins import Twins
from hub.faults.detect.behaviour_visits import Visits
from hub.faults.detect.docket import Docket
from hub.faults.detect.memory import Memory

GOOD = Quality.GOOD


class Together:
    """Implements ``Behaviour``."""

    name = "together"

    def __init__(self, centre: Centre, docket: Docket) -> None:
        self._parts: tuple[Part, ...] = (
            StuckOn(docket),
            Flapping(docket),
            Tamper(docket),
            Twins(docket),
            Counts(docket),
            Visits(docket, centre),
        )
        asking: dict[str, list[Any]] = {}
        for part in self._parts:
            for channel in part.channels:
                asking.setdefault(channel, []).append(part.take)
        self._asking = {channel: tuple(takes) for channel, takes in asking.items()}
        self._load = Load(docket)

    def hear(self, readings: Sequence[Reading], memory: Memory, now_ms: int) -> None:
        asking = self._asking
        for reading in readings:
            takes = asking.get(reading.channel)
            if takes is None or reading.quality is not GOOD:
                continue
            value = reading.value
            if isinstance(value, int | float):
                key = reading.channel, reading.part
                for take in takes:
                    take(memory, key, value, now_ms)

    def lag(self, seconds: float, now_ms: int) -> None:
        self._load.lag(seconds, now_ms)

    def frame(self) -> object:
        return {part.name: part.kept() for part in self._parts}

    def restore(self, kept: object) -> None:
        known = kept if isinstance(kept, dict) else {}
        for part in self._parts:
            part.restore(known.get(part.name))
