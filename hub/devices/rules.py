"""Is the device well? Pure: what was heard of it, and now, in; a verdict out."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from hub.domain.device import Health

FRAMES_REMEMBERED = 20


@dataclass(slots=True)
class Record:
    """What counts for a device's health."""

    silent_after_ms: int
    known_since_ms: int  # this start, for a device that was never heard
    heard_ms: int | None = None  # last live word; survives a restart
    down_ms: int = 0  # time since then in which the hub was not running, or which the clock jumped
    has_bad_sample: bool = False
    discarded: deque[bool] = field(default_factory=lambda: deque(maxlen=FRAMES_REMEMBERED))


def clock_set(record: Record, shift_ms: int, moved_from_ms: int | None) -> None:
    """The clock jumped: nobody was silent meanwhile. Moments that our clock made wrongly move.

    >>> record = Record(silent_after_ms=1000, known_since_ms=0, heard_ms=500)
    >>> clock_set(record, 3_600_000, None)
    >>> record.heard_ms, silent_at(record)
    (500, 3601500)
    """
    if record.heard_ms is None:
        record.known_since_ms += shift_ms
    elif moved_from_ms is not None and record.heard_ms >= moved_from_ms:
        record.heard_ms += shift_ms
    else:
        record.down_ms += shift_ms


def silent_at(record: Record) -> int:
    """The moment from which its silence counts; time in which we could not listen apart."""
    if record.heard_ms is None:
        return record.known_since_ms + record.silent_after_ms
    return record.heard_ms + record.silent_after_ms + record.down_ms


def health(record: Record, now_ms: int) -> Health:
    """Silent wins over faulty over ok; new is what was never heard and is still young.

    >>> health(Record(silent_after_ms=1000, known_since_ms=0), now_ms=10)
    <Health.NEW: 'new'>
    """
    if now_ms >= silent_at(record):
        return Health.SILENT
    if record.has_bad_sample or sum(record.discarded) > FRAMES_REMEMBERED // 2:
        return Health.FAULTY
    return Health.NEW if record.heard_ms is None else Health.OK
