"""Around the whole application: who asks, by which name, and may he? Nothing else decides it.

    our name, our page?  >  who?  >  a route?  >  set up?  >  may he?  >  our form?  >  route

Each step refuses before the next one is looked at, and none of them reads the database.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping
from typing import NamedTuple

from hub.access.bodies import MAX_BODY, SlowBodyError, bounded, declared, whole
from hub.access.cookies import Cookies
from hub.access.directory import Credential
from hub.access.hosts import Hosts, Origin, is_loopback
from hub.access.refusals import NO_ROUTE, Refusal, Refusals
from hub.access.routes import Table
from hub.access.service import Access
from hub.access.wire import App, Receive, Scope, Send, ending_with, with_headers
from hub.domain.access import LOCAL, NOBODY, Caller, Permission, Principal
from hub.domain.errors import BadFormError
from hub.web.caller import CSRF
from hub.web.forms import MAX_FORM, URLENCODED, fields

SAFE = frozenset({"GET", "HEAD"})
STREAMS = frozenset({"/events", "/api/v1/events"})
SET_UP = frozenset({"/set-up", "/healthz", "/readyz", "/favicon.ico"})
STATIC = "/static/"
CSRF_HEADER = b"x-csrf-token"
JSON = "application/json"


class Asking(NamedTuple):
    """One request, as far as the guard looks at it."""

    scope: Scope
    headers: Mapping[bytes, bytes]
    origin: Origin
    credential: Credential | None
    principal: Principal
    csrf: str
    is_bearer: bool


class Guard:
    """ASGI middleware."""

    def __init__(self, app: App, access: Access, hosts: Hosts, port: int, refuse: Refusals) -> None:
        self._app = app
        self._access = access
        self._hosts = hosts
        self._table = Table()
        self._refuse = refuse
        self._cookies = Cookies(port)
        self._local_csrf = secrets.token_hex(16)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        send = with_headers(send)
        try:
            passed = await self._passed(scope, receive)
        except Refusal as refusal:
            await self._refuse(refusal, scope, receive, send)
            return
        asking, receive = passed
        if scope["method"] == "HEAD" and scope["path"] not in STREAMS:
            scope = {**scope, "method": "GET"}  # the server leaves the body out by itself
        await self._app(scope, receive, self._while_allowed(asking, send))

    async def _passed(self, scope: Scope, receive: Receive) -> tuple[Asking, Receive]:
        """Everything that must hold, in order; what the route will receive.

        Raises:
            Refusal: the first thing that does not hold.
        """
        asking = self._asking(scope)
        permission = self._permission(scope)
        self._require_set_up(scope["path"])
        if not asking.principal.may(permission):
            raise _forbidden(asking)
        if scope["method"] not in SAFE:
            most = MAX_FORM if _kind(asking) == URLENCODED else MAX_BODY
            if declared(asking.headers) > most:  # before a byte of it is kept
                raise Refusal(413, "too_large")
            receive = bounded(receive, most)
            if not asking.is_bearer:
                receive = await self._require_own_form(asking, receive)
        self._note(asking)
        return asking, receive

    # --- the steps ------------------------------------------------------------------------------

    def _asking(self, scope: Scope) -> Asking:
        """Who asks, by a name of ours. The routes, and the page of an error, find him in the state.

        Raises:
            Refusal
        """
        headers = dict(scope["headers"])
        origin = self._own_origin(scope, headers)
        credential, is_bearer = self._credential(headers, origin)
        principal = LOCAL if self._access.is_open else NOBODY
        csrf = self._local_csrf if self._access.is_open else ""
        if credential is not None:
            principal, csrf = credential.principal, credential.csrf
        state = scope["state"]
        state["principal"], state["credential"], state["origin"] = principal, credential, origin
        state[CSRF] = csrf
        return Asking(scope, headers, origin, credential, principal, csrf, is_bearer)

    def _own_origin(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Origin:
        client, server = scope.get("client") or ("", 0), scope.get("server") or ("", 0)
        if self._access.is_open and not is_loopback(client[0]):
            raise Refusal(403, "only_here")
        origin: Origin | None = self._hosts.origin(headers.get(b"host", b""), client[0], server[0])
        if origin is None:
            raise Refusal(421, "not_our_name")
        sent = headers.get(b"origin")
        # a browser that hides its page's address says null; that page is then known by its token
        if sent not in (None, b"null") and sent.decode("latin-1").lower() != origin.text:
            raise Refusal(403, "foreign_page")
        return origin

    def _permission(self, scope: Scope) -> Permission:
        methods = self._table.methods(scope["path"])
        if methods is None:
            raise Refusal(404, NO_ROUTE)
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        if method not in methods:
            allowed = ", ".join(sorted({*methods, *(("HEAD",) if "GET" in methods else ())}))
            raise Refusal(405, NO_ROUTE, headers=((b"allow", allowed.encode()),))
        return methods[method]

    def _require_set_up(self, path: str) -> None:
        if not self._access.directory.is_known and not self._access.is_open:
            if path not in SET_UP or path == "/set-up":
                raise Refusal(503, "not_known")
        elif self._access.needs_setup and path not in SET_UP and not path.startswith(STATIC):
            raise Refusal(503, "not_set_up", to="/set-up")

    def _credential(
        self, headers: Mapping[bytes, bytes], origin: Origin
    ) -> tuple[Credential | None, bool]:
        """What the request shows, if it is good now, and whether it is a token."""
        authorization = headers.get(b"authorization")
        directory, now_ms = self._access.directory, self._access.now_ms()
        if authorization is not None and authorization[:7].lower() == b"bearer ":
            found = directory.by_token(authorization[7:].strip().decode("latin-1"))
            return (found if found is not None and found.is_live(now_ms) else None), True
        value = self._cookies.value(headers.get(b"cookie"), origin)
        found = directory.by_cookie(value) if value else None
        return (found if found is not None and found.is_live(now_ms) else None), False

    async def _require_own_form(self, asking: Asking, receive: Receive) -> Receive:
        """A browser sends cookies for any page; so the page must be ours, and must know a secret.

        Nobody in particular has no secret: signing in is guarded by where the form came from.
        A program on an open hub sends JSON, which no page of another site can without asking.
        """
        headers, scope, kind = asking.headers, asking.scope, _kind(asking)
        is_own = headers.get(b"origin") == asking.origin.text.encode()
        is_own = is_own or headers.get(b"sec-fetch-site") == b"same-origin"
        if not is_own:
            is_program = kind == JSON and scope["path"].startswith("/api/")
            if asking.principal.caller is Caller.LOCAL and is_program:
                return receive
            raise Refusal(403, "foreign_page")
        if not asking.csrf:
            return receive
        brought = headers.get(CSRF_HEADER, b"").decode("latin-1")
        if not brought and kind == URLENCODED:
            brought, receive = await self._from_form(receive)
        if not hmac.compare_digest(brought.encode(), asking.csrf.encode()):
            raise Refusal(403, "stale_form")
        return receive

    async def _from_form(self, receive: Receive) -> tuple[str, Receive]:
        """The field of the form, and the form again for the route."""
        try:
            body, again = await whole(receive, MAX_FORM)
            return fields(body).get(CSRF, ""), again
        except BadFormError as error:
            raise Refusal(error.status, "bad_form") from error
        except SlowBodyError as error:
            raise Refusal(408, "slow") from error

    # --- afterwards -----------------------------------------------------------------------------

    def _note(self, asking: Asking) -> None:
        """Somebody did something. What an open page does by itself keeps nobody signed in."""
        is_reading = asking.scope["method"] in SAFE
        is_refresh = asking.scope["path"] in STREAMS or b"hx-request" in asking.headers
        by_itself = is_reading and is_refresh
        if asking.credential is not None and not by_itself:
            asking.credential.seen_ms = self._access.now_ms()

    def _while_allowed(self, asking: Asking, send: Send) -> Send:
        """A screen's cookie is renewed; a stream ends when its key does."""
        credential, path = asking.credential, asking.scope["path"]
        if credential is None:
            return send
        if path in STREAMS:
            return ending_with(send, lambda: self._is_still_good(credential))
        if asking.principal.caller is Caller.SCREEN and self._access.renew(credential):
            value = self._cookies.value(asking.headers.get(b"cookie"), asking.origin)
            cookie = self._cookies.screen(value or "", asking.origin)
            return with_headers(send, ((b"set-cookie", cookie.encode()),))
        return send

    def _is_still_good(self, credential: Credential) -> bool:
        now = self._access.directory.still(credential)
        return (
            now is not None
            and now.is_live(self._access.now_ms())
            and now.principal == credential.principal
        )


def _forbidden(asking: Asking) -> Refusal:
    if asking.principal.caller is not Caller.NOBODY:
        return Refusal(403, "may_not")
    error = b', error="invalid_token"' if asking.is_bearer else b""
    challenge = ((b"www-authenticate", b'Bearer realm="linli"' + error),)
    code = "bad_token" if asking.is_bearer else "sign_in"
    return Refusal(401, code, headers=challenge, to="/sign-in")


def _kind(asking: Asking) -> str:
    """What its body is said to be; empty where it says nothing."""
    kind = asking.headers.get(b"content-type", b"").partition(b";")[0]
    return kind.strip().lower().decode("latin-1")
