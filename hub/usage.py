"""What people ask for on the command line: its times, and why something cannot be done."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from hub.api.times import EARLIEST_MS, LATEST_MS
from hub.domain.room import Text


class UsageError(Exception):
    """It cannot be done like that; the text says why."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.code)
        self.text = text


def moment(option: str, text: str, zone: ZoneInfo) -> int:
    """A time in milliseconds since 1970; without a zone it is on the centre's clocks.

    Raises:
        UsageError: it cannot be read.

    >>> moment("--from", "2026-11-20", ZoneInfo("Asia/Shanghai"))
    1795104000000
    >>> moment("--from", "2026-11-20T00:00:00+08:00", ZoneInfo("UTC"))
    1795104000000
    """
    try:
        at = datetime.fromisoformat(text.strip())
        at = at if at.tzinfo is not None else at.replace(tzinfo=zone)
        at_ms = round(at.timestamp() * 1000)
    except (ValueError, OverflowError):
        raise UsageError(Text("usage.bad_time", {"option": option, "value": text})) from None
    return min(max(at_ms, EARLIEST_MS), LATEST_MS)
