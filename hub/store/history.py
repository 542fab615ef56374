"""From rows to answers: pages of readings, the steps of a series, and where a step ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from device_drivers.contract import Quality
from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.damage import Kind
from hub.store.merge import PENDING, Found, Range, found_in, in_order, places_of
from hub.store.packing import change_at
from hub.store.planes import DamagedBlockError
from hub.store.query import ReadingItem, ReadingsPage, write_cursor
from hub.store.reader import EVER_MS, Question
from hub.store.shelf import Step

Keys = Mapping[int, SeriesKey]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes a page holds. ``after``: the place the page before ended at."""

    from_ms: int
    to_ms: int
    numbers: frozenset[int] | None
    quality: Quality | None
    limit: int
    after: tuple[int, int, int]


def read_page(question: Question, wanted: Wanted, keys: Keys) -> ReadingsPage:
    """One page in order of time, and what of its time cannot be read."""
    items, is_more = _items(question, wanted, keys)
    begin = max(wanted.from_ms, wanted.after[0])
    end = items[-1].observed_ms + 1 if is_more else wanted.to_ms
    damaged = question.damaged_in(begin, end, wanted.numbers)
    return ReadingsPage(
        tuple(items),
        write_cursor(items[-1]) if is_more else None,
        tuple(sorted((item.first_ms, item.last_ms) for item in damaged)),
    )


def _items(question: Question, wanted: Wanted, keys: Keys) -> tuple[list[ReadingItem], bool]:
    items: list[ReadingItem] = []
    begin = max(wanted.from_ms, wanted.after[0])
    for found in in_order(question, Range(begin, wanted.to_ms, wanted.numbers), keys):
        if found.order <= wanted.after:
            continue
        if wanted.quality is not None and found.change.quality is not wanted.quality:
            continue
        if len(items) == wanted.limit:
            return items, True
        question.check()
        items.append(_item(found.change, end_of(question, found)))
    return items, False


def read_steps(
    question: Question, key: SeriesKey, number: int, from_ms: int, to_ms: int
) -> list[Step]:
    """The steps of one series that begin in a time, the one that ran into it, and the next one.

    The next one is the first behind that time that is not late: a step holds up to it. What is
    damaged is a gap.
    """
    before = step_before(question, key, number, from_ms)
    steps = [] if before is None else [Step(before.change, end_of(question, before))]
    wanted = Range(from_ms, EVER_MS, frozenset((number,)))
    for found in in_order(question, wanted, {number: key}):
        question.check()
        is_behind = found.observed_ms >= to_ms
        if not (is_behind and found.change.is_late):
            steps.append(Step(found.change, end_of(question, found)))
        if is_behind and not found.change.is_late:
            break
    return steps


def read_whole_steps(
    question: Question, key: SeriesKey, number: int, from_ms: int, to_ms: int
) -> list[Step]:
    """The same, for who would count the gap.

    Raises:
        DamagedBlockError: something of it cannot be read.
    """
    steps = read_steps(question, key, number, from_ms, to_ms)
    for damage in question.damaged_in(from_ms, to_ms, frozenset((number,))):
        raise DamagedBlockError(damage.reason)
    return steps


def end_of(question: Question, found: Found) -> int:
    """When a step was last confirmed: the step after it knows, or the live state does."""
    change, number = found.change, found.number
    if change.is_late:
        return change.observed_ms
    running = question.running.get(number)
    if running is not None and (running.observed_ms, running.tie) == (found.observed_ms, found.tie):
        return running.until_ms
    if found.until_ms is not None:
        return found.until_ms
    for place, end in _ends_behind(question, found):
        if end is not None:
            is_known = not question.is_lost(number, found.place, place)
            return end if is_known else change.observed_ms
    return change.observed_ms


def _ends_behind(question: Question, found: Found) -> Iterator[tuple[int, int | None]]:
    """Later commits, and what they say. One that is damaged ends the step where it began."""
    number, change, place = found.number, found.change, found.place
    end: int | None
    if place < 0:
        for shelf_id, first_id in question.shelves_with(number, -place):
            question.check()
            end = change.observed_ms
            with question.passing_over(Kind.SHELF, shelf_id):
                end = question.shelf(shelf_id).opening(number)
            yield first_id, end
    if place != PENDING:
        for row_id in question.commits_with(number, max(place, 0)):
            end = change.observed_ms
            with question.passing_over(Kind.CHANGES, row_id):
                end = _first_end(_changes_of(question, row_id, number, change.key), change)
            yield row_id, end
    yield PENDING, _first_end((c for c in question.pending if c.number == number), change)


def _changes_of(question: Question, row_id: int, number: int, key: SeriesKey) -> Iterator[Change]:
    columns = question.commit(row_id)
    if columns is None:
        return
    for at in places_of(columns, frozenset((number,))):
        yield change_at(columns, at, {number: key})


def _first_end(behind: Iterable[Change], change: Change) -> int | None:
    ends = (c.previous_until_ms for c in behind if c.intake > change.intake and not c.is_late)
    return next((end for end in ends if end is not None), None)


def step_before(question: Question, key: SeriesKey, number: int, ms: int) -> Found | None:
    """The step that began last before then, late readings apart.

    Last in time, not in the order of intake, which differ where a clock was set or a device's own
    is behind: so it is the same one wherever it is kept. Places come in the order of the latest
    time in them, so that the first one mostly answers.
    """
    changes = [change for change in question.pending if change.number == number]
    best = _later(
        None, [Found(c.observed_ms, number, c.tie, PENDING, c, None) for c in changes], ms
    )
    for row_id, last_ms in question.commits_before(number, ms):
        if best is not None and last_ms < best.observed_ms:
            break
        with question.passing_over(Kind.CHANGES, row_id):
            changes = list(_changes_of(question, row_id, number, key))
            in_row = [Found(c.observed_ms, number, c.tie, row_id, c, None) for c in changes]
            best = _later(best, in_row, ms)
    return _sealed_before(question, key, number, ms, best)


def _sealed_before(
    question: Question, key: SeriesKey, number: int, ms: int, best: Found | None
) -> Found | None:
    numbers = frozenset((number,))
    for chapter, last_ms in question.chapters_before(ms):
        since_ms = -EVER_MS if best is None else best.observed_ms
        if last_ms < since_ms:
            break
        for _, shelf_id in list(question.shelves_in(chapter, since_ms, ms, numbers)):
            question.check()
            with question.passing_over(Kind.SHELF, shelf_id):
                steps = question.shelf(shelf_id).steps(number, key, since_ms, ms)
                best = _later(best, [found_in(shelf_id, step) for step in steps], ms)
    return best


def _later(best: Found | None, found: list[Found], ms: int) -> Found | None:
    held = [item for item in found if item.observed_ms < ms and not item.change.is_late]
    return max(held if best is None else [best, *held], key=lambda item: item.order, default=None)


def _item(change: Change, until_ms: int) -> ReadingItem:
    return ReadingItem(
        change.key.device,
        change.key.channel,
        change.key.part,
        change.value,
        change.unit,
        change.quality,
        change.reason,
        change.observed_ms,
        change.received_ms,
        change.time_source,
        until_ms,
        change.number,
        change.tie,
    )
