"""A channel's hour, day, week or month as one drawing, made on the server: no script, prints.

A library would bring zooming that nobody asked for, and a canvas that no screen reader can read.

The ground is the hatching of what nobody recorded; ``known`` is painted over it. Numbers are a
step line, and a band from lowest to highest where many are one; yes and no stand as blocks. Bad
values are marks at the bottom: their height means nothing. Units are 1000 by 100.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from device_drivers.channels import CHANNELS, Channel
from device_drivers.contract import Quality, Value
from hub.api.times import SumStep, cut
from hub.store.rollup import HourRow, both
from hub.store.shelf import Step
from hub.store.spans import Span, Window, spans, sums
from hub.store.windows import Source, Wanted, by_hours
from hub.web.history_spans import days, parts, percent, window
from hub.web.timeline import Tick

WIDTH, HEIGHT = 1000, 100
ABOVE, BELOW = 12, 6  # left free: the highest line has its label above it
MOST_STEPS = 600  # in one line; more are drawn as ten minutes each
PART_MS = 600_000
MOST_WINDOWS = 200  # of a week by the hour
MOST_LINES = 200  # of the table
LEAST_MARK = 2.0  # of the width: a mark of a second must be seen


class Block(NamedTuple):
    x: float
    width: float
    y: float = 0.0
    height: float = HEIGHT


class Entry(NamedTuple):
    """A row of the table: a step with its value, or a stretch with mean, least and greatest."""

    from_ms: int
    to_ms: int
    value: Value
    low: Value
    high: Value
    covered: int
    quality: str


class Chart(NamedTuple):
    """``is_summed``: each value is a mean over a stretch."""

    whole: Window
    now: float
    kind: str  # number, flag or text
    is_summed: bool
    known: list[Block]
    blocks: list[Block]  # of yes
    line: str
    band: str
    bad: list[Block]
    scale: list[Tick]
    total: Entry
    entries: list[Entry]
    left_out: int


class Found(NamedTuple):
    """What is known of a stretch of time: each step of it, or sums."""

    steps: Sequence[Step] = ()
    spans: Sequence[Span] = ()
    windows: Sequence[Window] = ()
    rows: Sequence[HourRow] = ()


async def look(source: Source, wanted: Wanted, span: str, now_ms: int, zone: str) -> Found:
    """Short stretches by their steps, long ones by the hours that are kept.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    whole, silence = window(span, now_ms, zone), wanted.silent_after_ms
    end = min(whole.to_ms, now_ms)
    if span in ("hour", "day"):
        steps = await source.steps(wanted.key, whole.from_ms - silence, end + silence)
        steps = _held_on(steps, now_ms, silence)
        found = spans(steps, whole.from_ms, end, silence)
        if len(found) <= MOST_STEPS:
            return Found(steps, found)
        windows = parts(whole, now_ms, PART_MS)
        return Found(steps, found, windows, sums(0, found, windows))
    step: SumStep = "hour" if span == "week" else "day"
    windows = cut(Window(whole.from_ms, end), step, ZoneInfo(zone), MOST_WINDOWS).windows
    return Found((), (), windows, await by_hours(source, wanted, windows, now_ms))


def _held_on(steps: Sequence[Step], now_ms: int, silence_ms: int) -> list[Step]:
    """What a device said last holds until it would count as silent."""
    held = list(steps)
    nth = next((n for n in range(len(held) - 1, -1, -1) if not held[n].change.is_late), None)
    if nth is not None:
        change, until = held[nth].change, held[nth].until_ms
        last = max(change.observed_ms, until or 0)
        if last <= now_ms <= last + silence_ms:
            held[nth] = Step(change, now_ms)
    return held


def chart(found: Found, channel: str, span: str, now_ms: int, zone: str) -> Chart:
    """Lay it out."""
    whole = window(span, now_ms, zone)
    kind = _kind(channel, found)
    is_summed = bool(found.windows)
    rows = list(zip(found.windows, found.rows, strict=True))
    low, high = _bounds(found) if kind == "number" else (0.0, 1.0)
    bottom, top, scale = _scale(low, high, whole=CHANNELS.get(channel))
    place = _Place(whole, bottom, top)
    by_day = span in ("week", "month")
    entries = _days(rows, days(whole, zone)) if by_day else _entries(found, rows, whole, now_ms)
    return Chart(
        whole=whole,
        now=place.x(min(now_ms, whole.to_ms)),
        kind=kind,
        is_summed=is_summed,
        known=_known(place, found, rows),
        blocks=_yes(place, found, rows) if kind == "flag" else [],
        line=_line(place, found, rows) if kind == "number" else "",
        band=_band(place, rows) if kind == "number" else "",
        bad=[] if by_day else _bad(place, found.steps, whole, now_ms),
        scale=scale if kind == "number" else [],
        total=_total(found, rows, whole, now_ms),
        entries=entries[:MOST_LINES],
        left_out=max(len(entries) - MOST_LINES, 0),
    )


