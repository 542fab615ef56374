"""The stretches of time that a page can show, on the centre's clocks, and the marks under them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hub.api.times import cut
from hub.domain.room import Text
from hub.store.spans import Window
from hub.texts import local, render
from hub.web.timeline import Tick, day, last_hour

ROOM_SPANS = ("day", "week", "month")
DEVICE_SPANS = ("hour", "day", "week", "month")
DAYS = {"week": 7, "month": 31}
MINUTE_MS = 60_000


def window(span: str, now_ms: int, zone: str) -> Window:
    """The hour or the day of now; or the last week or month of days, today among them."""
    if span == "hour":
        return Window(*last_hour(now_ms, zone))
    start, end = day(now_ms, zone)
    if span == "day":
        return Window(start, end)
    midnight = local(start, zone) - timedelta(days=DAYS[span] - 1)  # wall clock: midnight again
    return Window(_ms(midnight), end)


def days(whole: Window, zone: str) -> list[Window]:
    return cut(whole, "day", ZoneInfo(zone), 400).windows


def parts(whole: Window, until_ms: int, length_ms: int) -> list[Window]:
    """Equal parts from the beginning on; the last one ends now."""
    end = min(whole.to_ms, until_ms)
    edges = [*range(whole.from_ms, end, length_ms), end]
    return [Window(a, b) for a, b in pairwise(edges)]


def ticks(span: str, whole: Window, zone: str, language: str) -> list[Tick]:
    """Where a mark stands, in hundredths of the width, and what stands at it."""
    length = whole.to_ms - whole.from_ms
    if span in DAYS:
        starts = [one.from_ms for one in days(whole, zone)]
        if span == "month":
            starts = [at for at in starts if local(at, zone).weekday() == 0]
        label = weekday if span == "week" else date
        marks = [(at, label(at, zone, language)) for at in starts]
    else:
        every, form = (10, "%H:%M") if span == "hour" else (180, "%H:%M")
        ats = range(whole.from_ms, whole.to_ms, every * MINUTE_MS)
        marks = [(at, local(at, zone).strftime(form)) for at in ats]
    return [Tick(round((at - whole.from_ms) / length * 100, 2), text) for at, text in marks]


def weekday(at_ms: int, zone: str, language: str) -> str:
    return render(Text(f"weekday.{local(at_ms, zone).isoweekday()}"), language)


def date(at_ms: int, zone: str, language: str) -> str:
    """``16 Nov``"""
    at = local(at_ms, zone)
    month = render(Text(f"month.{at.month}"), language)
    return render(Text("time.date", {"month": month, "day": at.day}), language)


def percent(part: float, whole: float) -> int:
    """In hundredths; what is there is never 0, what lacks something never 100.

    >>> percent(1, 1000), percent(999, 1000), percent(0, 5), percent(5, 5), percent(0, 0)
    (1, 99, 0, 100, 0)
    """
    if whole <= 0 or part <= 0:
        return 0
    return 100 if part >= whole else min(max(round(100 * part / whole), 1), 99)


def hundredths(parts: Sequence[float]) -> list[int]:
    """Shares of their sum that sum to 100, by largest remainder; what is there is never 0.

    >>> hundredths([1, 1, 1]), hundredths([999, 1, 0]), hundredths([0, 0])
    ([34, 33, 33], [99, 1, 0], [0, 0])
    """
    whole = sum(parts)
    if whole <= 0:
        return [0] * len(parts)
    exact = [100 * part / whole for part in parts]
    shares = [max(int(share), 1) if share > 0 else 0 for share in exact]
    while (over := sum(shares) - 100) != 0:
        lacks = [share - given for share, given in zip(exact, shares, strict=True)]
        if over > 0:  # the small ones were lifted to 1: the largest pay for it
            shares[shares.index(max(shares))] -= 1
        else:
            shares[lacks.index(max(lacks))] += 1
    return shares


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
