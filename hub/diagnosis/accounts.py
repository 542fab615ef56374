"""Can anybody sign in, and is what they sign in with for the hub's eyes alone?"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from hub.diagnosis.finding import Finding
from hub.store.reader import open_readonly
from hub.store.store import DATABASE

COUNT = "SELECT (SELECT count(*) FROM users WHERE disabled_ms IS NULL), count(*) FROM tokens"


def examine_accounts(folder: Path, *, is_open: bool) -> Iterator[Finding]:
    """Look into the hub's database, which may not be there yet."""
    if is_open:
        what = "access.open: everybody on this machine is let in"
        yield Finding("accounts", "warning", what, "For trials only; remove it for the real thing.")
        return
    yield _counted(folder / DATABASE)
    if any(file.stat().st_mode & 0o077 for file in folder.glob(f"{DATABASE}*")):
        what = "other accounts of this machine can read the database, and its password hashes"
        remedy = f"chmod 600 {folder}/{DATABASE}*; the hub does so at its next start."
        yield Finding("accounts", "warning", what, remedy)


def _counted(path: Path) -> Finding:
    try:
        db = open_readonly(path)
        if db is None:
            return _nobody()
        with closing(db):
            people, tokens = db.execute(COUNT).fetchone()
    except sqlite3.Error as error:
        what = f"accounts cannot be read ({error})"
        return Finding("accounts", "warning", what, "Start linli run once, then look again.")
    if not people and not tokens:
        return _nobody()
    return Finding("accounts", "ok", f"{people} people, {tokens} programs and screens")


def _nobody() -> Finding:
    remedy = "Start linli run and do what it says, or: linli user add NAME --role admin"
    return Finding("accounts", "warning", "nobody can sign in yet", remedy)
