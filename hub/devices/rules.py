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
    down_ms: int = 0  # time since then in which the hub itself was not running
    has_bad_sample: bool = False
    discarded: deque[bool] = field(default_factory=lambda: deque(maxlen=FRAMES_REMEMBERED))


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
