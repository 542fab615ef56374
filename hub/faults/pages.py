"""The inbox of alerts, gravest consequence first, and the page of one alert."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from hub.domain.device import DeviceState
from hub.domain.errors import NotFoundError, RefusedDecisionError
from hub.domain.fault import Alert, AlertState, FaultKind, SubjectKind
from hub.domain.typed import Offered, somebody
from hub.domain.views import DevicesView, HubView, RoomsView
from hub.faults import rows
from hub.faults.alerts import HOUR_MS, gravest_first
from hub.faults.night_service import NightService
from hub.faults.night_words import paragraph
from hub.faults.service import FaultsService
from hub.store.query import BadCursorError
from hub.store.windows import Source
from hub.telling import Part, duration, effect, sentence, subject_name
from hub.web.caller import caller
from hub.web.device import first_channel
from hub.web.forms import form
from hub.web.history_page import Past
from hub.web.page import Frame, language_of, translator

SHELVES_H = (1, 4, 24, 7 * 24, 30 * 24)
MAX_NAME = 60
PAST_PAGE = 50
ADVICE: Sequence[tuple[str, Part]] = (
    ("ui.alert_check", ".check"),
    ("ui.alert_cause", ".cause"),
    ("ui.alert_remedy", ".remedy"),
)
"""In the order in which somebody in front of it needs it."""
MOST_NAMED = 12
TELLING: Mapping[FaultKind, str] = {
    FaultKind.BATTERY_LOW: "battery.level",
    FaultKind.BATTERY_DEAD: "battery.level",
    FaultKind.WEAK_LINK: "link.quality",
}
"""The channel that shows a fault which names none."""


class Card(NamedTuple):
    """One alert in a list."""

    id: int
    severity: str
    state: str
    what: str
    where: str
    when: str
    effect: str
    taken: str
    is_drill: bool


class Behind(NamedTuple):
    """The devices that a wire took with it; of very many only some by name."""

    devices: int
    named: Sequence[str]


def pages(
    faults: FaultsService,
    nights: NightService,
    rooms: RoomsView,
    devices: DevicesView,
    hub: HubView,
    source: Source,
    offered: Offered,
) -> APIRouter:
    """``source``: the store, for what a device said lately."""
    frame = Frame(rooms.centre, hub)
    told = _Told(frame, faults)
    history = Past(frame, source)
    router = APIRouter(include_in_schema=False)

    @router.get("/alerts")
    async def show_alerts(request: Request) -> Response:
        language = language_of(request)
        if request.query_params.get("state") == AlertState.CLEARED:
            return await _show_past(frame, request, told, language)
        groups = told.groups(language)
        watched = len(devices.devices())
        shown: dict[str, Any] = {"groups": groups, "night": _night(nights, language)}
        return frame.answer(request, "alerts", here="alerts", watched=watched, **shown)

    @router.get("/alerts/{number}")
    async def show_alert(number: str, request: Request) -> Response:
        alert = await _found(faults, number)
        if alert is None:
            return frame.error(request, 404)
        language = language_of(request)
        context = told.whole(alert, language)
        device = next((d for d in devices.devices() if d.id == alert.device), None)
        context |= await _lately(history, alert, device, language)
        context["offered"] = sorted(offered())
        return frame.answer(request, "alert", here="alerts", **context)

    _decisions(router, faults, frame, hub, offered)
    return router


def _decisions(
    router: APIRouter, faults: FaultsService, frame: Frame, hub: HubView, offered: Offered
) -> None:
    """The forms of an alert's page; each leads back to it."""

    async def decided(
        number: str, request: Request, decide: Callable[[int, str], Alert]
    ) -> Response:
        try:
            decide(_number(number), caller(request).name)
            await faults.kept()
        except NotFoundError:
            return frame.error(request, 404)
        except RefusedDecisionError as error:
            return frame.error(request, error.status, error.text)
        return RedirectResponse(f"/alerts/{number}", 303)

    @router.post("/alerts/{number}/acknowledge")
    async def acknowledge(number: str, request: Request) -> Response:
        return await decided(number, request, faults.acknowledge)

    @router.post("/alerts/{number}/shelve")
    async def shelve(number: str, request: Request) -> Response:
        hours = (await form(request)).get("hours", "")
        wanted = next((h for h in SHELVES_H if str(h) == hours), 0)
        until_ms = hub.now_ms() + wanted * HOUR_MS
        return await decided(number, request, lambda one, who: faults.shelve(one, until_ms, who))

    @router.post("/alerts/{number}/unshelve")
    async def unshelve(number: str, request: Request) -> Response:
        return await decided(number, request, faults.unshelve)

    @router.post("/alerts/{number}/assign")
    async def assign(number: str, request: Request) -> Response:
        typed = (await form(request)).get("assignee", "")
        name = somebody(typed, offered())[:MAX_NAME] or None
        return await decided(number, request, lambda one, who: faults.assign(one, name, who))


