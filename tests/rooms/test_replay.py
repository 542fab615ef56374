"""A day that is replayed from the store is the day that was lived."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from hub.rooms import override_rows
from hub.rooms.replay import Replay, around, wanted
from hub.store.store import Store
from tests.rooms.life import Life, Told, told


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


@pytest.mark.parametrize("seed", range(4))
async def test_a_replayed_day_is_the_day_that_was_lived(tmp_path: Path, seed: int) -> None:
    life = Life(tmp_path, seed)
    await life.start()
    begin = life.time.now
    await life.live(7.5, restart_at=(3.2,))
    for room in ("gym", "hall", "lab"):
        again = await replayed(life, life.store, room, begin, life.time.now)
        assert news(again, begin) == news(life.told[room], begin)
    await life.stop()
