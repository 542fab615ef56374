"""What administrators do about others: accounts, tokens, screens."""

from __future__ import annotations

import secrets

from hub.access import records
from hub.access.records import Token
from hub.access.rules import DAY_MS, KEY_BYTES, PAIR_MS, code_of, digest, token_of
from hub.access.service import Access, NewAccount, require_good, said
from hub.domain.access import Principal, Role
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text
from hub.domain.typed import clean_name


class Office:
    """Each raises RefusedDecisionError where it would break a rule; nothing is changed then."""

    def __init__(self, access: Access) -> None:
        self._access = access

    # --- accounts -------------------------------------------------------------------------------

    async def add_account(self, by: Principal, new: NewAccount) -> str:
        """The name as it is kept.

        Raises:
            RefusedDecisionError, TooManyError
        """
        account = await self._access.made(new)
        await self._access.change(
            lambda db: records.add_account(db, account),
            by.name,
            "account.add",
            account.name,
            after=said(account.roles),
        )
        return account.name

    async def set_roles(self, by: Principal, name: str, roles: frozenset[Role]) -> None:
        """The account's sessions end: it signs in again, with what it may now."""
        if not roles - {Role.PUBLIC}:
            raise RefusedDecisionError(Text("access.no_role"))
        before = self._access.directory.accounts.get(name)
        await self._access.change(
            lambda db: records.set_roles(db, name, roles, self._access.now_ms()),
            by.name,
            "account.roles",
            name,
            before=said(before.roles) if before else "",
            after=said(roles),
        )

    async def set_password(self, by: Principal, name: str, password: str) -> None:
        """An administrator's help for somebody who forgot; his sessions end."""
        require_good(password, name)
        hashed = await self._access.hash_password(password)
        await self._access.change(
            lambda db: records.set_password(db, name, hashed, self._access.now_ms()),
            by.name,
            "account.password",
            name,
        )

    async def disable(self, by: Principal, name: str) -> None:
        await self._access.change(
            lambda db: records.disable(db, name, self._access.now_ms()),
            by.name,
            "account.disable",
            name,
        )

    async def enable(self, by: Principal, name: str) -> None:
        await self._access.change(
            lambda db: records.enable(db, name, self._access.now_ms()),
            by.name,
            "account.enable",
            name,
        )

    # --- tokens and screens ---------------------------------------------------------------------

    async def add_token(self, by: Principal, name: str, role: Role, lasts_ms: int) -> str:
        """The token itself, which nobody can be told again."""
        token = token_of(secrets.token_bytes(KEY_BYTES))
        row = new_token("api", name, role, by.name, self._access.now_ms(), lasts_ms, token)
        after = f"{role} {lasts_ms // DAY_MS}d"
        await self._access.change(
            lambda db: records.add_token(db, row), by.name, "token.add", row.name, after=after
        )
        return token

    async def add_screen(self, by: Principal, name: str) -> str:
        """A code to type on the screen within a quarter of an hour."""
        code = code_of(secrets.token_bytes(8))
        row = new_token("pairing", name, Role.PUBLIC, by.name, self._access.now_ms(), PAIR_MS, code)
        await self._access.change(
            lambda db: records.add_token(db, row), by.name, "screen.add", row.name
        )
        return code

    async def revoke(self, by: Principal, name: str) -> None:
        await self._access.change(
            lambda db: records.revoke(db, name), by.name, "token.revoke", name
        )


def new_token(
    kind: records.Kind, name: str, role: Role, by: str, now_ms: int, lasts_ms: int, key: str
) -> Token:
    """A row for a key that was just made.

    Raises:
        RefusedDecisionError: the name cannot be one.
    """
    clean = clean_name(name)
    if clean is None:
        raise RefusedDecisionError(Text("access.bad_name"))
    return Token(0, digest(key), kind, clean, role, now_ms, by, now_ms + lasts_ms, None)
