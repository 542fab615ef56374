"""Accounts, sessions, tokens and the audit record, as rows.

Each function is one statement or two on a connection that somebody else opened: the hub's writer
inside ``Store.work``, or a command's own. What must not happen is refused here, so that it is
refused for both: a name that is taken, the last administrator.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from hub.domain.access import Role
from hub.domain.audit import Decided
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text

Kind = Literal["api", "screen", "pairing"]


class Account(NamedTuple):
    """Somebody who may sign in."""

    name: str
    title: str
    roles: frozenset[Role]
    password: str
    created_ms: int
    changed_ms: int
    disabled_ms: int | None


class Session(NamedTuple):
    hash: bytes
    user: str
    created_ms: int
    seen_ms: int


class Token(NamedTuple):
    """A program, a screen, or a screen that is not there yet."""

    id: int
    hash: bytes
    kind: Kind
    name: str
    role: Role
    created_ms: int
    created_by: str
    expires_ms: int
    seen_ms: int | None


class Entry(NamedTuple):
    """A line of the audit record."""

    id: int
    at_ms: int
    who: str
    action: str
    target: str
    before: str
    after: str


class Rows(NamedTuple):
    """All that decides who may come in."""

    accounts: tuple[Account, ...] = ()
    sessions: tuple[Session, ...] = ()
    tokens: tuple[Token, ...] = ()


def read(db: sqlite3.Connection) -> Rows:
    """Everything, in one state of the database."""
    db.execute("BEGIN")
    try:
        return read_open(db)
    finally:
        db.execute("COMMIT")


def read_open(db: sqlite3.Connection) -> Rows:
    """The same inside a transaction."""
    sessions = (Session(*row) for row in db.execute("SELECT * FROM sessions"))
    return Rows(tuple(accounts(db)), tuple(sessions), tuple(tokens(db)))


# --- accounts ---------------------------------------------------------------------------------


def accounts(db: sqlite3.Connection) -> list[Account]:
    return [_account(row) for row in db.execute("SELECT * FROM users ORDER BY name")]


def account(db: sqlite3.Connection, name: str) -> Account:
    """
    Raises:
        RefusedDecisionError: there is none.
    """
    row = db.execute("SELECT * FROM users WHERE name = ?", (name,)).fetchone()
    if row is None:
        raise RefusedDecisionError(Text("access.no_account", {"name": name}))
    return _account(row)


def add_account(db: sqlite3.Connection, new: Account) -> None:
    """
    Raises:
        RefusedDecisionError: the name is taken.
    """
    row = (*new[:2], _written(new.roles), *new[3:])
    try:
        db.execute("INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    except sqlite3.IntegrityError as error:
        raise RefusedDecisionError(Text("access.name_taken", {"name": new.name})) from error


def set_password(db: sqlite3.Connection, name: str, password: str, now_ms: int) -> None:
    """Also ends every session of the account."""
    sql = "UPDATE users SET password = ?, changed_ms = ? WHERE name = ?"
    db.execute(sql, (password, now_ms, account(db, name).name))
    end_sessions(db, name)


def rehash(db: sqlite3.Connection, name: str, old: str, new: str) -> None:
    """The same password, hashed by today's parameters; not if it was changed meanwhile."""
    sql = "UPDATE users SET password = ? WHERE name = ? AND password = ?"
    db.execute(sql, (new, name, old))


def set_roles(db: sqlite3.Connection, name: str, roles: Iterable[Role], now_ms: int) -> Account:
    """Give exactly these roles and end the account's sessions; what it was before.

    Raises:
        RefusedDecisionError: there would be no administrator.
    """
    before, wanted = account(db, name), frozenset(roles)
    if Role.ADMIN not in wanted:
        _keep_an_admin(db, name)
    sql = "UPDATE users SET roles = ?, changed_ms = ? WHERE name = ?"
    db.execute(sql, (_written(wanted), now_ms, name))
    end_sessions(db, name)
    return before


