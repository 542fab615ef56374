"""``faults`` and ``alerts``: what is broken, who must know of it, and who takes care of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import msgspec
from fastapi import APIRouter, Depends, Header, Path, Query, Request
from fastapi.responses import Response

from hub.api.alert_documents import (
    AlertDocument,
    FaultDocument,
    alert_document,
    fault_document,
)
from hub.api.answers import answer, documented
from hub.api.documents import Page
from hub.api.times import parse_time
from hub.api.wishes import described, read_wish
from hub.domain.fault import Alert, AlertState, Fault, FaultKind, Severity
from hub.domain.typed import one_line
from hub.faults import rows
from hub.faults.service import FaultsService
from hub.texts import negotiate
from hub.web.caller import caller

MAX_NAME = 60
MOST_ITEMS = 5_000
LAST = 2**53
Number = Annotated[int, Path(ge=1, le=LAST)]


class ShelfWish(msgspec.Struct, forbid_unknown_fields=True):
    """Out of sight until then; at most 30 days."""

    until: Annotated[str, msgspec.Meta(max_length=40)]


class AssignWish(msgspec.Struct, forbid_unknown_fields=True):
    """Who takes care of it: an account's name; null takes it back."""

    assignee: Annotated[str, msgspec.Meta(max_length=MAX_NAME)] | None


class Filter(NamedTuple):
    """What of alerts was asked for."""

    state: AlertState | None
    severity: Severity | None
    room: str | None
    device: str | None
    kind: FaultKind | None

    def takes(self, alert: Alert, rooms: frozenset[str]) -> bool:
        return (
            self.state in (None, alert.state)
            and self.severity in (None, alert.severity)
            and (self.room is None or self.room in rooms)
            and (self.device is None or self.device in alert.devices)
            and self.kind in (None, alert.kind)
        )


def asked(
    state: Annotated[AlertState | None, Query(description="cleared: those that are over")] = None,
    severity: Annotated[Severity | None, Query(description="only this one")] = None,
    room: Annotated[str | None, Query(description="a room's id")] = None,
    device: Annotated[str | None, Query(description="a device's id")] = None,
    kind: Annotated[FaultKind | None, Query(description="only this kind")] = None,
) -> Filter:
    return Filter(state, severity, room, device, kind)


def spoken(
    lang: Annotated[str | None, Query(description="zh-CN, zh-TW or en")] = None,
    accepted: Annotated[
        str | None, Header(alias="Accept-Language", include_in_schema=False)
    ] = None,
) -> str:
    return negotiate(lang, None, accepted)


Asked = Annotated[Filter, Depends(asked)]
Language = Annotated[str, Depends(spoken)]


def routes(faults: FaultsService) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["alerts"])
    centre = faults.centre

    @router.get(
        "/faults",
        responses=documented(Page[FaultDocument], on_422="A filter that cannot be used"),
    )
    async def list_faults(
        language: Language,
        device: Annotated[str | None, Query(description="a device's id")] = None,
        kind: Annotated[FaultKind | None, Query(description="only this kind")] = None,
    ) -> Response:
        """All that is broken now, the newest first; of a device also what it hangs on."""
        found: Sequence[Fault] = faults.of_device(device) if device else faults.faults()
        wanted = [fault for fault in found if kind in (None, fault.kind)]
        return answer(Page([fault_document(fault, language) for fault in wanted[:MOST_ITEMS]]))

    @router.get(
        "/faults/{number}",
        responses=documented(
            FaultDocument,
            on_404="No such fault",
            on_422="A number that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def read_fault(number: Number, language: Language) -> Response:
        """One fault, also one that is over."""
        return answer(fault_document(await faults.find_fault(number), language))

    @router.get(
        "/alerts",
        responses=documented(
            Page[AlertDocument],
            on_422="A filter or a cursor that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def list_alerts(
        language: Language,
        wanted: Asked,
        limit: Annotated[int, Query(ge=1, le=rows.PAGE, description="past ones a page")] = 100,
        cursor: Annotated[str | None, Query(description="`next` of the page before")] = None,
    ) -> Response:
        """Open ones, gravest consequence first; with `state=cleared` past ones, newest first."""
        if wanted.state is AlertState.CLEARED:
            before = LAST if cursor is None else rows.read_cursor(cursor)
            past = await faults.past(before, limit)
            following = str(past[-1].id) if len(past) == limit else None
            found, more = past, following
        else:
            found, more = list(faults.alerts())[:MOST_ITEMS], None
        shown = [alert for alert in found if wanted.takes(alert, faults.rooms_of(alert))]
        return answer(Page([alert_document(alert, centre, language) for alert in shown], more))

    @router.get(
        "/alerts/{number}",
        responses=documented(
            AlertDocument,
            on_404="No such alert",
            on_422="A number that cannot be used",
            on_503="Too much was asked for at once",
        ),
    )
    async def read_alert(number: Number, language: Language) -> Response:
        """One alert, also one that is over."""
        return answer(alert_document(await faults.find(number), centre, language))

    _decisions(router, faults)
    return router


def _decisions(router: APIRouter, faults: FaultsService) -> None:
    """What people do about an alert. Each is recorded with its author."""

    async def kept(done: Alert, language: Language) -> Response:
        await faults.kept()
        return answer(alert_document(done, faults.centre, language))

    @router.post("/alerts/{number}/acknowledge", responses=_decided())
    async def acknowledge(number: Number, request: Request, language: Language) -> Response:
        """You take care of it; nobody is reminded any more. Twice is as good as once."""
        done = faults.acknowledge(number, caller(request).name)
        return await kept(done, language)

    @router.post(
        "/alerts/{number}/shelve",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(ShelfWish, {"until": "2026-11-27T18:00:00+08:00"}),
    )
    async def shelve(number: Number, request: Request, language: Language) -> Response:
        """Put it off until a time, at most 30 days; it comes back by itself."""
        wish = await read_wish(request, ShelfWish)
        until_ms = parse_time("until", wish.until, 0)
        done = faults.shelve(number, until_ms, caller(request).name)
        return await kept(done, language)

    @router.post("/alerts/{number}/unshelve", responses=_decided())
    async def unshelve(number: Number, request: Request, language: Language) -> Response:
        """Bring it back now."""
        done = faults.unshelve(number, caller(request).name)
        return await kept(done, language)

    @router.post(
        "/alerts/{number}/assign",
        responses=_decided(on_413="The body is too large"),
        openapi_extra=described(AssignWish, {"assignee": "wang"}),
    )
    async def assign(number: Number, request: Request, language: Language) -> Response:
        """Say who takes care of it."""
        wish = await read_wish(request, AssignWish)
        who = one_line(wish.assignee or "") or None
        done = faults.assign(number, who, caller(request).name)
        return await kept(done, language)


def _decided(**more: str) -> dict[int | str, dict[str, object]]:
    return documented(
        AlertDocument,
        on_404="No such alert",
        on_409="It is over already",
        on_422="It cannot be decided like that",
        on_503="The disk did not take it yet",
        **more,
    )
