"""The schema, step by step. Each step and its record are one transaction.

A database of every released schema is kept in ``tests/databases/``; the tests open and read it.

    series      number of a series (or of a room's status) to its key
    log         one row a commit, append-only: the packed changes, the time they span, and which
                series are in it; no index, because an index costs a page for every reading
    segments    the span and the series of 256 log rows each, so that a question about a month
                looks at some hundred rows and not at all commits of the month
    deliveries  what a commit took from the broker, until its acknowledgement is known to be there
    live        one row: the live state at the last checkpoint
    hours       finished hours of all series, one row a checkpoint that finished some
"""

from __future__ import annotations

import sqlite3

from hub.store.query import StoreError

APPLICATION_ID = 0x4C696E6C  # "Linl"

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "the log of changes",
        (
            "CREATE TABLE series (number INTEGER PRIMARY KEY, device TEXT NOT NULL,"
            " channel TEXT NOT NULL, part TEXT NOT NULL) STRICT",
            # body last: SQLite then reads the columns before it without following its pages
            "CREATE TABLE log (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
            " last_ms INTEGER NOT NULL, saved_ms INTEGER NOT NULL, members TEXT NOT NULL,"
            " body BLOB NOT NULL) STRICT",
            "CREATE TABLE segments (last_id INTEGER PRIMARY KEY, first_id INTEGER NOT NULL,"
            " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, members TEXT NOT NULL) STRICT",
            "CREATE TABLE deliveries (id INTEGER PRIMARY KEY, confirmed INTEGER NOT NULL,"
            " body BLOB NOT NULL) STRICT",
            "CREATE TABLE live (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL,"
            " saved_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
            "CREATE TABLE hours (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
            " last_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
        ),
    ),
)
LATEST = len(MIGRATIONS)


def migrate(db: sqlite3.Connection, now_ms: int) -> None:
    """Bring a database to the latest schema; it is in autocommit mode.

    Raises:
        StoreError: it was written by a newer version, or by another program.
        sqlite3.Error: the disk does not let us.
    """
    done = version(db)
    if done == 0:
        db.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    for number, (name, statements) in enumerate(MIGRATIONS[done:], start=done + 1):
        db.execute("BEGIN IMMEDIATE")
        try:
            if number == 1:
                db.execute(
                    "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                    " applied_ms INTEGER NOT NULL) STRICT"
                )
            for statement in statements:
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (number, name, now_ms))
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")


def version(db: sqlite3.Connection) -> int:
    """The schema of a database; 0 for an empty one.

    Raises:
        StoreError: it was written by a newer version, or by another program.
    """
    tables = {str(row[0]) for row in db.execute("SELECT name FROM sqlite_master")}
    if not tables:
        return 0
    if "migrations" not in tables:
        raise StoreError(
            "The database was not written by Linli. Nothing was started or changed."
            " Name another folder in storage.path, or move the file away."
        )
    found = int(db.execute("SELECT max(version) FROM migrations").fetchone()[0])
    if found > LATEST:
        raise StoreError(
            f"The database has schema {found}; this version of Linli knows schemas up to {LATEST}."
            " Nothing was started or changed. Install the newer Linli again, or restore a backup"
            " made with this one."
        )
    return found