def disable(db: sqlite3.Connection, name: str, now_ms: int) -> None:
    """
    Raises:
        RefusedDecisionError: there would be no administrator.
    """
    account(db, name)
    _keep_an_admin(db, name)
    sql = "UPDATE users SET disabled_ms = ?, changed_ms = ? WHERE name = ?"
    db.execute(sql, (now_ms, now_ms, name))
    end_sessions(db, name)


def enable(db: sqlite3.Connection, name: str, now_ms: int) -> None:
    sql = "UPDATE users SET disabled_ms = NULL, changed_ms = ? WHERE name = ?"
    db.execute(sql, (now_ms, account(db, name).name))


def _keep_an_admin(db: sqlite3.Connection, without: str) -> None:
    for other in accounts(db):
        if other.name != without and Role.ADMIN in other.roles and other.disabled_ms is None:
            return
    if Role.ADMIN in account(db, without).roles:
        raise RefusedDecisionError(Text("access.last_admin"))


def _account(row: tuple[str, str, str, str, int, int, int | None]) -> Account:
    known = set(Role)  # a database of a newer version may name another
    roles = frozenset(Role(role) for role in row[2].split() if role in known)
    return Account(row[0], row[1], roles, *row[3:])


def _written(roles: Iterable[Role]) -> str:
    return " ".join(sorted(roles))


# --- sessions ---------------------------------------------------------------------------------


MOST_SESSIONS = 20  # of one account; the one that was used longest ago makes room


def add_session(db: sqlite3.Connection, new: Session, instead_of: bytes | None = None) -> None:
    """A new session takes the place of the one that the browser had."""
    if instead_of is not None:
        end_session(db, instead_of)
    sql = (
        "DELETE FROM sessions WHERE user = ?1 AND hash NOT IN"
        " (SELECT hash FROM sessions WHERE user = ?1 ORDER BY seen_ms DESC LIMIT ?2)"
    )
    db.execute(sql, (new.user, MOST_SESSIONS - 1))
    db.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", new)


def end_session(db: sqlite3.Connection, hashed: bytes) -> None:
    db.execute("DELETE FROM sessions WHERE hash = ?", (hashed,))


def end_sessions(db: sqlite3.Connection, user: str) -> None:
    db.execute("DELETE FROM sessions WHERE user = ?", (user,))


def saw(
    db: sqlite3.Connection,
    sessions: Sequence[tuple[int, bytes]],
    tokens_: Sequence[tuple[int, bytes]],
    ended: Sequence[bytes],
) -> None:
    """When each was last used, and those that ended by themselves."""
    db.executemany("UPDATE sessions SET seen_ms = ? WHERE hash = ?", sessions)
    db.executemany("UPDATE tokens SET seen_ms = ? WHERE hash = ?", tokens_)
    for hashed in ended:
        end_session(db, hashed)


def move(db: sqlite3.Connection, shift_ms: int, moved_from_ms: int | None) -> None:
    """The clock was set. Sessions last so long whatever it says, so all of them move along.

    Args:
        shift_ms: By so much it jumped.
        moved_from_ms: From when on it had not been trusted; then all that it dated moves, and
            nothing that was dated before. None: it was trusted, and what it dated stays.
    """
    moved = MOVED if moved_from_ms is not None else MOVED[:2]
    for sql in moved:
        db.execute(sql, (shift_ms, moved_from_ms or 0))


MOVED = (
    "UPDATE sessions SET created_ms = created_ms + ?1 WHERE created_ms >= ?2",
    "UPDATE sessions SET seen_ms = seen_ms + ?1 WHERE seen_ms >= ?2",
    "UPDATE tokens SET created_ms = created_ms + ?1, expires_ms = expires_ms + ?1"
    " WHERE created_ms >= ?2",
    "UPDATE tokens SET seen_ms = seen_ms + ?1 WHERE seen_ms >= ?2",
    "UPDATE users SET created_ms = created_ms + ?1 WHERE created_ms >= ?2",
    "UPDATE users SET changed_ms = changed_ms + ?1 WHERE changed_ms >= ?2",
    "UPDATE users SET disabled_ms = disabled_ms + ?1 WHERE disabled_ms >= ?2",
    "UPDATE audit SET at_ms = at_ms + ?1 WHERE at_ms >= ?2",
)


