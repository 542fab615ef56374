"""Faults and alerts as rows: one row each, written anew when it is different.

Read at start: what stands, and what was over a moment ago, since it may come back. Also what
detectors have learnt: one row, written now and then.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import NamedTuple

import msgspec

from hub.domain.fault import Alert, Fault
from hub.store.query import BadCursorError
from hub.store.reader import Question

KEEP_MS = 2 * 365 * 86_400_000
MOST_ROWS = 200_000
PAGE = 200
LATEST = 2**53  # an id beyond all there are

KEEP_FAULT = (
    "INSERT INTO faults (id, subject, kind, since_ms, cleared_ms, body) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET since_ms = excluded.since_ms,"
    " cleared_ms = excluded.cleared_ms, body = excluded.body"
)
KEEP_ALERT = (
    "INSERT INTO alerts (id, subject, kind, raised_ms, cleared_ms, body) VALUES (?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET raised_ms = excluded.raised_ms,"
    " cleared_ms = excluded.cleared_ms, body = excluded.body"
)
STANDING_FAULTS = "SELECT body FROM faults WHERE cleared_ms IS NULL OR cleared_ms > ? ORDER BY id"
STANDING_ALERTS = "SELECT body FROM alerts WHERE cleared_ms IS NULL ORDER BY id"
LAST_FAULT = "SELECT coalesce(max(id), 0) FROM faults"
LAST_ALERT = "SELECT coalesce(max(id), 0) FROM alerts"
ONE_ALERT = "SELECT body FROM alerts WHERE id = ?"
ONE_FAULT = "SELECT body FROM faults WHERE id = ?"
PAST_ALERTS = (
    "SELECT body FROM alerts WHERE cleared_ms IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?"
)
OLD_FAULTS = "DELETE FROM faults WHERE cleared_ms < ?"
OLD_ALERTS = "DELETE FROM alerts WHERE cleared_ms < ?"
EXCESS_FAULTS = (
    "DELETE FROM faults WHERE cleared_ms IS NOT NULL AND id <= (SELECT max(id) FROM faults) - ?"
)
EXCESS_ALERTS = (
    "DELETE FROM alerts WHERE cleared_ms IS NOT NULL AND id <= (SELECT max(id) FROM alerts) - ?"
)
LEARNT = "SELECT body FROM learnt WHERE one = 1"
KEEP_LEARNT = (
    "INSERT INTO learnt (one, saved_ms, body) VALUES (1, ?, ?)"
    " ON CONFLICT (one) DO UPDATE SET saved_ms = excluded.saved_ms, body = excluded.body"
)

_encode = msgspec.json.Encoder().encode
_fault = msgspec.json.Decoder(Fault).decode
_alert = msgspec.json.Decoder(Alert).decode


class Recalled(NamedTuple):
    """What stood when the hub stopped."""

    faults: list[Fault]
    alerts: list[Alert]
    last_fault: int
    last_alert: int
    learnt: bytes | None
    past: Sequence[Alert] = ()
    """Alerts that are over, the newest first: links that people still hold stand for them."""


NOTHING = Recalled([], [], 0, 0, None)


def keep(db: sqlite3.Connection, things: Collection[Fault | Alert]) -> None:
    faults = [thing for thing in things if isinstance(thing, Fault)]
    alerts = [thing for thing in things if isinstance(thing, Alert)]
    db.executemany(
        KEEP_FAULT,
        [(f.id, f.subject.id, f.kind.value, f.since_ms, f.cleared_ms, _body(f)) for f in faults],
    )
    db.executemany(
        KEEP_ALERT,
        [(a.id, a.subject.id, a.kind.value, a.raised_ms, a.cleared_ms, _body(a)) for a in alerts],
    )


def keep_learnt(db: sqlite3.Connection, frame: bytes, now_ms: int) -> None:
    db.execute(KEEP_LEARNT, (now_ms, frame))


def forget(db: sqlite3.Connection, now_ms: int) -> None:
    """What was over two years ago, and the oldest where there are very many."""
    for old in (OLD_FAULTS, OLD_ALERTS):
        db.execute(old, (now_ms - KEEP_MS,))
    for excess in (EXCESS_FAULTS, EXCESS_ALERTS):
        db.execute(excess, (MOST_ROWS,))


def recalled(question: Question, since_ms: int, remembered: int) -> Recalled:
    """What stands, faults that were over since then, and so many alerts that are over."""
    (last_fault,) = next(iter(question.all_rows(LAST_FAULT, ())), (0,))
    (last_alert,) = next(iter(question.all_rows(LAST_ALERT, ())), (0,))
    return Recalled(
        [_fault(body) for (body,) in question.all_rows(STANDING_FAULTS, (since_ms,))],
        [_alert(body) for (body,) in question.all_rows(STANDING_ALERTS, ())],
        last_fault,
        last_alert,
        next((body for (body,) in question.all_rows(LEARNT, ())), None),
        past_alerts(question, LATEST, remembered),
    )


def one_alert(question: Question, number: int) -> Alert | None:
    return next((_alert(body) for (body,) in question.all_rows(ONE_ALERT, (number,))), None)


def one_fault(question: Question, number: int) -> Fault | None:
    return next((_fault(body) for (body,) in question.all_rows(ONE_FAULT, (number,))), None)


def past_alerts(question: Question, before: int, limit: int) -> list[Alert]:
    """Those that are over, newest first, older than ``before``."""
    rows = question.all_rows(PAST_ALERTS, (before, limit))
    return [_alert(body) for (body,) in rows]


def read_cursor(cursor: str) -> int:
    """The number of the last alert of the page before.

    Raises:
        BadCursorError
    """
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 17:
        return int(cursor)
    raise BadCursorError(cursor)


def _body(thing: Fault | Alert) -> str:
    return _encode(thing).decode()
