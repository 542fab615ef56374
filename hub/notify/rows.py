"""Notices, sendings, drills, proofs and stand-ins as rows. Their ids are given by the book."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from hub.notify.roster import StandIn
from hub.notify.rules import Notice, Sending
from hub.store.reader import Question

KEEP_NOTICE = (
    "INSERT INTO notices (id, event, made_ms, closed_ms, body) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET closed_ms = excluded.closed_ms, body = excluded.body"
)
KEEP_SENDING = (
    "INSERT INTO sendings (id, notice, person, channel, round, state, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body"
)
KEEP_DRILL = (
    "INSERT INTO drills (id, begun_ms, ended_ms, body) VALUES (?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET ended_ms = excluded.ended_ms, body = excluded.body"
)
KEEP_PROOF = (
    "INSERT INTO proofs (person, channel, at_ms) VALUES (?, ?, ?)"
    " ON CONFLICT (person, channel) DO UPDATE SET at_ms = excluded.at_ms"
)
KEEP_STAND_IN = "INSERT INTO stand_ins (id, body) VALUES (?, ?)"
DROP_STAND_IN = "DELETE FROM stand_ins WHERE id = ?"
OLD_EVENTS = "SELECT event FROM notices WHERE closed_ms < ?"
OLD_SENDINGS = "DELETE FROM sendings WHERE notice IN (SELECT id FROM notices WHERE closed_ms < ?)"
OLD_NOTICES = "DELETE FROM notices WHERE closed_ms < ?"
OPEN = "SELECT body FROM notices WHERE closed_ms IS NULL ORDER BY id"
SENDINGS = (
    "SELECT body FROM sendings WHERE notice IN (SELECT id FROM notices WHERE closed_ms IS NULL)"
    " ORDER BY id"
)
EVENTS = "SELECT event FROM notices"
LAST_IDS = (
    "SELECT (SELECT coalesce(max(id), 0) FROM notices),"
    " (SELECT coalesce(max(id), 0) FROM sendings), (SELECT coalesce(max(id), 0) FROM drills),"
    " (SELECT coalesce(max(id), 0) FROM stand_ins)"
)
STAND_INS = "SELECT body FROM stand_ins ORDER BY id"
PROOFS = "SELECT person, channel, at_ms FROM proofs"
FAILED = "SELECT body FROM sendings WHERE state = 'failed' ORDER BY id DESC LIMIT 20"
LAST_DRILL = "SELECT body FROM drills ORDER BY id DESC LIMIT 1"

T = TypeVar("T")


class Drill(msgspec.Struct, frozen=True):
    """A marked fault that is none. ``wanted`` of people and channels, ``proven`` so far."""

    id: int
    begun_ms: int
    by: str
    """Who pressed the button; empty where the schedule did."""
    alert: int | None = None
    wanted: int = 0
    proven: tuple[tuple[str, str], ...] = ()
    ended_ms: int | None = None


class Remembered(NamedTuple):
    """What a start needs."""

    notices: list[Notice]
    sendings: list[Sending]
    events: set[str]
    last_ids: tuple[int, int, int, int]
    stand_ins: list[StandIn]
    proofs: dict[tuple[str, str], int]
    drill: Drill | None


class Changes(NamedTuple):
    """What differs from the disk."""

    notices: Sequence[Notice] = ()
    sendings: Sequence[Sending] = ()
    drills: Sequence[Drill] = ()
    proofs: Sequence[tuple[str, str, int]] = ()

    def __bool__(self) -> bool:
        return any(map(len, self))


def read(question: Question) -> Remembered:
    def all_of(sql: str, kind: type[T]) -> list[T]:
        return [msgspec.json.decode(body, type=kind) for (body,) in question.all_rows(sql, ())]

    ids = next(iter(question.all_rows(LAST_IDS, ())), (0, 0, 0, 0))  # a disk without a database
    return Remembered(
        all_of(OPEN, Notice),
        all_of(SENDINGS, Sending),
        {event for (event,) in question.all_rows(EVENTS, ())},
        (ids[0], ids[1], ids[2], ids[3]),
        all_of(STAND_INS, StandIn),
        {(person, channel): at for person, channel, at in question.all_rows(PROOFS, ())},
        next(iter(all_of(LAST_DRILL, Drill)), None),
    )


def failed(question: Question) -> list[Sending]:
    """The last ones that were given up, the newest first."""
    return [msgspec.json.decode(body, type=Sending) for (body,) in question.all_rows(FAILED, ())]


def keep(db: sqlite3.Connection, changes: Changes) -> None:
    """All of it, or nothing."""
    for notice in changes.notices:
        row = (notice.id, notice.event, notice.made_ms, notice.closed_ms, _json(notice))
        db.execute(KEEP_NOTICE, row)
    for item in changes.sendings:
        key = (item.id, item.notice, item.person, item.channel, item.round)
        db.execute(KEEP_SENDING, (*key, item.state.value, _json(item)))
    for drill in changes.drills:
        db.execute(KEEP_DRILL, (drill.id, drill.begun_ms, drill.ended_ms, _json(drill)))
    db.executemany(KEEP_PROOF, changes.proofs)


def prune(db: sqlite3.Connection, before_ms: int) -> list[str]:
    """Forget what was closed long ago; the events of it."""
    gone = [event for (event,) in db.execute(OLD_EVENTS, (before_ms,))]
    db.execute(OLD_SENDINGS, (before_ms,))
    db.execute(OLD_NOTICES, (before_ms,))
    return gone


def add_stand_in(db: sqlite3.Connection, item: StandIn) -> None:
    db.execute(KEEP_STAND_IN, (item.id, _json(item)))


def drop_stand_in(db: sqlite3.Connection, number: int) -> None:
    db.execute(DROP_STAND_IN, (number,))


def _json(thing: Any) -> str:
    return msgspec.json.encode(thing).decode()
