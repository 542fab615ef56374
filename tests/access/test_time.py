"""What a wrong clock does to keys: nobody is locked out by it, and nothing lasts for ever."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.timekeeping import Timekeeper
from hub.access import audit, console, records
from hub.access.audit import Audit
from hub.access.console import Console
from hub.access.office import Office
from hub.access.rules import DAY_MS, HOUR_MS, MINUTE_MS, SCREEN_MS, digest
from hub.bus import Bus
from hub.domain.access import LOCAL, Role
from hub.domain.audit import Decided
from tests.access.closed_hub import PASSWORD
from tests.access.disk import HERE, Door

NOW = 1_795_000_000_000  # November 2026
YEAR_MS = 365 * DAY_MS


@pytest.fixture
def door(tmp_path: Path) -> Iterator[Door]:
    door = Door(tmp_path, NOW)
    yield door
    door.close()


async def test_a_key_is_over_at_the_very_millisecond(door: Door) -> None:
    token = await Office(door.access).add_token(LOCAL, "grafana", Role.STAFF, DAY_MS)
    door.at_ms = NOW + DAY_MS - 1
    assert door.opens(token)
    door.at_ms += 1
    assert not door.opens(token)


async def test_what_was_made_before_the_time_was_known_lasts_as_long_as_it_should(
    tmp_path: Path,
) -> None:
    door = Door(tmp_path, MINUTE_MS)  # a new machine, in 1970
    try:
        session = await door.access.sign_in("root", PASSWORD, HERE)
        office = Office(door.access)
        token = await office.add_token(LOCAL, "grafana", Role.STAFF, 90 * DAY_MS)
        code = await office.add_screen(LOCAL, "wall")
        screen = await door.access.pair(code, HERE)
        await door.set_clock(NOW, moved_from_ms=0)
        for _ in range(2):
            assert all(map(door.opens, (session, token, screen)))
            door.again()
        door.at_ms = NOW + 90 * DAY_MS
        assert not door.opens(session)
        assert not door.opens(token)
        assert door.opens(screen)
        door.at_ms = NOW + SCREEN_MS
        assert not door.opens(screen)
    finally:
        door.close()


async def test_what_was_made_before_the_machine_was_switched_off_is_dated_rightly(
    door: Door,
) -> None:
    old = await Office(door.access).add_token(LOCAL, "old", Role.STAFF, DAY_MS)
    door.at_ms += HOUR_MS  # switched off, and on again ten days later without a network
    new = await Office(door.access).add_token(LOCAL, "new", Role.STAFF, DAY_MS)
    await door.set_clock(NOW + 10 * DAY_MS, moved_from_ms=NOW + HOUR_MS)
    assert not door.opens(old)
    assert door.opens(new)


@pytest.mark.parametrize("by_ms", [-10 * YEAR_MS, 10 * YEAR_MS])
async def test_a_clock_that_is_set_neither_ends_a_session_nor_keeps_it(
    door: Door, by_ms: int
) -> None:
    session = await door.access.sign_in("root", PASSWORD, HERE)
    await door.set_clock(NOW + by_ms)
    for _ in range(2):
        assert door.opens(session)
        door.again()
    door.at_ms += 30 * MINUTE_MS
    assert not door.opens(session)


async def test_a_session_from_the_future_opens_nothing(door: Door) -> None:
    door.at_ms = NOW + 10 * YEAR_MS
    session = await door.access.sign_in("root", PASSWORD, HERE)
    door.at_ms = NOW
    door.again()  # the clock was set while no hub ran
    assert not door.opens(session)
    assert door.opens(await door.access.sign_in("root", PASSWORD, HERE))


async def test_commands_do_not_go_back_behind_what_is_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Console(tmp_path) as one:
        one.change(lambda db: records.record(db, [Decided(NOW, "x", "x", "x")]), "x", "x")
        monkeypatch.setattr(console, "_machine_ms", lambda: 1_000)
        monkeypatch.setattr(Timekeeper, "is_set", lambda _: True)
        assert one.now_ms() == 1_000
        monkeypatch.setattr(Timekeeper, "is_set", lambda _: False)
        assert one.now_ms() >= NOW


async def test_the_record_is_kept_two_years_and_a_wrong_clock_does_not_empty_it(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(records, "FORGOTTEN_AT_ONCE", 3)
    old = [Decided(NOW - audit.KEEP_MS - at, "li.na", "x", str(at)) for at in (5, 4, 3, 2, 1, 0)]
    await door.disk.work("test", lambda db: db.execute("DELETE FROM audit"))
    await door.disk.work("test", lambda db: records.record(db, old))

    class Now:
        is_trusted = False

        def now_ms(self) -> int:
            return NOW

    clock = Now()
    record = Audit(Bus(), door.disk, clock)  # type: ignore[arg-type]

    async def left() -> list[str]:
        found = await door.disk.work("test", lambda db: records.entries(db, None, 10))
        return [entry.target for entry in found]

    await record._clean()
    assert len(await left()) == 6
    clock.is_trusted = True
    await record._clean()
    assert await left() == ["0", "1", "2"]
    await record._clean()
    assert await left() == ["0"]


async def test_a_screen_that_is_used_gets_its_whole_time_again(door: Door) -> None:
    code = await Office(door.access).add_screen(LOCAL, "wall")
    screen = await door.access.pair(code, HERE)
    found = door.access.directory.by_cookie(screen)
    assert found is not None
    door.at_ms += 29 * DAY_MS
    assert not door.access.renew(found)
    door.at_ms += 2 * DAY_MS
    assert door.access.renew(found)
    await door.upkeep.save()
    door.again()
    (row,) = door.disk.rows().tokens
    assert row.hash == digest(screen)
    assert row.expires_ms == door.at_ms + SCREEN_MS
