"""What a driver is: a framer, a pure ``decode`` and a constant ``DRIVER``.

    bytes > frame > Message(Sample...) | Discard

A driver knows its wire. It does not know its own id, its room, the port, the broker or the
time; the edge adds those. Whatever arrives becomes a message or a counted discard: nothing
here raises on input.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

import msgspec

Value = int | float | str | None
"""What a sample says. None only where the device gave no value at all."""


class Quality(StrEnum):
    """How far a value can be trusted. Rules use ``good`` only; nothing is ever erased."""

    GOOD = "good"
    UNCERTAIN = "uncertain"  # a flag beside a valid result
    BAD = "bad"  # out of range, or the device's own error


class DiscardReason(StrEnum):
    """Why bytes did not become a message."""

    NOISE = "noise"
    LENGTH = "length"
    CHECKSUM = "checksum"
    MALFORMED = "malformed"
    UNKNOWN = "unknown"
    OVERSIZE = "oversize"


class Maturity(StrEnum):
    """How well a driver is proven."""

    BUILT = "built"  # from documents
    CAPTURED = "captured"  # against recorded traffic of a real device
    FIELDED = "fielded"  # in a running centre


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One value of one channel, as the device said it."""

    channel: str
    value: Value
    unit: str  # UCUM
    quality: Quality = Quality.GOOD
    reason: str = ""  # why the quality is not good
    part: str = ""  # which input, target or zone of a device that has several


class Message(msgspec.Struct, frozen=True):
    """One understood frame."""

    samples: tuple[Sample, ...]
    device_time: datetime | None = None  # naive: local time of the centre
    after_store: bytes | None = None  # to send once the readings are committed


class Discard(msgspec.Struct, frozen=True, gc=False):
    """Bytes that were thrown away, and why."""

    reason: DiscardReason
    size: int


class MqttPart(msgspec.Struct, frozen=True, gc=False):
    """One MQTT message of one device: its topic without the device's own part, and the payload."""

    subtopic: str
    payload: bytes


class Framer(Protocol):
    """Finds whole frames in a byte stream; see framing.py for what it promises."""

    def feed(self, data: bytes) -> list[bytes | Discard]: ...
    def idle(self) -> list[bytes | Discard]: ...


@dataclass(frozen=True, slots=True)
class Poll:
    """A question the edge asks again and again; the driver never sends."""

    request: bytes
    every: timedelta
    expect: timedelta  # how long to wait for the answer


@dataclass(frozen=True, slots=True)
class SerialLine:
    """How a port is set where the configuration says nothing else."""

    baud: int = 9600
    parity: str = "none"  # none | even | odd
    stop_bits: int = 1
    data_bits: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What every driver declares, whatever its wire."""

    name: str
    title: str
    source: str
    maturity: Maturity
    channels: tuple[str, ...]
    integrity: str
    """What protects a frame from damage (``BCC``, ``CRC-16``); empty where nothing does."""
    proof_within: timedelta
    """How recently the device must have spoken for its silence to prove anything."""
    silent_after: timedelta = timedelta(minutes=10)
    """After this long without a word it counts as silent (mains 10 min, battery 25 h)."""
    duplicate_window: timedelta = timedelta(0)
    """Equal messages within this time are one (0: never); see ARCHITECTURE decision 7."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SerialDriver(Driver):
    """A device on a serial line."""

    framing: Callable[[], Framer]
    decode: Callable[[bytes], Message | Discard]
    line: SerialLine = SerialLine()
    polls: tuple[Poll, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttDriver(Driver):
    """A device, or a convention of devices, on MQTT.

    ``topics`` are patterns with one ``{device}`` hole. ``decode`` answers None for a topic that
    is not its business (a command echo, say). ``parents`` are topics that carry the health of the
    convention itself; they may use ``{base}``, the first level of the device's own topic, and
    decode to the channel ``online``. How topics and patterns meet is told in topics.py.
    """

    topics: tuple[str, ...]
    decode: Callable[[MqttPart], Message | Discard | None]
    parents: tuple[str, ...] = field(default=())
    not_readings: tuple[str, ...] = field(default=())
    """Patterns of commands and of the convention's own tree, with ``{device}`` or ``{base}``."""
    base: str = ""
    """What topics usually begin with, where ``topics`` alone would fit any topic."""


AnyDriver = SerialDriver | MqttDriver
