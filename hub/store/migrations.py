"""The schema, step by step. Each step and its record are one transaction.

A database of every released schema is kept in ``tests/databases/``; the tests open and read it.

    series         number of a series (or of a room's status) to its key
    log            one row a commit, append-only: the time it spans, which series are in it, the
                   room steps and the changes of it; no index: one costs a page for every reading
    chapters       consecutive rows of the log that were sealed and then deleted
    shelves        the changes of 32 series in one chapter; its number is chapter << 24 | shelf
    room_chapters  the room steps of one chapter
    mark_chapters  what the rooms' rules took in during one chapter, besides changes
    deliveries     what a commit took from the broker, until its acknowledgement is known
    live           one row: the live state at the last checkpoint
    pulse          one row: how far running steps were confirmed at the last pulse
    hours          finished hours: 32 series in one hour (hub/store/hours.py says how they lie)
    weeks          the same for a whole week, once it is over
    mirrors        how far each mirror is; ``rewind_ms`` is a wish of the command line
    rejected       what a mirror would not take
    wear           bytes written, by day and purpose
    damaged        what cannot be read any more; its bytes, where they were moved out of the log
    boots          how wrong the clock was at a start of this machine (hub/store/restamp.py)
    users          accounts: a name, roles, and the hash of a password
    sessions       who is signed in, by the hash of the cookie's value
    tokens         programs and screens, by the hash of what they show
    audit          each change that a person made
    overrides      what staff said of a room
    calendar_days  holidays and make-up days that people entered or corrected
    faults         what was broken; ``cleared_ms`` is NULL while it is
    alerts         what somebody had to know of, with its states
    work_orders    what is to be done, with its history and its proof
    reports        what people reported without an account, with what the hub knew then
    device_life    replaced, moved, calibrated, a new battery: what happened to a device
    notices        what must reach somebody; one row for each event
    sendings       a notice on its way to one person over one channel; made before it is sent
    proofs         when somebody last answered what came to him over a channel
    stand_ins      on which days somebody does another one's duty
    drills         when the way to people was tried out, and what became of it
    nights         what each night's self-check found
    learnt         what detectors remember of devices; one row, written now and then
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import NamedTuple

from hub.store import first_form
from hub.store.query import StoreError

APPLICATION_ID = 0x4C696E6C  # "Linl"


class Migration(NamedTuple):
    """One step of the schema. ``before``, then ``convert`` what is there, then ``after``."""

    name: str
    before: tuple[str, ...]
    convert: Callable[[sqlite3.Connection], None] | None = None
    after: tuple[str, ...] = ()


MIGRATIONS = (
    Migration(
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
    Migration(
        "sealed history",
        (
            "ALTER TABLE log RENAME TO old_log",
            "ALTER TABLE live RENAME TO old_live",
            "ALTER TABLE hours RENAME TO old_hours",
            "DROP TABLE segments",
            "CREATE TABLE log (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
            " last_ms INTEGER NOT NULL, saved_ms INTEGER NOT NULL, lowest INTEGER NOT NULL,"
            " members BLOB NOT NULL,"
            " rooms BLOB, body BLOB) STRICT",
            "CREATE TABLE chapters (id INTEGER PRIMARY KEY, first_id INTEGER NOT NULL,"
            " last_id INTEGER NOT NULL, first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL,"
            " changes INTEGER NOT NULL, sealed_ms INTEGER NOT NULL) STRICT",
            "CREATE TABLE shelves (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
            " last_ms INTEGER NOT NULL, mask INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
            "CREATE TABLE room_chapters (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
            " last_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
            "CREATE TABLE live (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL,"
            " saved_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
            "CREATE TABLE pulse (one INTEGER PRIMARY KEY CHECK (one = 1), id INTEGER NOT NULL,"
            " saved_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
            "CREATE TABLE hours (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
            "CREATE TABLE weeks (id INTEGER PRIMARY KEY, body BLOB NOT NULL) STRICT",
            "CREATE TABLE mirrors (name TEXT PRIMARY KEY, commit_id INTEGER NOT NULL,"
            " shelf INTEGER NOT NULL, saved_ms INTEGER NOT NULL, rewind_ms INTEGER) STRICT",
            "CREATE TABLE rejected (id INTEGER PRIMARY KEY, mirror TEXT NOT NULL,"
            " at_ms INTEGER NOT NULL, line TEXT NOT NULL, reason TEXT NOT NULL) STRICT",
            "CREATE TABLE wear (day INTEGER NOT NULL, purpose TEXT NOT NULL,"
            " bytes INTEGER NOT NULL, PRIMARY KEY (day, purpose)) STRICT, WITHOUT ROWID",
            "CREATE TABLE boots (id TEXT PRIMARY KEY, base_ms INTEGER NOT NULL,"
            " monotonic_ms INTEGER NOT NULL, first_commit INTEGER NOT NULL, shift_ms INTEGER,"
            " last_commit INTEGER, done_commit INTEGER) STRICT, WITHOUT ROWID",
        ),
        first_form.convert,
        ("DROP TABLE old_log", "DROP TABLE old_live", "DROP TABLE old_hours"),
    ),
    Migration(
        "people and what they decide",
        (
            "CREATE TABLE users (name TEXT PRIMARY KEY, title TEXT NOT NULL, roles TEXT NOT NULL,"
            " password TEXT NOT NULL, created_ms INTEGER NOT NULL, changed_ms INTEGER NOT NULL,"
            " disabled_ms INTEGER) STRICT, WITHOUT ROWID",
            "CREATE TABLE sessions (hash BLOB PRIMARY KEY, user TEXT NOT NULL,"
            " created_ms INTEGER NOT NULL, seen_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE tokens (id INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE,"
            " kind TEXT NOT NULL, name TEXT NOT NULL UNIQUE, role TEXT NOT NULL,"
            " created_ms INTEGER NOT NULL, created_by TEXT NOT NULL, expires_ms INTEGER NOT NULL,"
            " seen_ms INTEGER) STRICT",
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
            " action TEXT NOT NULL, target TEXT NOT NULL, before TEXT NOT NULL,"
            " after TEXT NOT NULL) STRICT",
            "CREATE TABLE overrides (id INTEGER PRIMARY KEY, room TEXT NOT NULL,"
            " kind TEXT NOT NULL, people INTEGER, reason TEXT NOT NULL, author TEXT NOT NULL,"
            " from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL, ended_ms INTEGER,"
            " ended_by TEXT) STRICT",
            "CREATE TABLE calendar_days (day TEXT PRIMARY KEY, is_workday INTEGER NOT NULL,"
            " name TEXT NOT NULL, author TEXT NOT NULL, made_ms INTEGER NOT NULL)"
            " STRICT, WITHOUT ROWID",
        ),
    ),
    Migration(
        "what is damaged",
        (
            "CREATE TABLE damaged (kind TEXT NOT NULL, place INTEGER NOT NULL,"
            " first_ms INTEGER NOT NULL, last_ms INTEGER NOT NULL, found_ms INTEGER NOT NULL,"
            " lowest INTEGER NOT NULL, members BLOB NOT NULL, reason TEXT NOT NULL, body BLOB,"
            " PRIMARY KEY (kind, place)) STRICT",
        ),
    ),
    Migration(
        "what the rules of rooms took in",
        (
            "CREATE TABLE mark_chapters (id INTEGER PRIMARY KEY, first_ms INTEGER NOT NULL,"
            " last_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
        ),
    ),
    Migration(
        "from a fault to its repair",
        (
            # bodies are the structs of hub/domain as JSON; columns are what is searched by
            "CREATE TABLE faults (id INTEGER PRIMARY KEY, subject TEXT NOT NULL,"
            " kind TEXT NOT NULL, since_ms INTEGER NOT NULL, cleared_ms INTEGER,"
            " body TEXT NOT NULL) STRICT",
            "CREATE TABLE alerts (id INTEGER PRIMARY KEY, subject TEXT NOT NULL,"
            " kind TEXT NOT NULL, raised_ms INTEGER NOT NULL, cleared_ms INTEGER,"
            " body TEXT NOT NULL) STRICT",
            "CREATE TABLE work_orders (id INTEGER PRIMARY KEY, state TEXT NOT NULL, device TEXT,"
            " created_ms INTEGER NOT NULL, closed_ms INTEGER, body TEXT NOT NULL) STRICT",
            "CREATE TABLE reports (id INTEGER PRIMARY KEY, room TEXT NOT NULL,"
            " made_ms INTEGER NOT NULL, answered_ms INTEGER, body TEXT NOT NULL) STRICT",
            "CREATE TABLE device_life (id INTEGER PRIMARY KEY, device TEXT NOT NULL,"
            " at_ms INTEGER NOT NULL, what TEXT NOT NULL, body TEXT NOT NULL) STRICT",
            "CREATE TABLE notices (id INTEGER PRIMARY KEY, event TEXT NOT NULL UNIQUE,"
            " made_ms INTEGER NOT NULL, closed_ms INTEGER, body TEXT NOT NULL) STRICT",
            "CREATE TABLE sendings (id INTEGER PRIMARY KEY, notice INTEGER NOT NULL,"
            " person TEXT NOT NULL, channel TEXT NOT NULL, round INTEGER NOT NULL,"
            " state TEXT NOT NULL, body TEXT NOT NULL,"
            " UNIQUE (notice, person, channel, round)) STRICT",
            "CREATE TABLE proofs (person TEXT NOT NULL, channel TEXT NOT NULL,"
            " at_ms INTEGER NOT NULL, PRIMARY KEY (person, channel)) STRICT, WITHOUT ROWID",
            "CREATE TABLE stand_ins (id INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT",
            "CREATE TABLE drills (id INTEGER PRIMARY KEY, begun_ms INTEGER NOT NULL,"
            " ended_ms INTEGER, body TEXT NOT NULL) STRICT",
            "CREATE TABLE nights (day TEXT PRIMARY KEY, made_ms INTEGER NOT NULL,"
            " body TEXT NOT NULL) STRICT, WITHOUT ROWID",
            "CREATE TABLE learnt (one INTEGER PRIMARY KEY CHECK (one = 1),"
            " saved_ms INTEGER NOT NULL, body BLOB NOT NULL) STRICT",
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
    for number, step in enumerate(MIGRATIONS[done:], start=done + 1):
        db.execute("BEGIN IMMEDIATE")
        try:
            if number == 1:
                db.execute(
                    "CREATE TABLE migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
                    " applied_ms INTEGER NOT NULL) STRICT"
                )
            for statement in step.before:
                db.execute(statement)
            if step.convert is not None:
                step.convert(db)
            for statement in step.after:
                db.execute(statement)
            db.execute("INSERT INTO migrations VALUES (?, ?, ?)", (number, step.name, now_ms))
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
