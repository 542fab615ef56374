"""The live state as one blob, and the way back: checkpoint first, then the log after it.

    checkpoint  everything; once an hour, and at the stop
    pulse       only how far each running step is confirmed; every ten minutes, a tenth of the size

Finished hours are written in the transaction of the checkpoint that drops them from the running
sums; so a replay of the log after a crash makes each hour once. What the log does not hold is
coverage since the last pulse: repeats after it are forgotten, and shown as a gap.

A checkpoint that cannot be read is replaced by what the history knows (rebuilding.py), and the log
is then replayed from its beginning. Running sums are lost with it, and their hours counted anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate, pairwise
from typing import NamedTuple

import msgspec

from edge.reading import TimeSource
from hub.domain.series import Series, SeriesKey
from hub.live import NEVER_MS, Change, LiveState
from hub.store.packing import Columns, RoomRow, change_at, deflate, inflate, pack, unpack
from hub.store.rebuilding import Remains
from hub.store.rollup import Sums

ROOM = "room.status"
"""The channel under which rooms are numbered among the series; their device is empty."""


class Logged(NamedTuple):
    """What one commit after the checkpoint holds, or a pulse.

    ``lost``: series of which it held changes that cannot be read; ``lost_rooms`` likewise.
    ``unread_ms``: here came a checkpoint of that time, and it cannot be read.
    """

    columns: Columns | None = None
    rooms: Sequence[RoomRow] = ()
    pulse: bytes | None = None
    lost: frozenset[int] = frozenset()
    lost_rooms: frozenset[int] = frozenset()
    unread_ms: int | None = None


LONG_MS = 24 * 3_600_000
LOST_INTAKES = 10_000
"""More changes than a commit can hold: the intakes of a lost one are never given again."""


class Saved(msgspec.Struct, array_like=True):
    """One checkpoint. ``until`` and ``count`` stand beside the running steps."""

    next_intake: int
    next_number: int
    running: bytes | None  # packed as a commit
    until: list[int]
    count: list[int]
    heard: dict[str, int]
    sums: dict[int, Sums]
    rooms: list[RoomRow]
    dirty: list[tuple[int, list[int]]] = []  # hours that must be computed anew
    held: list[int] = []  # as ``until``, by what the device said on other channels
    rewound_ms: int = NEVER_MS


class Frozen(NamedTuple):
    """A checkpoint as it was read: ``running`` are its running steps."""

    saved: Saved
    running: Columns | None


class Pulse(msgspec.Struct, array_like=True):
    """How far running steps were confirmed, in milliseconds since each began."""

    numbers: list[int]  # as differences
    until: list[int]
    held: list[int]
    heard: dict[str, int]


def room_key(room: str) -> SeriesKey:
    return SeriesKey("", ROOM, room)


def save(live: LiveState, rooms: Iterable[RoomRow]) -> bytes:
    """Freeze the live state; runs on the event loop, about 5 us a series."""
    known = [series for series in live.series.values() if series.intake]
    saved = Saved(
        live.next_intake,
        live.next_number,
        pack([_step(series) for series in known]) if known else None,
        [series.until_ms - series.observed_ms for series in known],
        [series.count for series in known],
        live.heard,
        live.rollups.sums,
        list(rooms),
        live.mending.saved(),
        [live.held_ms(series) - series.observed_ms for series in known],
        live.rewound_ms,
    )
    return msgspec.msgpack.encode(saved)


def pulse(live: LiveState) -> bytes:
    """How far everything is confirmed now; runs on the event loop, about 1 us a series."""
    known = sorted(
        (series for series in live.series.values() if series.intake), key=lambda s: s.number
    )
    numbers = [0, *(series.number for series in known)]
    felt = Pulse(
        [later - earlier for earlier, later in pairwise(numbers)],
        [series.until_ms - series.observed_ms for series in known],
        [live.held_ms(series) - series.until_ms for series in known],
        live.heard,
    )
    return msgspec.msgpack.encode(felt)


class Memory(msgspec.Struct):
    """What a database remembers: the live state, and each room's running step."""

    live: LiveState
    rooms: dict[int, RoomRow]
    keys: dict[int, SeriesKey]
    alive_ms: int = 0  # the hub certainly ran then
    unsure: set[int] = set()  # series whose last change is lost: a pulse speaks of that one
    is_felt: bool = False  # a pulse was read
    uncounted: dict[int, int] = {}
    """Where a checkpoint was lost: since when the hours of each series are not known."""


def recall(
    keys: Mapping[int, SeriesKey],
    checkpoint: Frozen | Remains | None,
    log: Iterable[Logged],
) -> Memory:
    """Build the live state: every value with its old times, ``restored`` and not heard live."""
    memory = Memory(LiveState(), {}, dict(keys))
    live = memory.live
    for number, key in keys.items():
        if key.channel != ROOM:
            live.restore(key, number)
        live.next_number = max(live.next_number, number + 1)
    if isinstance(checkpoint, Frozen):
        _thaw(memory, *checkpoint)
    elif checkpoint is not None:
        _resume(memory, checkpoint)
    for logged in log:
        _follow(memory, logged)
    if memory.uncounted:
        _count_anew(memory)
    for series in live.series.values():
        series.restored, series.live_ms = True, None
        # The hub was away: what ran then does not count until its device speaks again.
        live.rollups.pause(series.number, live.held_ms(series))
    return memory