class _Place:
    def __init__(self, whole: Window, bottom: float, top: float) -> None:
        self._whole = whole
        self._bottom = bottom
        self._top = top

    def x(self, at_ms: int) -> float:
        whole = self._whole
        return round((at_ms - whole.from_ms) / (whole.to_ms - whole.from_ms) * WIDTH, 1)

    def y(self, value: float) -> float:
        share = (value - self._bottom) / (self._top - self._bottom)
        return round(HEIGHT - BELOW - share * (HEIGHT - ABOVE - BELOW), 1)

    def block(self, from_ms: int, to_ms: int, least: float = 0.0) -> Block:
        x = self.x(from_ms)
        return Block(x, max(round(self.x(to_ms) - x, 1), least))


def _kind(channel: str, found: Found) -> str:
    known = CHANNELS.get(channel)
    if known is not None and known.is_flag:
        return "flag"
    words = any(isinstance(span.value, str) for span in found.spans)
    return "text" if words or any(row.shares for row in found.rows) else "number"


def _bounds(found: Found) -> tuple[float, float]:
    values = [span.value for span in found.spans if not isinstance(span.value, str)]
    for row in found.rows:
        values += [bound for bound in (row.low, row.high) if bound is not None]
    return (float(min(values)), float(max(values))) if values else (0.0, 1.0)


def scale_of(low: float, high: float, is_whole: bool) -> list[float]:
    """A few round numbers around what was measured.

    >>> scale_of(20.9, 23.4, False)
    [20.0, 21.0, 22.0, 23.0, 24.0]
    >>> scale_of(0, 3, True), scale_of(7, 7, True)
    ([0.0, 1.0, 2.0, 3.0], [6.0, 7.0, 8.0])
    """
    if high - low < 1e-9 * max(abs(high), 1):
        around = 1.0 if is_whole else max(abs(high) * 0.01, 0.5)
        low, high = low - around, high + around
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * n for n in (1, 2, 5, 10) if power * n >= rough * 0.999)
    step = max(step, 1.0) if is_whole else step
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(n * step, 10) for n in range(first, last + 1)]


def _scale(low: float, high: float, whole: Channel | None) -> tuple[float, float, list[Tick]]:
    """Bottom, top, and the lines between them: how far down each is, and its label."""
    lines = scale_of(low, high, whole is not None and whole.whole)
    bottom, top = lines[0], lines[-1]
    place = _Place(Window(0, 1), bottom, top)
    decimals = max(0, -math.floor(math.log10(lines[1] - lines[0]) + 1e-9))
    return bottom, top, [Tick(place.y(at), f"{at:.{decimals}f}") for at in lines]


def _known(place: _Place, found: Found, rows: Sequence[tuple[Window, HourRow]]) -> list[Block]:
    """What is recorded, neighbours as one. Of a sum that part of its width which is covered."""
    stretches = [(span.from_ms, span.to_ms) for span in found.spans if not rows]
    for part, row in rows:
        length = min(row.covered_ms, part.to_ms - part.from_ms)
        if length:
            stretches.append((part.from_ms, part.from_ms + length))
    joined: list[tuple[int, int]] = []
    for begin, end in stretches:
        if joined and joined[-1][1] == begin:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((begin, end))
    return [place.block(begin, end, 0.4) for begin, end in joined]


def _yes(place: _Place, found: Found, rows: Sequence[tuple[Window, HourRow]]) -> list[Block]:
    """Blocks of yes; of a sum as high as its share."""
    if not rows:
        return [place.block(s.from_ms, s.to_ms, LEAST_MARK) for s in found.spans if s.value]
    blocks = []
    for part, row in rows:
        if row.mean and row.covered_ms:
            length = min(row.covered_ms, part.to_ms - part.from_ms)
            height = round(row.mean * HEIGHT, 1)
            block = place.block(part.from_ms, part.from_ms + length, 0.4)
            blocks.append(block._replace(y=round(HEIGHT - height, 1), height=height))
    return blocks


