"""When a fault asks for attention, and what people did about it. Pure: ISA-18.2's states.

    raised > acknowledged > cleared       shelved: out of sight until a time, then back

Holds of single findings are over when they come here (``kinds.py``). What is waited for here is
company: a sensor behind a dead gateway is silent before the gateway's death is known, so what a
lost wire could explain is told a little later. A fault that comes and goes is one alert: from its
second coming within an hour on it stays until it is quiet for a while, and for long once it is
unstable.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from msgspec.structs import replace

from hub.domain.errors import RefusedDecisionError
from hub.domain.fault import Alert, AlertState, Fault, Severity
from hub.domain.room import Text
from hub.faults.consequence import Weight
from hub.faults.shift import moved, moved_alert, moved_fault
from hub.faults.tree import MINUTE_MS, NOT_HEARD, RANKS

HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
GATHER_MS = 3 * MINUTE_MS  # longer than a broker and a gateway's own hold take together
GATHER_WIRE_MS = 45_000  # several ports of one USB bus, or a gateway and its broker
RELEASE_MS = 3 * MINUTE_MS  # for a sensor to speak again once its wire is back
LONGEST_RELEASE_MS = DAY_MS
FLAPS, FLAPS_WITHIN_MS = 4, HOUR_MS
QUIET_MS = HOUR_MS  # before an unstable one is over
SETTLE_MS = 15 * MINUTE_MS  # what came back once within the hour may come back again
DRILL_MS = 30 * MINUTE_MS
LONGEST_SHELF_MS = 30 * DAY_MS
NEVER_MS = 2**62

Weigh = Callable[[Fault], Weight]


class AlertChange(NamedTuple):
    alert: Alert
    before: Alert | None


class _Case:
    """One fault, with the alert it has, and when something is due."""

    __slots__ = ("alert", "began_ms", "fault", "flaps")

    def __init__(self, fault: Fault, now_ms: int) -> None:
        self.fault = fault
        self.alert: Alert | None = None
        self.began_ms = now_ms  # it stands for itself since
        self.flaps: deque[int] = deque(maxlen=99)

    @property
    def is_on(self) -> bool:
        return self.fault.cleared_ms is None

    @property
    def is_unstable(self) -> bool:
        return len(self.flaps) >= FLAPS

    @property
    def quiet_ms(self) -> int:
        """How long it must be quiet before its alert is over."""
        if self.is_unstable:
            return QUIET_MS
        return SETTLE_MS if len(self.flaps) > 1 else 0


class Alerts:
    """``weigh`` says what a fault means for people now."""

    def __init__(self, weigh: Weigh, next_id: int = 1) -> None:
        self._weigh = weigh
        self._cases: dict[int, _Case] = {}  # by fault
        self._faults: dict[int, int] = {}  # alert to fault, for open ones
        self._hastened: set[int] = set()  # causes whose children were told of already
        self._heap: list[tuple[int, int]] = []
        self._out: list[AlertChange] = []
        self.next_id = next_id

    # --- what there is ---------------------------------------------------------------------------

    def alerts(self) -> Iterator[Alert]:
        """All that are open."""
        for fault in self._faults.values():
            alert = self._cases[fault].alert
            if alert is not None:
                yield alert

    def alert(self, number: int) -> Alert | None:
        fault = self._faults.get(number)
        return None if fault is None else self._cases[fault].alert

    def of_fault(self, fault: int) -> Alert | None:
        case = self._cases.get(fault)
        return None if case is None else case.alert

    def recall(self, faults: Iterable[Fault], alerts: Iterable[Alert], now_ms: int) -> None:
        """What stood when the hub stopped. An alert without its fault is over."""
        for fault in faults:
            self._cases[fault.id] = _Case(fault, fault.found_ms)
        for alert in alerts:
            case = self._cases.get(alert.fault)
            if case is None:
                case = self._cases[alert.fault] = _Case(_ghost(alert, now_ms), now_ms)
            case.alert = alert
            case.flaps.extend([now_ms] * alert.unstable)
            self._faults[alert.id] = alert.fault
        for number, case in self._cases.items():
            self._plan(number, case)

    # --- what happens ----------------------------------------------------------------------------

    def note(self, fault: Fault, now_ms: int) -> None:
        """A fault is new, is different, or is over."""
        case = self._cases.get(fault.id)
        if case is None:
            case = self._cases[fault.id] = _Case(fault, now_ms)
            case.flaps.append(now_ms)
        else:
            if not case.is_on and fault.cleared_ms is None:
                case.flaps.append(now_ms)
                case.began_ms = now_ms
            if case.fault.parent is not None and fault.parent is None:
                case.began_ms = now_ms
            case.fault = fault
        self._forget_flaps(case, now_ms)
        self._plan(fault.id, case)
        if case.alert is not None:  # then what explains it has lasted for long enough
            for cause in self._causes(case):
                self._hastened.add(cause.fault.id)
                self._plan(cause.fault.id, cause)

    def advance(self, now_ms: int) -> list[AlertChange]:
        """Do what is due; what is different since the last call, causes first."""
        due: dict[int, _Case] = {}
        while self._heap and self._heap[0][0] <= now_ms:
            number = heapq.heappop(self._heap)[1]
            case = self._cases.get(number)
            if case is not None and self._due_ms(case) <= now_ms:
                due[number] = case
        for number in sorted(due, key=lambda n: due[n].fault.parent is not None):
            self._settle(number, due[number], now_ms)
        out, self._out = self._out, []
        return out

    @property
    def next_ms(self) -> int | None:
        return self._heap[0][0] if self._heap else None

    def reweigh(self) -> None:
        """The house is different: what each open alert means is found anew."""
        for case in self._cases.values():
            if case.alert is not None and case.alert.is_open and case.is_on:
                self._change(case, self._weighed(case, case.alert))

    def move(self, base_ms: int, shift_ms: int) -> None:
        """The time is known now; what our clock said from ``base_ms`` on moves."""

        def shifted(at_ms: int) -> int:
            return moved(at_ms, base_ms, shift_ms)

        self._heap.clear()
        for number, case in self._cases.items():
            case.fault = moved_fault(case.fault, base_ms, shift_ms)
            case.began_ms = shifted(case.began_ms)
            case.flaps = deque(map(shifted, case.flaps), case.flaps.maxlen)
            if case.alert is not None:
                self._change(case, moved_alert(case.alert, base_ms, shift_ms))
            self._plan(number, case)

    def begin_anew(self, now_ms: int) -> None:
        """The clock was set back, perhaps by hours: nothing waits for a moment that was already."""
        for number, case in self._cases.items():
            fault = case.fault
            over_ms = None if fault.cleared_ms is None else min(fault.cleared_ms, now_ms)
            found_ms = min(fault.found_ms, now_ms)
            case.fault = replace(fault, found_ms=found_ms, cleared_ms=over_ms)
            case.began_ms = min(case.began_ms, now_ms)
            case.flaps = deque((min(at, now_ms) for at in case.flaps), case.flaps.maxlen)
            self._plan(number, case)

    # --- what people do --------------------------------------------------------------------------

    def acknowledge(self, number: int, who: str, now_ms: int) -> Alert:
        """Somebody takes care of it. Twice is as good as once.

        Raises:
            KeyError: no open alert has that number.
        """
        case = self._case(number)
        before = _open(case)
        if before.state is AlertState.ACKNOWLEDGED:
            return before
        new = replace(
            before,
            state=AlertState.ACKNOWLEDGED,
            acknowledged_ms=now_ms,
            acknowledged_by=who,
            shelved_until_ms=None,
        )
        return self._decided(case, new)

    def shelve(self, number: int, until_ms: int, now_ms: int) -> Alert:
        """Out of sight until then; it goes on being watched.

        Raises:
            KeyError
            RefusedDecisionError: in the past, or too long.
        """
        case = self._case(number)
        if not now_ms < until_ms <= now_ms + LONGEST_SHELF_MS:
            raise RefusedDecisionError(Text("alert.bad_shelf"))
        new = replace(_open(case), state=AlertState.SHELVED, shelved_until_ms=until_ms)
        return self._decided(case, new)

    def unshelve(self, number: int) -> Alert:
        """Raises KeyError."""
        case = self._case(number)
        return self._decided(case, _unshelved(_open(case)))

    def assign(self, number: int, who: str | None) -> Alert:
        """Raises KeyError."""
        case = self._case(number)
        return self._decided(case, replace(_open(case), assignee=who))

    # --- inside ----------------------------------------------------------------------------------

    def _case(self, number: int) -> _Case:
        return self._cases[self._faults[number]]

    def _decided(self, case: _Case, new: Alert) -> Alert:
        self._change(case, new)
        self._plan(case.fault.id, case)
        return new

    def _plan(self, number: int, case: _Case) -> None:
        due = self._due_ms(case)
        if due < NEVER_MS:
            heapq.heappush(self._heap, (due, number))

    def _due_ms(self, case: _Case) -> int:
        """When something is to be done about it; never, where all is as it should be."""
        alert, fault = case.alert, case.fault
        if alert is None:
            return self._raised_ms(case) if case.is_on and fault.parent is None else (
                NEVER_MS if case.is_on else (fault.cleared_ms or 0) + FLAPS_WITHIN_MS
            )  # fmt: skip
        if not case.is_on:
            return (fault.cleared_ms or 0) + case.quiet_ms
        if fault.parent is not None:
            return 0
        if alert.shelved_until_ms is not None:
            return alert.shelved_until_ms
        return NEVER_MS

    def _raised_ms(self, case: _Case) -> int:
        fault = case.fault
        if fault.is_drill or case.is_unstable or fault.id in self._hastened:
            return 0
        if fault.kind in RANKS:
            return case.began_ms + (GATHER_WIRE_MS if RANKS[fault.kind] == 1 else 0)
        if fault.kind not in NOT_HEARD:
            return case.began_ms
        if case.began_ms == fault.found_ms:
            return case.began_ms + GATHER_MS
        usual = fault.evidence.get("usual_s", 0)
        own_ms = 0 if isinstance(usual, str) else int(usual * 2000)
        return case.began_ms + max(RELEASE_MS, min(own_ms, LONGEST_RELEASE_MS))

    def _settle(self, number: int, case: _Case, now_ms: int) -> None:
        alert = case.alert
        if alert is None:
            if case.is_on:
                self._raise(number, case, now_ms)
            else:
                self._hastened.discard(number)
                del self._cases[number]  # it is quiet for so long that it counts no more
        elif not case.is_on:
            self._close(case, alert, now_ms, None)
            self._plan(number, case)
        elif case.fault.parent is not None:
            self._close(case, alert, now_ms, self._root_alert(case))
        else:
            self._change(case, _unshelved(alert))

    def _raise(self, number: int, case: _Case, now_ms: int) -> None:
        fault = case.fault
        weight = self._weigh(fault)
        alert = Alert(
            id=self.next_id,
            fault=number,
            kind=fault.kind,
            subject=fault.subject,
            state=AlertState.RAISED,
            severity=weight.severity,
            room=fault.room,
            rooms_blinded=weight.rooms_blinded,
            devices=weight.devices,
            raised_ms=now_ms,
            evidence=fault.evidence,
            unstable=len(case.flaps) if case.is_unstable else 0,
            is_drill=fault.is_drill,
        )
        self.next_id += 1
        case.alert = alert
        self._faults[alert.id] = number
        self._out.append(AlertChange(alert, None))

    def _close(self, case: _Case, alert: Alert, now_ms: int, into: int | None) -> None:
        over = replace(
            alert,
            state=AlertState.CLEARED,
            cleared_ms=now_ms,
            shelved_until_ms=None,
            merged_into=into,
        )
        case.alert = None
        self._faults.pop(alert.id, None)
        self._hastened.discard(case.fault.id)
        self._out.append(AlertChange(over, alert))

    def _causes(self, case: _Case) -> Iterator[_Case]:
        """What explains it, and what explains that, up to the root."""
        above = self._cases.get(case.fault.parent or 0)
        while above is not None:  # causes have ranks, so there is no ring
            yield above
            above = self._cases.get(above.fault.parent or 0)

    def _root_alert(self, case: _Case) -> int | None:
        """The alert that goes on for it."""
        alerts = [cause.alert.id for cause in self._causes(case) if cause.alert is not None]
        return alerts[-1] if alerts else None

    def _weighed(self, case: _Case, alert: Alert) -> Alert:
        weight = self._weigh(case.fault)
        flaps = len(case.flaps) if case.is_unstable else alert.unstable
        return replace(
            alert,
            severity=weight.severity,
            rooms_blinded=weight.rooms_blinded,
            devices=weight.devices,
            evidence=case.fault.evidence,
            # told when it is new and each time it is twice as bad: not each time it comes and goes
            unstable=flaps if flaps >= 2 * alert.unstable else alert.unstable,
        )

    def _change(self, case: _Case, new: Alert) -> None:
        if case.alert is not None and new != case.alert:
            self._out.append(AlertChange(new, case.alert))
            case.alert = new

    def _forget_flaps(self, case: _Case, now_ms: int) -> None:
        while case.flaps and case.flaps[0] < now_ms - FLAPS_WITHIN_MS:
            if case.alert is not None and case.alert.unstable:
                return  # it is forgotten once it was quiet
            case.flaps.popleft()


def gravest_first(alerts: Iterable[Alert]) -> list[Alert]:
    """As people should read them: shelved ones last, then by consequence, the newest first."""
    return sorted(
        alerts,
        key=lambda a: (a.state is AlertState.SHELVED, -Severity(a.severity).rank, -a.raised_ms),
    )


def _open(case: _Case) -> Alert:
    if case.alert is None:
        raise KeyError(case.fault.id)
    return case.alert


def _unshelved(alert: Alert) -> Alert:
    is_taken = alert.acknowledged_ms is not None
    state = AlertState.ACKNOWLEDGED if is_taken else AlertState.RAISED
    return replace(alert, state=state, shelved_until_ms=None)


def _ghost(alert: Alert, now_ms: int) -> Fault:
    """What an alert stood for, where its fault is not known any more."""
    return Fault(
        alert.fault, alert.subject, alert.kind, alert.severity, alert.room, alert.raised_ms,
        alert.raised_ms, now_ms, alert.evidence, cleared_ms=now_ms, is_drill=alert.is_drill,
    )  # fmt: skip
