"""Nights in a running service: kept, told after a restart, and left to those who are well."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from device_drivers.contract import Quality
from edge.clock import Clock
from edge.reading import Reading, TimeSource
from hub.bus import Bus
from hub.domain.events import EmptyProven, Heard
from hub.domain.opening import Slot
from hub.faults.night_service import NightService
from hub.store.store import Store
from tests.faults.test_night import CENTRE, HOUR, ZONE
from tests.web.sample_faults import SampleFaults

EVENING = int(datetime(2026, 11, 16, 20, tzinfo=ZONE).timestamp() * 1000)
OPENS = EVENING + 12 * HOUR


class Hours:
    """Shut until eight."""

    def slot(self, room: str, at_ms: int) -> Slot:
        is_open = at_ms >= OPENS
        return Slot(is_open, None, None if is_open else OPENS)


async def test_a_night_is_kept_and_stands_after_a_restart(tmp_path: Path) -> None:
    now = EVENING
    clock = Clock(true_time=lambda: now / 1000)
    store = await Store.open(tmp_path, clock)
    bus = Bus()
    proven: list[EmptyProven] = []
    bus.subscribe(EmptyProven, proven.append)
    service = NightService(CENTRE, clock, bus, store, Hours(), SampleFaults())
    now = EVENING + 6 * HOUR
    reading = Reading(
        *("gym-pir", "motion", "", 0, "1", Quality.GOOD, "", now, now),
        TimeSource.HUB,
    )
    bus.publish(Heard("gym-pir", (reading,), now, True, True))
    now = OPENS
    service.look()
    await service.keep()

    assert [event.room for event in proven] == ["gym"]
    assert service.last is not None
    assert service.last.quiet == ("gym",)

    again = NightService(CENTRE, clock, Bus(), store, Hours(), SampleFaults())
    await again.keep()
    assert again.last == service.last
    assert await again.nights(5) == [service.last]
    await store.close()