# --- tokens and screens -----------------------------------------------------------------------


def tokens(db: sqlite3.Connection) -> list[Token]:
    known = set(Role)
    rows = (Token(*row) for row in db.execute("SELECT * FROM tokens ORDER BY name"))
    return [row._replace(role=Role(row.role)) for row in rows if row.role in known]


def add_token(db: sqlite3.Connection, new: Token) -> None:
    """A pairing code that nobody used in time makes room for another of its name.

    Raises:
        RefusedDecisionError: the name is taken.
    """
    sql = "DELETE FROM tokens WHERE kind = 'pairing' AND (name = ? OR expires_ms <= ?)"
    db.execute(sql, (new.name, new.created_ms))
    sql = (
        "INSERT INTO tokens (hash, kind, name, role, created_ms, created_by, expires_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)"
    )
    try:
        db.execute(sql, new[1:8])
    except sqlite3.IntegrityError as error:
        raise RefusedDecisionError(Text("access.name_taken", {"name": new.name})) from error


def pair(db: sqlite3.Connection, code: bytes, key: bytes, now_ms: int, until_ms: int) -> str:
    """The code becomes a screen; its name.

    Raises:
        RefusedDecisionError: no such code is waiting.
    """
    sql = (
        "UPDATE tokens SET hash = ?, kind = 'screen', expires_ms = ?, seen_ms = ?"
        " WHERE kind = 'pairing' AND hash = ? AND expires_ms > ? RETURNING name"
    )
    row = db.execute(sql, (key, until_ms, now_ms, code, now_ms)).fetchone()
    if row is None:
        raise RefusedDecisionError(Text("access.wrong_code"))
    return str(row[0])


def renew(db: sqlite3.Connection, hashed: bytes, until_ms: int) -> None:
    """A screen that is in use."""
    db.execute("UPDATE tokens SET expires_ms = ? WHERE hash = ?", (until_ms, hashed))


def revoke(db: sqlite3.Connection, name: str) -> Token:
    """
    Raises:
        RefusedDecisionError: there is none of that name.
    """
    found = next((token for token in tokens(db) if token.name == name), None)
    if found is None:
        raise RefusedDecisionError(Text("access.no_token", {"name": name}))
    db.execute("DELETE FROM tokens WHERE id = ?", (found.id,))
    return found


# --- the audit record -------------------------------------------------------------------------

MAX_TEXT = 500


def record(db: sqlite3.Connection, decisions: Iterable[Decided]) -> None:
    sql = "INSERT INTO audit (at_ms, who, action, target, before, after) VALUES (?, ?, ?, ?, ?, ?)"
    for it in decisions:
        texts = (it.who, it.action, it.target, it.before, it.after)
        db.execute(sql, (it.at_ms, *(text[:MAX_TEXT] for text in texts)))


FORGOTTEN_AT_ONCE = 2_000


def forget_before(db: sqlite3.Connection, at_ms: int, most: int) -> None:
    """Delete what is too old, so much at once, and the oldest of what is too much.

    A clock that is years ahead for a night must not empty the record.
    """
    sql = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at_ms < ? ORDER BY id LIMIT ?)"
    db.execute(sql, (at_ms, FORGOTTEN_AT_ONCE))
    db.execute("DELETE FROM audit WHERE id <= (SELECT max(id) FROM audit) - ?", (most,))


def newest_ms(db: sqlite3.Connection) -> int:
    """The latest time that accounts know of; 0 where there are none."""
    sql = (
        "SELECT max((SELECT coalesce(max(at_ms), 0) FROM audit),"
        " (SELECT coalesce(max(seen_ms), 0) FROM sessions),"
        " (SELECT coalesce(max(changed_ms), 0) FROM users))"
    )
    return int(db.execute(sql).fetchone()[0])


def entries(db: sqlite3.Connection, before_id: int | None, limit: int) -> list[Entry]:
    """The newest first; from before a row on."""
    sql = "SELECT * FROM audit WHERE id < ? ORDER BY id DESC LIMIT ?"
    top = 2**62 if before_id is None else before_id
    return [Entry(*row) for row in db.execute(sql, (top, limit))]
