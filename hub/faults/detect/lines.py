"""What is lost between the devices and us: ports, several USB ports, bridges, the broker."""

from __future__ import annotations

from hub.domain.events import LinkChanged
from hub.domain.fault import FaultKind, Subject, SubjectKind
from hub.faults.detect.docket import Docket

BROKER = "mqtt"
USB_MARKS = ("/dev/serial/", "/dev/linli/port-", "ttyUSB", "ttyACM")
TOGETHER_MS = 10_000
SEVERAL = 2
USB = Subject(SubjectKind.LINK, "usb")


def is_usb(name: str) -> bool:
    """
    >>> is_usb("/dev/serial/by-id/usb-FTDI-0001"), is_usb("/dev/ttyAMA0"), is_usb("mqtt")
    (True, False, False)
    """
    return any(mark in name for mark in USB_MARKS)


class Lines:
    """Every link that was lost, and when."""

    def __init__(self, docket: Docket) -> None:
        self._docket = docket
        self._lost_ms: dict[str, int] = {}
        self._usb: set[str] = set()  # those that were lost together

    def change(self, event: LinkChanged, now_ms: int) -> None:
        name = event.name
        if event.up:
            self._lost_ms.pop(name, None)
        elif name not in self._lost_ms:
            self._lost_ms[name] = now_ms
        self._say(event, now_ms)
        if is_usb(name):
            self._say_usb(now_ms)

    def _say(self, event: LinkChanged, now_ms: int) -> None:
        name = event.name
        kind, evidence = FaultKind.LINK_DOWN, {"port": name}
        if event.is_parent:
            kind, evidence = FaultKind.GATEWAY_DOWN, {"gateway": name}
        elif name == BROKER:
            kind, evidence = FaultKind.BROKER_DOWN, {}
        since_ms = self._lost_ms.get(name, now_ms)
        subject = Subject(SubjectKind.LINK, name)
        self._docket.say(subject, kind, None if event.up else {**evidence}, since_ms, now_ms)

    def _say_usb(self, now_ms: int) -> None:
        lost = {name: at for name, at in self._lost_ms.items() if is_usb(name)}
        newest_ms = max(lost.values(), default=0)
        together = {name for name, at in lost.items() if newest_ms - at <= TOGETHER_MS}
        if len(together) >= SEVERAL:
            self._usb |= together
        self._usb &= lost.keys()
        evidence = {"ports": ", ".join(sorted(self._usb))} if len(self._usb) >= SEVERAL else None
        since_ms = min((lost[name] for name in self._usb), default=now_ms)
        self._docket.say(
            USB, FaultKind.USB_DOWN, {**evidence} if evidence else None, since_ms, now_ms
        )
