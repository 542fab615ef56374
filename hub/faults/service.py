"""Findings become faults, faults become alerts; kept, told, and shown.

what is heard > detection > Finding > tree > Fault > alerts > Alert > ledger > bus
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from functools import partial

from edge.clock import Clock
from hub.bus import Bus
from hub.domain.audit import Decided
from hub.domain.centre import Centre
from hub.domain.errors import (
    NotFoundError,
    RefusedDecisionError,
    UnknownAlertError,
    UnknownFaultError,
)
from hub.domain.events import (
    AcknowledgeWanted,
    AlertChanged,
    ClockChanged,
    DeviceReplaced,
    DrillWanted,
    FaultChanged,
    FrameDiscarded,
    Heard,
    LinkChanged,
    RoomChanged,
    ScheduleChanged,
)
from hub.domain.fault import Alert, AlertState, Fault, FaultKind, Finding, SubjectKind
from hub.domain.opening import Schedule
from hub.domain.room import Text
from hub.faults import rows
from hub.faults.alerts import DAY_MS, DRILL_MS, Alerts, gravest_first
from hub.faults.consequence import BLINDING, Consequence, Senses, Survey, Weight
from hub.faults.detector import Detect
from hub.faults.rows import Recalled
from hub.faults.tree import Tree
from hub.ledger import UNWRITABLE, Ledger, Store

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.1
LONGEST_WAIT_S = 1.0  # a demo's clock may change its pace while we wait
LEARNT_EVERY_S = 6 * 3600.0  # 87 KB for 300 devices: four times a day, not 24
LINKS_WITHIN_MS = 10 * 60_000  # a link that is configured says by then whether it is there
REMEMBERED = 2_000  # alerts that are over


async def recalled(store: Store, now_ms: int) -> Recalled:
    """What stood when the hub stopped.

    Raises:
        QueryTooSlowError, StoreBusyError
    """
    ask = partial(rows.recalled, since_ms=now_ms - DAY_MS, remembered=REMEMBERED)
    return await store.ask(ask)


class FaultsService:
    """Implements ``FaultsView``. ``senses``: what a device tells of people."""

    def __init__(
        self,
        place: Centre,
        clock: Clock,
        bus: Bus,
        store: Store,
        schedule: Schedule,
        senses: Senses,
        detect: Detect,
        before: Recalled = rows.NOTHING,
    ) -> None:
        self.centre = place
        self._clock, self._bus, self._store = clock, bus, store
        self._consequence = Consequence(place, schedule, senses)
        self._ledger: Ledger[Fault | Alert] = Ledger(store, bus, "faults", rows.keep)
        devices = [device.id for device in place.devices]
        rooms = {
            device: found[0] for device in devices if (found := self._consequence.rooms_of(device))
        }
        self._tree = Tree(devices, rooms, before.last_fault + 1, before.faults)
        self._alerts = Alerts(self._weigh, before.last_alert + 1)
        self._survey = Survey(frozenset(), frozenset(), None)
        self._past = OrderedDict((alert.id, alert) for alert in reversed(before.past))
        self._drills = {fault.id for fault in self._tree.faults() if fault.is_drill}
        self._wake = asyncio.Event()
        self._is_dirty = True
        now_ms = clock.now_ms()
        for alert in before.alerts:  # what hangs on a wire is told by the wire, a moment later
            if alert.subject.kind is SubjectKind.LINK:
                self._tree.wire(alert.subject.id, frozenset(alert.devices))
        self._alerts.recall(before.faults, before.alerts, now_ms)
        self._unheard = {f.subject.id for f in self._tree.faults() if _is_of_link(f)}
        self._links_known_ms = now_ms + LINKS_WITHIN_MS
        self._end(f for f in self._tree.faults() if f.device not in (None, *devices))
        self.detection = detect(self._find, before, now_ms)
        self._subscribe()

    def _subscribe(self) -> None:
        bus, detection = self._bus, self.detection
        bus.subscribe(Heard, detection.hear)
        bus.subscribe(FrameDiscarded, detection.discard)
        bus.subscribe(LinkChanged, self._on_link)
        bus.subscribe(RoomChanged, lambda event: detection.room(event.state))
        bus.subscribe(ClockChanged, self._on_clock)
        bus.subscribe(ScheduleChanged, lambda _: self._stir())
        bus.subscribe(AcknowledgeWanted, self._on_wish)
        bus.subscribe(DrillWanted, self._on_drill)
        bus.subscribe(DeviceReplaced, lambda event: detection.forget(event.device))

    # --- what there is ---------------------------------------------------------------------------

    def fault(self, number: int) -> Fault:
        found = self._tree.fault(number)
        if found is None:
            raise UnknownFaultError(str(number))
        return found

    def faults(self) -> Sequence[Fault]:
        return sorted(self._tree.faults(), key=lambda fault: (-fault.found_ms, -fault.id))

    def alert(self, number: int) -> Alert:
        found = self._alerts.alert(number) or self._past.get(number)
        if found is None:
            raise UnknownAlertError(str(number))
        return found

    def alerts(self) -> Sequence[Alert]:
        return gravest_first(self._alerts.alerts())

    def counts(self) -> Counter[AlertState]:
        return Counter(alert.state for alert in self._alerts.alerts())

    def untaken(self) -> int:
        """How many open alerts wait for somebody."""
        return self.counts()[AlertState.RAISED]

    def lagged(self, seconds: float) -> None:
        """The hub was busy with something else for so long."""
        self.detection.lag(seconds, self._clock.now_ms())

    def of_device(self, device: str) -> Sequence[Fault]:
        return self._tree.of_device(device)

    def alert_of(self, fault: Fault) -> Alert | None:
        """The open alert that tells of it, its own or that of what explains it."""
        seen: Fault | None = fault
        while seen is not None:
            found = self._alerts.of_fault(seen.id)
            if found is not None:
                return found
            seen = None if seen.parent is None else self._tree.fault(seen.parent)
        return None

    def in_room(self, room: str) -> Sequence[Alert]:
        return gravest_first(a for a in self._alerts.alerts() if room in self.rooms_of(a))

    def rooms_of(self, alert: Alert) -> frozenset[str]:
        """Those whose devices it is about."""
        if alert.is_drill:
            return frozenset()
        return frozenset(
            room for device in alert.devices for room in self._consequence.rooms_of(device)
        )

    async def find(self, number: int) -> Alert:
        """Also one that is over long since.

        Raises:
            UnknownAlertError, QueryTooSlowError, StoreBusyError
        """
        with contextlib.suppress(UnknownAlertError):
            return self.alert(number)
        kept = await self._store.ask(partial(rows.one_alert, number=number))
        if kept is None:
            raise UnknownAlertError(str(number))
        return kept

    async def find_fault(self, number: int) -> Fault:
        """Raises UnknownFaultError, QueryTooSlowError, StoreBusyError."""
        found = self._tree.fault(number)
        found = found or await self._store.ask(partial(rows.one_fault, number=number))
        if found is None:
            raise UnknownFaultError(str(number))
        return found

    async def past(self, before: int, limit: int) -> list[Alert]:
        """Alerts that are over, the newest first.

        Raises:
            QueryTooSlowError, StoreBusyError
        """
        kept = await self._store.ask(partial(rows.past_alerts, before=before, limit=limit))
        known = {alert.id: alert for alert in kept}
        oldest = min(known, default=0) if len(kept) == limit else 0
        # what the disk does not have yet
        known |= {n: alert for n, alert in self._past.items() if oldest <= n < before}
        return [known[number] for number in sorted(known, reverse=True)[:limit]]

    # --- what people decide ----------------------------------------------------------------------

    def acknowledge(self, number: int, who: str) -> Alert:
        """Somebody takes care of it.

        Raises:
            UnknownAlertError
            RefusedDecisionError: it is over.
        """
        before, now_ms = self._standing(number), self._clock.now_ms()
        new = self._alerts.acknowledge(number, who, now_ms)
        if new.is_drill:  # it has proven what it was for
            self._noted(self._tree.end(new.fault, now_ms), now_ms)
        return self._decided("alert.acknowledge", who, before, new)

    def shelve(self, number: int, until_ms: int, who: str) -> Alert:
        """Raises UnknownAlertError, RefusedDecisionError."""
        before = self._standing(number)
        new = self._alerts.shelve(number, until_ms, self._clock.now_ms())
        return self._decided("alert.shelve", who, before, new)

    def unshelve(self, number: int, who: str) -> Alert:
        """Raises UnknownAlertError, RefusedDecisionError."""
        before = self._standing(number)
        return self._decided("alert.unshelve", who, before, self._alerts.unshelve(number))

    def assign(self, number: int, assignee: str | None, who: str) -> Alert:
        """Raises UnknownAlertError, RefusedDecisionError."""
        before = self._standing(number)
        return self._decided("alert.assign", who, before, self._alerts.assign(number, assignee))

    async def kept(self) -> None:
        """Wait until what was decided is on disk.

        Raises:
            RefusedDecisionError: the disk does not take it yet.
        """
        await self._ledger.kept()

    def _standing(self, number: int) -> Alert:
        found = self._alerts.alert(number)
        if found is not None:
            return found
        if 0 < number < self._alerts.next_id:
            raise RefusedDecisionError(Text("alert.over"), 409)
        raise UnknownAlertError(str(number))

    def _decided(self, action: str, who: str, before: Alert, new: Alert) -> Alert:
        if new != before:
            self._tell_alerts(self._clock.now_ms())
            self._wake.set()
            decided = Decided(
                self._clock.now_ms(), who, action, f"alert {new.id}", _said(before), _said(new)
            )
            self._bus.publish(decided)
        return new

    # --- what happens ----------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ledger.run(), name="faults ledger")
            group.create_task(self._learn(), name="faults learnt")
            while True:
                now_ms = self._clock.now_ms()
                self.detection.advance(now_ms)
                self.look(now_ms)
                await self._rest(now_ms)

    def look(self, now_ms: int) -> None:
        """Do what is due by now."""
        for number in [n for n in self._drills if self._is_drilled(n, now_ms)]:
            self._noted(self._tree.end(number, now_ms), now_ms)
            self._drills.discard(number)
        if self._unheard and now_ms >= self._links_known_ms:
            self._end(fault for fault in self._tree.faults() if fault.subject.id in self._unheard)
            self._unheard.clear()
        until_ms = self._survey.until_ms
        if self._is_dirty or (until_ms is not None and until_ms <= now_ms):
            self._is_dirty = False
            self._survey = self._consequence.survey(self._lost(), now_ms)
            self._alerts.reweigh()
            self._tree.rest(now_ms)
        self._tell_alerts(now_ms)

    async def _rest(self, now_ms: int) -> None:
        self._wake.clear()
        dues = (self.detection.next_ms, self._alerts.next_ms, self._survey.until_ms)
        due_ms = min((due for due in dues if due is not None), default=None)
        wait_s = LONGEST_WAIT_S
        if due_ms is not None:
            wait_s = min(wait_s, self._clock.real_seconds(due_ms - now_ms))
        await asyncio.sleep(LOOK_EVERY_S)  # a storm is looked at as a whole
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(wait_s - LOOK_EVERY_S, 0)):
                await self._wake.wait()

    async def _learn(self) -> None:
        """Keep what detectors have learnt, now and then and at the end."""
        try:
            while True:
                await asyncio.sleep(LEARNT_EVERY_S)
                await self._keep_learnt()
        finally:
            await self._keep_learnt()

    async def _keep_learnt(self) -> None:
        frame, now_ms = self.detection.frame(), self._clock.now_ms()
        try:
            await self._store.work("faults", partial(rows.keep_learnt, frame=frame, now_ms=now_ms))
            if self._clock.is_trusted:
                await self._store.work("faults", partial(rows.forget, now_ms=now_ms))
        except UNWRITABLE as error:
            log.warning("What was learnt of devices waits for the disk: %s", error)

    def _find(self, finding: Finding) -> None:
        self._noted(self._tree.take(finding), finding.at_ms)

    def _noted(self, faults: Iterable[Fault], now_ms: int) -> None:
        for fault in faults:
            self._alerts.note(fault, now_ms)
            self._ledger.put(fault.id, fault, FaultChanged(fault))
        self._stir()

    def _end(self, faults: Iterable[Fault]) -> None:
        """They are of what was taken out of the configuration."""
        now_ms = self._clock.now_ms()
        for fault in list(faults):
            self._noted(self._tree.end(fault.id, now_ms), now_ms)

    def _stir(self) -> None:
        self._is_dirty = True
        self._wake.set()

    def _tell_alerts(self, now_ms: int) -> None:
        for alert, before in self._alerts.advance(now_ms):
            self._ledger.put(alert.id, alert, AlertChanged(alert, before))
            if not alert.is_open:
                self._past[alert.id] = alert
                if len(self._past) > REMEMBERED:
                    self._past.popitem(last=False)

    def _lost(self) -> frozenset[str]:
        """Devices that tell nothing now."""
        blind = (fault for fault in self._tree.faults() if fault.kind in BLINDING)
        return frozenset[str]().union(*map(self._tree.covered, blind))

    def _weigh(self, fault: Fault) -> Weight:
        return self._consequence.weigh(fault, self._tree.covered(fault), self._survey)

    def _is_drilled(self, number: int, now_ms: int) -> bool:
        fault = self._tree.fault(number)
        return fault is None or fault.found_ms + DRILL_MS <= now_ms

    def _on_link(self, event: LinkChanged) -> None:
        self._tree.wire(event.name, event.devices)
        self._unheard.discard(event.name)
        self.detection.link(event)
        self._stir()

    def _on_clock(self, event: ClockChanged) -> None:
        self.detection.clock_set(event)
        if event.is_trusted and event.moved_from_ms is not None:
            for fault in self._tree.move(event.moved_from_ms, event.shift_ms):
                self._ledger.put(fault.id, fault, FaultChanged(fault))
            self._alerts.move(event.moved_from_ms, event.shift_ms)
        elif event.is_trusted:
            self._alerts.begin_anew(self._clock.now_ms())
        self._stir()

    def _on_wish(self, event: AcknowledgeWanted) -> None:
        try:
            self.acknowledge(event.alert, event.who)
        except (NotFoundError, RefusedDecisionError):
            log.info("Alert %d was over before it was acknowledged", event.alert)

    def _on_drill(self, event: DrillWanted) -> None:
        fault = self._tree.drill(event.kind, event.number, event.at_ms)
        self._drills.add(fault.id)
        self._noted([fault], event.at_ms)


def _is_of_link(fault: Fault) -> bool:
    """Of one that says so itself when it is lost or back; what is lost together does not."""
    return fault.subject.kind is SubjectKind.LINK and fault.kind is not FaultKind.USB_DOWN


def _said(alert: Alert) -> str:
    """For the audit record."""
    return alert.state.value + (f", assigned to {alert.assignee}" if alert.assignee else "")
