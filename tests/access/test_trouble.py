"""A full disk, a crowd at the door, aged hashes, a stranger who keeps failing."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from hub.access import passwords
from hub.access.passwords import WAITING, WORKERS, PasswordWorker, TooManyError
from hub.access.rules import HOUR_MS, MINUTE_MS
from hub.access.service import WaitError
from hub.access.throttle import Throttle
from hub.domain.errors import RefusedDecisionError
from tests.access.closed_hub import PASSWORD
from tests.access.disk import HERE, Door

NOW = 1_795_000_000_000
THERE = "192.0.2.66"


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path, NOW)
    yield door
    door.close()


async def test_a_full_disk_keeps_nobody_out(door: Door) -> None:
    door.disk.is_full = True
    session = await door.access.sign_in("root", PASSWORD, HERE)
    assert door.opens(session)
    found = door.access.directory.by_cookie(session)
    assert found is not None
    with pytest.raises(RefusedDecisionError):
        await door.access.sign_out(found)
    assert not door.opens(session)
    other = await door.access.sign_in("root", PASSWORD, HERE)
    door.disk.is_full = False
    door.at_ms += 1
    new = "four quite other words"
    await door.access.change_password(found.principal, PASSWORD, new, HERE)
    assert not door.opens(other)


async def test_a_crowd_waits_outside_and_none_of_it_counts_as_wrong(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside, may_go_on = threading.Semaphore(0), threading.Event()
    check = passwords.check_password

    def slow(password: str, hashed: str | None) -> tuple[bool, str | None]:
        inside.release()
        assert may_go_on.wait(10)
        return check(password, hashed)

    monkeypatch.setattr(passwords, "check_password", slow)
    people = [
        asyncio.create_task(door.access.sign_in("root", PASSWORD, f"10.0.{number}.1"))
        for number in range(2)
    ]
    strangers = [
        asyncio.create_task(door.access.sign_in(f"name{number}", "x", f"10.1.{number}.1"))
        for number in range(WORKERS + WAITING - 2)
    ]
    for _ in range(WORKERS):
        await asyncio.to_thread(inside.acquire)
    for _ in range(20):
        with pytest.raises(TooManyError):
            await door.access.sign_in("li.na", "x", "10.2.0.1")
    may_go_on.set()
    assert all(map(door.opens, await asyncio.gather(*people)))
    refused = await asyncio.gather(*strangers, return_exceptions=True)
    assert {type(error) for error in refused} == {RefusedDecisionError}
    with pytest.raises(RefusedDecisionError):  # and not WaitError
        await door.access.sign_in("li.na", "x", "10.2.0.1")


async def test_a_worker_takes_two_at_once_and_eight_more() -> None:
    worker, may_go_on = PasswordWorker(), threading.Event()
    waiting = [
        asyncio.create_task(worker._run(lambda: may_go_on.wait(10)))
        for _ in range(WORKERS + WAITING)
    ]
    await asyncio.sleep(0)
    with pytest.raises(TooManyError):
        await worker.hash("x")
    may_go_on.set()
    assert all(await asyncio.gather(*waiting))
    assert await worker.hash("x")
    worker.close()


async def test_a_hash_that_has_aged_is_made_anew_with_the_next_sign_in(door: Door) -> None:
    weak = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),))
    aged = weak.hash(PASSWORD)
    await door.disk.work("test", lambda db: db.execute("UPDATE users SET password = ?", (aged,)))
    await door.access.directory.reload()
    assert door.opens(await door.access.sign_in("root", PASSWORD, HERE))
    (account,) = door.disk.rows().accounts
    assert f"m={passwords.MEMORY_KIB},t={passwords.ROUNDS}" in account.password
    assert door.opens(await door.access.sign_in("root", PASSWORD, HERE))
    await door.disk.work("test", lambda db: db.execute("UPDATE users SET password = ?", (aged,)))
    await door.access.directory.reload()
    door.disk.is_full = True
    assert door.opens(await door.access.sign_in("root", PASSWORD, HERE))


async def test_who_was_seen_is_written_every_ten_minutes_at_most(door: Door) -> None:
    session = await door.access.sign_in("root", PASSWORD, HERE)
    before = door.disk.writes
    for minute in range(60):
        door.at_ms = NOW + minute * MINUTE_MS
        found = door.access.directory.by_cookie(session)
        assert found is not None
        found.seen_ms = door.at_ms
        await door.upkeep.save()
    assert 0 < door.disk.writes - before <= 6
    door.at_ms += HOUR_MS
    await door.upkeep.save()
    assert door.disk.rows().sessions == ()


async def test_a_stranger_who_keeps_failing_makes_no_one_wait_who_was_in(door: Door) -> None:
    await door.access.sign_in("root", PASSWORD, HERE)
    for _ in range(3):
        with pytest.raises(RefusedDecisionError):
            await door.access.sign_in("root", "wrong password", THERE)
    with pytest.raises(WaitError):
        await door.access.sign_in("root", "wrong password", THERE)
    assert door.opens(await door.access.sign_in("root", PASSWORD, HERE))
    for _ in range(3):
        with pytest.raises(RefusedDecisionError):
            await door.access.sign_in("root", "wrong password", HERE)
    with pytest.raises(WaitError):
        await door.access.sign_in("root", PASSWORD, HERE)


async def test_whoever_guesses_codes_neither_writes_nor_makes_others_wait(door: Door) -> None:
    before = door.disk.writes
    for _ in range(3):
        with pytest.raises(RefusedDecisionError):
            await door.access.pair("AAAA-AAAA", THERE)
    with pytest.raises(WaitError):
        await door.access.pair("AAAA-AAAA", THERE)
    with pytest.raises(RefusedDecisionError):
        await door.access.pair("AAAA-AAAA", HERE)
    assert door.disk.writes == before


async def test_another_spelling_of_a_name_is_no_other_name(door: Door) -> None:
    for number, name in enumerate(("root", " ROOT ", "ｒｏｏｔ")):
        with pytest.raises(RefusedDecisionError):
            await door.access.sign_in(name, "wrong password", f"10.3.{number}.1")
    with pytest.raises(WaitError):
        await door.access.sign_in("Root", "wrong password", "10.3.9.1")
    door.access._attempts = Throttle()
    for number in range(10):
        with pytest.raises(RefusedDecisionError):
            await door.access.sign_in(f"name{number}", "wrong password", f"2001:db8::{number}")
    with pytest.raises(WaitError):
        await door.access.sign_in("another", "wrong password", "2001:db8::ffff")
