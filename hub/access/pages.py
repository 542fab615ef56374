"""Coming in and going out: set-up, sign-in, the code of a screen, one's own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.access.cookies import Cookies
from hub.access.directory import Credential
from hub.access.hosts import Origin
from hub.access.passwords import RETRY_AFTER_S, TooManyError
from hub.access.rules import MIN_PASSWORD, local_path
from hub.access.service import Access, NewAccount, WaitError
from hub.api.answers import NO_STORE
from hub.domain.access import Caller, Permission, Role
from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of, translator


class SessionLine(NamedTuple):
    began: str
    seen: str
    is_this: bool


def pages(access: Access, frame: Frame, port: int) -> APIRouter:
    router, desk = APIRouter(), Desk(access, frame, Cookies(port))
    router.add_route("/set-up", desk.show_set_up, ["GET"])
    router.add_route("/set-up", desk.set_up, ["POST"])
    router.add_route("/sign-in", desk.show_sign_in, ["GET"])
    router.add_route("/sign-in", desk.sign_in, ["POST"])
    router.add_route("/sign-out", desk.sign_out, ["POST"])
    router.add_route("/screen/pair", desk.show_pair, ["GET"])
    router.add_route("/screen/pair", desk.pair, ["POST"])
    router.add_route("/account", desk.show_account, ["GET"])
    router.add_route("/account/password", desk.change_password, ["POST"])
    router.add_route("/account/sign-out-everywhere", desk.sign_out_everywhere, ["POST"])
    return router


class Desk:
    """What the routes above do."""

    def __init__(self, access: Access, frame: Frame, cookies: Cookies) -> None:
        self._access = access
        self._frame = frame
        self._cookies = cookies

    # --- the first account ----------------------------------------------------------------------

    async def show_set_up(self, request: Request) -> Response:
        return self._set_up_page(request)

    def _set_up_page(
        self, request: Request, problem: str = "", name: str = "", code: str = ""
    ) -> Response:
        if not self._access.needs_setup:
            return _see_other("/sign-in")
        is_secure = _origin(request).is_secure
        return self._frame.answer(
            request,
            "access_set_up",
            here="door",
            problem=problem,
            name=name,
            code=code,
            least=MIN_PASSWORD,
            is_secure=is_secure,
            has_code=self._access.setup_code is not None,
        )

    async def set_up(self, request: Request) -> Response:
        fields = await form(request)
        code, name = fields.get("code", ""), fields.get("name", "")
        new = NewAccount(name, "", frozenset({Role.ADMIN}), fields.get("password", ""))
        try:
            _require_twice(fields)
            key = await self._access.set_up(code, new, _address(request))
        except (RefusedDecisionError, WaitError, TooManyError) as error:
            page = self._set_up_page(request, said(self._frame, request, error), name, code)
            return with_status(page, error)
        return self._with_session(request, _see_other("/people"), key)

    # --- signing in and out ---------------------------------------------------------------------

    async def show_sign_in(self, request: Request) -> Response:
        if caller(request).caller is Caller.PERSON:
            return _see_other(_home(request))
        return self._sign_in_page(request)

    def _sign_in_page(
        self, request: Request, problem: str = "", name: str = "", after: str = ""
    ) -> Response:
        after = after or local_path(request.query_params.get("next", ""))
        return self._frame.answer(
            request, "access_sign_in", here="door", problem=problem, name=name, after=after
        )

    async def sign_in(self, request: Request) -> Response:
        fields = await form(request)
        name, after = fields.get("name", ""), local_path(fields.get("next", ""))
        before = _credential(request)
        try:
            key = await self._access.sign_in(
                name,
                fields.get("password", ""),
                _address(request),
                before.hash if before is not None else None,
            )
        except (RefusedDecisionError, WaitError, TooManyError) as error:
            page = self._sign_in_page(request, said(self._frame, request, error), name, after)
            return with_status(page, error)
        return self._with_session(request, _see_other(after or "/sign-in"), key)

    async def sign_out(self, request: Request) -> Response:
        credential = _credential(request)
        if credential is not None:
            await self._access.sign_out(credential)
        return self._gone(request)

    async def sign_out_everywhere(self, request: Request) -> Response:
        await self._access.sign_out_everywhere(caller(request))
        return self._gone(request)

    def _gone(self, request: Request) -> Response:
        response = _see_other("/sign-in")
        response.headers["Set-Cookie"] = self._cookies.gone(_origin(request))
        return response

    # --- screens --------------------------------------------------------------------------------

    async def show_pair(self, request: Request) -> Response:
        return self._frame.answer(request, "access_pair", here="door", problem="", code="")

    async def pair(self, request: Request) -> Response:
        code = (await form(request)).get("code", "")
        try:
            key = await self._access.pair(code, _address(request))
        except (RefusedDecisionError, WaitError) as error:
            problem = said(self._frame, request, error)
            page = self._frame.answer(
                request, "access_pair", here="door", problem=problem, code=code
            )
            return with_status(page, error)
        response = _see_other("/wall")
        response.headers["Set-Cookie"] = self._cookies.screen(key, _origin(request))
        return response

    # --- one's own account ----------------------------------------------------------------------

    async def show_account(self, request: Request) -> Response:
        return self._account_page(request)

    def _account_page(self, request: Request, problem: str = "") -> Response:
        who, language, this = caller(request), language_of(request), _credential(request)
        account = self._access.directory.accounts[who.name]
        t = translator(language)
        lines = [
            SessionLine(
                self._frame.when(found.created_ms, language),
                self._frame.when(found.seen_ms, language),
                this is not None and found.hash == this.hash,
            )
            for found in self._access.directory.sessions(who.name)
        ]
        return self._frame.answer(
            request,
            "access_account",
            here="account",
            account=account,
            roles=t("ui.comma").join(t(f"role.{role}") for role in sorted(account.roles)),
            sessions=lines,
            least=MIN_PASSWORD,
            problem=problem,
            done=request.query_params.get("done", ""),
        )

    async def change_password(self, request: Request) -> Response:
        fields = await form(request)
        try:
            _require_twice(fields)
            key = await self._access.change_password(
                caller(request), fields.get("old", ""), fields["password"], _address(request)
            )
        except (RefusedDecisionError, WaitError, TooManyError) as error:
            return with_status(
                self._account_page(request, said(self._frame, request, error)), error
            )
        return self._with_session(request, _see_other("/account?done=password"), key)

    def _with_session(self, request: Request, response: Response, key: str) -> Response:
        response.headers["Set-Cookie"] = self._cookies.session(key, _origin(request))
        return response


def _home(request: Request) -> str:
    """Where somebody who is signed in begins."""
    wanted = local_path(request.query_params.get("next", ""))
    return wanted or ("/" if caller(request).may(Permission.ROOMS) else "/account")


def said(frame: Frame, request: Request, error: Exception) -> str:
    """Why something was refused, in the reader's language."""
    match error:
        case RefusedDecisionError():
            text = error.text
        case WaitError():
            text = Text("access.wait", {"count": error.seconds})
        case _:
            text = Text("access.crowded")
    return frame.text(text, language_of(request))


def with_status(response: Response, error: Exception) -> Response:
    """A page that says what went wrong, so that also a program can tell."""
    response.status_code = 422
    if isinstance(error, WaitError):
        response.status_code = 429
        response.headers["Retry-After"] = str(error.seconds)
    elif isinstance(error, TooManyError):
        response.status_code = 503
        response.headers["Retry-After"] = str(RETRY_AFTER_S)
    return response


def done(to: str, what: str) -> Response:
    """Back to a page, which says what was done; reloading it does not do it again."""
    return _see_other(f"{to}?{urlencode({'done': what})}")


def _see_other(to: str) -> Response:
    return RedirectResponse(to, 303, NO_STORE)


def _require_twice(fields: Mapping[str, str]) -> None:
    if "password" not in fields or fields["password"] != fields.get("again"):
        raise RefusedDecisionError(Text("access.not_twice"))


def _credential(request: Request) -> Credential | None:
    found: Credential | None = request.state.credential
    return found


def _origin(request: Request) -> Origin:
    found: Origin = request.state.origin
    return found


def _address(request: Request) -> str:
    client: Any = request.client
    return client.host if client is not None else ""
