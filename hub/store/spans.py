"""From the steps of a series to the time it is known for, and to sums over any window.

    Step... > spans > Span... > sums > HourRow for each window

The rules, in the order in which they are applied:

1. A step holds from the moment it was observed until it was last confirmed; and on to the next
   step, unless that one came after a silence (``after_gap``).
2. A clock that was set back makes steps overlap. The step that begins later wins, and the other
   one goes on behind it: no moment counts twice.
3. A late reading (queued, forwarded, by a device's clock) inside a held stretch moves the bounds
   and takes no time: what it says held for how long, nobody knows. In a gap it begins a stretch
   that holds to the next reading of the series, late or not, if that came before the device would
   have counted as silent; and the step before holds up to it by the same rule.
4. Only good values count. Others hold their time, so that nothing else is believed in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from device_drivers.contract import Quality, Value
from hub.store.rollup import HourRow, Sums, add, counts, row_of

if TYPE_CHECKING:
    from hub.live import Change
    from hub.store.shelf import Step

FAR_MS = 2**62


class Span(msgspec.Struct, frozen=True, gc=False):
    """A value that held for a time. Without length it is a glimpse: it was said, and no more."""

    from_ms: int
    to_ms: int
    value: int | float | str


class Stretch(NamedTuple):
    """Time that is taken; ``value`` None: by something that is not good."""

    from_ms: int
    to_ms: int
    value: Value
    is_glimpse: bool = False


class Window(NamedTuple):
    """``from_ms <= t < to_ms``"""

    from_ms: int
    to_ms: int


def spans(steps: Iterable[Step], from_ms: int, to_ms: int, silent_after_ms: int) -> list[Span]:
    """What is known of a series in a time, in order; nothing overlaps.

    ``steps`` come in order of (observed_ms, tie), with the step that ran before ``from_ms`` and
    the first one after ``to_ms`` that is not late; of late ones those within ``silent_after_ms``
    on both sides.
    """
    known: list[Step] = []
    late: list[Step] = []
    for step in steps:
        (late if step.change.is_late else known).append(step)
    stretches = _painted(_stretches(known))
    if late:
        stretches = list(_woven(stretches, [step.change for step in late], silent_after_ms))
    return list(_cut(stretches, from_ms, to_ms))


def gaps(steps: Iterable[Step]) -> list[Window]:
    """Where no step holds, late ones apart; before the first and behind the last one too."""
    stretches = _painted(_stretches([step for step in steps if not step.change.is_late]))
    ends = [-FAR_MS, *(stretch.to_ms for stretch in stretches)]
    begins = [*(stretch.from_ms for stretch in stretches), FAR_MS]
    pairs = zip(ends, begins, strict=True)
    return [Window(end, begin) for end, begin in pairs if end < begin]


def sums(number: int, found: Sequence[Span], windows: Sequence[Window]) -> list[HourRow]:
    """One row for each window; windows are in order and do not overlap."""
    rows: list[HourRow] = []
    at = 0
    for window in windows:
        while at < len(found) and _is_before(found[at], window.from_ms):
            at += 1
        tally = Sums(window.from_ms)
        for place in range(at, len(found)):
            span = found[place]
            if span.from_ms >= window.to_ms:
                break
            tally.value = span.value
            add(tally, min(span.to_ms, window.to_ms) - max(span.from_ms, window.from_ms))
        rows.append(row_of(number, tally))
    return rows


def _is_before(span: Span, ms: int) -> bool:
    return span.to_ms <= ms and span.from_ms < ms


def _stretches(steps: Sequence[Step]) -> list[Stretch]:
    """How long each step held. The one that follows it says until when it was confirmed."""
    ends: list[int] = []
    confirmed: dict[int, int] = {}
    for at, step in enumerate(steps):
        change = step.change
        follows = change.previous_until_ms
        if follows is not None and not change.after_gap and follows <= change.observed_ms:
            before = confirmed.get(follows)
            if before is not None:
                ends[before] = max(ends[before], change.observed_ms)
        until = step.until_ms if step.until_ms is not None else change.observed_ms
        ends.append(max(until, change.observed_ms))
        confirmed[until] = at
    return [
        Stretch(step.change.observed_ms, end, _good(step.change))
        for step, end in zip(steps, ends, strict=True)
    ]


def _good(change: Change) -> Value:
    return change.value if change.quality is Quality.GOOD and counts(change.value) else None


def _painted(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Without overlaps: each is painted over those that began before it."""
    painted: list[Stretch] = []
    under: list[Stretch] = []
    at = -FAR_MS
    for stretch in (*stretches, Stretch(FAR_MS, FAR_MS, None)):
        start = stretch.from_ms
        while under:
            top = under[-1]
            end = min(top.to_ms, start)
            if at < end:
                painted.append(Stretch(at, end, top.value))
                at = end
            elif top.from_ms == top.to_ms:  # no time, but a late reading may lengthen it
                painted.append(top)
            if top.to_ms > start:
                break
            under.pop()
        at = max(at, start)
        under.append(stretch)
    return painted


def _woven(
    stretches: Sequence[Stretch], late: Sequence[Change], silent_after_ms: int
) -> Iterator[Stretch]:
    """The stretches with late readings between and inside them."""
    said = [Stretch(c.observed_ms, c.observed_ms, _good(c), True) for c in late]
    at, before = 0, Stretch(-FAR_MS, -FAR_MS, None)
    for stretch in (*stretches, Stretch(FAR_MS, FAR_MS, None)):
        first = at
        while at < len(said) and said[at].from_ms < stretch.from_ms:
            at += 1
        if at > first:
            for earlier, later in pairwise((before, *said[first:at], stretch)):
                if later.from_ms - earlier.to_ms <= silent_after_ms:
                    yield Stretch(earlier.to_ms, later.from_ms, earlier.value)
        begin = stretch.from_ms
        while at < len(said) and said[at].from_ms < stretch.to_ms:
            yield Stretch(begin, said[at].from_ms, stretch.value)
            if stretch.value is not None:
                yield said[at]
            begin = said[at].from_ms
            at += 1
        before = Stretch(begin, stretch.to_ms, stretch.value)
        yield before


def _cut(stretches: Iterable[Stretch], from_ms: int, to_ms: int) -> Iterator[Span]:
    """What lies in the window and counts."""
    for begin, end, value, is_glimpse in stretches:
        start, stop = max(begin, from_ms), min(end, to_ms)
        if value is not None and (start < stop or (is_glimpse and from_ms <= begin < to_ms)):
            yield Span(start, stop, value)
