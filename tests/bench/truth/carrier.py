"""What lies between sensors and the hub: gateway, broker, cables; and everything that can fail.

Times are the world's; the hub's own clock may be ``off_ms`` away from it.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from itertools import count

from edge.reading import TimeSource
from simulator.wires import zigbee2mqtt
from simulator.wires.mqtt import Publication
from tests.bench.truth.offline import OfflineHub
from tests.bench.truth.place import BASE

HOUR_MS = 3_600_000
LATE_MS = 45_000
LINK = "mqtt"


class Trouble(StrEnum):
    """What fails between the sensors and the rules; what fails in a sensor is its ``Fault``."""

    GATEWAY = "gateway down"  # the bridge dies; its last will says so
    BROKER = "broker gone"  # the gateway keeps what was said, and sends it when it can
    QUEUED = "hub cut off, broker queues"
    LATE = "messages 45 s late"
    TWICE = "every message twice"
    RESTART = "hub restarts"
    CLOCK_ON = "clock set an hour on"
    CLOCK_BACK = "clock set an hour back"


class Carrier:
    """Takes what sensors send, and hands it to the hub when and as it arrives."""

    def __init__(self, hub: OfflineHub, now_ms: int) -> None:
        self.hub = hub
        self.off_ms = 0
        self._trouble: Trouble | None = None
        self._kept: deque[Publication] = deque()
        self._late: list[tuple[int, int, Publication]] = []
        self._retained: dict[str, Publication] = {}
        self._order = count()
        self.now_ms = now_ms

    # -- from the sensors --------------------------------------------------------------------

    def publish(self, what: Publication) -> None:
        """Over the gateway and the broker to the hub."""
        if self._trouble is Trouble.GATEWAY:
            return
        if self._trouble is Trouble.LATE:
            heapq.heappush(self._late, (self.now_ms + LATE_MS, next(self._order), what))
            return
        if self._trouble in (Trouble.BROKER, Trouble.QUEUED):
            self._kept.append(what)
            return
        self._deliver(what)
        if self._trouble is Trouble.TWICE:
            self._deliver(what)

    def line(self, device: str) -> HubLine:
        return HubLine(self.hub, device)

    def _deliver(self, what: Publication, way: TimeSource = TimeSource.HUB) -> None:
        if what.retain:
            self._retained[what.topic] = what
        self.hub.hear_mqtt(what, way)

    # -- time and trouble --------------------------------------------------------------------

    @property
    def due_ms(self) -> int | None:
        return self._late[0][0] if self._late else None

    def advance(self, now_ms: int) -> None:
        """Bring the hub to this moment, and deliver what is due."""
        self.now_ms = now_ms
        self.hub.advance(now_ms + self.off_ms)
        while self._late and self._late[0][0] <= now_ms:
            self._deliver(heapq.heappop(self._late)[2])

    def begin(self, trouble: Trouble) -> None:
        self._trouble = trouble
        if trouble is Trouble.GATEWAY:
            self._deliver(zigbee2mqtt.bridge(BASE, online=False))
        elif trouble in (Trouble.BROKER, Trouble.QUEUED):
            self.hub.link(LINK, self.hub.on_mqtt, up=False)
        elif trouble is Trouble.RESTART:
            self.hub.restart()
            self._remember()
        elif trouble in (Trouble.CLOCK_ON, Trouble.CLOCK_BACK):
            self._set_clock(HOUR_MS if trouble is Trouble.CLOCK_ON else -HOUR_MS)

    def end(self) -> None:
        trouble, self._trouble = self._trouble, None
        if trouble is Trouble.GATEWAY:
            self._deliver(zigbee2mqtt.bridge(BASE, online=True))
        elif trouble in (Trouble.BROKER, Trouble.QUEUED):
            self.hub.link(LINK, self.hub.on_mqtt, up=True)
            self._remember()
            way = TimeSource.HUB if trouble is Trouble.BROKER else TimeSource.QUEUED
            while self._kept:
                self._deliver(self._kept.popleft(), way)
        elif trouble is Trouble.LATE:
            while self._late:
                self._deliver(heapq.heappop(self._late)[2])
        elif trouble in (Trouble.CLOCK_ON, Trouble.CLOCK_BACK):
            self._set_clock(0)

    def _set_clock(self, off_ms: int) -> None:
        self.off_ms = off_ms
        self.hub.set_clock(self.now_ms + off_ms)

    def _remember(self) -> None:
        """A broker tells what it retained whenever somebody subscribes."""
        for what in self._retained.values():
            self.hub.hear_mqtt(what, TimeSource.RETAINED)


class HubLine:
    """A serial line between a simulated device and the hub."""

    def __init__(self, hub: OfflineHub, device: str) -> None:
        self._hub = hub
        self._device = device
        self._feed: Callable[[bytes], None] | None = None
        self._was_pulled = False

    def plug(self) -> None:
        if self._feed is not None:
            return
        self._feed = self._hub.decoder(self._device)
        if self._was_pulled:
            self._hub.link(self._device, frozenset({self._device}), up=True)

    def unplug(self) -> None:
        if self._feed is not None:
            self._feed = None
            self._was_pulled = True
            self._hub.link(self._device, frozenset({self._device}), up=False)

    def write(self, data: bytes) -> bool:
        if self._feed is None:
            return False
        self._feed(data)
        return True
