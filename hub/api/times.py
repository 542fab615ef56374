"""Times and numbers in query parameters."""

from __future__ import annotations

from datetime import UTC, datetime

from hub.domain.errors import BadQueryError

EARLIEST_MS = 0
LATEST_MS = 253_402_300_799_000  # the end of the year 9999


def parse_time(parameter: str, text: str | None, default_ms: int) -> int:
    """RFC 3339 to milliseconds since 1970; a time without a zone is refused.

    Raises:
        BadQueryError: it cannot be read.

    >>> parse_time("from", "2023-11-14T22:13:20Z", 0)
    1700000000000
    """
    if text is None:
        return default_ms
    wrong = BadQueryError(
        parameter, f"{parameter} is a time with its zone, for example 2026-11-20T15:20:00Z"
    )
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
        raise BadQueryError("from", "from is later than to")
    return from_ms, to_ms
