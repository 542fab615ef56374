"""A small hub's data, and backups of it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from hub.backup.make import Made, Order, Source, make
from tests.store.making import T0_MS, Time, catch_up, everything, feed, opened, report

CENTRE = """\
centre: {id: trial, name: {en: Trial}, timezone: Asia/Shanghai}
rooms: [{id: gym, name: {en: Gym}, floor: 4, kind: gym}]
"""
DEVICE = "- {id: eye, driver: zigbee2mqtt, room: gym, link: {mqtt: zigbee2mqtt/eye}}\n"


def history(data: Path, values: range) -> None:
    """Let a store write some readings."""

    async def write() -> None:
        time = Time()
        store = await opened(data, time)
        for value in values:
            time.ms += 2000
            feed(store, report("eye", time.now, temperature=value), urgent=True)
            await catch_up(store)
        await store.close()

    asyncio.run(write())


def values_in(data: Path) -> list[object]:
    """What a store reads there."""

    async def read() -> list[object]:
        store = await opened(data, Time(1_000_000))
        items = await everything(store)
        await store.close()
        return [item.value for item in items]

    return asyncio.run(read())


def source(folder: Path, values: range = range(20), plans: tuple[Path, ...] = ()) -> Source:
    """A hub's folders, with history."""
    etc = folder / "etc"
    (etc / "devices.d").mkdir(parents=True)
    (etc / "centre.yaml").write_text(CENTRE)
    (etc / "devices.d" / "more.yaml").write_text(DEVICE)
    (etc / "password").write_text("never in a backup")
    history(folder / "data", values)
    return Source("trial", folder / "data", etc / "centre.yaml", plans)


def backup(folder: Path, passphrase: str | None = None, name: str = "backup.tar") -> Made:
    """A backup of a fresh small hub."""
    return make(Order(source(folder / "hub"), folder / name, T0_MS, passphrase))


def change(database: Path, statement: str) -> None:
    with closing(sqlite3.connect(database, isolation_level=None)) as db:
        db.execute(statement)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
