"""When is a device new, well, faulty or silent?"""

from __future__ import annotations

import pytest

from hub.devices.rules import FRAMES_REMEMBERED, Record, health, silent_at
from hub.domain.device import Health

HOUR = 3_600_000


def record(heard_ms: int | None = None, down_ms: int = 0) -> Record:
    return Record(HOUR, 10 * HOUR, heard_ms, down_ms)


def test_a_device_that_never_spoke_is_new_until_it_should_have() -> None:
    assert health(record(), 11 * HOUR - 1) is Health.NEW
    assert health(record(), 11 * HOUR) is Health.SILENT


def test_a_device_is_silent_from_the_very_moment_its_time_is_over() -> None:
    assert health(record(heard_ms=12 * HOUR), 13 * HOUR - 1) is Health.OK
    assert health(record(heard_ms=12 * HOUR), 13 * HOUR) is Health.SILENT


def test_time_in_which_the_hub_was_down_is_no_silence() -> None:
    """Heard at 8:00, hub down from 8:30 to 10:00: half an hour of silence so far, not two."""
    late = record(heard_ms=8 * HOUR, down_ms=HOUR + HOUR // 2)
    assert silent_at(late) == 10 * HOUR + HOUR // 2
    assert health(late, 10 * HOUR) is Health.OK
    assert health(late, 10 * HOUR + HOUR // 2) is Health.SILENT


@pytest.mark.parametrize(("bad", "expected"), [(10, Health.OK), (11, Health.FAULTY)])
def test_over_half_of_the_last_frames_discarded_is_a_fault(bad: int, expected: Health) -> None:
    found = record(heard_ms=12 * HOUR)
    found.discarded.extend([False] * 50 + [True] * bad + [False] * (FRAMES_REMEMBERED - bad))
    assert health(found, 12 * HOUR) is expected


def test_a_bad_sample_is_a_fault_and_silence_outranks_it() -> None:
    found = record(heard_ms=12 * HOUR)
    found.has_bad_sample = True
    assert health(found, 12 * HOUR) is Health.FAULTY
    assert health(found, 14 * HOUR) is Health.SILENT
