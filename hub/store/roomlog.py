"""What was said of each room, and how a room's steps are read back.

Steps that are not sealed yet stay in memory too (some 1,500 a day in a busy centre), so that a
room's page asks the disk only for what is older than the hot day.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from hub.domain.room import RoomState, Status
from hub.domain.views import RoomStep
from hub.store.damage import Kind
from hub.store.packing import RoomRow
from hub.store.reader import EVER_MS, Question
from hub.store.restamp import moved, restamp_rooms
from hub.store.shelf import rooms_of

BEHIND = "SELECT id FROM room_chapters WHERE id > ? ORDER BY id"
UP_TO = "SELECT id FROM room_chapters WHERE first_ms <= ? ORDER BY id DESC"


class RoomLog:
    """The running step of each room, and the steps that no chapter holds yet."""

    def __init__(
        self, running: dict[int, RoomRow], unsealed: Iterable[tuple[int, RoomRow]], alive_ms: int
    ) -> None:
        self.running = running
        self._unsaid = set(running)  # rooms of which nothing was said since this start
        self._alive_ms = alive_ms
        self._hot: dict[int, list[tuple[int, RoomRow]]] = defaultdict(list)
        for commit, row in unsealed:
            self._hot[row.number].append((commit, row))

    def next_row(self, number: int, step: RoomState, now_ms: int) -> RoomRow | None:
        """The row to keep; None if it says what was said of the room already."""
        people = None if step.people is None else step.people.estimate
        running = self.running.get(number)
        previous = None if running is None else now_ms
        if number in self._unsaid:
            previous = min(self._alive_ms, now_ms)
        elif running is not None and (running.status, running.people) == (step.status, people):
            return None
        return RoomRow(number, now_ms, step.status.value, people, previous)

    def add(self, commit: int, row: RoomRow) -> None:
        """It will be in that commit."""
        self._unsaid.discard(row.number)
        self.running[row.number] = row
        self._hot[row.number].append((commit, row))

    def move(self, base_ms: int, shift_ms: int) -> None:
        """The time is known: rows that a wrong clock made are moved to where they belong."""
        for number, items in self._hot.items():
            rows = restamp_rooms([row for _, row in items], base_ms, shift_ms)
            self._hot[number] = [(items[at][0], row) for at, row in enumerate(rows)]
        running = restamp_rooms(self.running.values(), base_ms, shift_ms)
        self.running.update((row.number, row) for row in running)
        self._alive_ms = moved(self._alive_ms, base_ms, shift_ms)

    def forget(self, sealed_upto: int) -> None:
        """Commits up to there are sealed and can be read from their chapters."""
        for number, rows in self._hot.items():
            self._hot[number] = [item for item in rows if item[0] > sealed_upto]

    def hot(self, number: int) -> list[tuple[int, RoomRow]]:
        return list(self._hot.get(number, ()))

    def until_ms(self, number: int, now_ms: int) -> int:
        """How far the running step is covered: to now, or to the stop before this start."""
        return self._alive_ms if number in self._unsaid else now_ms


def read_rows(
    question: Question, number: int, hot: Sequence[tuple[int, RoomRow]], from_ms: int, to_ms: int
) -> list[RoomRow]:
    """A room's rows in a time, with the one before it and the one after it."""
    fresh = [row for commit, row in hot if commit > question.sealed_upto]
    if fresh and fresh[0].at_ms <= from_ms:
        return fresh
    start, rows = _row_before(question, number, from_ms)
    is_whole = True
    for chapter in _chapters(question, BEHIND, start):
        if rows and rows[-1].at_ms >= to_ms:
            break
        more = _rows_of(question, chapter, number)
        rows += (more or []) if is_whole else apart(more or [])
        is_whole = more is not None and (is_whole or bool(more))
    return rows + (fresh if is_whole else apart(fresh))


def apart(rows: Sequence[RoomRow]) -> list[RoomRow]:
    """Rows of a room behind something that is lost: until when that held is not told."""
    return [msgspec.structs.replace(row, previous_until_ms=None) for row in rows[:1]] + [*rows[1:]]


def _row_before(question: Question, number: int, ms: int) -> tuple[int, list[RoomRow]]:
    """The chapter with the step that runs at a time, and its rows."""
    for chapter in _chapters(question, UP_TO, ms):
        rows = _rows_of(question, chapter, number)
        if rows and rows[0].at_ms <= ms:
            return chapter, rows
    return 0, []


def _chapters(question: Question, sql: str, bound: int) -> Iterator[int]:
    for (chapter,) in question.rows(sql, (bound,)):
        yield chapter


def _rows_of(question: Question, chapter: int, number: int) -> list[RoomRow] | None:
    """None: they are damaged."""
    question.check()
    with question.passing_over(Kind.ROOM_SHELF, chapter):
        for (body,) in question.rows("SELECT body FROM room_chapters WHERE id = ?", (chapter,)):
            return rooms_of(body, number)
        return []
    return None


def room_steps(
    rows: Sequence[RoomRow], running_until_ms: int, from_ms: int = -EVER_MS, to_ms: int = EVER_MS
) -> list[RoomStep]:
    """Steps inside a time; where one ends before the next begins, nobody was watching."""
    ends = [row.previous_until_ms for row in rows[1:]] + [running_until_ms]
    steps: list[RoomStep] = []
    for row, end in zip(rows, ends, strict=True):
        begin, stop = max(row.at_ms, from_ms), min(end or row.at_ms, to_ms)
        if begin < stop:
            steps.append(RoomStep(begin, stop, Status(row.status), row.people))
    return steps
