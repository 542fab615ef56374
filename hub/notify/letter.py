"""What goes out: one message with its mark, and how an answer to it is read."""

from __future__ import annotations

import contextlib
import email.utils
import time
from typing import NamedTuple

from hub.notify.queue import SENT, Outcome, Result

CONNECT_S, ANSWER_S = 10.0, 20.0
MANY, TROUBLED = 429, 503
SILENT_GATEWAYS = frozenset({408, 502, 504})
"""Something between us and the other end answered in its place, so nobody knows what arrived."""


class Letter(NamedTuple):
    """One message to one person. ``mark`` is the same for each repeat, and for no other message."""

    mark: str
    title: str
    body: str


def refused(error: str, *, of_channel: bool = True, retry_after_s: float = 0.0) -> Outcome:
    """It surely did not arrive."""
    return Outcome(Result.REFUSED, error, retry_after_s, of_channel)


def unknown(error: str = "no_answer") -> Outcome:
    """It may have arrived."""
    return Outcome(Result.UNKNOWN, error)


def of_status(status: int, retry_after: str | None = None) -> Outcome:
    """What a status of HTTP says of a message.

    >>> of_status(204).result, of_status(404).error, of_status(429, "90").retry_after_s
    (<Result.SENT: 'sent'>, 'status:404', 90.0)
    >>> of_status(504).result
    <Result.UNKNOWN: 'unknown'>
    """
    if 200 <= status < 300:
        return SENT
    if status in SILENT_GATEWAYS:
        return unknown(f"status:{status}")
    return refused(f"status:{status}", retry_after_s=seconds(retry_after))


def seconds(retry_after: str | None, now_s: float | None = None) -> float:
    """``Retry-After``: seconds or a date; 0 where it is neither.

    >>> seconds("Sun, 22 Nov 2026 10:00:30 GMT", 1_795_341_600.0), seconds("soon"), seconds("-5")
    (30.0, 0.0, 0.0)
    """
    if retry_after is None:
        return 0.0
    with contextlib.suppress(ValueError):
        return min(max(float(retry_after), 0.0), 1e9)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        moment = email.utils.parsedate_to_datetime(retry_after).timestamp()
        return max(moment - (time.time() if now_s is None else now_s), 0.0)
    return 0.0
