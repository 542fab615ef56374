"""Work orders: made of alerts and reports, done by people, proven by sensors.

    AlertChanged, FaultChanged, Heard > rules, proof > Ledger > OrderChanged

``Heard`` costs one look into a table for every device that no proof is awaited of.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from edge.clock import Clock
from hub.agenda import Agenda
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.errors import RefusedDecisionError, UnknownOrderError
from hub.domain.events import AlertChanged, ClockChanged, FaultChanged, Heard, OrderChanged
from hub.domain.fault import Alert, FaultKind
from hub.domain.room import Text
from hub.domain.typed import one_line
from hub.domain.views import FaultsView
from hub.domain.work import OrderState, ProofKind, WorkOrder
from hub.ledger import Ledger, Store
from hub.maintenance import rows, rules
from hub.maintenance.proof import Plan, Want, Watch, begun, plan
from hub.maintenance.rows import Kept, Recalled
from hub.maintenance.rules import MAX_NAME, MAX_NOTE, MAX_TITLE, Opening

MOST_OPEN = 2_000
REMEMBERED = 500

Channels = Callable[[str], frozenset[str]]
"""What a device is known to say, with parts: {"contact.di1"}."""


class OrdersService:
    """Implements ``OrdersView``. ``wants``: by kind of fault, what proves its repair."""

    def __init__(
        self,
        clock: Clock,
        bus: Bus,
        store: Store,
        ledger: Ledger[Kept],
        faults: FaultsView,
        wants: Mapping[FaultKind, Want],
        channels: Channels,
        before: Recalled = rows.NOTHING,
    ) -> None:
        self._clock, self._bus, self._store, self._ledger = clock, bus, store, ledger
        self._faults, self._wants, self._channels = faults, wants, channels
        self._orders: dict[int, WorkOrder] = {}
        self._by_subject: defaultdict[str, set[int]] = defaultdict(set)
        self._past: OrderedDict[int, WorkOrder] = OrderedDict()
        self._watches: dict[int, Watch] = {}
        self._watched: dict[str, list[Watch]] = {}
        self._next = before.last_order + 1
        self._agenda = Agenda(self._look)
        for order in before.orders:
            self._take(order)
        for watch in self._watches.values():
            watch.begin_anew(clock.now_ms())
            self._agenda.plan(str(watch.order), watch.due_ms)
        for fault in faults.faults():  # what was found while an order of it was not kept yet
            self._on_fault(FaultChanged(fault))
        bus.subscribe(Heard, self._on_heard)
        bus.subscribe(FaultChanged, self._on_fault)
        bus.subscribe(AlertChanged, self._on_alert)
        bus.subscribe(ClockChanged, self._on_clock)

    # --- what there is ---------------------------------------------------------------------------

    def open(self) -> Sequence[WorkOrder]:
        """All that wait for a person or for a proof, the newest first."""
        found = [order for order in self._orders.values() if not rules.is_closed(order)]
        return sorted(found, key=lambda order: -order.id)

    def of_alert(self, alert: int) -> WorkOrder | None:
        found = (order for order in self._orders.values() if alert in order.alerts)
        return max(found, key=lambda order: order.id, default=None)

    def not_held(self) -> int:
        """How many repairs of the last 14 days, and of what is open, had to be done again."""
        return rules.not_held(self._orders.values())

    def is_standing(self, order: WorkOrder) -> bool:
        """What it is to mend is still found."""
        return any(rules.is_about(order, fault) for fault in self._faults.faults())

    def ready_ms(self, number: int) -> int | None:
        """Before then no proof of it is enough; None: time is not what is missing."""
        watch = self._watches.get(number)
        return None if watch is None else watch.ready_ms

    def steps(self, number: int) -> Sequence[str]:
        """Codes of the self-test that it waits for."""
        watch = self._watches.get(number)
        return () if watch is None else watch.steps

    async def find(self, number: int) -> WorkOrder:
        """Also one that is closed long since.

        Raises:
            UnknownOrderError, QueryTooSlowError, StoreBusyError
        """
        found = self._orders.get(number) or self._past.get(number)
        found = found or await self._store.ask(partial(rows.one_order, number=number))
        if found is None:
            raise UnknownOrderError(str(number))
        return found

    async def past(self, before: int, limit: int) -> list[WorkOrder]:
        """Closed ones, the newest first.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        kept = await self._store.ask(partial(rows.past_orders, before=before, limit=limit))
        known = {order.id: order for order in kept if order.id not in self._orders}
        oldest = min(known, default=0) if len(kept) == limit else 0
        ours = [*self._past.values(), *self._orders.values()]
        known |= {o.id: o for o in ours if rules.is_closed(o) and oldest <= o.id < before}
        return [known[number] for number in sorted(known, reverse=True)[:limit]]

    async def of_device(self, device: str) -> list[WorkOrder]:
        """All that was ever done to it, the newest first.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        kept = await self._store.ask(partial(rows.orders_of, device=device))
        known = {order.id: order for order in kept}
        known |= {o.id: o for o in self._orders.values() if o.device == device}
        return [known[number] for number in sorted(known, reverse=True)]

    # --- what people decide ----------------------------------------------------------------------

    def from_alert(self, alert: int, of: Opening, who: str) -> WorkOrder:
        """An order for an alert; where there is one already, that one.

        Raises:
            NotFoundError: there is no such alert.
            RefusedDecisionError: it is a drill, or too many are open.
        """
        told = self._faults.alert(alert)
        if told.is_drill:
            raise RefusedDecisionError(Text("order.drill"))
        known = self._order_about(told)
        if known is not None:
            self._set(rules.with_alert(known, alert))
            return self._orders[known.id]
        now_ms = self._clock.now_ms()
        return self._opened(rules.from_alert(self._next, told, _bounded(of), who, now_ms))

    def from_person(
        self, of: Opening, room: str | None, who: str, report: int | None = None
    ) -> WorkOrder:
        """Something that no sensor says.

        Raises:
            RefusedDecisionError: there are no words, or too many are open.
        """
        now_ms, number = self._clock.now_ms(), self._next
        return self._opened(rules.from_person(number, _bounded(of), room, report, who, now_ms))

    def done(self, number: int, note: str, who: str) -> WorkOrder:
        """It is mended, says a person; from now on the hub watches.

        Raises:
            UnknownOrderError, RefusedDecisionError
        """
        order, now_ms = self._standing(number), self._clock.now_ms()
        proof = begun(self._plan(order), now_ms)
        new = rules.done(order, proof, one_line(note)[:MAX_NOTE], who, now_ms)
        return self._decided("order.done", who, order, new)

    def confirm(self, number: int, who: str) -> WorkOrder:
        """Somebody looked; believed only where no sensor can tell.

        Raises:
            UnknownOrderError
            RefusedDecisionError: a sensor is asked, or what it says is broken still is.
        """
        order = self._standing(number)
        if order.proof is not None and order.proof.kind is not ProofKind.PERSON:
            raise RefusedDecisionError(Text("order.sensor_proves"))
        if self.is_standing(order):
            raise RefusedDecisionError(Text("order.stands"), 409)
        new = rules.verified(order, who, self._clock.now_ms())
        return self._decided("order.verify", who, order, new)

    def comment(self, number: int, note: str, who: str) -> WorkOrder:
        """Raises UnknownOrderError, RefusedDecisionError."""
        order = self._standing(number)
        words = one_line(note)[:MAX_NOTE]
        new = rules.commented(order, words, who, self._clock.now_ms())
        return self._decided("order.comment", who, order, new)

    def assign(self, number: int, assignee: str | None, due_ms: int | None, who: str) -> WorkOrder:
        """Raises UnknownOrderError, RefusedDecisionError."""
        order = self._standing(number)
        name = one_line(assignee or "")[:MAX_NAME] or None
        new = rules.assigned(order, name, due_ms, who, self._clock.now_ms())
        return self._decided("order.assign", who, order, new)

    def cancel(self, number: int, note: str, who: str) -> WorkOrder:
        """Raises UnknownOrderError, RefusedDecisionError."""
        order = self._standing(number)
        words = one_line(note)[:MAX_NOTE]
        new = rules.cancelled(order, words, who, self._clock.now_ms())
        return self._decided("order.cancel", who, order, new)

    async def kept(self) -> None:
        """Wait until what was decided is on disk; of reports and devices too.

        Raises:
            RefusedDecisionError: the disk does not take it yet.
        """
        await self._ledger.kept()

    def _standing(self, number: int) -> WorkOrder:
        found = self._orders.get(number)
        if found is not None:
            return found
        if 0 < number < self._next:
            raise RefusedDecisionError(Text("order.over"), 409)
        raise UnknownOrderError(str(number))

    def _opened(self, order: WorkOrder) -> WorkOrder:
        if len(self.open()) >= MOST_OPEN:
            raise RefusedDecisionError(Text("order.many"), 409)
        self._next = order.id + 1
        return self._decided("order.open", order.created_by, None, order)

    def _decided(
        self, action: str, who: str, before: WorkOrder | None, new: WorkOrder
    ) -> WorkOrder:
        if new != before:
            self._set(new)
            target = f"work order {new.id}"
            said = "" if before is None else _said(before)
            now_ms = self._clock.now_ms()
            self._bus.publish(Decided(now_ms, who, action, target, said, _said(new)))
        return new

    # --- what happens ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ledger.run(), name="maintenance ledger")
            group.create_task(self._agenda.run(self._clock), name="maintenance agenda")

    def run_due(self, now_ms: int) -> None:
        """Do what is due by now."""
        self._agenda.run_due(now_ms)

    def _look(self, key: str, now_ms: int) -> int | None:
        order = self._orders.get(int(key))
        if order is None:
            return None
        watch = self._watches.get(order.id)
        if watch is not None:
            watch.advance(now_ms)
            self._progressed(watch, now_ms)
            return watch.due_ms if order.id in self._watches else rules.holds_ms(order)
        if order.state is OrderState.VERIFIED:
            self._set(rules.lasted(order, now_ms))
            return rules.holds_ms(order) if order.id in self._orders else None
        return None

    def _on_heard(self, event: Heard) -> None:
        watches = self._watched.get(event.device)
        if watches is None:
            return
        for watch in tuple(watches):
            watch.hear(event)
            self._progressed(watch, event.at_ms)

    def _on_fault(self, event: FaultChanged) -> None:
        fault = event.fault
        for number in tuple(self._by_subject.get(fault.subject.id, ())):
            order = self._orders[number]
            if not rules.is_about(order, fault):
                continue
            now_ms = self._clock.now_ms()
            self._set(rules.found_again(order, fault, now_ms))
            watch = self._watches.get(number)
            if watch is not None:
                watch.stand(is_standing=self.is_standing(order), now_ms=now_ms)
                self._progressed(watch, now_ms)

    def _on_alert(self, event: AlertChanged) -> None:
        """What is found again has another alert than the first time."""
        if event.before is None:
            order = self._order_about(event.alert)
            if order is not None:
                self._set(rules.with_alert(order, event.alert.id))

    def _on_clock(self, event: ClockChanged) -> None:
        if not event.is_trusted or event.moved_from_ms is None:
            return
        for order in list(self._orders.values()):
            self._unwatch(order.id)
            self._set(rules.moved(order, event.moved_from_ms, event.shift_ms))

    def _progressed(self, watch: Watch, now_ms: int) -> None:
        order = self._orders[watch.order]
        if watch.is_proven(now_ms):
            self._set(rules.verified(replace(order, proof=watch.proof), rules.SYSTEM, now_ms))
            return
        self._set(replace(order, proof=watch.proof))
        self._agenda.plan(str(order.id), watch.due_ms)

    # --- one place where an order changes --------------------------------------------------------

    def _set(self, new: WorkOrder) -> None:
        before = self._orders.get(new.id)
        if new == before:
            return
        self._ledger.put(new.id, new, OrderChanged(new, before))
        self._take(new)

    def _take(self, order: WorkOrder) -> None:
        """Remember it, and watch what it waits for."""
        number = order.id
        if order.state is OrderState.CANCELLED or order.held:
            self._drop(order)
            return
        self._orders[number] = order
        if order.subject is not None:
            self._by_subject[order.subject.id].add(number)
        if order.state is not OrderState.DONE:
            self._unwatch(number)
        elif number not in self._watches:
            self._watch(order)
        if order.state is OrderState.VERIFIED:
            self._agenda.plan(str(number), rules.holds_ms(order))

    def _drop(self, order: WorkOrder) -> None:
        self._unwatch(order.id)
        self._orders.pop(order.id, None)
        if order.subject is not None:
            left = self._by_subject[order.subject.id]
            left.discard(order.id)
            if not left:
                del self._by_subject[order.subject.id]
        self._past[order.id] = order
        if len(self._past) > REMEMBERED:
            self._past.popitem(last=False)

    def _watch(self, order: WorkOrder) -> None:
        watch = Watch(order, self._plan(order), is_standing=self.is_standing(order))
        self._watches[order.id] = watch
        if order.device is not None and watch.listens:
            self._watched.setdefault(order.device, []).append(watch)
        self._agenda.plan(str(order.id), watch.due_ms)

    def _unwatch(self, number: int) -> None:
        watch = self._watches.pop(number, None)
        if watch is None:
            return
        for device, watches in list(self._watched.items()):
            if watch in watches:
                watches.remove(watch)
                if not watches:
                    del self._watched[device]

    def _plan(self, order: WorkOrder) -> Plan:
        want = None if order.kind is None else self._wants.get(order.kind)
        channels = self._channels(order.device) if order.device else frozenset[str]()
        return plan(order, want, channels)

    def _order_about(self, alert: Alert) -> WorkOrder | None:
        """The open one that it belongs to."""
        found = self._by_subject.get(alert.subject.id, ())
        about = (self._orders[n] for n in found if rules.is_about(self._orders[n], alert))
        waiting = (order for order in about if not rules.is_closed(order))
        return max(waiting, key=lambda order: order.id, default=None)


def _bounded(of: Opening) -> Opening:
    title = one_line(of.title)[:MAX_TITLE]
    return Opening(title, one_line(of.assignee or "")[:MAX_NAME] or None, rules.fits(of.due_ms))


def _said(order: WorkOrder) -> str:
    """For the audit record."""
    words: list[str] = [order.state.value]
    if order.assignee:
        words.append(f"assigned to {order.assignee}")
    if order.due_ms is not None:
        words.append("with a due time")
    return ", ".join(words)
