"""Everything the rules heard of some devices in a time: changes, marks, and how long steps held.

The running hub answers from its store, a command from a database that another process may be
writing to (``export.py``); both ask ``read_past``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

import msgspec

from hub.domain.mark import Mark, MarkKind
from hub.domain.series import SeriesKey
from hub.live import Change, LiveState
from hub.store.commits import Commits
from hub.store.history import end_of, step_before
from hub.store.marks import read_marks
from hub.store.merge import Found, Range, in_order
from hub.store.reader import Question, Unwritten

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

FRAMES_MS = 6 * 3_600_000
"""So often all that the rules remember is kept; no replay begins earlier than that before."""
LATE_MS = 3_600_000
"""A device's own clock may be so far behind ours, and its words still count."""

T = TypeVar("T")


class Wanted(NamedTuple):
    """What happened from the last frame before ``from_ms`` on, up to ``to_ms``."""

    devices: frozenset[str]
    rooms: frozenset[str]
    channels: frozenset[str]
    from_ms: int
    to_ms: int


class Heard(NamedTuple):
    """What is kept of a time. ``frame`` None: it was not kept what the rules remembered then."""

    frame: Mark | None
    marks: Sequence[Mark]  # after the frame, up to the end
    behind: Sequence[Mark]  # after the end, up to the next frame
    changes: Sequence[Change]  # received after the frame, up to the end
    ends: Mapping[str, int]  # until when a device was heard, where no frame behind says so


class Asked(Protocol):
    """The store."""

    @property
    def live(self) -> LiveState: ...

    async def ask(
        self,
        ask: Callable[[Question], T],
        pool: ThreadPoolExecutor | None = None,
        unwritten: Unwritten = ...,
    ) -> T: ...

    def unwritten(self, numbers: frozenset[int] | None) -> Unwritten: ...


class Past:
    """Belongs to the event loop."""

    def __init__(self, store: Asked, commits: Commits) -> None:
        self._store = store
        self._commits = commits

    def append(self, mark: Mark) -> None:
        """Keep a mark, behind the changes that came before it."""
        order = self._store.live.order_at(mark.at_ms)
        self._commits.append_mark(msgspec.structs.replace(mark, order=order))

    async def heard(self, wanted: Wanted) -> Heard:
        """
        Raises:
            QueryTooSlowError, StoreBusyError
        """
        keys = keys_of(self._store.live, wanted)
        pending = [mark for group in self._commits.groups() for mark in group.marks]
        ask = partial(read_past, wanted=wanted, keys=keys, pending=pending)
        return await self._store.ask(ask, unwritten=self._store.unwritten(frozenset(keys)))


def keys_of(live: LiveState, wanted: Wanted) -> dict[int, SeriesKey]:
    """The series that are asked for, by their numbers."""
    return {
        series.number: series.key
        for device in wanted.devices
        for series in live.by_device.get(device, ())
        if series.key.channel in wanted.channels
    }


def read_past(
    question: Question,
    wanted: Wanted,
    keys: Mapping[int, SeriesKey],
    pending: Iterable[Mark] = (),
) -> Heard:
    """Answer from one state of the database."""
    from_ms, to_ms = wanted.from_ms, wanted.to_ms
    span = (from_ms - FRAMES_MS - LATE_MS, to_ms + FRAMES_MS + LATE_MS)
    marks = read_marks(question, pending, *span)
    begin = max((at for at, mark in enumerate(marks) if _is_frame(mark, from_ms)), default=None)
    if begin is None:
        return Heard(None, (), (), (), {})
    frame, names = marks[begin], wanted.devices | wanted.rooms | {""}
    later = [mark for mark in marks[begin + 1 :] if mark.what in names]
    behind = _to_next_frame([mark for mark in later if mark.at_ms > to_ms])
    inside = Range(frame.at_ms - LATE_MS, to_ms + LATE_MS, frozenset(keys))
    found = list(in_order(question, inside, keys)) if keys else []
    return Heard(
        frame,
        [mark for mark in later if mark.at_ms <= to_ms],
        behind,
        [f.change for f in found if frame.at_ms <= f.change.received_ms <= to_ms],
        {} if _ends_known(behind) else _ends(question, keys, found, to_ms),
    )


def _is_frame(mark: Mark, before_ms: int) -> bool:
    return mark.kind is MarkKind.FRAME and mark.at_ms <= before_ms


def _to_next_frame(marks: Sequence[Mark]) -> Sequence[Mark]:
    frames = (at for at, mark in enumerate(marks) if mark.kind is MarkKind.FRAME)
    return marks[: next(frames, len(marks)) + 1]


def _ends_known(behind: Sequence[Mark]) -> bool:
    """Does a frame behind say until when devices were heard? One of a start knows nothing."""
    frames = [mark for mark in behind if mark.kind is MarkKind.FRAME]
    return any(mark.detail["when"] != "start" for mark in frames)


def _ends(
    question: Question, keys: Mapping[int, SeriesKey], found: Iterable[Found], ms: int
) -> dict[str, int]:
    """Until when each device was heard: as long as a running step of it is known to have held."""
    last = {f.number: f for f in found if f.observed_ms <= ms and not f.change.is_late}
    ends: dict[str, int] = {}
    for number, key in keys.items():
        step = last.get(number) or step_before(question, key, number, ms)
        if step is not None:
            ends[key.device] = max(ends.get(key.device, 0), end_of(question, step))
    return ends
