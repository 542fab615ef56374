"""Times as devices write them.

A clock that was never set says 1970 or 2000 or 2036; a broken one says the 31st of February. Such
a time is worth nothing and becomes None, never an error: the hub has a clock of its own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
YEARS = range(2001, 2100)  # devices wake up on 2000-01-01; two-digit years end in 2099


def possible(year: int, month: int, day: int, hour: int, minute: int) -> datetime | None:
    """The naive local time a device shows on its display, if there is such a moment."""
    try:
        moment = datetime(year, month, day, hour, minute)  # noqa: DTZ001 - devices have no zone
    except ValueError:
        return None
    return moment if moment.year in YEARS else None


def from_iso(text: object) -> datetime | None:
    """ISO 8601 with or without an offset; a date alone is no time.

    >>> from_iso("2026-07-11T09:05:00+08:00").isoformat()
    '2026-07-11T09:05:00+08:00'
    >>> from_iso("2026-02-31T09:05:00"), from_iso("2026-07-11"), from_iso(None)
    (None, None, None)
    """
    if not isinstance(text, str) or len(text) < len("2026-07-11T09:05"):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.year in YEARS else None


def from_epoch_ms(ms: object) -> datetime | None:
    """Milliseconds since 1970 UTC.

    >>> from_epoch_ms(1783731900000).isoformat()
    '2026-07-11T01:05:00+00:00'
    """
    if isinstance(ms, bool) or not isinstance(ms, int | float):
        return None
    try:
        moment = EPOCH + timedelta(milliseconds=ms)
    except (ValueError, OverflowError):
        return None
    return moment if moment.year in YEARS else None
