"""What people do to come in and go out, and what administrators do about others.

    page or command  >  one transaction (hub/access/records.py)  >  directory read anew  >  Decided

Every change takes effect with the next request, also where a stream is open.
"""

from __future__ import annotations

import hmac
import logging
import math
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from edge.clock import Clock
from hub.access import local_key, records
from hub.access.directory import Credential, Directory
from hub.access.passwords import PasswordWorker, TooManyError
from hub.access.records import Account, Session
from hub.access.rules import (
    KEY_BYTES,
    MAX_PASSWORD,
    MAX_TITLE,
    RENEW_MS,
    SCREEN_MS,
    clean_code,
    code_of,
    digest,
    password_problem,
    token_of,
)
from hub.access.throttle import Throttle
from hub.access.upkeep import UNWRITABLE, Upkeep, Worker
from hub.api.addresses import place_of
from hub.bus import Bus
from hub.domain.access import Caller, Principal, Role
from hub.domain.audit import Decided
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text
from hub.domain.typed import clean_name

log = logging.getLogger(__name__)

T = TypeVar("T")


class WaitError(Exception):
    """Too many wrong attempts; the next one may be made after ``seconds``."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"wait {seconds} s")
        self.seconds = math.ceil(seconds)


class NewAccount(NamedTuple):
    """As somebody typed it."""

    name: str
    title: str
    roles: frozenset[Role]
    password: str


class Access:
    """Belongs to the event loop."""

    def __init__(
        self, directory: Directory, store: Worker, clock: Clock, bus: Bus, *, is_open: bool
    ) -> None:
        self.directory = directory
        self.is_open = is_open
        self.now_ms = clock.now_ms
        self._store = store
        self._bus = bus
        self._passwords = PasswordWorker()
        self._attempts, self._codes = Throttle(), Throttle()
        self._upkeep = Upkeep(directory, store, clock, bus)
        if not is_open:
            directory.lend(local_key.made(directory.folder, self.now_ms()))
        self.setup_code: str | None = None
        """For the first account; printed on the console, good once, another at each start."""
        if self.needs_setup:
            self.setup_code = code_of(secrets.token_bytes(8))

    @property
    def needs_setup(self) -> bool:
        return self.directory.is_empty and not self.is_open

    # --- coming in and going out ----------------------------------------------------------------

    async def sign_in(
        self, typed: str, password: str, address: str, before: bytes | None = None
    ) -> str:
        """The key of a new session, which takes the place of the one ``before``.

        Raises:
            RefusedDecisionError: it is not right; whether the name or the password is not said.
            WaitError, TooManyError
        """
        name = clean_name(typed) or ""
        account = await self._proven(name, password, address)
        return await self._begin(account, address, before)

    async def _proven(self, name: str, password: str, address: str) -> Account:
        """The account whose password that is."""
        if (wait_s := self._attempts.wait_s(name, address)) > 0:
            raise WaitError(wait_s)
        self._attempts.begin(name, address)
        account = self.directory.accounts.get(name)
        is_usable = account is not None and account.disabled_ms is None
        hashed = account.password if account is not None and is_usable else None
        try:
            right, fresh = await self._passwords.check(password[: 2 * MAX_PASSWORD], hashed)
        except TooManyError:
            self._attempts.undo(name, address)
            raise
        if account is None or not right:
            # what is no account's name may be a password in the wrong field: not recorded
            target = "" if account is None else account.name
            self._tell("nobody", "session.refuse", target, after=address)
            raise RefusedDecisionError(Text("access.wrong"))
        self._attempts.succeeded(name, address)
        return account if fresh is None else await self._rehashed(account, fresh)

    async def _rehashed(self, account: Account, fresh: str) -> Account:
        try:
            await self._store.work(
                "access", lambda db: records.rehash(db, account.name, account.password, fresh)
            )
        except UNWRITABLE as error:
            log.warning("A password's hash could not be renewed: %s", error)
            return account
        await self.directory.reload()
        return account._replace(password=fresh)

    async def _begin(self, account: Account, address: str, before: bytes | None) -> str:
        key, now_ms = secrets.token_urlsafe(KEY_BYTES), self.now_ms()
        session = Session(digest(key), account.name, now_ms, now_ms)

        def begin(db: sqlite3.Connection) -> None:
            if records.account(db, account.name)[2:] != account[2:]:
                raise RefusedDecisionError(
                    Text("access.wrong")
                )  # changed while the password was checked
            records.add_session(db, session, before)

        try:
            await self._store.work("access", begin)
        except UNWRITABLE as error:
            log.warning("A session could not be written (%s); it lasts until the next start", error)
            self.directory.remember(session)
        else:
            await self.directory.reload()
        self._tell(account.name, "session.begin", account.name, after=address)
        return key

    async def sign_out(self, credential: Credential) -> None:
        """At once, also where the disk is full: a key that is given back opens nothing."""
        who = credential.principal.name
        self.directory.drop(credential.hash)
        await self.change(
            lambda db: records.end_session(db, credential.hash), who, "session.end", who
        )

    async def sign_out_everywhere(self, who: Principal) -> None:
        self.directory.drop_all(who.name)
        await self.change(
            lambda db: records.end_sessions(db, who.name), who.name, "session.end_all", who.name
        )

    async def change_password(self, who: Principal, old: str, new: str, address: str) -> str:
        """Every session of the account ends; the key of a new one.

        Raises:
            RefusedDecisionError, WaitError, TooManyError
        """
        account = await self._proven(who.name, old, address)
        require_good(new, account.name)
        hashed, now_ms = await self._passwords.hash(new), self.now_ms()
        key = secrets.token_urlsafe(KEY_BYTES)
        session = Session(digest(key), account.name, now_ms, now_ms)

        def change(db: sqlite3.Connection) -> None:
            records.set_password(db, account.name, hashed, now_ms)
            records.add_session(db, session)

        await self.change(change, account.name, "account.password", account.name)
        return key

    # --- the first account ----------------------------------------------------------------------

    async def set_up(self, code: str, new: NewAccount, address: str) -> str:
        """Make the first administrator; the key of his session.

        Raises:
            RefusedDecisionError, WaitError, TooManyError
        """
        self._try_code("set-up", address)
        expected = self.setup_code
        if expected is None or not hmac.compare_digest(clean_code(code), expected):
            raise RefusedDecisionError(Text("access.wrong_code"))
        self._codes.succeeded(_by("set-up", address), address)
        account = await self.made(new)

        def first(db: sqlite3.Connection) -> None:
            rows = records.read_open(db)
            if rows.accounts or rows.tokens:
                raise RefusedDecisionError(Text("access.set_up_done"))
            records.add_account(db, account)

        await self.change(
            first, account.name, "account.add", account.name, after=said(account.roles)
        )
        self.setup_code = None
        return await self._begin(account, address, None)

    async def made(self, new: NewAccount) -> Account:
        name = clean_name(new.name)
        if name is None:
            raise RefusedDecisionError(Text("access.bad_name"))
        if not new.roles - {Role.PUBLIC}:
            raise RefusedDecisionError(Text("access.no_role"))
        require_good(new.password, name)
        hashed, now_ms = await self._passwords.hash(new.password), self.now_ms()
        title = new.title.strip()[:MAX_TITLE]
        return Account(name, title, new.roles, hashed, now_ms, now_ms, None)

    # --- screens ----------------------------------------------------------------------------------

    async def pair(self, code: str, address: str) -> str:
        """The key of a screen, for the code that was made for it.

        Raises:
            RefusedDecisionError, WaitError
        """
        self._try_code("pair", address)
        key, now_ms = token_of(secrets.token_bytes(KEY_BYTES)), self.now_ms()
        hashes = digest(clean_code(code)), digest(key)
        if not self.directory.awaits(hashes[0]):  # whoever guesses does not reach the disk
            raise RefusedDecisionError(Text("access.wrong_code"))
        name = await self.write(lambda db: records.pair(db, *hashes, now_ms, now_ms + SCREEN_MS))
        self._codes.succeeded(_by("pair", address), address)
        self._tell(f"{Caller.SCREEN}:{name}", "screen.pair", name, after=address)
        return key

    def _try_code(self, what: str, address: str) -> None:
        """Forty bits are not guessed; so nobody's wrong codes make another one wait.

        Raises:
            WaitError
        """
        if (wait_s := self._codes.wait_s(_by(what, address), address)) > 0:
            raise WaitError(wait_s)
        self._codes.begin(_by(what, address), address)

    def renew(self, credential: Credential) -> bool:
        """Give a screen that is in use its whole time again; False where it is not due."""
        until_ms = self.now_ms() + SCREEN_MS
        if until_ms - credential.until_ms < RENEW_MS:
            return False
        credential.until_ms = self._upkeep.renewed[credential.hash] = until_ms
        return True

    async def hash_password(self, password: str) -> str:
        """
        Raises:
            TooManyError
        """
        return await self._passwords.hash(password)

    # --- as long as the hub lives ---------------------------------------------------------------

    async def run(self) -> None:
        """What is done by itself, until cancelled."""
        await self._upkeep.run()

    def close(self) -> None:
        self._passwords.close()
        self.directory.close()

    async def change(
        self,
        operate: Callable[[sqlite3.Connection], object],
        who: str,
        action: str,
        target: str,
        before: str = "",
        after: str = "",
    ) -> None:
        await self.write(operate)
        self._tell(who, action, target, before, after)

    async def write(self, operate: Callable[[sqlite3.Connection], T]) -> T:
        """
        Raises:
            RefusedDecisionError: also where the disk does not take it.
        """
        try:
            answer = await self._store.work("access", operate)
        except UNWRITABLE as error:
            log.warning("A change of accounts could not be written: %s", error)
            raise RefusedDecisionError(Text("access.unwritable")) from error
        await self.directory.reload()
        return answer

    def _tell(self, who: str, action: str, target: str, before: str = "", after: str = "") -> None:
        self._bus.publish(Decided(self.now_ms(), who, action, target, before, after))


def _by(what: str, address: str) -> str:
    return f"{what} {place_of(address)}"


def require_good(password: str, name: str) -> None:
    problem = password_problem(password, name)
    if problem is not None:
        raise RefusedDecisionError(problem)


def said(roles: Iterable[Role]) -> str:
    return " ".join(sorted(roles))
