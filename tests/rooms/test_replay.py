"""A day that is replayed from the store is the day that was lived."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from hub.domain.device import Health
from hub.domain.events import ClockChanged, EmptyProven, HealthChanged
from hub.domain.mark import MarkKind
from hub.rooms import override_rows
from hub.rooms.replay import Replay, around, wanted
from hub.store.store import Store
from tests.rooms.life import HOUR, Life, Told, told
from tests.store.making import catch_up


async def replayed(life: Life, store: Store, room: str, from_ms: int, to_ms: int) -> list[Told]:
    place = around(life.centre, room)
    heard = await store.past.heard(wanted(place, room, from_ms, to_ms))
    ask = partial(override_rows.between, from_ms=0, to_ms=to_ms, room=room)
    said = await store.ask(ask)
    found: list[Told] = []
    replay = Replay(place, room, said, lambda state, at_ms: found.append(told(state, at_ms)))
    replay.run(heard, to_ms)
    return found


def news(items: list[Told], from_ms: int) -> list[Told]:
    """Without what was said at the frame itself, which is no news."""
    return [item for item in items if item.at_ms > from_ms]


@pytest.mark.parametrize("seed", [0, 1, 9, 29, 44])
async def test_a_replayed_day_is_the_day_that_was_lived(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    await life.start()
    begin = life.time.now
    await life.live(7.5, restart_at=(3.2,))
    for room in ("gym", "hall", "lab"):
        again = await replayed(life, life.store, room, begin, life.time.now)
        assert news(again, begin) == news(life.told[room], begin)
    await life.stop()


async def test_a_sealed_day_is_replayed_like_a_fresh_one(tmp_path: Path) -> None:
    life = Life(tmp_path, 11)
    await life.start()
    begin = life.time.now
    await life.live(7)
    end, fresh = life.time.now, {}
    for room in ("gym", "hall", "lab"):
        fresh[room] = await replayed(life, life.store, room, begin, end)
    life.time.ms += 2 * 24 * HOUR
    await catch_up(life.store)
    await life.store.upkeep.look()
    assert await life.store.ask(lambda q: list(q.rows("SELECT id FROM mark_chapters", ())))
    for room, was in fresh.items():
        assert await replayed(life, life.store, room, begin, end) == was
    await life.stop()


async def test_a_hub_that_fell_over_is_replayed_up_to_its_last_checkpoint(tmp_path: Path) -> None:
    life = Life(tmp_path, 12)
    await life.start()
    begin = life.time.now
    await life.live(2)
    fell = life.time.now
    life.told.clear()
    await life.store.close()  # the rooms' last frame is missing
    life.time.ms += HOUR
    await life.start()
    again = life.time.now
    await life.live(1)
    for room in ("gym", "hall", "lab"):
        found = await replayed(life, life.store, room, begin, life.time.now)
        assert [item for item in found if item.at_ms > again] == news(life.told[room], again)
        assert len([item for item in found if item.at_ms <= fell]) > 5
    await life.stop()


async def test_when_the_clock_is_set_the_replay_forgets_what_the_watch_forgot(
    tmp_path: Path,
) -> None:
    life = Life(tmp_path, 13)
    await life.start()
    begin = life.time.now
    await life.live(1)
    life.time.ms += 3 * HOUR
    life.bus.publish(ClockChanged(3 * HOUR, True, life.time.now))
    await life.live(1)
    for room in ("gym", "hall", "lab"):
        found = news(await replayed(life, life.store, room, begin, life.time.now), begin)
        passed = begin + HOUR, begin + 4 * HOUR  # of this time nobody knows when it was
        was = [item for item in life.told[room] if item.at_ms > begin]
        assert [i for i in found if not passed[0] <= i.at_ms < passed[1]] == was
    await life.stop()


async def test_without_a_frame_nothing_is_invented(tmp_path: Path) -> None:
    life = Life(tmp_path, 14)
    await life.start()
    await life.live(1)
    place = around(life.centre, "gym")
    early = life.began_ms - HOUR
    heard = await life.store.past.heard(wanted(place, "gym", early, early))
    assert heard.frame is None
    await life.stop()


def troubled(life: Life, is_faulty: bool) -> None:
    """The radar of the gym, that speaks every 2 s and sees somebody, is in trouble from now on."""
    radar = next(sensor for sensor in life.sensors if sensor.id == "gym-radar")
    life.sensors[:] = [radar]
    radar.value, radar.changes_ms = 1, 1_000 * HOUR
    if is_faulty:
        life.bus.publish(HealthChanged(radar.id, Health.FAULTY, life.time.now))
    else:
        life.intake.link("mqtt", frozenset({radar.id}), False, "gone")


@pytest.mark.parametrize("is_faulty", [True, False])
async def test_a_device_that_speaks_in_its_trouble_makes_a_mark_a_minute(
    tmp_path: Path, is_faulty: bool
) -> None:
    life = Life(tmp_path, 15)
    life.mishaps = False
    await life.start()
    troubled(life, is_faulty)
    begin = life.time.now
    await life.live(2)
    place = around(life.centre, "gym")
    heard = await life.store.past.heard(wanted(place, "gym", begin, life.time.now))
    words = [mark for mark in heard.marks if mark.kind is MarkKind.WORD]
    assert 115 < len(words) < 140  # and 3,600 words were said
    again = await replayed(life, life.store, "gym", begin, life.time.now)
    assert news(again, begin) == news(life.told["gym"], begin)
    await life.stop()


async def test_counters_that_a_night_set_right_are_right_in_its_replay(tmp_path: Path) -> None:
    life = Life(tmp_path, 16)
    await life.start()
    await life.live(1)
    begin = life.time.now
    for room in life.centre.rooms:
        life.bus.publish(EmptyProven(room.id, begin, begin))
    await life.live(2)
    for room in life.centre.rooms:
        again = await replayed(life, life.store, room.id, begin - HOUR, life.time.now)
        assert news(again, begin - HOUR) == news(life.told[room.id], begin - HOUR)
    await life.stop()
