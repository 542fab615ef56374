"""What one behavioural kind is to the others: fed one flag or figure at a time.

A part remembers little, decides when it is fed, and says what it finds to the docket. It has no
due times of its own: what only shows after hours shows with the next word of a sensor just as well.
"""

from __future__ import annotations

from typing import Any, Protocol

from hub.faults.detect.memory import Key, Memory


class Part(Protocol):
    """``name`` is that under which it keeps what it learnt; ``channels`` what it is fed."""

    name: str
    channels: frozenset[str]

    def take(self, memory: Memory, key: Key, value: float, now_ms: int) -> None:
        """A good, live value of one of its channels."""

    def kept(self) -> Any:
        """What survives a restart: something msgspec can write, or None."""

    def restore(self, kept: Any) -> None:
        """What ``kept`` gave; None at the very first start."""
