"""Who decides something hears that it is kept, and everybody hears of it once."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

import pytest

from hub.bus import Bus
from hub.domain.errors import RefusedDecisionError
from hub.ledger import Ledger
from hub.store.reader import Question

T = TypeVar("T")


class Base:
    """A database of its own, written in a thread as the store does. It may be full."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.is_full = False
        with sqlite3.connect(path) as db:
            db.execute("CREATE TABLE things (word TEXT)")

    async def work(self, purpose: str, operate: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.to_thread(self._work, operate)

    def _work(self, operate: Callable[[sqlite3.Connection], T]) -> T:
        with sqlite3.connect(self._path) as db:
            if self.is_full:
                db.execute("PRAGMA query_only = 1")
            return operate(db)

    async def ask(self, ask: Callable[[Question], T]) -> T:
        raise NotImplementedError

    def words(self) -> list[str]:
        with sqlite3.connect(self._path) as db:
            return [word for (word,) in db.execute("SELECT word FROM things")]


def keep(db: sqlite3.Connection, things: Collection[str]) -> None:
    db.executemany("INSERT INTO things VALUES (?)", [(word * 1000,) for word in things])


@pytest.fixture
def base(tmp_path: Path) -> Base:
    return Base(tmp_path / "base.db")


def made(base: Base) -> tuple[Ledger[str], list[int]]:
    bus, told = Bus(), list[int]()
    bus.subscribe(int, told.append)
    return Ledger(base, bus, "test", keep), told


async def test_what_was_decided_is_on_disk_before_the_answer(base: Base) -> None:
    ledger, told = made(base)
    ledger.put(1, "a", 1)
    await ledger.kept()
    assert base.words() == ["a" * 1000]
    assert told == [1]


async def test_several_who_decide_at_once_are_told_once_each(base: Base) -> None:
    ledger, told = made(base)
    running = asyncio.create_task(ledger.run())

    async def decide(number: int) -> None:
        ledger.put(number, f"{number:03}", number)
        await ledger.kept()
        assert f"{number:03}" * 1000 in base.words()

    await asyncio.gather(*(decide(number) for number in range(100)))
    running.cancel()
    assert sorted(told) == list(range(100))
    assert len(base.words()) == 100


async def test_a_disk_that_takes_nothing_is_said_and_nothing_is_forgotten(base: Base) -> None:
    ledger, told = made(base)
    base.is_full = True
    ledger.put(1, "a", 1)
    with pytest.raises(RefusedDecisionError) as refused:
        await ledger.kept()
    assert (refused.value.status, refused.value.text.code) == (503, "not_kept_yet")
    assert told == []
    base.is_full = False
    await ledger.kept()
    assert told == [1]
    assert base.words() == ["a" * 1000]
