"""What people read: what, where, since when, what it means, what to look at first, and a link.

Rendered in the person's language when the message goes out, so it says how things are then. What
people typed (a work order's title, a report) stays in the house: a message passes through the
hands of others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from hub import telling
from hub.domain.centre import Centre, pick
from hub.domain.fault import Alert, AlertState
from hub.domain.room import Params, Text
from hub.domain.typed import one_line
from hub.domain.work import WorkOrder
from hub.notify.letter import Letter
from hub.notify.rules import Notice, NoticeKind, Sending
from hub.texts import render

MOST_WHOLE = 3  # of so many each is told whole; of more, each has a line


class Told(NamedTuple):
    """One row of a message with what it is about."""

    row: Sending
    notice: Notice


class Writer:
    """``link`` makes the address by which an alert is answered; empty where there is none."""

    def __init__(self, centre: Centre, public_url: str | None) -> None:
        self._centre = centre
        self._url = (public_url or "").rstrip("/")

    def letter(
        self,
        mark: str,
        told: Sequence[Told],
        language: str,
        now_ms: int,
        token: Callable[[Alert], str],
        *,
        most_bytes: int,
        is_brief: bool = False,
    ) -> Letter:
        """One message of one or more notices, the gravest first.

        ``most_bytes``: a body that would be longer says less of each, rather than leave one out.
        ``is_brief``: of several only the gravest and their number, with the way to the list.
        """
        page = _Page(self._centre, self._url, language, now_ms, token)
        told = sorted(told, key=lambda one: (-one.notice.severity.rank, one.notice.id))
        titles = [page.title(one) for one in told]
        title = titles[0]
        if len(told) > 1:
            title = page.say("notify.several", count=len(told), first=titles[0])
        if is_brief and len(told) > 1:
            return Letter(mark, title, f"{title}\n{self._url}/alerts" if self._url else title)
        named = page.say("notify.signed", name=pick(self._centre.name, language))
        whole = "\n\n".join([*map(page.whole, told), named])
        if len(told) <= MOST_WHOLE and len(whole.encode()) <= most_bytes:
            return Letter(mark, title, whole)
        return Letter(mark, title, "\n".join(map(page.short, told)))


class _Page(NamedTuple):
    centre: Centre
    url: str
    language: str
    now_ms: int
    token: Callable[[Alert], str]

    def say(self, code: str, **params: str | int) -> str:
        words: Params = dict(params)
        return render(Text(code, words), self.language, self.centre.timezone, self.now_ms)

    def title(self, told: Told) -> str:
        """One line: it is the subject of mails too, where a second line would be a header."""
        return one_line(self._title(told))

    def _title(self, told: Told) -> str:
        notice = told.notice
        if notice.order is not None:
            where = self._where(notice.order.room, notice.order.device)
            return self.say("notify.order", number=notice.order.id, where=where)
        if notice.alert is None:
            return notice.event
        what = telling.sentence(notice.alert, self.language)
        return self.say(_title_code(told), where=self._place(notice.alert), what=what)

    def whole(self, told: Told) -> str:
        """Every line there is to say."""
        lines = [self.title(told)]
        alert, order = told.notice.alert, told.notice.order
        if order is not None:
            lines += self._of_order(order)
        elif alert is not None:
            lines += self._of_alert(alert, told)
        return "\n".join(lines)

    def short(self, told: Told) -> str:
        """A line, and the link beneath it."""
        return "\n".join(["· " + self.title(told), *self._link(told)])

    def _of_alert(self, alert: Alert, told: Told) -> list[str]:
        since = self.say("notify.since", time=alert.raised_ms)
        if alert.cleared_ms is not None:
            return [since, self.say("notify.until", time=alert.cleared_ms)]
        lines = [since]
        if not alert.is_drill:
            effect = telling.effect(alert, alert.rooms_blinded, self.centre, self.language)
            check = telling.sentence(alert, self.language, ".check")
            lines += [
                self.say("notify.effect", words=effect),
                self.say("notify.check", words=check),
            ]
        if alert.state is AlertState.ACKNOWLEDGED and alert.acknowledged_by:
            lines.append(self.say("notify.taken", who=alert.acknowledged_by))
        return lines + self._link(told)

    def _of_order(self, order: WorkOrder) -> list[str]:
        lines = []
        if order.due_ms is not None:
            lines.append(self.say("notify.by", time=order.due_ms))
        if self.url:
            lines.append(f"{self.url}/work-orders/{order.id}")
        return lines

    def _link(self, told: Told) -> list[str]:
        alert = told.notice.alert
        if alert is None or not self.url or alert.state is AlertState.CLEARED:
            return []
        code = "notify.answer_drill" if alert.is_drill else "notify.answer"
        return [self.say(code, url=f"{self.url}/ack/{self.token(alert)}")]

    def _place(self, alert: Alert) -> str:
        return self._where(alert.room, None)

    def _where(self, room: str | None, device: str | None) -> str:
        """A room's name; the centre's where it concerns none."""
        names = telling.room_names(self.centre, self.language)
        if room is not None and room in names:
            return names[room]
        return device or pick(self.centre.name, self.language)


def _title_code(told: Told) -> str:
    alert = told.notice.alert
    if told.notice.kind is NoticeKind.OVER:
        return "notify.over"
    if alert is not None and alert.state is AlertState.CLEARED:
        return "notify.was"
    if told.row.round:
        return "notify.again"
    return "notify.graver" if told.notice.kind is NoticeKind.GRAVER else "notify.raised"
