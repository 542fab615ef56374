"""Every kind of fault: how much it matters, how long it must last, and how its repair is proven.

A rule says that something is wrong now. It counts only once that was true for ``raise_ms`` without
a break, and it is over only once the contrary was true for ``clear_ms``. Both are waited for where
faults are found (``detect/docket.py``), so nobody behind it waits again.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from device_drivers.channels import CHANNELS
from hub.domain.fault import FaultKind, Severity
from hub.domain.work import ProofKind

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

ANALOG = frozenset({"temperature", "humidity", "co2", "illuminance"})
"""What moves by itself, so that rest is news."""
RADIO = frozenset({"link.quality", "link.rssi"})
BATTERY = frozenset({"battery.level", "battery.voltage", "battery.low"})
FLAGS = frozenset(name for name, channel in CHANNELS.items() if channel.is_flag)
ANY = frozenset(CHANNELS)
NONE: frozenset[str] = frozenset()


class Kind(NamedTuple):
    """One row. ``channels``: of which it can be found; empty where it concerns the whole device,
    a link or the hub. ``reports``: how many good reports prove the repair."""

    severity: Severity
    raise_ms: int = 0
    clear_ms: int = 0
    channels: frozenset[str] = NONE
    proof: ProofKind = ProofKind.REPORTS
    reports: int = 3


KINDS: Mapping[FaultKind, Kind] = MappingProxyType(
    {
        # Its own rhythm is waited for, and a word of it is the end of its silence.
        FaultKind.SILENT: Kind(Severity.MEDIUM),
        FaultKind.NEVER_HEARD: Kind(Severity.MEDIUM),
        # A motor that starts, a plug that is moved: bursts end by themselves.
        FaultKind.GARBLED: Kind(Severity.MEDIUM, 2 * MINUTE, 10 * MINUTE, reports=10),
        FaultKind.BATTERY_LOW: Kind(Severity.LOW, 0, 10 * MINUTE, BATTERY),
        FaultKind.BATTERY_DEAD: Kind(Severity.HIGH, 0, 0, BATTERY),
        # Somebody stands in the way, a door of steel is shut: half an hour is neither.
        FaultKind.WEAK_LINK: Kind(Severity.LOW, 30 * MINUTE, 30 * MINUTE, RADIO, reports=10),
        FaultKind.STUCK: Kind(Severity.MEDIUM, 0, 0, ANALOG, reports=5),
        FaultKind.STUCK_ON: Kind(Severity.MEDIUM, 0, 0, FLAGS, ProofKind.SELF_TEST, 2),
        FaultKind.FLAPPING: Kind(Severity.MEDIUM, 0, 10 * MINUTE, FLAGS, ProofKind.SELF_TEST, 2),
        FaultKind.OUT_OF_RANGE: Kind(Severity.MEDIUM, 1 * MINUTE, 5 * MINUTE, ANY, reports=10),
        FaultKind.JUMP: Kind(Severity.LOW, 0, 0, ANALOG, reports=10),
        FaultKind.DOOR_CONTRADICTED: Kind(
            Severity.HIGH, 0, 0, frozenset({"contact"}), ProofKind.SELF_TEST, 2
        ),
        FaultKind.SENSORS_DISAGREE: Kind(
            Severity.MEDIUM, 0, 0, frozenset({"motion", "presence"}), ProofKind.SELF_TEST, 2
        ),
        FaultKind.COUNTER_IMBALANCE: Kind(
            Severity.LOW,
            0,
            0,
            frozenset({"people.count", "people.in", "people.out"}),
            ProofKind.SELF_TEST,
            2,
        ),
        FaultKind.CLOCK_WRONG: Kind(Severity.LOW, 0, 0),
        # "calibrating" is such a code, and ends within minutes by itself.
        FaultKind.DEVICE_ERROR: Kind(Severity.MEDIUM, 10 * MINUTE, 5 * MINUTE, ANY, reports=5),
        FaultKind.LINK_DOWN: Kind(Severity.HIGH, 30 * SECOND, 30 * SECOND),
        FaultKind.USB_DOWN: Kind(Severity.HIGH, 30 * SECOND, 30 * SECOND),
        # A bridge that is brought up to date is away for less than a minute.
        FaultKind.GATEWAY_DOWN: Kind(Severity.HIGH, 60 * SECOND, 10 * SECOND),
        FaultKind.BROKER_DOWN: Kind(Severity.URGENT, 20 * SECOND, 10 * SECOND),
        FaultKind.HUB_OVERLOADED: Kind(Severity.HIGH, 0, 5 * MINUTE, proof=ProofKind.PERSON),
        FaultKind.DRIFT: Kind(Severity.LOW, 0, 0, ANALOG, reports=20),
        FaultKind.NOISE: Kind(Severity.LOW, 2 * HOUR, 2 * HOUR, ANALOG, reports=20),
        FaultKind.DUPLICATE: Kind(Severity.MEDIUM, 0, 0, proof=ProofKind.PERSON),
        FaultKind.TAMPER: Kind(
            Severity.HIGH, 0, 1 * MINUTE, frozenset({"tamper"}), ProofKind.PERSON
        ),
    }
)
