"""Which days the house is open, how warm it is outside, and what happens to all of it at once."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta, timezone
from random import Random

import msgspec

ZONE = timezone(timedelta(hours=8))
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
OFF_MS = 8 * HOUR_MS  # of Shanghai, all year
EPOCH = date(1970, 1, 1).toordinal()
OPENS, CLOSES = 6, 22
WEEKDAY_OFF = 6  # nobody comes on Sundays


class Season(msgspec.Struct, frozen=True):
    """When a game begins, and what is special in it. Days count from its first one."""

    first: str
    days: int
    warm_up: int = 7
    """Days in which nothing is broken: a hub gets to know a house."""
    closure: tuple[int, int] | None = None
    """First day and number of days of a festival: nobody comes, nothing moves."""
    heat: tuple[int, int] | None = None
    """First day and number of days that are nine degrees too warm."""

    @property
    def begin_ms(self) -> int:
        begin = datetime.fromisoformat(self.first).replace(tzinfo=ZONE)
        return int(begin.timestamp() * 1000)

    @property
    def end_ms(self) -> int:
        return self.begin_ms + self.days * DAY_MS

    def closed_days(self) -> frozenset[int]:
        """As ``date.toordinal``."""
        first = date.fromisoformat(self.first)
        days = [first + timedelta(days=n) for n in range(self.days + 1)]
        off = {day.toordinal() for day in days if day.weekday() == WEEKDAY_OFF}
        if self.closure is not None:
            begins, lasts = self.closure
            off |= {day.toordinal() for day in days[begins : begins + lasts]}
        return frozenset(off)


class Hours:
    """The timetable of every room: open by day, closed on days off."""

    def __init__(self, season: Season) -> None:
        self._closed = season.closed_days()

    def is_open(self, at_ms: int) -> bool:
        return not self.is_off(at_ms) and OPENS <= (at_ms + OFF_MS) % DAY_MS // HOUR_MS < CLOSES

    def is_off(self, at_ms: int) -> bool:
        """Is the whole day one on which nobody comes?"""
        return (at_ms + OFF_MS) // DAY_MS + EPOCH in self._closed


class Weather:
    """Outside: by season, by hour, and from one day to the next by chance."""

    def __init__(self, season: Season, seed: int) -> None:
        random, mood = Random(f"weather/{seed}"), 0.0
        self._begin_ms = season.begin_ms
        self._moods, self._clouds = [], []
        for day in range(season.days + 2):
            mood = 0.7 * mood + random.gauss(0, 2.2)
            is_hot = season.heat is not None and 0 <= day - season.heat[0] < season.heat[1]
            self._moods.append(mood + (9 if is_hot else 0))
            self._clouds.append(random.uniform(0.1, 1.0))

    def outside(self, at_ms: int) -> float:
        """Degrees, without a step at midnight."""
        days = (at_ms - self._begin_ms) / DAY_MS
        today = int(days)
        part = days - today
        mood = self._moods[today] * (1 - part) + self._moods[today + 1] * part
        year = (at_ms + 8 * HOUR_MS) / DAY_MS % 365.25
        usual = 16.5 - 12 * math.cos(2 * math.pi * (year - 20) / 365.25)
        return usual + mood - 4 * math.cos(2 * math.pi * (days - 3 / 24))

    def sun(self, at_ms: int) -> float:
        """Lux of daylight near a window."""
        hour = (at_ms - self._begin_ms) % DAY_MS / HOUR_MS
        height = math.sin(math.pi * (hour - 6) / 12) if 6 < hour < 18 else 0.0
        return 2500 * height * self._clouds[(at_ms - self._begin_ms) // DAY_MS]
