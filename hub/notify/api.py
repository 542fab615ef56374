"""``notifications``: what is on its way, how channels are, and when each was last proven."""

from __future__ import annotations

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response

from hub.api.answers import answer, documented
from hub.api.documents import rfc3339
from hub.domain.views import HubView
from hub.notify.queue import is_trouble
from hub.notify.rules import State
from hub.notify.service import Notify


class WayDocument(msgspec.Struct):
    """A channel to people, or a webhook.

    ``proven``: when somebody last answered what came over it. ``error``: why the last try failed,
    as a code; null while all is well.
    """

    id: str
    kind: str
    ok: bool
    waiting: int
    proven: str | None
    error: str | None


class NotificationsDocument(msgspec.Struct):
    """``overdue``: not arrived for two days, or given up. ``uncertain``: perhaps arrived.
    ``heartbeat``: when the outside watcher last took a sign of life; null without one."""

    as_of: str
    waiting: int
    overdue: int
    uncertain: int
    heartbeat: str | None
    drill: str | None
    ways: list[WayDocument]


def routes(notify: Notify, hub: HubView) -> APIRouter:
    router = APIRouter(prefix="/api/v1", tags=["alerts"])

    @router.get("/notifications", responses=documented(NotificationsDocument))
    async def read_notifications() -> Response:
        """The queue of messages to people and programs, and the health of each channel."""
        return answer(document(notify, hub.now_ms()))

    return router


def document(notify: Notify, now_ms: int) -> NotificationsDocument:
    rows = notify.book.sendings.values()
    beat, drill = notify.heartbeat, notify.book.drill
    return NotificationsDocument(
        as_of=rfc3339(now_ms),
        waiting=sum(row.is_open for row in rows),
        overdue=sum(is_trouble(row, now_ms) for row in rows),
        uncertain=sum(row.state is State.UNKNOWN for row in rows),
        heartbeat=_moment(beat.last_ms if beat else None),
        drill=_moment(drill.begun_ms if drill else None),
        ways=[_way(notify, channel) for channel in notify.ways],
    )


def _way(notify: Notify, channel: str) -> WayDocument:
    is_failing = notify.planner.is_failing(channel)
    proofs = [at for (_, over), at in notify.book.proofs.items() if over == channel]
    last = notify.last_error.get(channel)
    return WayDocument(
        id=channel,
        kind=notify.ways[channel].kind,
        ok=not is_failing,
        waiting=sum(row.is_open for row in notify.book.sendings.values() if row.channel == channel),
        proven=_moment(max(proofs, default=None)),
        error=last[1] if last is not None and is_failing else None,
    )


def _moment(at_ms: int | None) -> str | None:
    return None if at_ms is None else rfc3339(at_ms)
