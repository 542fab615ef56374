"""Reports of people without an account: taken at a door, answered by staff, counted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.centre import Centre
from hub.domain.errors import RefusedDecisionError, UnknownReportError, UnknownRoomError
from hub.domain.room import Text
from hub.domain.typed import one_line
from hub.domain.views import DevicesView, RoomsView
from hub.domain.work import WorkOrder
from hub.ledger import UNWRITABLE, Ledger, Store
from hub.maintenance import reports, rows
from hub.maintenance.reports import Report
from hub.maintenance.rows import Kept, Recalled
from hub.maintenance.rules import MAX_NOTE, Opening
from hub.maintenance.service import OrdersService


class ReportsService:
    def __init__(
        self,
        place: Centre,
        clock: Clock,
        bus: Bus,
        store: Store,
        ledger: Ledger[Kept],
        orders: OrdersService,
        before: Recalled = rows.NOTHING,
    ) -> None:
        self.centre = place
        self._clock, self._bus, self._store, self._ledger = clock, bus, store, ledger
        self._orders = orders
        self._open = {report.id: report for report in before.reports}
        self._next = before.last_report + 1
        self.answered = before.answered

    def open(self) -> Sequence[Report]:
        """Unanswered ones, the newest first."""
        return sorted(self._open.values(), key=lambda report: -report.id)

    async def past(self, before: int, limit: int) -> list[Report]:
        """Answered ones, the newest first.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        kept = await self._store.ask(partial(rows.past_reports, before=before, limit=limit))
        known = {report.id: report for report in kept}
        known |= {
            report.id: report
            for report in self._ledger.waiting(Report)
            if not report.is_open and report.id < before
        }
        return [known[number] for number in sorted(known, reverse=True)[:limit]]

    async def make(
        self, room: str, what: str, text: str, rooms: RoomsView, devices: DevicesView
    ) -> Report:
        """Kept before anybody is thanked.

        Raises:
            UnknownRoomError
            RefusedDecisionError: it cannot be taken like that, or not now.
        """
        self.known_room(room)
        reports.require_space(self._open.values(), room)
        seen = reports.snapshot(rooms.state(room), devices.in_room(room))
        report = reports.made(self._next, room, what, text, seen, self._clock.now_ms())
        self._next += 1
        self._open[report.id] = report
        try:
            await self._store.work("maintenance", partial(rows.keep, things=[report]))
        except UNWRITABLE as error:
            del self._open[report.id]
            raise RefusedDecisionError(Text("report.not_kept"), 503) from error
        return report

    async def kept(self) -> None:
        """Raises RefusedDecisionError: the disk does not take yet what was decided."""
        await self._ledger.kept()

    def answer(self, number: int, words: str, who: str) -> Report:
        """Raises UnknownReportError, RefusedDecisionError."""
        report = self._find(number)
        said = one_line(words)[:MAX_NOTE]
        now_ms = self._clock.now_ms()
        return self._set(reports.answered(report, said, who, now_ms), "report.answer", who)

    def order(self, number: int, of: Opening, who: str) -> WorkOrder:
        """Turn it into work; that answers it.

        Raises:
            UnknownReportError, RefusedDecisionError
        """
        report = self._find(number)
        title = of.title or report.text or report.what.value
        order = self._orders.from_person(of._replace(title=title), report.room, who, report.id)
        now_ms = self._clock.now_ms()
        self._set(reports.answered(report, "", who, now_ms, order.id), "report.order", who)
        return order

    def known_room(self, room: str | None) -> str | None:
        """Raises UnknownRoomError."""
        if room is not None and room not in {one.id for one in self.centre.rooms}:
            raise UnknownRoomError(room)
        return room

    def _find(self, number: int) -> Report:
        found = self._open.get(number)
        if found is not None:
            return found
        if 0 < number < self._next:
            raise RefusedDecisionError(Text("report.answered"), 409)
        raise UnknownReportError(str(number))

    def _set(self, report: Report, action: str, who: str) -> Report:
        del self._open[report.id]
        self.answered += 1
        self._ledger.put(report.id, report)
        after = "" if report.order is None else f"work order {report.order}"
        now_ms = self._clock.now_ms()
        self._bus.publish(Decided(now_ms, who, action, f"report {report.id}", "", after))
        return report
