"""What the hub says of a device."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from device_drivers.contract import Quality, Value


class Health(StrEnum):
    """Silent wins over faulty over ok."""

    OK = "ok"
    FAULTY = "faulty"  # its last sample is bad, or over half of its last 20 frames were discarded
    SILENT = "silent"  # past silent_after
    NEW = "new"  # never heard and younger than silent_after


class ChannelState(msgspec.Struct, frozen=True):
    """The running step of one channel."""

    value: Value
    unit: str
    quality: Quality
    reason: str
    observed_ms: int
    until_ms: int


class DeviceState(msgspec.Struct, frozen=True):
    """``channels`` is keyed by channel, or ``channel.part`` for a device with parts."""

    id: str
    driver: str
    room: str | None
    zone: str | None
    door: str | None
    maturity: str
    health: Health
    last_heard_ms: int | None
    channels: dict[str, ChannelState]
    configured: bool = True
    alerts: tuple[int, ...] = ()  # open ones that concern it, the oldest first
