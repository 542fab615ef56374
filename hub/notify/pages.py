"""``/roster``: who is on duty, when each way to him was last proven, and what is on its way."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import date
from itertools import islice
from typing import NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.errors import RefusedDecisionError
from hub.domain.room import Text
from hub.domain.views import HubView
from hub.notify.book import STORE_ERRORS
from hub.notify.drills import is_lost
from hub.notify.planned import Way
from hub.notify.queue import is_trouble
from hub.notify.roster import Person, StandIn
from hub.notify.rules import Notice, NoticeKind, Sending, State
from hub.notify.service import Notify
from hub.web.caller import caller
from hub.web.forms import form
from hub.web.page import Frame, language_of, translator

MOST_SHOWN = 30
ABOUT = {
    NoticeKind.RAISED: "ui.notice_raised",
    NoticeKind.GRAVER: "ui.notice_graver",
    NoticeKind.OVER: "ui.notice_over",
}


class WayLine(NamedTuple):
    """A channel of a person. ``state`` is a mark of ``marks.html``."""

    channel: str
    kind: str
    state: str
    proven: str
    trouble: str


class PersonLine(NamedTuple):
    id: str
    name: str
    turn: str
    ways: list[WayLine]


class QueueLine(NamedTuple):
    what: str
    to: str
    since: str
    state: str
    trouble: str
    is_trouble: bool


def pages(notify: Notify, hub: HubView) -> APIRouter:
    frame = Frame(notify.centre, hub)
    shown = _Shown(frame, notify)
    router = APIRouter(include_in_schema=False)

    @router.get("/roster")
    async def show_roster(request: Request) -> Response:
        return await shown.page(request)

    @router.post("/roster/drill")
    async def begin_drill(request: Request) -> Response:
        try:
            notify.begin_drill(caller(request).name)
        except RefusedDecisionError as error:
            return await shown.page(request, error)
        return RedirectResponse("/roster", 303)

    @router.post("/roster/stand-ins")
    async def add_stand_in(request: Request) -> Response:
        fields = await form(request)
        try:
            first = _day(fields.get("first", ""))
            last = _day(fields.get("last") or fields.get("first", ""))
            person, instead = fields.get("person", ""), fields.get("instead", "")
            who = caller(request).name
            await notify.stand_in(StandIn(0, person, instead, first, last, who))
        except RefusedDecisionError as error:
            return await shown.page(request, error)
        return RedirectResponse("/roster", 303)

    @router.post("/roster/stand-ins/{number}/remove")
    async def remove_stand_in(number: str, request: Request) -> Response:
        is_number = number.isascii() and number.isdigit() and len(number) < 16
        try:
            await notify.no_stand_in(int(number) if is_number else 0)
        except RefusedDecisionError as error:
            return await shown.page(request, error)
        return RedirectResponse("/roster", 303)

    return router


def _day(text: str) -> date:
    """
    Raises:
        RefusedDecisionError: it is no date.
    """
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise RefusedDecisionError(Text("notify.stand_in_days")) from None


class _Shown:
    """What the page shows, in words."""

    def __init__(self, frame: Frame, notify: Notify) -> None:
        self._frame = frame
        self._notify = notify

    async def page(self, request: Request, error: RefusedDecisionError | None = None) -> Response:
        language, notify = language_of(request), self._notify
        now_ms = self._frame.hub.now_ms()
        people = notify.roster.people.values()
        today = notify.roster.today(now_ms)
        response = self._frame.answer(
            request,
            "roster",
            here="alerts",
            error=self._frame.text(error.text, language) if error else "",
            people=self._people(language, now_ms),
            names={person.id: person.name for person in people},
            stand_ins=[item for item in notify.book.stand_ins if item.last >= today],
            today=today.isoformat(),
            queue=await self._queue(language, now_ms),
            drill=self._drill(language, now_ms),
            heartbeat=self._heartbeat(language),
            programs=[self._program(way, language) for way in notify.ways.values() if way.url],
        )
        response.status_code = error.status if error else 200
        return response

    def _people(self, language: str, now_ms: int) -> list[PersonLine]:
        """Who is on duty first, in the order in which they are told."""
        notify, t = self._notify, translator(language)
        if not notify.roster.people:
            return []
        chain = notify.roster.on_duty(now_ms, notify.book.stand_ins)
        rest = [person for person in notify.roster.people if person not in chain]
        found = []
        for at, name in enumerate((*chain, *rest)):
            person = notify.roster.people[name]
            turn = t("ui.turn", count=at + 1) if at < len(chain) else ""
            if at == 0:
                turn = t("ui.turn_first")
            ways = [self._way(name, channel, language) for channel in person.channels]
            found.append(PersonLine(person.id, person.name, turn, ways))
        return found

    def _way(self, person: str, channel: str, language: str) -> WayLine:
        """A channel that fails now is worse than one that was never tried."""
        notify, t = self._notify, translator(language)
        proven_ms = notify.book.proofs.get((person, channel))
        proven = t("ui.never_proven")
        if proven_ms is not None:
            proven = t("ui.last_proven", when=self._frame.when(proven_ms, language))
        state = "ok" if proven_ms is not None else "new"
        trouble = self._trouble(channel, language)
        if notify.planner.is_failing(channel):
            state = "faulty"
        kind = t(f"channel_kind.{notify.ways[channel].kind}")
        return WayLine(channel, kind, state, proven, trouble)

    def _program(self, way: Way, language: str) -> WayLine:
        state = "faulty" if self._notify.planner.is_failing(way.id) else "ok"
        return WayLine(way.id, "", state, "", self._trouble(way.id, language))

    def _trouble(self, channel: str, language: str) -> str:
        last = self._notify.last_error.get(channel)
        if last is None:
            return ""
        when, error = self._frame.when(last[0], language), last[1]
        return translator(language)("ui.last_failed", when=when, why=why(error, language))

    async def _queue(self, language: str, now_ms: int) -> list[QueueLine]:
        """What waits, and what was given up; trouble first, a program's events as one."""
        book = self._notify.book
        waiting = [row for row in book.sendings.values() if row.is_open]
        uncertain = [row for row in book.sendings.values() if row.state is State.UNKNOWN]
        try:
            failed = await book.failed()
        except STORE_ERRORS:
            failed = []  # the page's own notice tells of the disk
        rows = sorted((*failed, *waiting), key=lambda row: (not is_trouble(row, now_ms), row.id))
        alike: dict[Hashable, list[Sending]] = {}
        for row in (*rows, *uncertain):
            way = self._notify.ways.get(row.channel)
            is_program = way is not None and bool(way.url)
            alike.setdefault((row.channel, row.state) if is_program else row.id, []).append(row)
        return [self._line(one, language, now_ms) for one in islice(alike.values(), MOST_SHOWN)]

    def _line(self, rows: Sequence[Sending], language: str, now_ms: int) -> QueueLine:
        """Rows that read alike, the first of which speaks for all."""
        notify, t, row = self._notify, translator(language), rows[0]
        person = notify.roster.people.get(row.person)
        state = t(f"sending.{row.state}")
        if row.state is State.WAITING and row.due_ms > now_ms:
            state = t("ui.sent_at", when=self._frame.when(row.due_ms, language))
        return QueueLine(
            _about(notify.book.notices.get(row.notice), len(rows), language),
            _to(person, notify.ways.get(row.channel), row.channel, language),
            self._frame.when(row.from_ms, language),
            state,
            why(row.error, language) if row.error else "",
            is_trouble(row, now_ms),
        )

    def _drill(self, language: str, now_ms: int) -> str:
        """What became of the last one."""
        drill, t = self._notify.book.drill, translator(language)
        if drill is None:
            return t("ui.drill_never")
        when = self._frame.when(drill.begun_ms, language)
        if is_lost(drill, now_ms):
            return t("ui.drill_lost", when=when)
        return t("ui.drill_last", when=when, proven=len(drill.proven), wanted=drill.wanted)

    def _heartbeat(self, language: str) -> str:
        beat, t = self._notify.heartbeat, translator(language)
        if beat is None:
            return t("ui.beat_none")
        if beat.error:
            return t("ui.beat_fails", why=why(beat.error, language))
        if beat.last_ms is None:
            return t("ui.beat_soon")
        return t("ui.beat_well", when=self._frame.when(beat.last_ms, language))


def _to(person: Person | None, way: Way | None, channel: str, language: str) -> str:
    """Who, and over what; a program, and a channel that is gone, by its id."""
    if person is None or way is None:
        return channel
    kind = translator(language)(f"channel_kind.{way.kind}")
    return translator(language)("ui.pair", name=person.name, value=kind)


def why(error: str, language: str) -> str:
    """``status:429`` is a code with a figure."""
    code, _, figure = error.partition(":")
    return translator(language)(f"sending_error.{code}", figure=figure)


def _about(notice: Notice | None, count: int, language: str) -> str:
    """Which alert or order; what a program is told is known by its kind."""
    t = translator(language)
    if notice is None:
        return t("ui.notice_closed")
    if notice.kind is NoticeKind.HOOK:
        return t("ui.notice_hook", count=count)
    if notice.order is not None:
        return t("ui.notice_order", number=notice.order.id)
    number = notice.alert.id if notice.alert is not None else 0
    return t(ABOUT[notice.kind], number=number)
