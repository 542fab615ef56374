"""Where readings enter the hub: the one ``Outlet`` of the edge.

    Report(Reading...) > live state > store, bus

Personal channels end here until ``hub/health`` exists: counted, dropped, and never acknowledged to
a serial device, so that nothing it remembers is erased (ARCHITECTURE decision 13).
"""

from __future__ import annotations

from collections import Counter

import msgspec

from device_drivers.channels import CHANNELS, is_event, is_personal
from device_drivers.contract import Discard
from edge.clock import Clock
from edge.reading import Report
from hub.bus import Bus
from hub.domain.events import FrameDiscarded, Heard, LinkChanged
from hub.live import LiveState
from hub.store.store import Store

PERSONAL = frozenset(channel for channel in CHANNELS if is_personal(channel))


class Intake:
    """Implements ``edge.reading.Outlet``; every method runs on the event loop and is quick."""

    def __init__(self, clock: Clock, live: LiveState, store: Store, bus: Bus) -> None:
        self._clock = clock
        self._live = live
        self._store = store
        self._bus = bus
        self.messages = 0
        self.personal_dropped = 0
        self.discards: Counter[tuple[str, str]] = Counter()
        self.links_up: set[str] = set()
        self.links_down: dict[str, str] = {}

    @property
    def refused(self) -> int:
        """Readings that the live state did not take."""
        return self._live.refused

    def report(self, report: Report) -> None:
        """Take all readings of one message."""
        self.messages += 1
        channels = {reading.channel for reading in report.readings}
        if not PERSONAL.isdisjoint(channels):
            report = self._without_personal(report)
        elif channels == {"online"}:
            # a convention speaks of the device; the device itself said nothing
            report = msgspec.structs.replace(report, is_live=False)
        changes = self._live.apply(report)
        if changes:
            urgent = any(is_event(change.key.channel) for change in changes)
            self._store.append(changes, report.receipt, urgent=urgent)
        elif report.receipt is not None:
            report.receipt.settle(0)
        self._bus.publish(
            Heard(
                report.device,
                report.readings,
                report.received_ms,
                report.is_live,
                bool(changes),
                report.said_ms,
            )
        )

    def _without_personal(self, report: Report) -> Report:
        """Drop what nobody may keep yet, and keep the way back closed to a serial device."""
        self.personal_dropped += 1
        rest = tuple(r for r in report.readings if not is_personal(r.channel))
        receipt = report.receipt
        if receipt is not None and receipt.delivery is None:
            receipt = None  # it would erase the result; a broker would only send it again
        return msgspec.structs.replace(report, readings=rest, receipt=receipt)

    def discard(self, device: str, discard: Discard) -> None:
        """Count bytes that could not be read; their content is not kept."""
        self.discards[device, discard.reason.value] += 1
        self._bus.publish(FrameDiscarded(device, self._clock.now_ms(), discard.reason.value))

    def parent(self, name: str, devices: frozenset[str], online: bool) -> None:
        self._link(name, devices, online, "parent_down", is_parent=True)

    def link(self, name: str, devices: frozenset[str], up: bool, why: str) -> None:
        self._link(name, devices, up, why, is_parent=False)

    def _link(
        self, name: str, devices: frozenset[str], up: bool, why: str, *, is_parent: bool
    ) -> None:
        if up:
            self.links_up.add(name)
            self.links_down.pop(name, None)
        else:
            self.links_up.discard(name)
            self.links_down[name] = why
        now = self._clock.now_ms()
        self._bus.publish(LinkChanged(name, devices, up, why, is_parent, now))

    def confirmed(self, commit: int) -> None:
        self._store.confirmed(commit)
