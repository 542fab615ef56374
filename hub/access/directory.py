"""Who may come in, in memory: what the guard looks up for every request.

    users, sessions, tokens (database)  >  read whole, when something changed  >  two dictionaries

The rows are few (a centre has tens of accounts), so they are always read whole: there is one way
for a change to take effect, whoever made it. The hub reads again after each change of its own;
a command's is noticed by ``PRAGMA data_version`` within a second.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from hub.access import records
from hub.access.records import Account, Rows, Session, Token
from hub.access.rules import MINUTE_MS, csrf_of, digest, span
from hub.domain.access import (
    SCREEN,
    Caller,
    Permission,
    Principal,
    permissions,
)
from hub.store.query import StoreError
from hub.store.reader import open_readonly

log = logging.getLogger(__name__)

FUTURE_MS = 5 * MINUTE_MS
"""More than a clock is moved without our being told."""


@dataclass(slots=True)
class Credential:
    """What a cookie or a token stands for."""

    principal: Principal
    hash: bytes
    until_ms: int
    idle_ms: int | None
    """None: it does not end by being idle."""
    created_ms: int
    seen_ms: int
    saved_ms: int
    """``seen_ms`` as the database has it."""
    csrf: str

    def is_live(self, now_ms: int) -> bool:
        """A session from the future was begun by a wrong clock: it would last until then."""
        if now_ms >= self.until_ms:
            return False
        if self.idle_ms is None:
            return True
        return now_ms - self.seen_ms < self.idle_ms and self.created_ms - now_ms < FUTURE_MS

    def move(self, shift_ms: int, from_ms: int) -> None:
        """The clock was set, and what it said from then on was wrong by the shift."""
        if self.created_ms >= from_ms:
            self.created_ms += shift_ms
            self.until_ms += shift_ms
        if self.seen_ms >= from_ms:
            self.seen_ms += shift_ms
            self.saved_ms += shift_ms


class Directory:
    """Belongs to the event loop; only reading the database happens in a thread."""

    def __init__(self, path: Path) -> None:
        """Read it at once: the first request must find it."""
        self._path = path
        self.folder = path.parent
        self._db: sqlite3.Connection | None = None
        self._version = -1
        self._thread = ThreadPoolExecutor(1, "access")
        self._lock = asyncio.Lock()
        self._rows = Rows()
        self._unsaved: dict[bytes, Session] = {}
        self._dropped: set[bytes] = set()
        self._lent: dict[bytes, Credential] = {}
        self._cookies: dict[bytes, Credential] = {}
        self._bearers: dict[bytes, Credential] = {}
        self.accounts: Mapping[str, Account] = {}
        self.tokens: Mapping[str, Token] = {}
        self._is_failing = False
        self.is_known = False
        """It was read once. Until then nobody comes in, and nothing counts as empty."""
        self._take(self._read(anew=True))

    @property
    def is_empty(self) -> bool:
        """Nobody can come in yet, so somebody may still make the first account."""
        return self.is_known and not self.accounts and not self.tokens

    def holders(self, permission: Permission) -> set[str]:
        """Names of accounts that may do this."""
        return {
            account.name
            for account in self.accounts.values()
            if account.disabled_ms is None and permission in permissions(account.roles)
        }

    def by_cookie(self, value: str) -> Credential | None:
        """A session or a screen, live or not."""
        return self._cookies.get(digest(value))

    def by_token(self, value: str) -> Credential | None:
        return self._bearers.get(digest(value))

    def still(self, credential: Credential) -> Credential | None:
        """The same key as it stands now; None once it was taken back."""
        return self._cookies.get(credential.hash) or self._bearers.get(credential.hash)

    def awaits(self, code: bytes) -> bool:
        """Is a screen's code waiting that has this hash?"""
        return any(t.kind == "pairing" and t.hash == code for t in self.tokens.values())

    def lend(self, credential: Credential) -> None:
        """A key that is not in the database and lasts as long as the hub."""
        self._lent = {credential.hash: credential}
        self._bearers |= self._lent

    def move(self, shift_ms: int, moved_from_ms: int | None) -> None:
        """The clock was set; of keys that are good until a date only those move that it dated."""
        for credential in self.credentials():
            if credential.idle_ms is not None or moved_from_ms is not None:
                credential.move(shift_ms, moved_from_ms or 0)

    def credentials(self) -> list[Credential]:
        """All that the database has."""
        found = (*self._cookies.values(), *self._bearers.values())
        return [credential for credential in found if credential.hash not in self._lent]

    def sessions(self, user: str) -> list[Credential]:
        """The newest first."""
        found = [c for c in self._cookies.values() if c.principal.name == user]
        return sorted(found, key=lambda credential: -credential.created_ms)

    def remember(self, session: Session) -> None:
        """The disk did not take it: it lives as long as the hub."""
        self._unsaved[session.hash] = session
        self._take(self._rows)

    def drop(self, hashed: bytes) -> None:
        """Given back: it opens nothing from now on, whatever the database says."""
        self._dropped.add(hashed)
        self._unsaved.pop(hashed, None)
        self._cookies.pop(hashed, None)

    def drop_all(self, user: str) -> None:
        for credential in self.sessions(user):
            self.drop(credential.hash)

    async def look(self) -> None:
        """Read again if another process has written."""
        await self._reload(anew=False)

    async def reload(self) -> None:
        """Read again: we have written."""
        await self._reload(anew=True)

    def close(self) -> None:
        self._thread.shutdown(wait=True)
        if self._db is not None:
            self._db.close()

    async def _reload(self, *, anew: bool) -> None:
        async with self._lock:  # a read that began before a write must not end after it
            loop = asyncio.get_running_loop()
            self._take(await loop.run_in_executor(self._thread, lambda: self._read(anew=anew)))

    def _read(self, *, anew: bool) -> Rows | None:
        """All rows; None where they are as before."""
        try:
            if self._db is None:
                self._db = open_readonly(self._path)
            if self._db is None:
                self.is_known = True  # there is no database: a new hub on a disk that is full
                return None
            version = self._db.execute("PRAGMA data_version").fetchone()[0]
            if version == self._version and not anew:
                return None
            rows = records.read(self._db)
        except (sqlite3.Error, StoreError) as error:
            self._complain(error)
            return None
        self._version, self._is_failing, self.is_known = version, False, True
        return rows

    def _complain(self, error: Exception) -> None:
        """Who was in stays in; the next look tries again."""
        if self._db is not None:
            self._db.close()
            self._db = None
        self._version = -1
        if not self._is_failing:
            log.warning("Accounts cannot be read (%s); those known stay as they are", error)
        self._is_failing = True

    def _take(self, rows: Rows | None) -> None:
        if rows is None or (rows == self._rows and not self._unsaved):
            return
        self._rows = rows
        self.accounts = {account.name: account for account in rows.accounts}
        self.tokens = {token.name: token for token in rows.tokens}
        known = {c.hash: c for c in self.credentials()}
        self._cookies, self._bearers = {}, dict(self._lent)
        self._dropped &= {session.hash for session in rows.sessions}
        for session in (*rows.sessions, *self._unsaved.values()):
            if session.hash in self._dropped:
                continue
            made = self._of_session(session)
            if made is not None:
                self._cookies[session.hash] = _carried(made, known)
        for token in rows.tokens:
            kinds = {"screen": self._cookies, "api": self._bearers}
            if token.kind in kinds:
                kinds[token.kind][token.hash] = _carried(_of_token(token), known)

    def _of_session(self, session: Session) -> Credential | None:
        account = self.accounts.get(session.user)
        if account is None or account.disabled_ms is not None:
            return None
        if session.hash in self._unsaved and session.created_ms < account.changed_ms:
            return None  # what ended the account's other sessions ends this one too
        idle_ms, whole_ms = span(account.roles)
        return Credential(
            Principal(Caller.PERSON, account.name, permissions(account.roles)),
            session.hash,
            session.created_ms + whole_ms,
            idle_ms,
            session.created_ms,
            session.seen_ms,
            session.seen_ms,
            csrf_of(session.hash),
        )


def _of_token(token: Token) -> Credential:
    """A program has no account of its own to change; a screen only shows."""
    is_screen = token.kind == "screen"
    kind = Caller.SCREEN if is_screen else Caller.TOKEN
    may = SCREEN if is_screen else permissions(frozenset({token.role})) - {Permission.OWN}
    return Credential(
        Principal(kind, f"{kind}:{token.name}", may),
        token.hash,
        token.expires_ms,
        None,
        token.created_ms,
        token.seen_ms or 0,
        token.seen_ms or 0,
        csrf_of(token.hash),
    )


def _carried(made: Credential, known: Mapping[bytes, Credential]) -> Credential:
    """What was seen since the database was last told stays seen."""
    before = known.get(made.hash)
    if before is not None:
        made.seen_ms = max(made.seen_ms, before.seen_ms)
    return made
