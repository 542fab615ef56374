"""Alerts for pages of devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hub.domain.errors import NotFoundError
from hub.domain.fault import (
    Alert,
    AlertState,
    Fault,
    FaultKind,
    Severity,
    Subject,
    SubjectKind,
)


def gateway_down(number: int, devices: Sequence[str]) -> Alert:
    """A gateway that took these devices with it."""
    subject = Subject(SubjectKind.LINK, "zigbee2mqtt/bridge/state")
    kind, state = FaultKind.GATEWAY_DOWN, AlertState.RAISED
    found = (kind, subject, state, Severity.HIGH, None, (), tuple(devices))
    return Alert(number, number, *found, raised_ms=0)


class SampleFaults:
    """Implements ``FaultsView`` with the alerts that a test gives it."""

    def __init__(self, *alerts: Alert) -> None:
        self._alerts = {alert.id: alert for alert in alerts}

    def fault(self, number: int) -> Fault:
        raise NotFoundError(str(number))

    def faults(self) -> Sequence[Fault]:
        return ()

    def alert(self, number: int) -> Alert:
        try:
            return self._alerts[number]
        except KeyError:
            raise NotFoundError(str(number)) from None

    def alerts(self) -> Sequence[Alert]:
        return tuple(self._alerts.values())

    def counts(self) -> Mapping[AlertState, int]:
        return {AlertState.RAISED: len(self._alerts)}

    def of_device(self, device: str) -> Sequence[Fault]:
        return ()

    def in_room(self, room: str) -> Sequence[Alert]:
        return ()
