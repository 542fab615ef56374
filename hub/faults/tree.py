"""One cause, many findings: which fault explains which. Pure; findings in, changed faults out.

    the hub  >  the broker, a USB bus  >  a gateway, a port  >  a device

A fault that is found after its cause began, or a moment before the cause was noticed, is explained
by it (``Fault.parent``). What a device says of itself (its battery, an error code) is explained by
no wire. When the cause is over, what is still broken stands for itself again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import msgspec

from hub.domain.fault import Fault, FaultKind, Finding, Subject, SubjectKind
from hub.faults.kinds import KINDS
from hub.faults.shift import moved, moved_fault

K = FaultKind
MINUTE_MS = 60_000
YOUNG_MS = 5 * MINUTE_MS
"""A broker needs up to a minute and a half to notice a dead gateway; its sensors may be found
silent before."""
REST_MS = 60 * MINUTE_MS  # who comes back within it is the same fault again
MAX_OPEN = 20_000
MAX_OF_ONE = 60  # a device that invents parts must not fill us

RANKS: Mapping[FaultKind, int] = {
    K.HUB_OVERLOADED: 3,
    K.BROKER_DOWN: 2,
    K.USB_DOWN: 2,
    K.GATEWAY_DOWN: 1,
    K.LINK_DOWN: 1,
}
"""What has devices behind it; all else is of one device, rank 0."""

NOT_HEARD = frozenset(
    {
        K.SILENT,
        K.NEVER_HEARD,
        K.BATTERY_DEAD,
        K.GARBLED,
        K.WEAK_LINK,
        K.STUCK,
        K.FLAPPING,
        K.SENSORS_DISAGREE,
        K.DOOR_CONTRADICTED,
    }
)
"""What a lost wire makes of the devices behind it."""

OF_ITSELF: Mapping[FaultKind, frozenset[FaultKind]] = {
    K.BATTERY_DEAD: frozenset({K.BATTERY_LOW, K.SILENT, K.WEAK_LINK}),
    K.SILENT: frozenset({K.WEAK_LINK, K.GARBLED, K.FLAPPING, K.STUCK}),
}
"""What one fault of a device explains of the same device."""


class Key(NamedTuple):
    subject: Subject
    kind: FaultKind


class Tree:
    """All open faults. ``rooms`` tells the room of a device that is in one."""

    def __init__(
        self,
        devices: Iterable[str],
        rooms: Mapping[str, str],
        next_id: int = 1,
        known: Iterable[Fault] = (),
    ) -> None:
        self._all = frozenset(devices)
        self._rooms = rooms
        self._wiring: dict[str, frozenset[str]] = {}
        self._open: dict[Key, Fault] = {}
        self._by_id: dict[int, Key] = {}
        self._of: dict[str, set[Key]] = {}  # by the subject's id
        self._wires: dict[Key, Fault] = {}  # open faults with devices behind them: few
        self._resting: dict[Key, Fault] = {}
        self._fresh_ms: dict[Key, int] = {}  # when it last began to stand for itself
        self.next_id = next_id
        self.refused = 0  # findings beyond what fits
        for fault in known:
            if fault.cleared_ms is None:
                self._put(fault)
            else:
                self._resting[key_of(fault)] = fault

    # --- what there is ---------------------------------------------------------------------------

    def faults(self) -> Iterator[Fault]:
        return iter(self._open.values())

    def fault(self, number: int) -> Fault | None:
        key = self._by_id.get(number)
        return None if key is None else self._open[key]

    def of_device(self, device: str) -> list[Fault]:
        """Its own, and those of the wires it hangs on."""
        own = [
            self._open[key]
            for key in sorted(self._of.get(device, ()))
            if key.subject.kind is SubjectKind.DEVICE
        ]
        return own + [wire for wire in self._wires.values() if device in self.covered(wire)]

    def covered(self, fault: Fault) -> frozenset[str]:
        """The devices that nothing is heard of while it lasts."""
        if fault.is_drill:
            return frozenset()
        if fault.kind is K.HUB_OVERLOADED:
            return self._all
        if fault.kind is K.USB_DOWN:
            ports = str(fault.evidence.get("ports", "")).split(",")
            known = self._wiring.get(fault.subject.id, frozenset())  # from before this start
            return known.union(*(self._wired(port.strip()) for port in ports))
        if fault.subject.kind is SubjectKind.LINK:
            return self._wiring.get(fault.subject.id, frozenset())
        return frozenset({fault.subject.id}) & self._all

    def _wired(self, port: str) -> frozenset[str]:
        """Of a port by its name, or by the last part of its path."""
        found = self._wiring.get(port)
        if found is None:
            named = (name for name in self._wiring if name.rpartition("/")[2] == port and port)
            found = self._wiring.get(next(named, ""), frozenset())
        return found

    # --- what happens ----------------------------------------------------------------------------

    def wire(self, link: str, devices: frozenset[str]) -> None:
        """Which devices hang on a link; told each time it comes or goes."""
        self._wiring[link] = devices

    def take(self, finding: Finding) -> list[Fault]:
        """What is different now, causes before what they explain."""
        key = Key(finding.subject, finding.kind)
        if not finding.is_on:
            return self._clear(key, finding.at_ms)
        known = self._open.get(key)
        if known is not None:
            return self._again(key, known, finding)
        if len(self._open) >= MAX_OPEN or len(self._of.get(key.subject.id, ())) >= MAX_OF_ONE:
            self.refused += 1
            return []
        new = self._begun(key, finding)
        self._fresh_ms[key] = finding.at_ms
        self._put(new)
        return [*self._judged([key], finding.at_ms, also=key), *self._swept(key, finding.at_ms)]

    def drill(self, kind: FaultKind, number: int, now_ms: int) -> Fault:
        """A fault that is none, to prove the way to people."""
        subject = Subject(SubjectKind.HUB, f"drill-{number}")
        fault = Fault(
            self._number(), subject, kind, KINDS[kind].severity, None, now_ms, now_ms, now_ms,
            {"number": number}, is_drill=True,
        )  # fmt: skip
        self._put(fault)
        return fault

    def end(self, number: int, now_ms: int) -> list[Fault]:
        """It is over, whatever a detector says."""
        key = self._by_id.get(number)
        return [] if key is None else self._clear(key, now_ms)

    def rest(self, now_ms: int) -> None:
        """Forget what was over long ago."""
        old = [k for k, f in self._resting.items() if (f.cleared_ms or 0) + REST_MS < now_ms]
        for key in old:
            del self._resting[key]

    def move(self, base_ms: int, shift_ms: int) -> list[Fault]:
        """The time is known now: what our clock said from ``base_ms`` on was wrong."""

        changed = []
        for key, fault in self._open.items():
            new = moved_fault(fault, base_ms, shift_ms)
            if new != fault:
                changed.append((key, new))
            if key in self._fresh_ms:
                self._fresh_ms[key] = moved(self._fresh_ms[key], base_ms, shift_ms)
        for _, new in changed:
            self._put(new)
        return [new for _, new in changed]

    # --- inside ----------------------------------------------------------------------------------

    def _number(self) -> int:
        number, self.next_id = self.next_id, self.next_id + 1
        return number

    def _begun(self, key: Key, finding: Finding) -> Fault:
        resting = self._resting.pop(key, None)
        is_same = resting is not None and finding.at_ms - (resting.cleared_ms or 0) <= REST_MS
        device = key.subject.id if key.subject.kind is SubjectKind.DEVICE else ""
        return Fault(
            id=resting.id if resting is not None and is_same else self._number(),
            subject=key.subject,
            kind=key.kind,
            severity=KINDS[key.kind].severity,  # what it means here and now, the alert says
            room=self._rooms.get(device),
            since_ms=min(finding.since_ms, finding.at_ms),
            found_ms=finding.at_ms,
            last_seen_ms=finding.at_ms,
            evidence=finding.evidence,
        )

    def _again(self, key: Key, known: Fault, finding: Finding) -> list[Fault]:
        new = msgspec.structs.replace(
            known, last_seen_ms=finding.at_ms, evidence=finding.evidence or known.evidence
        )
        self._put(new)
        if new.evidence == known.evidence:
            return []
        return [new, *self._swept(key, finding.at_ms)]

    def _clear(self, key: Key, now_ms: int) -> list[Fault]:
        known = self._open.pop(key, None)
        if known is None:
            return []
        del self._by_id[known.id]
        self._wires.pop(key, None)
        self._fresh_ms.pop(key, None)
        self._of[key.subject.id].discard(key)
        if not self._of[key.subject.id]:
            del self._of[key.subject.id]
        over = msgspec.structs.replace(known, cleared_ms=now_ms, last_seen_ms=now_ms, parent=None)
        if not known.is_drill:
            self._resting[key] = over
        children = [k for k in self._reach(key) if self._open[k].parent == known.id]
        return [over, *self._judged(children, now_ms)]

    def _put(self, fault: Fault) -> None:
        key = key_of(fault)
        self._open[key] = fault
        self._by_id[fault.id] = key
        self._of.setdefault(key.subject.id, set()).add(key)
        if fault.kind in RANKS and not fault.is_drill:
            self._wires[key] = fault

    def _swept(self, key: Key, now_ms: int) -> list[Fault]:
        """What a cause that was just found takes over."""
        return self._judged([k for k in self._reach(key) if k != key], now_ms)

    def _reach(self, key: Key) -> list[Key]:
        """Open faults that a fault of this kind may explain."""
        if key.kind in RANKS:
            return list(self._open)
        return sorted(self._of.get(key.subject.id, ())) if key.kind in OF_ITSELF else []

    def _judged(self, keys: Iterable[Key], now_ms: int, also: Key | None = None) -> list[Fault]:
        """Find each one's parent anew; those that have another one now, and ``also``."""
        changed = []
        for key in keys:
            fault = self._open[key]
            parent = self._parent_of(key, fault)
            if parent != fault.parent:
                if parent is None:
                    self._fresh_ms[key] = now_ms
                fault = msgspec.structs.replace(fault, parent=parent)
                self._put(fault)
                changed.append(fault)
            elif key == also:
                changed.append(fault)
        return changed

    def _parent_of(self, key: Key, fault: Fault) -> int | None:
        """The nearest cause that explains it."""
        of_one = self._of.get(key.subject.id, ())
        near = {other: self._open[other] for other in of_one if other.kind in OF_ITSELF}
        found = [
            cause
            for other, cause in (near | self._wires).items()
            if other != key and self._explains(cause, fault)
        ]
        nearest = min(found, key=lambda cause: (RANKS.get(cause.kind, 0), cause.id), default=None)
        return None if nearest is None else nearest.id

    def _explains(self, cause: Fault, fault: Fault) -> bool:
        if fault.is_drill or not self._is_behind(cause, fault):
            return False
        if cause.kind is K.BATTERY_DEAD and fault.kind is K.BATTERY_LOW:
            return True  # that is how it began
        fresh_ms = self._fresh_ms.get(key_of(fault), fault.found_ms)
        began_ms = min(cause.since_ms, cause.found_ms)
        return fault.parent is not None or fresh_ms >= began_ms - YOUNG_MS

    def _is_behind(self, cause: Fault, fault: Fault) -> bool:
        if cause.kind not in RANKS:
            own = OF_ITSELF.get(cause.kind, frozenset())
            return cause.subject.id == fault.subject.id and fault.kind in own
        rank = RANKS.get(fault.kind, 0)
        if RANKS[cause.kind] <= rank:
            return False
        behind = self.covered(fault)
        return (
            (rank > 0 or fault.kind in NOT_HEARD) and bool(behind) and behind <= self.covered(cause)
        )


def key_of(fault: Fault) -> Key:
    return Key(fault.subject, fault.kind)