class _Told:
    """Alerts in a reader's words."""

    def __init__(self, frame: Frame, faults: FaultsService) -> None:
        self._frame = frame
        self._faults = faults
        self._rooms = {room.id: room for room in frame.centre.rooms}

    def groups(self, language: str) -> list[tuple[str, list[Card]]]:
        """Those that wait for somebody, those that have somebody, those that are put off."""
        alerts = gravest_first(self._faults.alerts())
        states = (AlertState.RAISED, AlertState.ACKNOWLEDGED, AlertState.SHELVED)
        found = [
            (s.value, [self.card(a, language) for a in alerts if a.state is s]) for s in states
        ]
        return [(state, cards) for state, cards in found if cards]

    async def past(self, before: int, limit: int) -> list[Alert]:
        return await self._faults.past(before, limit)

    def card(self, alert: Alert, language: str) -> Card:
        return Card(
            id=alert.id,
            severity=alert.severity.value,
            state=alert.state.value,
            what=sentence(alert, language, now_ms=self._frame.hub.now_ms()),
            where=self._where(alert, language),
            when=self._when(alert, language),
            effect=effect(alert, alert.rooms_blinded, self._frame.centre, language),
            taken=self._taken(alert, language),
            is_drill=alert.is_drill,
        )

    def whole(self, alert: Alert, language: str) -> dict[str, Any]:
        """What ``alert.html`` shows besides the chart."""
        found, cleared_ms = sorted(self._faults.rooms_of(alert)), alert.cleared_ms
        return {
            "a": self.card(alert, language),
            "began": self._began(alert, language),
            "over": "" if cleared_ms is None else self._frame.when(cleared_ms, language),
            "device": alert.device,
            "wire": subject_name(alert) if alert.subject.kind is SubjectKind.LINK else "",
            "rooms": [
                (room, self._frame.place(self._rooms[room], language), self._rooms[room].name)
                for room in found
            ],
            "behind": None if alert.device else self._behind(alert),
            "parts": [(code, sentence(alert, language, part)) for code, part in ADVICE],
            "merged": alert.merged_into,
            "shelves": [(hours, duration(hours * 3600, language)) for hours in SHELVES_H],
            "assignee": alert.assignee or "",
            "most_name": MAX_NAME,
        }

    def _behind(self, alert: Alert) -> Behind:
        return Behind(len(alert.devices), alert.devices[:MOST_NAMED])

    def _where(self, alert: Alert, language: str) -> str:
        found = [self._rooms[room] for room in sorted(self._faults.rooms_of(alert))]
        names = [self._frame.room_at(room, language) for room in found]
        t = translator(language)
        if alert.subject.kind is SubjectKind.HUB:
            return "" if alert.is_drill else t("ui.alert_hub")
        if len(names) > 2 or not names:
            return t("ui.alert_behind", count=len(alert.devices))
        return t("ui.comma").join(names)

    def _when(self, alert: Alert, language: str) -> str:
        t, since = translator(language), self._began(alert, language)
        if alert.cleared_ms is None:
            return t("ui.alert_since", since=since)
        until = self._frame.when(alert.cleared_ms, language)
        return t("ui.alert_was", since=since, until=until)

    def _began(self, alert: Alert, language: str) -> str:
        """When it broke, and not when that was noticed."""
        with contextlib.suppress(NotFoundError):
            return self._frame.when(self._faults.fault(alert.fault).since_ms, language)
        return self._frame.when(alert.raised_ms, language)

    def _taken(self, alert: Alert, language: str) -> str:
        """Who has it, and until when it is put off."""
        t, when = translator(language), self._frame.when
        found = []
        if alert.acknowledged_ms is not None:
            since = when(alert.acknowledged_ms, language)
            code = "ui.alert_taken" if alert.cleared_ms is None else "ui.alert_was_taken"
            found.append(t(code, who=alert.acknowledged_by or "–", since=since))
        if alert.assignee:
            found.append(t("ui.alert_assigned", who=alert.assignee))
        if alert.shelved_until_ms is not None:
            until = when(alert.shelved_until_ms, language)
            found.append(t("ui.alert_shelved_until", until=until))
        return " · ".join(found)


def _night(nights: NightService, language: str) -> str:
    """What the last night showed; empty before there was one."""
    return "" if nights.last is None else paragraph(nights.last, nights.centre, language)


async def _show_past(frame: Frame, request: Request, told: _Told, language: str) -> Response:
    """Alerts that are over, the newest first."""
    asked = request.query_params.get("before")
    try:
        before = 2**53 if asked is None else rows.read_cursor(asked)
    except BadCursorError:
        return frame.error(request, 404)
    past = await told.past(before, PAST_PAGE)
    cards = [told.card(alert, language) for alert in past]
    older = past[-1].id if len(past) == PAST_PAGE else None
    return frame.document(request, "alerts_past", language, here="alerts", cards=cards, older=older)


async def _lately(
    history: Past, alert: Alert, device: DeviceState | None, language: str
) -> dict[str, Any]:
    """What the device said in the last day, of the channel that the alert is about."""
    if device is None:
        return {"chart": None, "title": ""}
    told = str(alert.evidence.get("channel", TELLING.get(alert.kind, "")))
    named = alert.subject.channel or told
    channel = named if named in device.channels else first_channel(device)
    if channel is None:
        return {"chart": None, "title": ""}
    return await history.context(device, channel, "day", language)


async def _found(faults: FaultsService, number: str) -> Alert | None:
    try:
        return await faults.find(_number(number))
    except NotFoundError:
        return None


def _number(text: str) -> int:
    """What is no number is none of ours."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0
