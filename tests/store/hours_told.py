"""The hours that a store tells of a series, against its steps."""

from __future__ import annotations

from collections.abc import Sequence

from hub.domain.series import Series
from hub.store.rollup import HOUR_MS
from hub.store.shelf import Step
from hub.store.spans import Window, spans, sums
from hub.store.store import Store
from tests.store.making import EVER, T0_MS

FIRST_MS = (T0_MS - 9 * 24 * HOUR_MS) // HOUR_MS * HOUR_MS


async def compare_hours(store: Store, series: Series, steps: Sequence[Step], now_ms: int) -> None:
    """Each hour that is over, and that nothing waits to correct, covers what its steps cover."""
    if not steps:
        return
    found = {hour.from_ms: hour for hour in await store.hours(series.key, FIRST_MS, EVER)}
    dirty = store.live.mending.dirty.get(series.number, set())
    last = max(max(step.change.observed_ms, step.until_ms or 0) for step in steps)
    end = last - last % HOUR_MS + HOUR_MS  # of a whole hour, or the last one would be cut
    windows = [Window(at, at + HOUR_MS) for at in range(FIRST_MS, end, HOUR_MS)]
    silence = store.live.silence_ms(series.key.device)
    for row in sums(series.number, spans(steps, FIRST_MS, end, silence), windows):
        near = {row.hour_ms - HOUR_MS, row.hour_ms, row.hour_ms + HOUR_MS}
        if near & dirty or row.hour_ms + 2 * HOUR_MS > now_ms:
            continue
        hour = found.get(row.hour_ms)
        covered = 0 if hour is None else hour.covered_ms
        assert covered == row.covered_ms, (series.key, row, hour)
