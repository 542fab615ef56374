"""Where subjects meet: a synchronous, typed publish and subscribe inside one process.

A subscriber runs at once, on the event loop, and must be quick. Personal channels never come here
(ARCHITECTURE decision 13).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

Event = TypeVar("Event")


class Bus:
    def __init__(self) -> None:
        self._subscribers: defaultdict[type, list[Callable[[Any], None]]] = defaultdict(list)

    def subscribe(self, kind: type[Event], subscriber: Callable[[Event], None]) -> None:
        self._subscribers[kind].append(subscriber)

    def publish(self, event: object) -> None:
        for subscriber in self._subscribers[type(event)]:
            subscriber(event)
