"""A tree and its alerts, without a hub around them, at a time that the test says."""

from __future__ import annotations

from collections.abc import Iterable

from hub.domain.fault import Alert, AlertState, Fault, FaultKind, Finding, Subject, SubjectKind
from hub.domain.room import Params
from hub.faults.alerts import AlertChange, Alerts
from hub.faults.consequence import Weight
from hub.faults.kinds import KINDS
from hub.faults.tree import Tree

MINUTE = 60_000
HOUR = 60 * MINUTE
BRIDGE = "zigbee2mqtt/bridge/state"
PORTS = ("/dev/serial/by-id/usb-A", "/dev/serial/by-id/usb-B")


def device(name: str, channel: str = "") -> Subject:
    return Subject(SubjectKind.DEVICE, name, channel)


def link(name: str) -> Subject:
    return Subject(SubjectKind.LINK, name)


class House:
    """``zigbee``: devices behind the bridge; ``ports``: one device a port."""

    def __init__(self, zigbee: Iterable[str] = ("a", "b"), ports: Iterable[str] = ("s", "u")):
        behind, serial = frozenset(zigbee), tuple(ports)
        self.tree = Tree([*behind, *serial], dict.fromkeys(behind, "gym"))
        self.tree.wire(BRIDGE, behind)
        self.tree.wire("mqtt", behind)
        for port, name in zip(PORTS, serial, strict=False):
            self.tree.wire(port, frozenset({name}))
        self.alerts = Alerts(self._weigh)
        self.now = 0
        self.changes: list[AlertChange] = []
        self.waited_ms: dict[int, int] = {}  # from what was found to its alert

    def _weigh(self, fault: Fault) -> Weight:
        covered = tuple(sorted(self.tree.covered(fault)))
        return Weight(KINDS[fault.kind].severity, (), covered)

    def find(
        self, subject: Subject, kind: FaultKind, *, on: bool = True, evidence: Params | None = None
    ) -> list[Fault]:
        finding = Finding(subject, kind, on, self.now, self.now, evidence or {})
        found = self.tree.take(finding)
        self.note(found)
        return found

    def note(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.alerts.note(fault, self.now)

    def wait(self, ms: int = 0) -> None:
        """Until then, each due moment at its own time."""
        end = self.now + ms
        while (due := self.alerts.next_ms) is not None and due <= end:
            self.now = max(self.now, due)
            self.look()
        self.now = end
        self.look()

    def look(self) -> None:
        self.alerts.reweigh()
        for change in self.alerts.advance(self.now):
            self.changes.append(change)
            fault = self.tree.fault(change.alert.fault)
            if change.before is None and fault is not None:
                self.waited_ms[change.alert.id] = self.now - fault.found_ms

    @property
    def open(self) -> list[Alert]:
        return list(self.alerts.alerts())

    @property
    def raised(self) -> list[AlertChange]:
        return [change for change in self.changes if change.before is None]

    @property
    def cleared(self) -> list[AlertChange]:
        return [change for change in self.changes if change.alert.state is AlertState.CLEARED]
