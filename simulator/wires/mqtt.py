"""One MQTT message, as the two conventions hand it to the broker."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Publication:
    """What is published, and how firmly."""

    topic: str
    payload: bytes
    retain: bool = False
    qos: int = 1
