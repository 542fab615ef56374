"""The stretches of time that a page can show, on the centre's clocks, and the marks under them."""

from __future__ import annotations

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


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
