"""Work orders, reports and the life of devices as rows: one each, written anew when different."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import NamedTuple

import msgspec

from hub.domain.work import WorkOrder
from hub.maintenance import rules
from hub.maintenance.life import Entry
from hub.maintenance.reports import Report
from hub.store.query import BadCursorError
from hub.store.reader import Question

PAGE = 200
MOST_ORDERS = 100_000
MOST_REPORTS = 20_000
MOST_ENTRIES = 100_000
MOST_OF_DEVICE = 500

KEEP_ORDER = (
    "INSERT INTO work_orders (id, state, device, created_ms, closed_ms, body)"
    " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state,"
    " created_ms = excluded.created_ms, closed_ms = excluded.closed_ms, body = excluded.body"
)
KEEP_REPORT = (
    "INSERT INTO reports (id, room, made_ms, answered_ms, body) VALUES (?, ?, ?, ?, ?)"
    " ON CONFLICT (id) DO UPDATE SET answered_ms = excluded.answered_ms, body = excluded.body"
)
KEEP_ENTRY = (
    "INSERT OR REPLACE INTO device_life (id, device, at_ms, what, body) VALUES (?, ?, ?, ?, ?)"
)
STANDING = (
    "SELECT body FROM work_orders WHERE closed_ms IS NULL"
    " OR (state = 'verified' AND closed_ms > ?) ORDER BY id"
)
LAST_ORDER = "SELECT coalesce(max(id), 0) FROM work_orders"
ONE_ORDER = "SELECT body FROM work_orders WHERE id = ?"
PAST_ORDERS = (
    "SELECT body FROM work_orders WHERE closed_ms IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?"
)
OF_DEVICE = "SELECT body FROM work_orders WHERE device = ? ORDER BY id DESC LIMIT ?"
EXCESS_ORDERS = (
    "DELETE FROM work_orders WHERE closed_ms IS NOT NULL"
    " AND id <= (SELECT max(id) FROM work_orders) - ?"
)
OPEN_REPORTS = "SELECT body FROM reports WHERE answered_ms IS NULL ORDER BY id LIMIT ?"
LAST_REPORT = "SELECT coalesce(max(id), 0) FROM reports"
COUNT_ANSWERED = "SELECT count(*) FROM reports WHERE answered_ms IS NOT NULL"
PAST_REPORTS = (
    "SELECT body FROM reports WHERE answered_ms IS NOT NULL AND id < ? ORDER BY id DESC LIMIT ?"
)
EXCESS_REPORTS = (
    "DELETE FROM reports WHERE answered_ms IS NOT NULL AND id <= (SELECT max(id) FROM reports) - ?"
)
# the last line of each sort, of each device
LATEST = (
    "SELECT body FROM device_life WHERE id IN"
    " (SELECT max(id) FROM device_life GROUP BY device, what) ORDER BY id"
)
LAST_ENTRY = "SELECT coalesce(max(id), 0) FROM device_life"
LIFE = "SELECT body FROM device_life WHERE device = ? ORDER BY id DESC LIMIT ?"
EXCESS_ENTRIES = (
    "DELETE FROM device_life WHERE id <= (SELECT max(id) FROM device_life) - ? AND id NOT IN"
    " (SELECT max(id) FROM device_life GROUP BY device, what)"
)

Kept = WorkOrder | Report | Entry

_encode = msgspec.json.Encoder().encode
_order = msgspec.json.Decoder(WorkOrder).decode
_report = msgspec.json.Decoder(Report).decode
_entry = msgspec.json.Decoder(Entry).decode


class Recalled(NamedTuple):
    """What stood when the hub stopped; ``orders`` also those that may be opened again."""

    orders: list[WorkOrder]
    reports: list[Report]
    latest: list[Entry]
    last_order: int = 0
    last_report: int = 0
    last_entry: int = 0
    answered: int = 0


NOTHING = Recalled([], [], [])


def keep(db: sqlite3.Connection, things: Collection[Kept]) -> None:
    for thing in things:
        body = _encode(thing).decode()
        match thing:
            case WorkOrder():
                row = (thing.id, thing.state.value, thing.device, thing.created_ms)
                db.execute(KEEP_ORDER, (*row, _closed_ms(thing), body))
            case Report():
                row_ = (thing.id, thing.room, thing.made_ms, thing.answered_ms, body)
                db.execute(KEEP_REPORT, row_)
            case Entry():
                line = (thing.id, thing.device, thing.at_ms, thing.what.value, body)
                db.execute(KEEP_ENTRY, line)


def forget(db: sqlite3.Connection) -> None:
    """The oldest where there are very many."""
    db.execute(EXCESS_ORDERS, (MOST_ORDERS,))
    db.execute(EXCESS_REPORTS, (MOST_REPORTS,))
    db.execute(EXCESS_ENTRIES, (MOST_ENTRIES,))


def recalled(question: Question, since_ms: int) -> Recalled:
    """``since_ms``: repairs that were proven before it have held."""

    def number(sql: str) -> int:
        return int(next(iter(question.all_rows(sql, ())))[0])

    return Recalled(
        [_order(body) for (body,) in question.all_rows(STANDING, (since_ms,))],
        [_report(body) for (body,) in question.all_rows(OPEN_REPORTS, (MOST_REPORTS,))],
        [_entry(body) for (body,) in question.all_rows(LATEST, ())],
        number(LAST_ORDER),
        number(LAST_REPORT),
        number(LAST_ENTRY),
        number(COUNT_ANSWERED),
    )


def one_order(question: Question, number: int) -> WorkOrder | None:
    return next((_order(body) for (body,) in question.all_rows(ONE_ORDER, (number,))), None)


def past_orders(question: Question, before: int, limit: int) -> list[WorkOrder]:
    """Closed ones, newest first, older than ``before``."""
    return [_order(body) for (body,) in question.all_rows(PAST_ORDERS, (before, limit))]


def orders_of(question: Question, device: str) -> list[WorkOrder]:
    return [_order(body) for (body,) in question.all_rows(OF_DEVICE, (device, PAGE))]


def past_reports(question: Question, before: int, limit: int) -> list[Report]:
    """Answered ones, newest first."""
    return [_report(body) for (body,) in question.all_rows(PAST_REPORTS, (before, limit))]


def life_of(question: Question, device: str) -> list[Entry]:
    """All lines of one device, the newest first."""
    return [_entry(body) for (body,) in question.all_rows(LIFE, (device, MOST_OF_DEVICE))]


def read_cursor(cursor: str) -> int:
    """The number of the last one of the page before.

    Raises:
        BadCursorError
    """
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 17:
        return int(cursor)
    raise BadCursorError(cursor)


def _closed_ms(order: WorkOrder) -> int | None:
    if not rules.is_closed(order):
        return None
    return order.verified_ms or order.history[-1].at_ms