def _line(place: _Place, found: Found, rows: Sequence[tuple[Window, HourRow]]) -> str:
    """A step line of values or means; it breaks where nothing is known."""
    held: list[tuple[int, int, float]] = []
    if rows:
        held = [(*part, row.mean) for part, row in rows if row.mean is not None]
    else:
        numbers = (s for s in found.spans if not isinstance(s.value, str))
        held = [(s.from_ms, s.to_ms, s.value) for s in numbers]  # type: ignore[misc]
    path, last = [], None
    for begin, end, value in held:
        y, x = place.y(value), place.x(end)
        if begin == end:
            x = round(x + 0.1, 1)  # said once: a dot
        path.append(f"V{y}H{x}" if last == begin else f"M{place.x(begin)} {y}H{x}")
        last = end
    return "".join(path)


def _band(place: _Place, rows: Sequence[tuple[Window, HourRow]]) -> str:
    """From the lowest to the highest value of each part."""
    boxes = []
    for part, row in rows:
        if row.low is not None and row.high is not None:
            x, end = place.x(part.from_ms), place.x(part.to_ms)
            boxes.append(f"M{x} {place.y(row.high)}H{end}V{place.y(row.low)}H{x}Z")
    return "".join(boxes)


def _bad(place: _Place, steps: Sequence[Step], whole: Window, now_ms: int) -> list[Block]:
    """When the device said something that is not good."""
    marks = []
    for begin, end, step in _stretches(steps, whole, now_ms):
        if step.change.quality is not Quality.GOOD:
            marks.append(place.block(begin, end, LEAST_MARK))
    return marks


def _stretches(steps: Sequence[Step], whole: Window, now_ms: int) -> list[tuple[int, int, Step]]:
    """Each step that is seen in a time, up to the next one or to where it was confirmed."""
    known = [step for step in steps if not step.change.is_late]
    found = []
    for step, after in pairwise((*known, None)):
        assert step is not None  # noqa: S101 - only the last one is
        change = step.change
        end = max(step.until_ms or 0, change.observed_ms)
        if after is not None and not after.change.after_gap:
            end = after.change.observed_ms
        begin, end = max(change.observed_ms, whole.from_ms), min(end, whole.to_ms, now_ms)
        if begin <= end and change.observed_ms < whole.to_ms:
            found.append((begin, end, step))
    return found


def _entries(
    found: Found, rows: Sequence[tuple[Window, HourRow]], whole: Window, now_ms: int
) -> list[Entry]:
    """The newest first."""
    if rows:
        return [_summed(part, row) for part, row in reversed(rows) if row.covered_ms]
    return [
        Entry(begin, end, step.change.value, None, None, 100, step.change.quality.value)
        for begin, end, step in reversed(_stretches(found.steps, whole, now_ms))
    ]


def _days(rows: Sequence[tuple[Window, HourRow]], whole_days: Sequence[Window]) -> list[Entry]:
    entries = []
    for one in reversed(whole_days):
        inside = [pair for pair in rows if one.from_ms <= pair[0].from_ms < one.to_ms]
        if inside:
            entries.append(_merged(inside))
    return entries


def _merged(rows: Sequence[tuple[Window, HourRow]]) -> Entry:
    covered = [row for _, row in rows if row.covered_ms]
    whole = Window(rows[0][0].from_ms, rows[-1][0].to_ms)
    if not covered:
        return Entry(*whole, None, None, None, 0, "")
    return _summed(whole, reduce(both, covered))


def _summed(part: Window, row: HourRow) -> Entry:
    covered = percent(row.covered_ms, part.to_ms - part.from_ms)
    return Entry(*part, row.mean, row.low, row.high, covered, "")


def _total(
    found: Found, rows: Sequence[tuple[Window, HourRow]], whole: Window, now_ms: int
) -> Entry:
    if rows:
        return _merged(rows)
    window_ = Window(whole.from_ms, min(whole.to_ms, now_ms))
    return _merged(list(zip([window_], sums(0, found.spans, [window_]), strict=True)))
