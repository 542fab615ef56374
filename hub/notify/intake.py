"""What the hub tells us becomes notices: each change of an alert or a work order, once.

Everything here may be told again. At a start all open alerts are gone through once more, so what
changed in the moment before a power cut is not forgotten, and what is known stays one notice.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from hub.configuration.notify import WebhookSettings
from hub.domain.centre import Centre
from hub.domain.errors import NotFoundError
from hub.domain.events import AlertChanged, OrderChanged
from hub.domain.fault import Alert, AlertState
from hub.domain.views import FaultsView
from hub.domain.work import OrderState, WorkOrder
from hub.notify import events
from hub.notify.book import Book
from hub.notify.queue import sooner
from hub.notify.roster import Roster
from hub.notify.rules import TOLD, Notice, NoticeKind, Sending, State, Wanted

EVERYTHING = ("alert", "order")


class Intake:
    """Belongs to the event loop; changes the book, and nothing else."""

    def __init__(
        self, book: Book, roster: Roster, centre: Centre, hooks: Sequence[WebhookSettings]
    ) -> None:
        self._book = book
        self._roster = roster
        self._centre = centre
        self._hooks = hooks

    def alert_changed(self, event: AlertChanged, now_ms: int) -> None:
        before = event.before
        # a shelved alert that came back looks as it did at first, and is an event all the same
        again = f":{before.shelved_until_ms}" if before and before.shelved_until_ms else ""
        self._tell_programs(event.alert, again, now_ms)
        self._tell_people(event.alert, now_ms)

    def order_changed(self, event: OrderChanged, now_ms: int) -> None:
        order, before = event.order, event.before
        body = events.written(events.of_order(order, self._centre))
        for hook in self._hooks:
            if "order" in (hook.events or EVERYTHING):
                self._hook(hook.id, f"order:{order.id}:{events.digest(body)}", body, now_ms)
        is_same = before is not None and before.assignee == order.assignee
        if order.state is OrderState.OPEN and not is_same and order.assignee is not None:
            self._give(order, order.assignee, now_ms)

    def look(self, faults: FaultsView, now_ms: int) -> None:
        """Go through what is open; to be called once at a start."""
        known = {alert.id: alert for alert in faults.alerts()}
        for alert in known.values():
            self._tell_programs(alert, "", now_ms)
            self._tell_people(alert, now_ms)
        for notice in list(self._book.notices.values()):
            alert_ = notice.alert
            if alert_ is not None and notice.kind is NoticeKind.RAISED and alert_.id not in known:
                self._tell_people(_ended(alert_, faults, now_ms), now_ms)

    def _tell_people(self, alert: Alert, now_ms: int) -> None:
        if not self._roster.people:
            return
        book = self._book
        if alert.is_open:
            book.add(f"alert:{alert.id}", NoticeKind.RAISED, now_ms, alert=alert)
        for notice in list(book.find(NoticeKind.RAISED, alert.id)):
            told = self._told(notice)
            before = notice.alert.severity.rank if notice.alert is not None else 0
            self._renew(notice, alert, now_ms)
            if alert.is_drill:
                continue
            if alert.is_open and alert.severity.rank > before and told:
                event = f"alert:{alert.id}:{alert.severity}"
                book.add(event, NoticeKind.GRAVER, now_ms, alert=alert, people=told)
            if not alert.is_open and alert.merged_into is None and told:
                event = f"alert:{alert.id}:over"
                book.add(event, NoticeKind.OVER, now_ms, alert=alert, people=told)
        for notice in list(book.find(NoticeKind.GRAVER, alert.id)):
            self._renew(notice, alert, now_ms)

    def _renew(self, notice: Notice, alert: Alert, now_ms: int) -> None:
        """The alert is different now; what waits for the morning may not have to."""
        notice = msgspec.structs.replace(notice, alert=alert)
        self._book.put(notice)
        for row in self._book.of(notice.id):
            earlier = sooner(row, notice, self._roster, now_ms)
            if earlier is not row:
                self._book.set(earlier)

    def _told(self, notice: Notice) -> tuple[str, ...]:
        """Whom a message of it has reached, or may have reached."""
        rows = [row for row in self._book.of(notice.id) if _may_have_arrived(row)]
        return tuple(dict.fromkeys(row.person for row in rows if row.person in self._roster.people))

    def _give(self, order: WorkOrder, assignee: str, now_ms: int) -> None:
        if assignee in self._roster.people:
            event = f"order:{order.id}:{assignee}:{order.due_ms}:{order.reopened}"
            self._book.add(event, NoticeKind.ORDER, now_ms, order=order, people=(assignee,))

    def _tell_programs(self, alert: Alert, again: str, now_ms: int) -> None:
        if not self._hooks:
            return
        body = events.written(events.of_alert(alert, self._centre))
        for hook in self._hooks:
            if "alert" in (hook.events or EVERYTHING):
                about = f"alert:{alert.id}:{events.key_of_alert(alert)}{again}"
                self._hook(hook.id, about, body, now_ms)

    def _hook(self, hook: str, about: str, body: str, now_ms: int) -> None:
        notice = self._book.add(f"hook:{hook}:{about}", NoticeKind.HOOK, now_ms, body=body)
        if notice is not None:
            self._book.want(notice, Wanted("", hook, 0, now_ms))


def _may_have_arrived(row: Sending) -> bool:
    return row.state in TOLD or row.state is State.SENDING or bool(row.parcel)


def _ended(alert: Alert, faults: FaultsView, now_ms: int) -> Alert:
    """An alert that is open no more, as it is remembered; or as one that is over now."""
    try:
        return faults.alert(alert.id)
    except NotFoundError:
        return msgspec.structs.replace(alert, state=AlertState.CLEARED, cleared_ms=now_ms)