def freeze(saved: bytes) -> bytes:
    """The slow half of ``save`` and ``pulse``, for the writer's thread."""
    return deflate(saved)


def unfreeze(body: bytes) -> Frozen:
    """
    Raises:
        DamagedBlockError, msgspec.MsgspecError: the checkpoint cannot be read.
    """
    saved = msgspec.msgpack.decode(inflate(body), type=Saved)
    return Frozen(saved, None if saved.running is None else unpack(saved.running))


def _thaw(memory: Memory, saved: Saved, columns: Columns | None) -> None:
    live = memory.live
    live.next_intake = saved.next_intake
    live.next_number = max(live.next_number, saved.next_number)
    live.heard.update(saved.heard)
    held = saved.held or saved.until
    for at, (length, count) in enumerate(zip(saved.until, saved.count, strict=True)):
        assert columns is not None  # noqa: S101 - there is one where there are lengths
        change = change_at(columns, at, memory.keys)
        series = live.series[change.key]
        live.begin(series, change)
        series.until_ms, series.count = change.observed_ms + length, count
        series.held_ms = change.observed_ms + held[at]
    live.rollups.sums = saved.sums
    live.mending.restore(saved.dirty)
    live.rewound_ms = saved.rewound_ms
    memory.rooms.update((row.number, row) for row in saved.rooms)


def _resume(memory: Memory, remains: Remains) -> None:
    """Begin with the last sealed steps; time up to the checkpoint may have been lived twice."""
    live = memory.live
    for change in remains.steps:
        live.begin(live.series[change.key], change)
    memory.unsure.update(s.number for s in live.series.values() if not s.intake)
    memory.rooms.update((row.number, row) for row in remains.rooms)
    live.rewound_ms = remains.saved_ms


def _lose_count(memory: Memory, saved_ms: int) -> None:
    """The sums that ran at a checkpoint are lost, from the hour on up to which each had come.

    That is where its step was confirmed to. Where no pulse says it, or the device was silent for
    long, hours before the checkpoint stay as they were written.
    """
    for series in memory.live.series.values():
        held_ms = memory.live.held_ms(series)
        is_known = memory.is_felt and saved_ms - LONG_MS < held_ms < saved_ms
        memory.uncounted[series.number] = held_ms if is_known else saved_ms


def _count_anew(memory: Memory) -> None:
    """What the replay has summed up lacks the sums it should have begun with."""
    live = memory.live
    live.rollups.sums.clear()
    live.rollups.finished.clear()
    for series in live.series.values():
        since_ms = memory.uncounted[series.number]
        live.mending.mark(series.number, since_ms, max(since_ms, live.held_ms(series)))


def _follow(memory: Memory, logged: Logged) -> None:
    """The next commit, or pulse, after the checkpoint."""
    if logged.columns is not None:
        _replay(memory, logged.columns)
    if logged.lost:
        _pass_over(memory, logged.lost)
    for number in logged.lost_rooms:
        memory.rooms.pop(number, None)
    memory.rooms.update((row.number, row) for row in logged.rooms)
    if logged.pulse is not None:
        _feel(memory, msgspec.msgpack.decode(inflate(logged.pulse), type=Pulse))
    if logged.unread_ms is not None:
        _lose_count(memory, logged.unread_ms)


def _pass_over(memory: Memory, lost: frozenset[int]) -> None:
    """What ran may have ended there: it counts no further, and no pulse after it prolongs it."""
    live = memory.live
    live.next_intake += LOST_INTAKES
    for series in live.series.values():
        if series.number in lost:
            live.rollups.pause(series.number, live.held_ms(series))
            memory.unsure.add(series.number)


def _feel(memory: Memory, felt: Pulse) -> None:
    live, memory.is_felt = memory.live, True
    numbers = accumulate(felt.numbers)
    for number, until, held in zip(numbers, felt.until, felt.held, strict=True):
        if number in memory.unsure:
            continue
        series = live.series[memory.keys[number]]
        series.until_ms = max(series.until_ms, series.observed_ms + until)
        series.held_ms = max(series.held_ms, series.until_ms + held)
    live.heard.update(felt.heard)


def _replay(memory: Memory, columns: Columns) -> None:
    live = memory.live
    for at in range(len(columns.number)):
        change = change_at(columns, at, memory.keys)
        live.next_intake = max(live.next_intake, change.intake + 1)
        if change.time_source not in ("queued", "retained"):
            heard = live.heard.get(change.key.device, 0)
            live.heard[change.key.device] = max(heard, change.received_ms)
        series = live.series[change.key]
        live.mending.note(change, live.counted_ms(series))
        if change.is_late:
            if change.time_source is TimeSource.QUEUED:  # so the step was confirmed behind it
                series.until_ms = max(series.until_ms, change.observed_ms + 1)
            continue
        if change.after_gap and change.previous_until_ms is not None:
            live.rollups.pause(change.number, change.previous_until_ms)
        live.note_rewind(series, change.observed_ms)
        live.begin(series, change)
        memory.unsure.discard(change.number)


def _step(series: Series) -> Change:
    return Change(
        series.number,
        series.key,
        series.value,
        series.unit,
        series.quality,
        series.reason,
        series.observed_ms,
        series.received_ms,
        series.time_source,
        series.intake,
        tie=series.tie,
    )
