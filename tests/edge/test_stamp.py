"""Two times on each reading, by the rule of its way of arrival; and what a part means here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from device_drivers.contract import Message, Quality, Sample, Value
from edge.clock import Clock
from edge.reading import TimeSource
from edge.settings import MapEntry
from edge.stamp import Stamp

NOW = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
ZONE = ZoneInfo("Asia/Shanghai")
HUB, DEVICE = TimeSource.HUB, TimeSource.DEVICE
QUEUED, RETAINED = TimeSource.QUEUED, TimeSource.RETAINED
UNSYNCED = TimeSource.UNSYNCED


def ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def clock() -> Clock:
    return Clock(true_time=NOW.timestamp)


@pytest.mark.parametrize(
    ("way", "own", "observed", "source"),
    [
        (HUB, None, NOW, HUB),
        (HUB, NOW - timedelta(hours=1), NOW - timedelta(hours=1), DEVICE),
        (HUB, NOW + timedelta(seconds=2), NOW + timedelta(seconds=2), DEVICE),
        (HUB, NOW + timedelta(seconds=3), NOW, HUB),
        (HUB, NOW - timedelta(days=1), NOW - timedelta(days=1), DEVICE),
        (HUB, NOW - timedelta(days=1, seconds=1), NOW, HUB),
        (HUB, datetime(2026, 7, 1, 19, 59), NOW, HUB),  # noqa: DTZ001 - a clock without a zone
        (QUEUED, None, NOW, QUEUED),
        (QUEUED, NOW - timedelta(days=9), NOW - timedelta(days=9), QUEUED),
        (
            RETAINED,
            datetime(2026, 7, 1, 19, 0),  # noqa: DTZ001 - meant in the centre's zone
            NOW - timedelta(hours=1),
            RETAINED,
        ),
        (RETAINED, NOW + timedelta(seconds=3), NOW, RETAINED),
        (RETAINED, datetime(2019, 12, 31, tzinfo=UTC), NOW, RETAINED),
        (QUEUED, datetime.min, NOW, QUEUED),  # noqa: DTZ901 - the very ends of the calendar
        (QUEUED, datetime.max, NOW, QUEUED),  # noqa: DTZ901
    ],
)
def test_when_it_was_observed(
    way: TimeSource, own: datetime | None, observed: datetime, source: TimeSource
) -> None:
    message = Message((Sample("contact", 1, "1"),), own)
    report = Stamp("door", clock(), ZONE).report(message, way)
    reading = report.readings[0]
    assert (reading.observed_ms, reading.time_source) == (ms(observed), source)
    assert reading.received_ms == report.received_ms == ms(NOW)
    assert report.is_live is reading.is_live is (way is HUB)


@pytest.mark.parametrize(
    ("way", "own", "observed", "source"),
    [
        (HUB, None, NOW, UNSYNCED),
        (HUB, NOW - timedelta(hours=1), NOW, UNSYNCED),
        (HUB, datetime(2030, 1, 1, tzinfo=UTC), NOW, UNSYNCED),
        (QUEUED, None, NOW, QUEUED),
        (QUEUED, NOW - timedelta(days=9), NOW - timedelta(days=9), QUEUED),
        (RETAINED, datetime(2030, 1, 1, tzinfo=UTC), NOW, RETAINED),
    ],
)
def test_while_our_own_time_is_not_trusted_nobody_elses_is_compared_with_it(
    way: TimeSource, own: datetime | None, observed: datetime, source: TimeSource
) -> None:
    held = clock()
    held.hold(ms(NOW), 0, lambda: 0.0)
    report = Stamp("door", held, ZONE).report(Message((Sample("contact", 1, "1"),), own), way)
    reading = report.readings[0]
    assert (reading.observed_ms, reading.time_source) == (ms(observed), source)
    assert report.is_live is reading.is_live is (way is HUB)


PLACES = {
    "di1": MapEntry(door="front", invert=True),
    "motion": MapEntry(room="gym", channel="presence"),
    "contact.di2": MapEntry(room="gym", channel="tamper"),
    "di2": MapEntry(room="gym"),
}


@pytest.mark.parametrize(
    ("sample", "channel", "value"),
    [
        (Sample("contact", 1, "1", part="di1"), "contact", 0),
        (Sample("contact", 0, "1", part="di1"), "contact", 1),
        (Sample("contact", None, "1", Quality.BAD, "malformed", "di1"), "contact", None),
        (Sample("temperature", 21.5, "Cel", part="di1"), "temperature", 21.5),
        (Sample("motion", 1, "1"), "presence", 1),
        (Sample("motion", 1, "1", part="left"), "motion", 1),
        (Sample("contact", 1, "1", part="di2"), "tamper", 1),
        (Sample("tamper", 1, "1", part="di2"), "tamper", 1),
        (Sample("contact", 1, "1", part="di9"), "contact", 1),
    ],
)
def test_what_a_part_means_here(sample: Sample, channel: str, value: Value) -> None:
    stamp = Stamp("io8", clock(), ZONE, PLACES)
    reading = stamp.report(Message((sample,))).readings[0]
    assert (reading.channel, reading.value) == (channel, value)
    assert (reading.part, reading.quality, reading.reason) == (
        sample.part,
        sample.quality,
        sample.reason,
    )
