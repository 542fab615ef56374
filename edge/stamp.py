"""Give a driver's message its device, its times and its place: Message > Report(Reading...).

Two times, by one rule per way of arrival:

    live               observed = received; the device's own time only if it is zoned and lies
                       between a day ago and 2 s ahead. A clock without a zone is never believed
                       here: a monitor set to summer time would move a reading by an hour
    live, untrusted    observed = received, marked unsynced: a device's time cannot be compared with
                       a clock that is not right itself, and both will be moved together
    queued, retained   the message is old and we do not know how old: its own time, zoned or in
                       the centre's zone, if it is plausible; else the time we received it

Only live readings are ever fresh, whatever time they carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from zoneinfo import ZoneInfo

from device_drivers.contract import Message, Sample, Value
from edge.clock import Clock
from edge.reading import Reading, Receipt, Report, TimeSource
from edge.settings import MapEntry

DAY_MS = 86_400_000
AHEAD_MS = 2_000
"""How far ahead of ours a device's clock may run: more is a wrong clock, not a fast wire."""
FIRST_YEAR = 2020
"""Clocks without a battery begin at 1970 or 2000; nothing we read was made before this year."""
LAST_YEAR = 9000  # zones can not be computed at the very end of the calendar


class Stamp:
    """Stamps the messages of one device."""

    def __init__(
        self,
        device: str,
        clock: Clock,
        zone: ZoneInfo,
        places: Mapping[str, MapEntry] | None = None,
    ) -> None:
        self.device = device
        self._clock = clock
        self._zone = zone
        self._places = places or {}

    def report(
        self, message: Message, way: TimeSource = TimeSource.HUB, receipt: Receipt | None = None
    ) -> Report:
        """Stamp one message that arrives now.

        Args:
            message: What the driver understood.
            way: ``HUB`` for a live message, ``QUEUED`` or ``RETAINED`` for a remembered one.
            receipt: The way back.
        """
        received_ms = self._clock.now_ms()
        is_live = way is TimeSource.HUB
        if is_live and not self._clock.is_trusted:
            way = TimeSource.UNSYNCED
        observed_ms, source, said_ms = received_ms, way, None
        if message.device_time is not None:
            own_ms = self._own_ms(message.device_time)
            observed_ms, source = self._observed(message.device_time, own_ms, received_ms, way)
            said_ms = None if way is TimeSource.UNSYNCED else own_ms
        device, places = self.device, self._places
        readings = tuple(
            [
                Reading(
                    device,
                    sample.channel,
                    sample.part,
                    sample.value,
                    sample.unit,
                    sample.quality,
                    sample.reason,
                    observed_ms,
                    received_ms,
                    source,
                )
                for sample in (self._placed(message.samples) if places else message.samples)
            ]
        )
        return Report(device, readings, received_ms, is_live, receipt, said_ms)

    def _observed(
        self, device_time: datetime, own_ms: int | None, received_ms: int, way: TimeSource
    ) -> tuple[int, TimeSource]:
        if way is TimeSource.UNSYNCED:
            return received_ms, way
        if own_ms is None or own_ms > received_ms + AHEAD_MS:
            return received_ms, way
        if way is not TimeSource.HUB:
            return own_ms, way
        if device_time.tzinfo is None or own_ms < received_ms - DAY_MS:
            return received_ms, way
        return own_ms, TimeSource.DEVICE

    def _own_ms(self, device_time: datetime) -> int | None:
        if not FIRST_YEAR <= device_time.year <= LAST_YEAR:
            return None
        if device_time.tzinfo is None:
            device_time = device_time.replace(tzinfo=self._zone)
        return round(device_time.timestamp() * 1000)

    def _placed(self, samples: tuple[Sample, ...]) -> list[Sample]:
        return [self._place(sample) for sample in samples]

    def _place(self, sample: Sample) -> Sample:
        """Apply ``map``: what a part means here. Parts it does not name stay as they are."""
        place = self._places.get(f"{sample.channel}.{sample.part}") or self._places.get(
            sample.part or sample.channel
        )
        if place is None or (place.channel is None and not place.invert):
            return sample
        return Sample(
            place.channel or sample.channel,
            _inverted(sample.value) if place.invert else sample.value,
            sample.unit,
            sample.quality,
            sample.reason,
            sample.part,
        )


def _inverted(value: Value) -> Value:
    """Swap 0 and 1; whatever is neither has no opposite."""
    return 1 - value if isinstance(value, int) and value in (0, 1) else value
