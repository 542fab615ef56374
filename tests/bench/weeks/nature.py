"""What sensors measure beside people: air, light, their own battery and radio.

Air follows its causes slowly, as air does; a battery is a curve with dips in the cold.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from simulator.world import World
from tests.bench.weeks.calendar import DAY_MS, HOUR_MS, Hours, Weather

CO2_OUTSIDE, CO2_PER_PERSON = 430, 22
COMFORT = {True: 21.0, False: 26.0}  # heated, cooled
SET_BACK = 2.5  # degrees that nobody heats or cools in a closed house
DARK = ("corridor", "lecture")  # no window
STILL_MS = 20_000  # nothing moves in less
WARMING_MS, AIRING_MS = 5_400_000, 1_500_000


@dataclass
class Air:
    """The air of one room."""

    own: float  # degrees that this room is warmer than the house
    window: float  # share of daylight that comes in
    temperature: float = 20.0
    humidity: float = 50.0
    co2: float = CO2_OUTSIDE + 40
    light: float = 0.0
    at_ms: int = 0


@dataclass
class Indoors:
    """All rooms. A storage room is hardly heated and hardly entered: its air moves slowly."""

    world: World
    weather: Weather
    hours: Hours
    seed: int
    _airs: dict[str, Air] = field(default_factory=dict)

    def air(self, room: str, now_ms: int) -> Air:
        air = self._airs.get(room)
        if air is None:
            random = Random(f"{room}/{self.seed}")
            window = 0.0 if room in DARK else random.uniform(0.05, 0.6)
            air = Air(random.uniform(-1.2, 1.2), window, at_ms=now_ms)
            air.temperature = self._wanted(room, air, now_ms)
            self._airs[room] = air
        past_ms = now_ms - air.at_ms
        if past_ms > STILL_MS:
            self._move(room, air, past_ms, now_ms)
        return air

    def _move(self, room: str, air: Air, past_ms: int, now_ms: int) -> None:
        people = min(self.world.people_in(room), 60)
        warm, fresh = 1 - math.exp(-past_ms / WARMING_MS), 1 - math.exp(-past_ms / AIRING_MS)
        air.temperature += (
            self._wanted(room, air, now_ms) + 0.06 * people - air.temperature
        ) * warm
        air.humidity += (48 + 0.25 * people + self._damp(now_ms) - air.humidity) * warm
        air.co2 += (CO2_OUTSIDE + CO2_PER_PERSON * people - air.co2) * fresh
        air.light = self.weather.sun(now_ms) * air.window + (320 if people else 0)
        air.at_ms = now_ms

    def _wanted(self, room: str, air: Air, now_ms: int) -> float:
        """Where the temperature would end if nothing changed."""
        outside = self.weather.outside(now_ms)
        if room == "storage":
            return 17 + 0.25 * (outside - 17) + air.own
        is_heated = outside < 20
        aim = COMFORT[is_heated] + air.own
        if not self.hours.is_open(now_ms):
            aim += -SET_BACK if is_heated else SET_BACK
        return aim + 0.12 * (outside - aim)

    def _damp(self, now_ms: int) -> float:
        return 6 * math.sin(now_ms / (2.3 * DAY_MS)) + 2 * math.sin(now_ms / (7 * HOUR_MS))


class Chemistry(StrEnum):
    """How a battery's level falls over its life."""

    LITHIUM = "lithium"  # hardly at all for long, then within days
    ALKALINE = "alkaline"  # evenly
    COARSE = "coarse"  # evenly, told in steps of ten


@dataclass
class Battery:
    """``used`` is the share of its life that is over; ``floor`` is what it still says when it can
    no longer feed the radio."""

    chemistry: Chemistry
    used: float
    random: Random
    per_day: float = 1 / 500
    cold: float = 0.6  # per cent lost for each degree under 18
    shakes: float = 0.7
    floor: float = 0.0
    at_ms: int = 0

    def level(self, now_ms: int, temperature: float) -> int:
        self.pass_time(now_ms)
        used = min(self.used, 1.0)
        if self.chemistry is Chemistry.LITHIUM:
            full = 100 - 25 * used if used < 0.8 else 80 - 65 * (used - 0.8) / 0.2
        else:
            full = 100 - 96 * used
        full = self.floor + full * (100 - self.floor) / 100
        full -= self.cold * max(0.0, 18 - temperature) + self.random.gauss(0, self.shakes)
        if self.chemistry is Chemistry.COARSE:
            full = round(full, -1)
        return max(1, min(100, round(full)))

    def pass_time(self, now_ms: int) -> None:
        if self.at_ms:
            self.used += self.per_day * (now_ms - self.at_ms) / DAY_MS
        self.at_ms = now_ms

    @property
    def is_empty(self) -> bool:
        return self.used >= 1


@dataclass
class Radio:
    """Link quality as Zigbee says it, 0 to 255; ``factor`` is what a fault leaves of it."""

    usual: float
    random: Random
    loses: float  # share of messages that never arrive
    factor: float = 1.0
    wander: float = 0.0

    def quality(self, people: int, *, is_open: bool) -> int:
        """Bodies and their telephones weaken it."""
        self.wander = 0.95 * self.wander + self.random.gauss(0, 2)
        crowd = 1 - min(people, 25) * 0.008 - (0.06 if is_open else 0)
        raw = (self.usual + self.wander) * crowd * self.factor + self.random.gauss(0, 4)
        return max(1, min(255, round(raw)))

    def arrives(self) -> bool:
        return self.random.random() >= self.loses
