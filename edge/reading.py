"""A driver's samples with a device, a time and a way back: what the edge hands to the hub.

    Message(Sample...) > Report(Reading...) > hub

Times are milliseconds since 1970-01-01 UTC (``_ms``); they become RFC 3339 at the API's border.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec

from device_drivers.contract import Discard, Quality, Value


class TimeSource(StrEnum):
    """Where ``observed_ms`` comes from, and so how fresh a reading can be."""

    DEVICE = "device"  # the device's own, zoned, plausible clock
    HUB = "hub"  # the moment it arrived
    QUEUED = "queued"  # it waited in the broker while we were away: never fresh
    RETAINED = "retained"  # the broker's memory: never fresh
    UNSYNCED = "unsynced"  # before the hub's clock was trusted


REMEMBERED = (TimeSource.QUEUED, TimeSource.RETAINED)
"""By a broker: not heard now."""


class Reading(msgspec.Struct, frozen=True, gc=False):
    """One value of one channel of one device at one time."""

    device: str
    channel: str
    part: str
    value: Value
    unit: str
    quality: Quality
    reason: str
    observed_ms: int
    received_ms: int
    time_source: TimeSource

    @property
    def is_live(self) -> bool:
        """Heard now, not remembered by a broker."""
        return self.time_source not in REMEMBERED


class Delivery(msgspec.Struct, frozen=True, gc=False):
    """What identifies a QoS 1 message if the broker sends it again."""

    mid: int
    digest: bytes  # of topic and payload


class Receipt(Protocol):
    """The way back of a report: told once its readings are safe, or known to need no keeping."""

    delivery: Delivery | None

    def settle(self, commit: int) -> None:
        """The readings are committed in that commit (0: nothing needed to be stored).

        Sends the acknowledgement to the broker, or a driver's ``after_store`` bytes to its port.
        Runs on the event loop, never raises, and does nothing if the connection is gone.
        """


class Report(msgspec.Struct, frozen=True):
    """All readings of one message of one device."""

    device: str
    readings: tuple[Reading, ...]
    received_ms: int
    is_live: bool
    receipt: Receipt | None = None
    said_ms: int | None = None
    """What time it is by the device's own clock, right or wrong; None while ours is not trusted."""


class Outlet(Protocol):
    """Where the edge puts what it found. Every method returns at once and never raises."""

    def report(self, report: Report) -> None: ...

    def discard(self, device: str, discard: Discard) -> None: ...

    def parent(self, name: str, devices: frozenset[str], online: bool) -> None:
        """A convention's own health changed (``zigbee2mqtt/bridge/state``)."""

    def link(self, name: str, devices: frozenset[str], up: bool, why: str) -> None:
        """A port or a broker was lost, or came back; ``why`` is a code (``held``, ``gone``...)."""

    def confirmed(self, commit: int) -> None:
        """The broker has seen every acknowledgement up to this commit; forget their deliveries."""
