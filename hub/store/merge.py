"""Changes of all sources in one order: sealed shelves, the hot log, what waits for the disk.

A heap of sources by their earliest time. A source is opened when its time has come and then gives
its changes one by one, so that a page of a thousand out of a month makes little more than those.
Sources run nearly in order of time, but late readings break that; hence a heap and no trust.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from itertools import chain, count
from typing import NamedTuple

from hub.domain.series import SeriesKey
from hub.live import Change
from hub.store.damage import Kind
from hub.store.packing import Columns, change_at
from hub.store.reader import CHAPTER_BITS, Question
from hub.store.shelf import Step

PENDING = 2**62  # the place of a change that is not committed yet
FEW = 8  # series; more are found in one walk


class Found(NamedTuple):
    """A change, where it was found, and its end if that place knows it.

    ``place``: a row of the log, ``PENDING``, or the chapter with a minus before it.
    """

    observed_ms: int
    number: int
    tie: int
    place: int
    change: Change
    until_ms: int | None

    @property
    def order(self) -> tuple[int, int, int]:
        return (self.observed_ms, self.tie, self.number)


Source = Iterator[Found]


class Closed(NamedTuple):
    """A source that is not open yet: its earliest time, and what opens it."""

    first_ms: int
    open: Callable[[], Iterator[Closed]]


class Range(NamedTuple):
    """Which changes are wanted: ``from_ms <= observed < to_ms``; None: of all series."""

    from_ms: int
    to_ms: int
    numbers: frozenset[int] | None

    def holds(self, change: Change) -> bool:
        return self.from_ms <= change.observed_ms < self.to_ms and (
            self.numbers is None or change.number in self.numbers
        )


def in_order(question: Question, wanted: Range, keys: Mapping[int, SeriesKey]) -> Iterator[Found]:
    """Every change of a range, by time, tie and series."""
    heap = Heap()
    sources = Sources(question, wanted, keys, heap.follow)
    heap.wait(sources.all())
    return heap.run()


class Heap:
    """Sources by their next time; a closed one comes before the changes of the same time."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, int, int, Closed | tuple[Found, Source]]] = []
        self._tick = count()

    def wait(self, sources: Iterable[Closed]) -> None:
        for closed in sources:
            heapq.heappush(self._heap, (closed.first_ms, -1, -1, next(self._tick), closed))

    def follow(self, source: Source) -> None:
        found = next(source, None)
        if found is not None:
            heapq.heappush(self._heap, (*found.order, next(self._tick), (found, source)))

    def run(self) -> Iterator[Found]:
        while self._heap:
            item = heapq.heappop(self._heap)[-1]
            if isinstance(item, Closed):
                self.wait(item.open())
            else:
                yield item[0]
                self.follow(item[1])


class Sources:
    """How each kind of source is opened. ``follow`` takes an open one."""

    def __init__(
        self,
        question: Question,
        wanted: Range,
        keys: Mapping[int, SeriesKey],
        follow: Callable[[Source], None],
    ) -> None:
        self._question = question
        self._wanted = wanted
        self._keys = keys
        self._follow = follow

    def all(self) -> Iterator[Closed]:
        question, (from_ms, to_ms, numbers) = self._question, self._wanted
        self._follow(self._pending())
        for first_ms, chapter in list(question.chapters_in(from_ms, to_ms)):
            yield Closed(first_ms, partial(self._open_chapter, chapter))
        for first_ms, row_id in list(question.commits_in(from_ms, to_ms, numbers)):
            yield Closed(first_ms, partial(self._open_commit, row_id))

    def _open_chapter(self, chapter: int) -> Iterator[Closed]:
        for first_ms, shelf_id in list(self._question.shelves_in(chapter, *self._wanted)):
            yield Closed(first_ms, partial(self._open_shelf, shelf_id))

    def _open_shelf(self, shelf_id: int) -> Iterator[Closed]:
        numbers = self._wanted.numbers
        with self._question.passing_over(Kind.SHELF, shelf_id):
            for number in self._question.shelf(shelf_id).numbers:
                if numbers is None or number in numbers:
                    self._question.check()  # a page of all devices opens a thousand of them
                    self._follow(self._series(shelf_id, number))
        return iter(())

    def _series(self, shelf_id: int, number: int) -> Source:
        from_ms, to_ms, _ = self._wanted
        with self._question.passing_over(Kind.SHELF, shelf_id):
            shelf = self._question.shelf(shelf_id)
            for step in shelf.steps(number, self._keys[number], from_ms, to_ms):
                yield found_in(shelf_id, step)

    def _open_commit(self, row_id: int) -> Iterator[Closed]:
        with self._question.passing_over(Kind.CHANGES, row_id):
            columns = self._question.commit(row_id)
            if columns is not None:
                self._follow(_sorted(row_id, self._wanted_of(columns)))
        return iter(())

    def _wanted_of(self, columns: Columns) -> list[Change]:
        from_ms, to_ms, numbers = self._wanted
        base, observed = columns.base_ms, columns.observed
        return [
            change_at(columns, at, self._keys)
            for at in places_of(columns, numbers)
            if from_ms <= base + observed[at] < to_ms
        ]

    def _pending(self) -> Source:
        return _sorted(PENDING, [c for c in self._question.pending if self._wanted.holds(c)])


def found_in(shelf_id: int, step: Step) -> Found:
    """A step of a shelf."""
    change, place = step.change, -(shelf_id >> CHAPTER_BITS)
    return Found(change.observed_ms, change.number, change.tie, place, change, step.until_ms)


def places_of(columns: Columns, numbers: frozenset[int] | None) -> Iterable[int]:
    """Where the changes of some series are in a commit.

    A commit has hundreds of changes, and hundreds of commits are searched for one series.
    """
    if numbers is None:
        return range(len(columns.number))
    if len(numbers) > FEW:
        return [at for at, number in enumerate(columns.number) if number in numbers]
    return sorted(chain.from_iterable(_found(columns.number, number) for number in numbers))


def _found(held: list[int], number: int) -> Iterator[int]:
    at = -1
    for _ in range(held.count(number)):
        at = held.index(number, at + 1)
        yield at


def _sorted(place: int, changes: list[Change]) -> Source:
    found = [Found(c.observed_ms, c.number, c.tie, place, c, None) for c in changes]
    found.sort(key=lambda item: item.order)
    return iter(found)
