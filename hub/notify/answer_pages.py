"""``/ack/{token}``: somebody says that he takes care of an alert, without an account.

Reading the page changes nothing: scanners of mail follow every link. Only its button answers. What
it shows is what the message said already; a link that is not ours shows nothing.
"""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from hub import telling
from hub.api.pace import Pace
from hub.domain.errors import NotFoundError
from hub.domain.fault import Alert, AlertState
from hub.domain.room import Text
from hub.domain.views import FaultsView, HubView
from hub.notify.links import Answer
from hub.notify.service import Notify
from hub.web.page import COOKIE, Frame, language_of

BURST, PER_S = 20, 0.5  # of one address; nobody guesses 128 bits, and nobody shall try
LONGEST = 64


def pages(notify: Notify, faults: FaultsView, hub: HubView) -> APIRouter:
    desk = _Desk(Frame(notify.centre, hub), notify, faults)
    router = APIRouter(include_in_schema=False)

    @router.get("/ack/{token}")
    async def show(token: str, request: Request) -> Response:
        """The alert, and one button."""
        return desk.answer(request, token, is_taken=False)

    @router.post("/ack/{token}")
    async def take(token: str, request: Request) -> Response:
        """Whoever pressed it takes care of it."""
        return desk.answer(request, token, is_taken=True)

    return router


class _Desk:
    def __init__(self, frame: Frame, notify: Notify, faults: FaultsView) -> None:
        self._frame = frame
        self._notify = notify
        self._faults = faults
        self._pace = Pace(BURST, PER_S)

    def answer(self, request: Request, token: str, *, is_taken: bool) -> Response:
        address = request.client.host if request.client else ""
        if wait_s := self._pace.wait_s(address):
            response = self._frame.error(request, 429, Text("problem.wait", {"seconds": wait_s}))
            response.headers["Retry-After"] = str(wait_s)
            return response
        found = self._found(token)
        if found is None:
            return self._frame.error(request, 404, Text("notify.no_link"))
        answer, alert = found
        is_taken = is_taken and not answer.is_late and _is_open(alert)
        if is_taken:
            self._notify.acknowledge(answer)
            found = self._found(token) or found
        return self._shown(request, *found, is_taken=is_taken)

    def _found(self, token: str) -> tuple[Answer, Alert] | None:
        answer = self._notify.answer_of(token) if len(token) <= LONGEST else None
        if answer is None:
            return None
        try:
            return answer, self._faults.alert(answer.alert)
        except NotFoundError:
            return None

    def _shown(self, request: Request, answer: Answer, alert: Alert, *, is_taken: bool) -> Response:
        frame = self._frame
        language = _language(request, self._notify.roster.people[answer.person].language)
        response = frame.document(
            request,
            "answer",
            language,
            what=telling.sentence(alert, language),
            where=telling.room_names(frame.centre, language).get(alert.room or "", ""),
            since=frame.when(alert.raised_ms, language),
            check="" if alert.is_drill else telling.sentence(alert, language, ".check"),
            taken=alert.acknowledged_by or "",
            is_open=not answer.is_late and _is_open(alert),
            is_drill=alert.is_drill,
            is_late=answer.is_late,
            is_over=not alert.is_open,
            done=is_taken,
        )
        response.headers["Referrer-Policy"] = "same-origin"
        return response


def _is_open(alert: Alert) -> bool:
    """There is something to answer: a drill also when others have answered before."""
    return alert.state is AlertState.RAISED or alert.is_drill


def _language(request: Request, own: str) -> str:
    """The person's own, unless the reader asked for another."""
    if request.query_params.get("lang") or request.cookies.get(COOKIE):
        return language_of(request)
    return own
