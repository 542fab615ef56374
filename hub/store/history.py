"""From rows to answers: pages of readings, and the steps of a room."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from device_drivers.contract import Quality
from hub.domain.room import Status
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.live import Change
from hub.store.packing import RoomRow, change_at
from hub.store.query import ReadingItem
from hub.store.reader import Question, in_order

PENDING = 2**62  # the row of a change that is not committed yet


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which changes a page holds. ``after``: the place the page before ended at."""

    from_ms: int
    to_ms: int
    numbers: frozenset[int] | None
    quality: Quality | None
    limit: int
    after: tuple[int, int]

    def holds(self, change: Change) -> bool:
        return (
            self.from_ms <= change.observed_ms < self.to_ms
            and (change.observed_ms, change.intake) > self.after
            and (self.numbers is None or change.number in self.numbers)
            and (self.quality is None or change.quality is self.quality)
        )


def read_page(
    question: Question, wanted: Wanted, keys: Mapping[int, SeriesKey]
) -> tuple[list[ReadingItem], bool]:
    """One page in order of time, and whether there is more."""
    found = [(c.observed_ms, c.intake, PENDING, c) for c in question.pending if wanted.holds(c)]
    begin = max(wanted.from_ms, wanted.after[0])
    for first_ms, row_id in in_order(question, begin, wanted.to_ms, wanted.numbers):
        if len(found) > wanted.limit:
            found.sort()
            del found[wanted.limit + 1 :]
            if first_ms > found[-1][0]:
                break
        for change in _changes(question, row_id, wanted, keys):
            found.append((change.observed_ms, change.intake, row_id, change))
    found.sort()
    page = found[: wanted.limit]
    return [_item(c, _until(question, c, row)) for _, _, row, c in page], len(found) > len(page)


def _changes(
    question: Question, row_id: int, wanted: Wanted, keys: Mapping[int, SeriesKey]
) -> Iterator[Change]:
    columns = question.record(row_id).changes
    if columns is None:
        return
    earliest = max(wanted.from_ms, wanted.after[0]) - columns.base_ms
    latest = wanted.to_ms - columns.base_ms
    numbers = wanted.numbers
    for at, (number, observed) in enumerate(zip(columns.number, columns.observed, strict=True)):
        if earliest <= observed < latest and (numbers is None or number in numbers):
            change = change_at(columns, at, keys)
            if wanted.holds(change):
                yield change


def _until(question: Question, change: Change, row_id: int) -> int:
    """When a step was last confirmed: the step after it knows, or the live state does."""
    question.check()
    if change.is_late:
        return change.observed_ms
    running = question.coverage.get(change.number)
    if running is not None and running[0] == change.intake:
        return running[1]
    if row_id != PENDING:
        end = _end_in_log(question, change, row_id)
        if end is not None:
            return end
    ends = (_ends(later, change) for later in question.pending if later.number == change.number)
    return next((end for end in ends if end is not None), change.observed_ms)


def _end_in_log(question: Question, change: Change, row_id: int) -> int | None:
    keys = {change.number: change.key}
    for later in question.rows_with(change.number, row_id):
        columns = question.record(later).changes
        if columns is None:
            continue
        for at, number in enumerate(columns.number):
            if number == change.number:
                end = _ends(change_at(columns, at, keys), change)
                if end is not None:
                    return end
    return None


def _ends(later: Change, change: Change) -> int | None:
    if later.intake <= change.intake or later.is_late:
        return None
    return later.previous_until_ms


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
        change.intake,
    )


def read_room_rows(
    question: Question, number: int, pending: Sequence[RoomRow], from_ms: int, to_ms: int
) -> list[RoomRow]:
    """A room's changes in a time, with the one before it and the one after it."""
    start = _row_before(question, number, from_ms)
    rows: list[RoomRow] = []
    for row_id in question.rows_with(number, start):
        rows += [r for r in question.record(row_id).rooms if r.number == number]
        if rows and rows[-1].at_ms >= to_ms:
            return rows
    return rows + [row for row in pending if row.number == number]


def _row_before(question: Question, number: int, ms: int) -> int:
    for row_id in question.last_with(number, ms):
        rooms = question.record(row_id).rooms
        if any(row.number == number and row.at_ms <= ms for row in rooms):
            return row_id
    return 0


def room_steps(
    rows: Sequence[RoomRow], running_until_ms: int, from_ms: int, to_ms: int
) -> list[RoomStep]:
    """Steps inside a time; where one ends before the next begins, nobody was watching."""
    ends = [row.previous_until_ms for row in rows[1:]] + [running_until_ms]
    steps: list[RoomStep] = []
    for row, end in zip(rows, ends, strict=True):
        begin, stop = max(row.at_ms, from_ms), min(end or row.at_ms, to_ms)
        if begin < stop:
            steps.append(RoomStep(begin, stop, Status(row.status), row.people))
    return steps
