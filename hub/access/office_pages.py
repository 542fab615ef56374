"""For administrators: accounts, tokens and screens; and the audit record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub.access.api import read_cursor
from hub.access.audit import Audit
from hub.access.office import Office
from hub.access.pages import done, said, with_status
from hub.access.passwords import TooManyError
from hub.access.records import Account, Entry, Token
from hub.access.rules import DAY_MS, MIN_PASSWORD
from hub.access.service import Access, NewAccount
from hub.domain.access import Role
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of, translator, word

GIVEN = tuple(role for role in Role if role is not Role.PUBLIC)
"""Roles that a person or a token can have; everybody is the public anyway."""
LASTS_DAYS = (30, 90, 365, 1_825)
AUDIT_PAGE = 50
REFUSED = (RefusedDecisionError, TooManyError)


class Person(NamedTuple):
    account: Account
    roles: str
    seen: str


class TokenLine(NamedTuple):
    token: Token
    role: str
    made: str
    until: str
    seen: str
    is_over: bool


class Change(NamedTuple):
    at: str
    who: str
    what: str
    target: str
    before: str
    after: str


def pages(access: Access, audit: Audit, frame: Frame) -> APIRouter:
    router = APIRouter()
    people, keys, changes = People(access, frame), Keys(access, frame), Changes(audit, frame)
    router.add_route("/people", people.show, ["GET"])
    router.add_route("/people", people.add, ["POST"])
    router.add_route("/people/{name}/roles", people.set_roles, ["POST"])
    router.add_route("/people/{name}/password", people.set_password, ["POST"])
    router.add_route("/people/{name}/disable", people.disable, ["POST"])
    router.add_route("/people/{name}/enable", people.enable, ["POST"])
    router.add_route("/tokens", keys.show, ["GET"])
    router.add_route("/tokens", keys.add, ["POST"])
    router.add_route("/tokens/screens", keys.add_screen, ["POST"])
    router.add_route("/tokens/{name}/revoke", keys.revoke, ["POST"])
    router.add_route("/audit", changes.show, ["GET"])
    return router


class People:
    """``/people``: accounts."""

    def __init__(self, access: Access, frame: Frame) -> None:
        self._access = access
        self._office = Office(access)
        self._frame = frame

    async def show(self, request: Request) -> Response:
        return self._page(request)

    def _page(self, request: Request, problem: str = "", typed: str = "") -> Response:
        language, directory = language_of(request), self._access.directory
        t = translator(language)
        found = []
        for account in directory.accounts.values():
            sessions = directory.sessions(account.name)
            seen_ms = max((session.seen_ms for session in sessions), default=0)
            found.append(
                Person(
                    account,
                    t("ui.comma").join(t(f"role.{role}") for role in sorted(account.roles)),
                    self._frame.when(seen_ms, language) if seen_ms else "",
                )
            )
        return self._frame.answer(
            request,
            "access_people",
            here="people",
            people=found,
            roles=GIVEN,
            least=MIN_PASSWORD,
            problem=problem,
            typed=typed,
            done=request.query_params.get("done", ""),
        )

    async def add(self, request: Request) -> Response:
        fields = await form(request)
        name, title = fields.get("name", ""), fields.get("title", "")
        new = NewAccount(name, title, _roles(fields), fields.get("password", ""))
        try:
            await self._office.add_account(caller(request), new)
        except REFUSED as error:
            return self._refused(request, error, name)
        return done("/people", "added")

    async def set_roles(self, request: Request) -> Response:
        fields = await form(request)
        try:
            await self._office.set_roles(caller(request), _name(request), _roles(fields))
        except REFUSED as error:
            return self._refused(request, error)
        return done("/people", "roles")

    async def set_password(self, request: Request) -> Response:
        fields = await form(request)
        try:
            await self._office.set_password(
                caller(request), _name(request), fields.get("password", "")
            )
        except REFUSED as error:
            return self._refused(request, error)
        return done("/people", "password")

    async def disable(self, request: Request) -> Response:
        try:
            await self._office.disable(caller(request), _name(request))
        except REFUSED as error:
            return self._refused(request, error)
        return done("/people", "disabled")

    async def enable(self, request: Request) -> Response:
        try:
            await self._office.enable(caller(request), _name(request))
        except REFUSED as error:
            return self._refused(request, error)
        return done("/people", "enabled")

    def _refused(self, request: Request, error: Exception, typed: str = "") -> Response:
        return with_status(self._page(request, said(self._frame, request, error), typed), error)


class Keys:
    """``/tokens``: programs and screens."""

    def __init__(self, access: Access, frame: Frame) -> None:
        self._access = access
        self._office = Office(access)
        self._frame = frame

    async def show(self, request: Request) -> Response:
        return self._page(request)

    def _page(
        self, request: Request, problem: str = "", token: str = "", code: str = ""
    ) -> Response:
        language, now_ms = language_of(request), self._access.now_ms()
        t = translator(language)
        when = self._frame.when
        lines = [
            TokenLine(
                found,
                t(f"access.kind_{found.kind}") if found.kind != "api" else t(f"role.{found.role}"),
                when(found.created_ms, language),
                self._frame.date(found.expires_ms),
                when(found.seen_ms, language) if found.seen_ms else "",
                found.expires_ms <= now_ms,
            )
            for found in self._access.directory.tokens.values()
        ]
        return self._frame.answer(
            request,
            "access_tokens",
            here="tokens",
            tokens=lines,
            roles=GIVEN,
            lasts=LASTS_DAYS,
            problem=problem,
            token=token,
            code=code,
            pair_at=f"{request.state.origin.text}/screen/pair",
            done=request.query_params.get("done", ""),
        )

    async def add(self, request: Request) -> Response:
        """The page with the token is the answer itself: it must not be in any address."""
        fields = await form(request)
        try:
            role, days = _token_wish(fields)
            token = await self._office.add_token(
                caller(request), fields.get("name", ""), role, days * DAY_MS
            )
        except REFUSED as error:
            return self._refused(request, error)
        return self._page(request, token=token)

    async def add_screen(self, request: Request) -> Response:
        fields = await form(request)
        try:
            code = await self._office.add_screen(caller(request), fields.get("name", ""))
        except REFUSED as error:
            return self._refused(request, error)
        return self._page(request, code=code)

    async def revoke(self, request: Request) -> Response:
        try:
            await self._office.revoke(caller(request), _name(request))
        except REFUSED as error:
            return self._refused(request, error)
        return done("/tokens", "revoked")

    def _refused(self, request: Request, error: Exception) -> Response:
        return with_status(self._page(request, said(self._frame, request, error)), error)


class Changes:
    """``/audit``: who changed what, the newest first."""

    def __init__(self, audit: Audit, frame: Frame) -> None:
        self._audit = audit
        self._frame = frame

    async def show(self, request: Request) -> Response:
        cursor = request.query_params.get("cursor")
        before = read_cursor(cursor) if cursor else None
        found = await self._audit.entries(before, AUDIT_PAGE + 1)
        language = language_of(request)
        more = str(found[AUDIT_PAGE - 1].id) if len(found) > AUDIT_PAGE else ""
        return self._frame.answer(
            request,
            "access_audit",
            here="audit",
            changes=[self._line(entry, language) for entry in found[:AUDIT_PAGE]],
            more=more,
            is_first=before is None,
        )

    def _line(self, entry: Entry, language: str) -> Change:
        what = word(f"audit.{entry.action}", language, entry.action)
        return Change(self._frame.date(entry.at_ms), entry.who, what, *entry[4:])


def _name(request: Request) -> str:
    found: str = request.path_params["name"]
    return found


def _roles(fields: Mapping[str, str]) -> frozenset[Role]:
    """Each role is a box of its own: ``role.staff``."""
    return frozenset(role for role in GIVEN if f"role.{role}" in fields)


def _token_wish(fields: Mapping[str, str]) -> tuple[Role, int]:
    """
    Raises:
        RefusedDecisionError: not one of those that the page offers.
    """
    role, days = fields.get("role", ""), fields.get("days", "")
    if role not in GIVEN or days not in map(str, LASTS_DAYS):
        raise RefusedDecisionError(Text("access.no_role"))
    return Role(role), int(days)
