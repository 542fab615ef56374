"""A month of every channel of the sample centre, made by the hub's own live state.

Nothing is recorded on one night a week and in one hour of each day, and once a day a sensor says
something impossible.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec

from device_drivers.channels import CHANNELS
from device_drivers.contract import Quality
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import Change, LiveState
from hub.store.query import Hour
from hub.store.rollup import merge
from hub.store.shelf import Step
from tests.store.making import report
from tests.web.sample_centre import NOW_MS

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
DAYS = 31
EVERY_MS = 5 * MINUTE_MS


class SampleHistory:
    """As much of the store as pages ask for."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self._now_ms = now_ms
        self._made: dict[SeriesKey, tuple[list[Step], list[Hour]]] = {}

    async def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Hour]:
        return [hour for hour in self._of(key)[1] if from_ms <= hour.from_ms < to_ms]

    async def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> Sequence[Step]:
        steps = self._of(key)[0]
        times = [step.change.observed_ms for step in steps]
        first = max((at for at, ms in enumerate(times) if ms < from_ms), default=0)
        last = min((at for at, ms in enumerate(times) if ms >= to_ms), default=len(times))
        return steps[first : last + 1]

    def _of(self, key: SeriesKey) -> tuple[list[Step], list[Hour]]:
        found = self._made.get(key)
        if found is None:
            found = self._made[key] = self._make(key)
        return found

    def _make(self, key: SeriesKey) -> tuple[list[Step], list[Hour]]:
        live, changes = LiveState(), list[Change]()
        channel = key.channel.replace(".", "_")
        for at in range(self._now_ms - DAYS * DAY_MS, self._now_ms + 1, EVERY_MS):
            hour = at // HOUR_MS % 24  # of UTC; Shanghai is 8 ahead
            if hour == 3 or (at // DAY_MS % 7 == 2 and hour > 12):
                continue
            said = report(key.device, at, TimeSource.HUB, at, **{channel: _value(key.channel, at)})
            if at % DAY_MS // EVERY_MS == 60:
                (reading,) = said.readings
                bad = msgspec.structs.replace(
                    reading, value=85.0, quality=Quality.BAD, reason="out_of_range"
                )
                said = msgspec.structs.replace(said, readings=(bad,))
            changes += live.apply(said)
        (series,) = live.series.values()
        ends = [change.previous_until_ms for change in changes[1:]]
        steps = [
            Step(change, end)
            for change, end in zip(changes, [*ends, live.held_ms(series)], strict=True)
        ]
        live.cover_all()
        live.rollups.finish_before(self._now_ms + HOUR_MS)
        rows = merge(live.rollups.finished)
        return steps, [
            Hour(key, r.hour_ms, r.covered_ms, r.mean, r.low, r.high, r.shares) for r in rows
        ]


def _value(channel: str, at_ms: int) -> float:
    day = at_ms % DAY_MS / DAY_MS
    known = CHANNELS[channel]
    wave = math.sin(2 * math.pi * (day - 0.1)) + 0.3 * math.sin(at_ms / 7_000_000)
    if known.is_flag:
        return int(wave > 0.4)
    if known.whole:
        return max(0, round(12 * wave))
    return round(21.5 + 2.2 * wave, 1)
