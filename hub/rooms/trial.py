"""What would have been said of a room with another configuration, beside what was said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import msgspec

from hub.domain.centre import Centre
from hub.domain.opening import Schedule
from hub.domain.room import Override, Status
from hub.domain.views import RoomStep
from hub.rooms.replay import Replay
from hub.store.past import FRAMES_MS, Heard


class Stretch(msgspec.Struct, frozen=True):
    from_ms: int
    to_ms: int
    old: Status
    new: Status


class Trial(msgspec.Struct, frozen=True):
    """Shares are milliseconds. Time in which nobody watched is in none of them."""

    old_ms: dict[Status, int]
    new_ms: dict[Status, int]
    unkept_ms: int  # of this time it was not kept what the rules heard
    differs: tuple[Stretch, ...]


def trial(
    place: Centre,
    room: str,
    schedule: Schedule,
    overrides: Sequence[Override],
    steps: Sequence[RoomStep],
    read: Callable[[int, int], Heard],
    from_ms: int,
    to_ms: int,
) -> Trial:
    """Replay a time piece by piece, so that a year needs no more memory than six hours.

    ``steps`` is what was said, ``read`` asks the store for a piece.
    """
    told: list[tuple[int, Status | None]] = [(from_ms, None)]

    def anew() -> Replay:
        return Replay(
            place,
            room,
            overrides,
            lambda state, at_ms: told.append((at_ms, state.status)),
            schedule,
        )

    replay = anew()
    for at_ms in range(from_ms, to_ms, FRAMES_MS):
        end_ms = min(at_ms + FRAMES_MS, to_ms)
        heard = read(at_ms, end_ms)
        if heard.frame is None:
            told.append((at_ms, None))
            replay = anew()
        else:
            replay.run(heard, end_ms)
    news = [(max(at_ms, from_ms), status) for at_ms, status in told]
    return _compared(steps, news, to_ms)


def _compared(
    steps: Sequence[RoomStep], news: Sequence[tuple[int, Status | None]], to_ms: int
) -> Trial:
    old_ms, new_ms = Counter[Status](), Counter[Status]()
    unkept_ms = 0
    differs: list[Stretch] = []
    for begin, end, old, new in _pieces(steps, news, to_ms):
        if new is None:
            unkept_ms += end - begin
            continue
        old_ms[old] += end - begin
        new_ms[new] += end - begin
        if old is new:
            continue
        last = differs[-1] if differs else None
        if last is not None and (last.to_ms, last.old, last.new) == (begin, old, new):
            differs[-1] = Stretch(last.from_ms, end, old, new)
        else:
            differs.append(Stretch(begin, end, old, new))
    return Trial(dict(old_ms), dict(new_ms), unkept_ms, tuple(differs))


def _pieces(
    steps: Sequence[RoomStep], news: Sequence[tuple[int, Status | None]], to_ms: int
) -> Iterator[tuple[int, int, Status, Status | None]]:
    """Stretches in which neither what was said nor what would have been said changes."""
    ends = [at_ms for at_ms, _ in news[1:]] + [to_ms]
    spans = [(begin, end, new) for (begin, new), end in zip(news, ends, strict=True) if begin < end]
    at = 0
    for step in steps:
        while at < len(spans) and spans[at][1] <= step.from_ms:
            at += 1
        here = at
        while here < len(spans) and spans[here][0] < step.to_ms:
            begin, end, new = spans[here]
            yield max(begin, step.from_ms), min(end, step.to_ms), step.status, new
            here += 1
