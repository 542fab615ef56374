"""The history of a database that another process may be writing to, read from one end to the other.

Everything is as of one moment, when the database was opened: what is committed later is not in
it. Sealed chapters and the log are read a piece of time at a time, each piece in a transaction of
its own, because a reader that stays for an hour would let the hub's WAL grow for an hour.

Who asks for a page looks up how long each step held; that would cost a search for each of a
million steps of the hot day. Here the log is read once backwards instead: a step ends where the
next change of its series says so.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Callable, Generator, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

from hub.domain.room import Text
from hub.domain.series import SeriesKey
from hub.domain.views import RoomStep
from hub.live import Change
from hub.store.checkpoint import ROOM
from hub.store.damage import Kind
from hub.store.extent import oldest_ms
from hub.store.history import end_of, read_steps
from hub.store.hours import hour_of, read_hours
from hub.store.loading import Loaded, load
from hub.store.merge import Range, in_order
from hub.store.migrations import LATEST, version
from hub.store.opening import recalled
from hub.store.packing import LATE, Columns
from hub.store.past import Heard, Wanted, keys_of, read_past
from hub.store.query import Hour, StoreError
from hub.store.reader import EVER_MS, Question, Running, open_readonly
from hub.store.rollup import merge
from hub.store.roomlog import RoomLog, read_rows, room_steps
from hub.store.shelf import Step
from hub.store.spans import Window

PIECE_MS = 24 * 3_600_000
MOST_PIECES = 512  # in one go, where there is nothing
T = TypeVar("T")
UNTOLD = -(2**63)  # an end that nobody knows


class UnreadableError(StoreError):
    """There is no history, or it has an older form, which only the hub changes."""

    def __init__(self, code: str, path: Path) -> None:
        super().__init__(code)
        self.text = Text(code, {"path": str(path)})


class Told(NamedTuple):
    """A change, and until when it was confirmed."""

    change: Change
    until_ms: int


class History:
    """Used as a context.

    Raises:
        UnreadableError: there is nothing that could be read.
        StoreError: the database is damaged, from a newer Linli or not ours.
        sqlite3.Error: the disk.
    """

    def __init__(self, file: Path) -> None:
        db = open_readonly(file)
        if db is None:
            raise UnreadableError("export.no_history", file)
        self._db = db
        try:
            loaded = self._load(file)
        except BaseException:
            db.close()
            raise
        self._upto = loaded.last_id
        memory = recalled(file, loaded)
        self._live = memory.live
        self._rooms = RoomLog(memory.rooms, loaded.rooms, loaded.alive_ms)
        self._running = {
            s.number: Running(s.observed_ms, s.tie, self._live.held_ms(s))
            for s in self._live.series.values()
            if s.intake
        }
        self.keys = {s.number: s.key for s in self._live.series.values()}
        """Of every series, rooms not among them."""
        self.rooms = {k.part: n for n, k in memory.keys.items() if k.channel == ROOM}

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def oldest_ms(self, room: str | None = None) -> int | None:
        """When the oldest reading, or step of a room, began; None: there is none."""
        with self._question() as question:
            if room is None:
                found = [oldest_ms(question)]
            else:
                rows = question.rows("SELECT min(first_ms) FROM room_chapters", ())
                hot = self._rooms.hot(self.rooms.get(room, 0))
                found = [*(first for (first,) in rows), *(row.at_ms for _, row in hot)]
        return min((at_ms for at_ms in found if at_ms is not None), default=None)

    # --- changes ---------------------------------------------------------------------------------

    def changes(self, span: Window, numbers: frozenset[int] | None) -> Generator[Told, None, None]:
        """The changes of a time in the order of the API; None: of all series."""
        at, pieces = span.from_ms, 1
        while at < span.to_ms:
            piece = Range(at, min(at + pieces * PIECE_MS, span.to_ms), numbers)
            is_empty = True
            for told in self._piece(piece):
                is_empty = False
                yield told
            at = piece.to_ms
            pieces = min(2 * pieces, MOST_PIECES) if is_empty else 1

    def _piece(self, wanted: Range) -> Generator[Told, None, None]:
        with self._question() as question:
            ends: Ends | None = None
            for found in in_order(question, wanted, self.keys):
                if found.place < 0:
                    yield Told(found.change, end_of(question, found))
                    continue
                if ends is None:
                    ends = Ends(question, wanted)
                until = ends.of(found.change)
                yield Told(found.change, end_of(question, found._replace(until_ms=until)))

    # --- what roll-ups and steps are made of -----------------------------------------------------

    def steps(self, key: SeriesKey, from_ms: int, to_ms: int) -> list[Step]:
        """As ``Store.steps``."""
        number = self._live.series[key].number
        with self._question() as question:
            return read_steps(question, key, number, from_ms, to_ms)

    def hours(self, key: SeriesKey, from_ms: int, to_ms: int) -> list[Hour]:
        """As ``Store.hours``."""
        number, rollups = self._live.series[key].number, self._live.rollups
        running = rollups.running(number)
        fresh = [row for row in rollups.finished if row.number == number]
        fresh += [running] if running is not None else []
        with self._question() as question:
            _, rows = read_hours(question, number, from_ms, to_ms)
        rows += [row for row in fresh if from_ms <= row.hour_ms < to_ms]
        return [hour_of(key, row) for row in merge(rows)]

    def room_steps(self, room: str, from_ms: int, to_ms: int) -> Sequence[RoomStep]:
        """As ``Store.room_steps``."""
        number = self.rooms.get(room)
        if number is None:
            return []
        hot, until = self._rooms.hot(number), self._rooms.until_ms(number, 0)
        with self._question() as question:
            rows = read_rows(question, number, hot, from_ms, to_ms)
        return room_steps(rows, until, from_ms, to_ms)

    def heard(self, wanted: Wanted) -> Heard:
        """As ``Store.past``."""
        return self.ask(partial(read_past, wanted=wanted, keys=keys_of(self._live, wanted)))

    def ask(self, ask: Callable[[Question], T]) -> T:
        """Anything else."""
        with self._question() as question:
            return ask(question)

    def _question(self) -> Question:
        return Question(self._db, self._upto, (), self._running, math.inf)

    def _load(self, file: Path) -> Loaded:
        found = version(self._db)
        if found == 0:
            raise UnreadableError("export.no_history", file)
        if found < LATEST:
            raise UnreadableError("export.old_form", file)
        self._db.execute("BEGIN")
        try:
            return load(self._db)
        finally:
            self._db.execute("ROLLBACK")


class Ends:
    """How long the steps of the log held: 16 bytes for each, from the first commit of a time on."""

    def __init__(self, question: Question, wanted: Range) -> None:
        rows = [row for _, row in question.commits_in(*wanted)]
        first, behind = min(rows), question.commits_in(-EVER_MS, EVER_MS, wanted.numbers)
        next_end: dict[int, int] = {}
        self._intakes, self._ends = array("q"), array("q")
        places = {row for _, row in behind} | {item.place for item in question.lost()}
        for row in sorted((row for row in places if row >= first), reverse=True):
            with question.passing_over(Kind.CHANGES, row):
                columns = question.commit(row)
                if columns is not None:
                    self._add(columns, next_end)
            for number in question.lost_numbers(row):
                next_end[number] = UNTOLD
        self._intakes.reverse()
        self._ends.reverse()

    def of(self, change: Change) -> int:
        """The end of a step; that of one which nothing follows is where it began."""
        end = self._ends[bisect_left(self._intakes, change.intake)]
        return change.observed_ms if end == UNTOLD else end

    def _add(self, columns: Columns, next_end: dict[int, int]) -> None:
        late = [bool(note.code & LATE) for note in columns.notes]
        for at in range(len(columns.number) - 1, -1, -1):
            number, previous = columns.number[at], columns.previous[at]
            self._intakes.append(columns.base_intake + columns.intake[at])
            self._ends.append(next_end.get(number, UNTOLD))
            if previous is not None and not late[columns.note[at]]:
                next_end[number] = columns.base_ms + columns.observed[at] - previous
