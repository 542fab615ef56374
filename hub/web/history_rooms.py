"""A room's week and month: how the hours or days were shared out, as stacked bars.

The ground of the drawing is the hatching of what nobody recorded; a bar is as high as its time is
covered, so that a gap cannot be forgotten. What is used stands at the bottom, where heights can be
compared; each status has its place, so that the bars read without colour.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from hub.domain.room import Status
from hub.rooms.history import Usage
from hub.store.spans import Window
from hub.texts import local
from hub.web.history_spans import MINUTE_MS, date, hundredths, weekday
from hub.web.timeline import Tick

STACK = (Status.FULL, Status.IN_USE, Status.UNKNOWN, Status.FREE, Status.CLOSED)
HEIGHT = 100
BAR = 0.86  # of a day's width, so that days stay apart
PEOPLE_HEIGHT = 40


class Part(NamedTuple):
    """A piece of a bar. ``x`` and ``width`` in minutes, ``y`` and ``height`` of 100."""

    status: Status
    x: float
    width: float
    y: float
    height: float


class Line(NamedTuple):
    """A row of the table. ``shares``: of all its time, in hundredths; None is what nobody recorded.

    They are shares of one whole and sum to 100, so that whoever compares two of them may.
    """

    label: str
    shares: dict[Status | None, int]
    people: float | None


class Row(NamedTuple):
    """One drawing: a day by its hours, or a month by its days."""

    label: str
    minutes: float
    now: float
    """From here on it is still to come."""
    parts: list[Part]
    people: str
    """A path; empty where nobody counted."""
    line: Line


class Sheet(NamedTuple):
    """A week or a month, ready to draw."""

    span: str
    rows: list[Row]
    lines: list[Line]
    total: Line
    ticks: list[Tick]
    people_most: float


def total(usages: Iterable[Usage]) -> Usage:
    """Several windows as one."""
    whole = Usage()
    for usage in usages:
        for status, ms in usage.by_status.items():
            whole.by_status[status] = whole.by_status.get(status, 0) + ms
        whole.counted_ms += usage.counted_ms
        whole.people_ms += usage.people_ms
    return whole


def sheet(
    span: str,
    whole: Window,
    now_ms: int,
    place: tuple[str, str],
    found: Sequence[tuple[Window, Usage]],
    columns: Sequence[Window],
) -> Sheet:
    """Lay out what is known of each window. ``place``: time zone and language.

    A week has a row for each day (``columns``), a month one row with a bar for each of them.
    """
    zone, language = place
    most = max((usage.people_mean() or 0 for _, usage in found), default=0)
    frames = columns if span == "week" else [whole]
    rows = []
    for frame in frames:
        inside = [pair for pair in found if frame.from_ms <= pair[0].from_ms < frame.to_ms]
        rows.append(_row(span, frame, now_ms, inside, most, place))
    lines = []
    for one in columns:
        inside = [pair for pair in found if one.from_ms <= pair[0].from_ms < one.to_ms]
        if inside:
            lines.append(_line(_day(one.from_ms, zone, language), inside))
    ticks = _hours(frames[0], zone) if span == "week" else _mondays(whole, columns, place)
    return Sheet(span, rows, lines, _line("", found), ticks, round(most, 1))


def _row(
    span: str,
    frame: Window,
    now_ms: int,
    found: Sequence[tuple[Window, Usage]],
    most: float,
    place: tuple[str, str],
) -> Row:
    part_of = 1.0 if span == "week" else BAR
    parts = [part for pair in found for part in _bar(frame, *pair, part_of)]
    return Row(
        label=_day(frame.from_ms, *place) if span == "week" else "",
        minutes=(frame.to_ms - frame.from_ms) / MINUTE_MS,
        now=round((min(max(now_ms, frame.from_ms), frame.to_ms) - frame.from_ms) / MINUTE_MS, 1),
        parts=parts,
        people=_people(frame, found, most) if most else "",
        line=_line("", found),
    )


def _bar(frame: Window, window: Window, usage: Usage, part_of: float) -> list[Part]:
    length = window.to_ms - window.from_ms
    x = round((window.from_ms - frame.from_ms) / MINUTE_MS, 1)
    width = round(length / MINUTE_MS * part_of, 1)
    parts, y = [], float(HEIGHT)
    for status in STACK:
        if ms := usage.by_status.get(status, 0):
            height = ms / length * HEIGHT
            y -= height
            parts.append(Part(status, x, width, round(y, 1), round(height, 1)))
    return parts


def _people(frame: Window, found: Sequence[tuple[Window, Usage]], most: float) -> str:
    """A step line of the mean; it breaks where nobody counted."""
    path, drawing = [], False
    for window, usage in found:
        mean = usage.people_mean()
        if mean is None:
            drawing = False
            continue
        y = round(PEOPLE_HEIGHT - mean / most * (PEOPLE_HEIGHT - 2) - 1, 1)
        start, end = (round((at - frame.from_ms) / MINUTE_MS, 1) for at in window)
        path.append(f"V{y}H{end}" if drawing else f"M{start} {y}H{end}")
        drawing = True
    return "".join(path)


def _line(label: str, found: Sequence[tuple[Window, Usage]]) -> Line:
    whole = total(usage for _, usage in found)
    length = sum(window.to_ms - window.from_ms for window, _ in found)
    known = [whole.by_status.get(status, 0) for status in STACK]
    parts = hundredths([*known, length - whole.covered_ms])
    people = whole.people_mean()
    return Line(
        label,
        dict(zip((*STACK, None), parts, strict=True)),
        None if people is None else round(people, 1),
    )


def _day(at_ms: int, zone: str, language: str) -> str:
    return f"{weekday(at_ms, zone, language)} {date(at_ms, zone, language)}"


def _hours(frame: Window, zone: str) -> list[Tick]:
    """Every three hours. On a day on which clocks change the other rows differ by a little."""
    length = frame.to_ms - frame.from_ms
    ats = range(frame.from_ms, frame.to_ms, 180 * MINUTE_MS)
    return [
        Tick(round((at - frame.from_ms) / length * 100, 2), f"{local(at, zone):%H}") for at in ats
    ]


def _mondays(whole: Window, columns: Sequence[Window], place: tuple[str, str]) -> list[Tick]:
    zone, language = place
    length = whole.to_ms - whole.from_ms
    mondays = [one.from_ms for one in columns if local(one.from_ms, zone).weekday() == 0]
    return [
        Tick(round((at - whole.from_ms) / length * 100, 2), date(at, zone, language))
        for at in mondays
    ]
