"""A series is found in a commit exactly if it is there, by SQLite itself."""

from __future__ import annotations

import sqlite3

from hypothesis import given
from hypothesis import strategies as st

from hub.store.members import HOLDS, members, numbers_in, sign

NUMBERS = st.integers(1, 3_000) | st.integers(1, 200_000)


@given(st.sets(NUMBERS, max_size=30), NUMBERS)
def test_a_series_is_found_in_a_commit_exactly_if_it_is_there(held: set[int], asked: int) -> None:
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE log (lowest INTEGER, members BLOB)")
    db.execute("INSERT INTO log VALUES (?, ?)", members(held))
    for number in (asked, *held):
        found = db.execute("SELECT 1 FROM log WHERE " + HOLDS, sign(number)).fetchone()  # noqa: S608
        assert (found is not None) == (number in held)
    db.close()
    assert numbers_in(*members(held)) == held
