"""Times that our clock made before it was right are moved: all of them, once, and nothing else."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_drivers.contract import Quality
from edge.reading import TimeSource
from hub.domain.series import SeriesKey
from hub.live import LATE_TIES, Change
from hub.store.members import members
from hub.store.migrations import migrate
from hub.store.packing import RoomRow, change_at, pack, pack_rooms, unpack, unpack_rooms
from hub.store.restamp import (
    Boot,
    boots_of,
    keep_boot,
    restamp_changes,
    restamp_rooms,
    restamp_slice,
    true_rooms,
)

BASE = 1_600_000_000_000
DAY = 86_400_000
OURS = (TimeSource.HUB, TimeSource.UNSYNCED)
KEY = SeriesKey("door", "contact", "")

shifts = st.integers(-10 * DAY, 3000 * DAY)


def change(
    intake: int,
    observed: int,
    received: int | None = None,
    source: TimeSource = TimeSource.UNSYNCED,
    previous: int | None = None,
    tie: int = 0,
) -> Change:
    received = observed if received is None else received
    return Change(
        1, KEY, intake % 2, "1", Quality.GOOD, "", observed, received, source, intake, previous,
        tie=tie,
    )  # fmt: skip


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """What may be in a commit of such a boot: queued readings with times of their own too."""
    received = BASE + draw(st.integers(0, 10 * DAY))
    source = draw(st.sampled_from(list(TimeSource)))
    observed = received if source in OURS else received - draw(st.integers(0, 20 * DAY))
    previous = draw(st.none() | st.integers(BASE - 40 * DAY, observed))
    return change(draw(st.integers(1, 2**40)), observed, received, source, previous)


@given(st.lists(changes(), min_size=1, max_size=20), shifts)
def test_what_our_clock_said_moves_and_what_was_true_stays(some: list[Change], shift: int) -> None:
    for was, now in zip(some, restamp_changes(some, BASE, shift), strict=True):
        assert now.received_ms == was.received_ms + shift
        is_ours = was.time_source in OURS or was.observed_ms == was.received_ms
        assert now.observed_ms == was.observed_ms + (shift if is_ours else 0)
        if was.previous_until_ms is not None and was.previous_until_ms < BASE:
            assert now.previous_until_ms == min(was.previous_until_ms, now.observed_ms)
        elif was.previous_until_ms is not None and is_ours:
            assert now.previous_until_ms == was.previous_until_ms + shift
        rest = {
            "observed_ms": 0, "received_ms": 0, "previous_until_ms": 0, "tie": 0,
        }  # fmt: skip
        assert msgspec.structs.replace(now, **rest) == msgspec.structs.replace(was, **rest)


@given(st.lists(changes(), min_size=1, max_size=20), shifts)
def test_nothing_below_the_base_is_touched(some: list[Change], shift: int) -> None:
    above = BASE + 30 * DAY
    assert restamp_changes(some, above, 0) == some
    assert restamp_changes(some, above, shift) == some


@given(st.lists(st.integers(0, 10 * DAY), min_size=2, max_size=20), shifts)
def test_order_is_kept(offsets: list[int], shift: int) -> None:
    some = [change(n, BASE + at) for n, at in enumerate(sorted(offsets), 1)]
    moved = restamp_changes(some, BASE, shift)
    for before, after in pairwise(moved):
        gap = after.observed_ms - before.observed_ms
        assert gap >= 0
        assert gap or after.tie >= before.tie


def test_moved_back_a_change_can_not_take_the_place_of_an_older_one() -> None:
    older = change(1, BASE - DAY)
    (moved,) = restamp_changes([change(77, BASE)], BASE, -DAY)
    assert moved.observed_ms == older.observed_ms
    assert moved.tie == LATE_TIES + 77
    (moved,) = restamp_changes([change(78, BASE, tie=LATE_TIES + 5)], BASE, -DAY)
    assert moved.tie == LATE_TIES + 5


def test_the_steps_of_rooms_move_too() -> None:
    rows = [RoomRow(9, BASE + 5, "free", None, BASE - 100), RoomRow(9, BASE + 9, "full", 3, BASE)]
    assert restamp_rooms(rows, BASE, DAY) == [
        RoomRow(9, BASE + 5 + DAY, "free", None, BASE - 100),
        RoomRow(9, BASE + 9 + DAY, "full", 3, BASE + DAY),
    ]


def database(path: Path, commits: int, gaps: frozenset[int] = frozenset()) -> sqlite3.Connection:
    """A log of which commits 1 to 3 are true, and those from 4 on are not."""
    db = sqlite3.connect(path / "x.db", isolation_level=None)
    migrate(db, 0)
    for number in range(1, commits + 1):
        if number in gaps:  # a commit of nothing but receipts has no row
            continue
        at = BASE - DAY + number if number <= 3 else BASE + number * 1000
        body = pack([change(number, at)])
        rooms = pack_rooms([RoomRow(9, at, "free", None, at - 1)]) if number % 5 == 0 else None
        row = (number, at, at, at + 300, *members([1]), rooms, body)
        db.execute("INSERT INTO log VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    return db


def observed(db: sqlite3.Connection) -> dict[int, int]:
    found = {}
    for number, first, last, saved, rooms, body in db.execute(
        "SELECT id, first_ms, last_ms, saved_ms, rooms, body FROM log ORDER BY id"
    ):
        at = change_at(unpack(body), 0, {1: KEY}).observed_ms
        assert (first, last, saved) == (at, at, at + 300)
        assert rooms is None or [row.at_ms for row in unpack_rooms(rooms)] == [at]
        found[number] = at
    return found


def boot(shift: int | None, last: int | None, done: int | None = None) -> Boot:
    return Boot("b", BASE, 5_000, 4, shift, last, done)


def slice_(db: sqlite3.Connection, budget_s: float = 0.0) -> Boot | None:
    db.execute("BEGIN IMMEDIATE")
    answer = restamp_slice(db, budget_s)
    db.execute("COMMIT")
    return answer


EXPECTED = {n: BASE - DAY + n for n in (1, 2, 3)} | {n: BASE + n * 1000 + DAY for n in range(4, 41)}


@pytest.mark.parametrize("budget_s", [0.0, 10.0])
def test_rows_move_once_whatever_is_interrupted(tmp_path: Path, budget_s: float) -> None:
    db = database(tmp_path, 40)
    before = observed(db)
    assert slice_(db) is None
    keep_boot(db, boot(None, None))
    assert slice_(db) is None, "the time is not known yet"
    keep_boot(db, boot(DAY, 40))
    rounds = 0
    while True:
        db.execute("BEGIN IMMEDIATE")
        interrupted = restamp_slice(db, budget_s)
        db.execute("ROLLBACK")
        if interrupted is None:
            break
        keep_boot(db, boot(DAY, 40))  # each group carries it, and undoes nothing
        assert slice_(db, budget_s) is not None
        rounds += 1
    assert before != observed(db) == EXPECTED
    assert rounds == (37 if budget_s == 0.0 else 1)
    assert boots_of(db) == [boot(DAY, 40, 40)]


def test_commits_without_a_row_and_rows_after_the_boot_do_no_harm(tmp_path: Path) -> None:
    db = database(tmp_path, 40, frozenset({4, 17, 30}))
    keep_boot(db, boot(DAY, 30))
    while slice_(db) is not None:
        pass
    found = observed(db)
    assert all(found[n] == EXPECTED[n] for n in found if n <= 30)
    assert all(found[n] == BASE + n * 1000 for n in range(31, 41)), "they were made later, and true"


def test_a_boot_without_commits_is_done_at_once(tmp_path: Path) -> None:
    db = database(tmp_path, 3)
    keep_boot(db, boot(DAY, 3))
    assert boots_of(db)[0].has_rows_to_move
    slice_(db)
    assert not boots_of(db)[0].has_rows_to_move
    assert observed(db) == {n: BASE - DAY + n for n in (1, 2, 3)}


def test_a_boot_that_never_knew_the_time_is_left_alone_by_the_next(tmp_path: Path) -> None:
    db = database(tmp_path, 40)
    keep_boot(db, Boot("a", BASE, 5_000, 4))
    keep_boot(db, Boot("b", BASE + 21_000, 5_000, 21))
    keep_boot(db, Boot("b", BASE + 21_000, 5_000, 21, DAY, 40))
    while slice_(db) is not None:
        pass
    found = observed(db)
    assert all(found[n] == BASE + n * 1000 for n in range(4, 21))
    assert all(found[n] == EXPECTED[n] for n in range(21, 41))
    assert [found[n] for n in sorted(found)] == sorted(found.values())


def steps(rows: Sequence[RoomRow]) -> list[int]:
    return [row.at_ms for row in rows]


def test_room_steps_are_read_as_they_will_be() -> None:
    rows = [RoomRow(9, BASE + 1, "free", None, None)]
    boots = [boot(DAY, 30, 10)]
    assert steps(true_rooms(boots, 10, rows)) == [BASE + 1]
    assert steps(true_rooms(boots, 11, rows)) == [BASE + 1 + DAY]
    assert steps(true_rooms(boots, 30, rows)) == [BASE + 1 + DAY]
    assert steps(true_rooms(boots, 31, rows)) == [BASE + 1]
    assert steps(true_rooms([boot(None, None), boot(DAY, 30, 30)], 11, rows)) == [BASE + 1]
