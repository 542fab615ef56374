"""Times in query parameters, and how a stretch of time is cut into minutes, hours and days.

Minutes and hours are those of UTC: stored hours are, and an hour that is named twice when clocks
change would be no name. Days are days on the centre's clocks, from midnight to midnight, of 23 or
25 hours where clocks change; in zones with half hours they cut hours in two.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Literal, NamedTuple
from zoneinfo import ZoneInfo

from hub.domain.errors import BadQueryError
from hub.store.query import BadCursorError
from hub.store.spans import Window

Step = Literal["raw", "minute", "hour", "day"]
SumStep = Literal["minute", "hour", "day"]
LENGTHS_MS = {"minute": 60_000, "hour": 3_600_000}
STEP = "minute and hour of UTC, day on the centre's clocks; raw: each stretch as it was"
MOMENT = re.compile(r"[0-9]{1,15}")
EARLIEST_MS = 0
LATEST_MS = 32_503_680_000_000  # the year 3000: days after the latest must be dates too


def parse_time(parameter: str, text: str | None, default_ms: int) -> int:
    """RFC 3339 to milliseconds since 1970; a time without a zone is refused.

    Raises:
        BadQueryError: it cannot be read.

    >>> parse_time("from", "2023-11-14T22:13:20Z", 0)
    1700000000000
    """
    if text is None:
        return default_ms
    wrong = BadQueryError(parameter, "time")
    try:
        # a plus sign that was not escaped arrives as a blank
        at = datetime.fromisoformat(text.strip().replace(" ", "+"))
        at_ms = round(at.astimezone(UTC).timestamp() * 1000)
    except (ValueError, OverflowError):
        raise wrong from None
    if at.tzinfo is None:
        raise wrong
    return min(max(at_ms, EARLIEST_MS), LATEST_MS)


def parse_range(from_: str | None, to: str | None, now_ms: int, default_ms: int) -> tuple[int, int]:
    """``from`` and ``to``; without them the stretch of that length that ends now.

    Raises:
        BadQueryError: one cannot be read, or they are the wrong way round.
    """
    to_ms = parse_time("to", to, now_ms + 1)
    from_ms = parse_time("from", from_, to_ms - default_ms)
    if from_ms > to_ms:
        raise BadQueryError("from", "wrong_way")
    return from_ms, to_ms


class Cut(NamedTuple):
    """One page of windows; ``next_ms``: where the next page begins."""

    windows: list[Window]
    next_ms: int | None


def cut(span: Window, step: SumStep, zone: ZoneInfo, limit: int) -> Cut:
    """The minutes, hours or days that a stretch of time touches; the outer ones are cut to it.

    >>> cut(Window(5_000, 125_000), "minute", ZoneInfo("UTC"), 2)
    Cut(windows=[Window(from_ms=5000, to_ms=60000), Window(from_ms=60000, to_ms=120000)], \
next_ms=120000)
    """
    windows: list[Window] = []
    at = span.from_ms
    while at < span.to_ms:
        if len(windows) == limit:
            return Cut(windows, at)
        end = min(_end(at, step, zone), span.to_ms)
        windows.append(Window(at, end))
        at = end
    return Cut(windows, None)


def resume(span: Window, cursor: str | None) -> Window:
    """What is left of a stretch of time for the page that a cursor names.

    Raises:
        BadCursorError: it is none of ours.
    """
    if cursor is None:
        return span
    if MOMENT.fullmatch(cursor) is None:
        raise BadCursorError("this cursor did not come from this hub")
    return Window(max(span.from_ms, int(cursor)), span.to_ms)


def write_moment(at_ms: int | None) -> str | None:
    """A cursor for ``resume``."""
    return None if at_ms is None else str(at_ms)


def _end(at_ms: int, step: SumStep, zone: ZoneInfo) -> int:
    if step != "day":
        length = LENGTHS_MS[step]
        return at_ms - at_ms % length + length
    tomorrow = datetime.fromtimestamp(at_ms // 1000, zone).date() + timedelta(days=1)
    # where clocks skip midnight, this is the moment in which they do
    return round(datetime.combine(tomorrow, time(), zone).timestamp()) * 1000
